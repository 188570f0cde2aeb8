//! Bytes that a client may read from its link.

use protocol::{CoreFrame, HostFrame, codec};

/// Reads the bytes.
pub fn read(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some(raw)) = codec::split(rest) {
        if let Ok(frame) = CoreFrame::decode(raw) {
            assert!(
                HostFrame::decode(raw).is_err(),
                "accepted in both directions"
            );
            let mut written = Vec::new();
            frame.encode(&mut written).expect("it came in one frame");
            let raw = codec::split(&written).expect("a frame").expect("whole");
            assert_eq!(CoreFrame::decode(raw), Ok(frame));
        }
        rest = &rest[raw.bytes.len()..];
    }
}
