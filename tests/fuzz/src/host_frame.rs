//! Bytes that a host may write to its link.
//!
//! Whatever is accepted must mean the same after it was written again, and a
//! message must arrive as it was sent.

use protocol::{CoreFrame, HostFrame, codec};

/// Reads the bytes.
pub fn read(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some(raw)) = codec::split(rest) {
        if let Ok(frame) = HostFrame::decode(raw) {
            assert!(
                CoreFrame::decode(raw).is_err(),
                "accepted in both directions"
            );
            check_written_again(frame);
            if let HostFrame::Send(message) = frame {
                let mut forwarded = Vec::new();
                codec::forward(raw, &mut forwarded);
                let raw = codec::split(&forwarded).expect("a frame").expect("whole");
                assert_eq!(CoreFrame::decode(raw), Ok(CoreFrame::Deliver(message)));
            }
            if let HostFrame::SendBy(sent) = frame {
                let mut forwarded = Vec::new();
                codec::forward(raw, &mut forwarded);
                let raw = codec::split(&forwarded).expect("a frame").expect("whole");
                assert_eq!(CoreFrame::decode(raw), Ok(CoreFrame::DeliverBy(sent)));
            }
        }
        rest = &rest[raw.bytes.len()..];
    }
}

fn check_written_again(frame: HostFrame<'_>) {
    let mut written = Vec::new();
    frame.encode(&mut written).expect("it came in one frame");
    let raw = codec::split(&written).expect("a frame").expect("whole");
    assert_eq!(HostFrame::decode(raw), Ok(frame));
}
