//! A message header, read by two codecs that must agree on value and on refusal.

#[path = "../../../protocol/tests/oracle/mod.rs"]
mod oracle;

use protocol::codec::{Malformed, RawFrame};
use protocol::limits::HEADER_BYTES_MAX;
use protocol::{HostFrame, codec};

const SEND: u8 = 0x06;

/// Reads the bytes.
pub fn read(header: &[u8]) {
    // Longer ones never reach the codec: the prefix is refused.
    if header.len() > HEADER_BYTES_MAX {
        return;
    }
    let bytes = [&[codec::MAGIC, SEND][..], header].concat();
    let body = &[];
    let raw = RawFrame {
        tag: SEND,
        header,
        body,
        bytes: &bytes,
    };
    let second = oracle::Mirror::read(header);
    match HostFrame::decode(raw) {
        Ok(HostFrame::Send(message)) => {
            let second = second.expect("refused by the second codec only");
            assert_eq!(second.header(), message.header);
            let mut written = Vec::new();
            HostFrame::Send(message)
                .encode(&mut written)
                .expect("it came in one frame");
            let raw = codec::split(&written).expect("a frame").expect("whole");
            assert_eq!(second.write(), raw.header);
        }
        Ok(other) => panic!("{other:?} is no message"),
        // Refused beyond the encoding.
        Err(Malformed::Kind) => assert!(second.is_some()),
        Err(_) => assert!(second.is_none(), "accepted by the second codec only"),
    }
}
