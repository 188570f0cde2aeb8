//! What holds for every frame and for every byte string.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

mod frames;
mod oracle;

use frames::parts;
use oracle::Mirror;
use proptest::prelude::*;
use protocol::codec::{self, Malformed};
use protocol::{CoreFrame, HostFrame};

fn host_bytes(frame: HostFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes).unwrap();
    bytes
}

fn core_bytes(frame: CoreFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes).unwrap();
    bytes
}

/// Changes, adds or takes away one byte.
fn mutate(bytes: &mut Vec<u8>, at: usize, what: u8, value: u8) {
    let at = at % (bytes.len() + 1);
    match what % 3 {
        0 if at < bytes.len() => bytes[at] = value,
        1 => bytes.insert(at, value),
        _ if at < bytes.len() => drop(bytes.remove(at)),
        _ => bytes.push(value),
    }
}

/// What our codec makes of the header of a `Send` frame; `None` when it refuses.
///
/// A word of `type` that is none is refused by us beyond the encoding.
fn ours(header: &[u8]) -> Option<Result<protocol::message::Header<'_>, ()>> {
    let raw = codec::RawFrame {
        tag: codec::split(&host_bytes(send())).unwrap().unwrap().tag,
        header,
        body: &[],
        bytes: &[],
    };
    match HostFrame::decode(raw) {
        Ok(HostFrame::Send(message)) => Some(Ok(message.header)),
        Err(Malformed::Kind) => Some(Err(())),
        _ => None,
    }
}

const fn send() -> HostFrame<'static> {
    HostFrame::Send(protocol::Message::new(
        protocol::MessageKind::Read,
        "a",
        "b",
        b"",
    ))
}

fn check_agreement(header: &[u8]) -> Result<(), TestCaseError> {
    let mirror = Mirror::read(header);
    match ours(header) {
        None => prop_assert_eq!(mirror, None, "accepted by the second codec only"),
        Some(read) => {
            prop_assert!(mirror.is_some(), "refused by the second codec only");
            if let Ok(read) = read {
                prop_assert_eq!(mirror.unwrap().header(), read);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_host_frame_is_read_as_it_was_written(parts in parts()) {
        let bytes = host_bytes(parts.host());
        let raw = codec::split(&bytes).unwrap().unwrap();

        prop_assert_eq!(raw.bytes.len(), bytes.len());
        prop_assert_eq!(HostFrame::decode(raw), Ok(parts.host()));
        prop_assert_eq!(CoreFrame::decode(raw), Err(Malformed::Direction(raw.tag)));
    }

    #[test]
    fn a_core_frame_is_read_as_it_was_written(parts in parts()) {
        let bytes = core_bytes(parts.core());
        let raw = codec::split(&bytes).unwrap().unwrap();

        prop_assert_eq!(raw.bytes.len(), bytes.len());
        prop_assert_eq!(CoreFrame::decode(raw), Ok(parts.core()));
        prop_assert_eq!(HostFrame::decode(raw), Err(Malformed::Direction(raw.tag)));
    }

    #[test]
    fn a_forwarded_send_is_the_delivery_of_its_message(parts in parts()) {
        let sent = host_bytes(HostFrame::Send(parts.message()));
        let mut forwarded = Vec::new();

        codec::forward(codec::split(&sent).unwrap().unwrap(), &mut forwarded);

        prop_assert_eq!(forwarded, core_bytes(CoreFrame::Deliver(parts.message())));
    }

    #[test]
    fn a_forwarded_send_by_is_the_delivery_by_the_same_slot(parts in parts()) {
        let sent = host_bytes(HostFrame::SendBy(parts.in_slot()));
        let mut forwarded = Vec::new();

        codec::forward(codec::split(&sent).unwrap().unwrap(), &mut forwarded);

        prop_assert_eq!(forwarded, core_bytes(CoreFrame::DeliverBy(parts.in_slot())));
    }

    #[test]
    fn arbitrary_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(Some(raw)) = codec::split(&bytes) {
            let _ = (HostFrame::decode(raw), CoreFrame::decode(raw));
        }
    }

    #[test]
    fn arbitrary_headers_are_survived(
        tag in any::<u8>(),
        header in proptest::collection::vec(any::<u8>(), 0..200),
        body in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let raw = codec::RawFrame { tag, header: &header, body: &body, bytes: &[] };
        let _ = (HostFrame::decode(raw), CoreFrame::decode(raw));
    }

    #[test]
    fn a_damaged_frame_is_survived(
        parts in parts(),
        at in any::<usize>(),
        what in any::<u8>(),
        value in any::<u8>(),
    ) {
        let mut damaged = host_bytes(parts.host());
        mutate(&mut damaged, at, what, value);
        let mut other = core_bytes(parts.core());
        mutate(&mut other, at, what, value);

        for bytes in [damaged, other] {
            if let Ok(Some(raw)) = codec::split(&bytes) {
                let _ = (HostFrame::decode(raw), CoreFrame::decode(raw));
            }
        }
    }

    #[test]
    fn what_is_accepted_is_written_back_as_what_was_read(
        parts in parts(),
        at in any::<usize>(),
        what in any::<u8>(),
        value in any::<u8>(),
    ) {
        // Not byte for byte: a number may have been written longer than needed.
        let mut bytes = host_bytes(parts.host());
        mutate(&mut bytes, at, what, value);
        let Ok(Some(raw)) = codec::split(&bytes) else { return Ok(()) };
        let Ok(read) = HostFrame::decode(raw) else { return Ok(()) };

        let again = host_bytes(read);
        prop_assert_eq!(HostFrame::decode(codec::split(&again).unwrap().unwrap()), Ok(read));
    }

    #[test]
    fn the_second_codec_writes_the_same_header(parts in parts()) {
        let bytes = host_bytes(HostFrame::Send(parts.message()));
        let raw = codec::split(&bytes).unwrap().unwrap();

        let mirror = Mirror::read(raw.header).expect("readable by both");

        prop_assert_eq!(mirror.header(), parts.message().header);
        prop_assert_eq!(&mirror.write()[..], raw.header);
    }

    #[test]
    fn both_codecs_agree_on_damaged_headers(
        parts in parts(),
        damage in proptest::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4),
    ) {
        let bytes = host_bytes(HostFrame::Send(parts.message()));
        let mut header = codec::split(&bytes).unwrap().unwrap().header.to_vec();
        for (at, what, value) in damage {
            // Most damage near the front, where the numbers are.
            let at = if what < 128 { at % 24 } else { at };
            mutate(&mut header, at, what, value);
        }

        check_agreement(&header)?;
    }

    #[test]
    fn both_codecs_agree_on_arbitrary_headers(
        header in proptest::collection::vec(prop_oneof![0_u8..4, 0xfa_u8..=0xff, any::<u8>()], 0..40),
    ) {
        check_agreement(&header)?;
    }
}
