//! Bytes that are not a frame: each kind of fault, just inside and just outside.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

use protocol::codec::{self, Malformed, Prefix, RawFrame, TooLarge};
use protocol::limits::{
    BODY_BYTES_MAX, HEADER_BYTES_MAX, KIND_BYTES_MAX, PREFIX_BYTES, SLOT_BYTES,
};
use protocol::nursery::{DATAGRAM_BYTES_MAX, Report};
use protocol::slot::InSlot;
use protocol::{CoreFrame, HostFrame, Message, MessageKind};

fn prefix(header: u16, body: u32) -> Vec<u8> {
    let mut bytes = vec![codec::MAGIC, 0x06];
    bytes.extend_from_slice(&header.to_le_bytes());
    bytes.extend_from_slice(&body.to_le_bytes());
    bytes
}

const fn raw<'a>(tag: u8, header: &'a [u8], body: &'a [u8]) -> RawFrame<'a> {
    RawFrame {
        tag,
        header,
        body,
        bytes: &[],
    }
}

fn encoded(message: Message<'_>) -> Result<Vec<u8>, TooLarge> {
    let mut bytes = Vec::new();
    HostFrame::Send(message).encode(&mut bytes).map(|()| bytes)
}

/// A message whose header is exactly `bytes` long.
fn header_of(bytes: usize, text: &mut String) -> Message<'_> {
    // Number, kind, code and reply take a byte each, an empty text takes one, and
    // one over 250 bytes three.
    *text = "m".repeat(bytes - 4 - 1 - 1 - 3);
    let mut message = Message::new(MessageKind::Read, "", "", b"");
    message.header.members = text;
    message
}

fn kind_of(bytes: usize) -> Result<(), Malformed> {
    let word = "k".repeat(bytes);
    let message = Message::new(MessageKind::Other(&word), "a", "b", b"");
    let bytes = encoded(message).unwrap();
    HostFrame::decode(codec::split(&bytes).unwrap().unwrap()).map(drop)
}

fn word(text: &str) -> Result<(), Malformed> {
    let bytes = encoded(Message::new(MessageKind::Other(text), "a", "b", b"")).unwrap();
    HostFrame::decode(codec::split(&bytes).unwrap().unwrap()).map(drop)
}

#[test]
fn the_magic_is_checked_with_the_first_byte() {
    assert_eq!(Prefix::read(&[]), Ok(None));
    assert_eq!(Prefix::read(&[codec::MAGIC]), Ok(None));
    assert_eq!(Prefix::read(b"{"), Err(Malformed::Magic(b'{')));
    assert_eq!(codec::split(b"{\"id\":1}"), Err(Malformed::Magic(b'{')));
}

#[test]
fn a_frame_is_none_until_its_last_byte_came() {
    let bytes = encoded(Message::new(MessageKind::Read, "a", "b", b"{}")).unwrap();

    for cut in 0..bytes.len() {
        assert_eq!(codec::split(&bytes[..cut]), Ok(None), "{cut} bytes");
    }
    assert!(codec::split(&bytes).unwrap().is_some());
}

#[test]
fn the_header_length_is_checked_before_the_header_comes() {
    let largest = u16::try_from(HEADER_BYTES_MAX).unwrap();

    assert_eq!(codec::split(&prefix(largest, 0)), Ok(None));
    assert_eq!(
        codec::split(&prefix(largest + 1, 0)),
        Err(Malformed::HeaderLength(HEADER_BYTES_MAX + 1))
    );
}

#[test]
fn the_body_length_is_checked_before_the_body_comes() {
    let largest = u32::try_from(BODY_BYTES_MAX).unwrap();

    assert_eq!(codec::split(&prefix(0, largest)), Ok(None));
    assert_eq!(
        codec::split(&prefix(0, largest + 1)),
        Err(Malformed::BodyLength(BODY_BYTES_MAX + 1))
    );
    assert_eq!(
        codec::split(&prefix(0, u32::MAX)),
        Err(Malformed::BodyLength(u32::MAX as usize))
    );
}

#[test]
fn the_longest_header_can_be_written_and_read() {
    let mut text = String::new();
    let message = header_of(HEADER_BYTES_MAX, &mut text);

    let bytes = encoded(message).unwrap();
    let frame = codec::split(&bytes).unwrap().unwrap();

    assert_eq!(frame.header.len(), HEADER_BYTES_MAX);
    assert_eq!(HostFrame::decode(frame), Ok(HostFrame::Send(message)));
}

#[test]
fn a_longer_header_is_not_written_at_all() {
    let mut text = String::new();
    let message = header_of(HEADER_BYTES_MAX + 1, &mut text);
    let mut out = vec![1, 2, 3];

    let result = HostFrame::Send(message).encode(&mut out);

    assert_eq!(result, Err(TooLarge::Header));
    assert_eq!(out, [1, 2, 3]);
}

#[test]
fn the_longest_body_can_be_written_and_read() {
    let body = vec![b' '; BODY_BYTES_MAX];
    let message = Message::new(MessageKind::Read, "a", "b", &body);

    let bytes = encoded(message).unwrap();
    let frame = codec::split(&bytes).unwrap().unwrap();

    assert_eq!(HostFrame::decode(frame), Ok(HostFrame::Send(message)));
}

#[test]
fn a_longer_body_is_not_written_at_all() {
    let body = vec![b' '; BODY_BYTES_MAX + 1];
    let message = Message::new(MessageKind::Read, "a", "b", &body);
    let mut out = vec![1, 2, 3];

    let result = CoreFrame::Deliver(message).encode(&mut out);

    assert_eq!(result, Err(TooLarge::Body(BODY_BYTES_MAX + 1)));
    assert_eq!(out, [1, 2, 3]);
}

#[test]
fn a_tag_is_unknown_of_the_other_direction_or_right() {
    let of_host = raw(0x0a, &[5], &[]);
    assert_eq!(HostFrame::decode(of_host), Ok(HostFrame::Pong { token: 5 }));
    assert_eq!(CoreFrame::decode(of_host), Err(Malformed::Direction(0x0a)));

    let of_core = raw(0x88, &[5], &[]);
    assert_eq!(CoreFrame::decode(of_core), Ok(CoreFrame::Ping { token: 5 }));
    assert_eq!(HostFrame::decode(of_core), Err(Malformed::Direction(0x88)));

    for unknown in [0x00, 0x15, 0x7f, 0x80, 0x9a, 0xff] {
        for body in [&b""[..], b"x"] {
            let frame = raw(unknown, &[], body);
            assert_eq!(HostFrame::decode(frame), Err(Malformed::Tag(unknown)));
            assert_eq!(CoreFrame::decode(frame), Err(Malformed::Tag(unknown)));
        }
    }
}

#[test]
fn only_the_frames_with_a_body_may_have_one() {
    assert!(HostFrame::decode(raw(0x0a, &[5], &[])).is_ok());
    let with_body = HostFrame::decode(raw(0x0a, &[5], b"x"));
    assert_eq!(with_body, Err(Malformed::Body(0x0a)));

    assert!(CoreFrame::decode(raw(0x88, &[5], &[])).is_ok());
    let with_body = CoreFrame::decode(raw(0x88, &[5], b"x"));
    assert_eq!(with_body, Err(Malformed::Body(0x88)));
}

fn in_slot(kind: MessageKind<'_>, bytes: usize) -> [Result<(), Malformed>; 2] {
    let sent = InSlot {
        slot: 1,
        bytes: u32::try_from(bytes).unwrap(),
        header: Message::new(kind, "a", "b", b"").header,
    };
    let mut written = [Vec::new(), Vec::new()];
    HostFrame::SendBy(sent).encode(&mut written[0]).unwrap();
    CoreFrame::DeliverBy(sent).encode(&mut written[1]).unwrap();
    let raw = |bytes| codec::split(bytes).unwrap().unwrap();
    [
        HostFrame::decode(raw(&written[0])).map(drop),
        CoreFrame::decode(raw(&written[1])).map(drop),
    ]
}

#[test]
fn a_body_in_a_slot_is_no_longer_than_the_slot() {
    let longer = Err(Malformed::BodyLength(SLOT_BYTES + 1));

    assert_eq!(in_slot(MessageKind::Read, SLOT_BYTES), [Ok(()), Ok(())]);
    assert_eq!(in_slot(MessageKind::Read, SLOT_BYTES + 1), [longer, longer]);
}

#[test]
fn a_known_type_may_not_hide_in_a_slot_either() {
    let hidden = MessageKind::Other("read");

    assert_eq!(in_slot(hidden, 1), [Err(Malformed::Kind); 2]);
}

#[test]
fn frames_about_slots_have_no_body() {
    for tag in [0x0b, 0x0c, 0x0d] {
        let with_body = HostFrame::decode(raw(tag, &[5], b"x"));
        assert_eq!(with_body, Err(Malformed::Body(tag)));
    }
    for tag in 0x8a..=0x8f {
        let with_body = CoreFrame::decode(raw(tag, &[5], b"x"));
        assert_eq!(with_body, Err(Malformed::Body(tag)));
    }
}

#[test]
fn every_byte_of_a_header_must_be_used() {
    assert!(HostFrame::decode(raw(0x0a, &[5], &[])).is_ok());
    assert_eq!(
        HostFrame::decode(raw(0x0a, &[], &[])),
        Err(Malformed::Header)
    );
    assert_eq!(
        HostFrame::decode(raw(0x0a, &[5, 0], &[])),
        Err(Malformed::Header)
    );
}

#[test]
fn a_text_must_be_utf8_and_as_long_as_it_says() {
    let loaded = |header| HostFrame::decode(raw(0x03, header, &[])).map(drop);

    assert_eq!(loaded(b"\x02ab"), Ok(()));
    assert_eq!(loaded(b"\x03ab"), Err(Malformed::Header));
    assert_eq!(loaded(b"\x01ab"), Err(Malformed::Header));
    assert_eq!(loaded(b"\x02\xc3\xa4"), Ok(()));
    assert_eq!(loaded(b"\x02\xc3a"), Err(Malformed::Header));
}

#[test]
fn a_length_of_exabytes_is_an_error_and_no_allocation() {
    let header = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0x10, b'a'];

    let loaded = HostFrame::decode(raw(0x03, &header, &[]));

    assert_eq!(loaded, Err(Malformed::Header));
}

#[test]
fn a_choice_beyond_the_last_is_an_error() {
    let confined = |level| HostFrame::decode(raw(0x02, &[level, 7, 0, 0], &[])).map(drop);

    assert_eq!(confined(3), Ok(()));
    assert_eq!(confined(4), Err(Malformed::Header));
}

#[test]
fn a_message_type_is_a_word_of_bounded_length() {
    assert_eq!(kind_of(0), Err(Malformed::Kind));
    assert_eq!(kind_of(1), Ok(()));
    assert_eq!(kind_of(KIND_BYTES_MAX), Ok(()));
    assert_eq!(kind_of(KIND_BYTES_MAX + 1), Err(Malformed::Kind));

    assert_eq!(word("re-open"), Ok(()));
    assert_eq!(word("READ"), Ok(()));
    assert_eq!(word("two words"), Err(Malformed::Kind));
    assert_eq!(word("\u{1b}[31m"), Err(Malformed::Kind));
}

#[test]
fn a_known_type_may_not_hide_as_an_unknown_one() {
    assert_eq!(word("read"), Err(Malformed::Kind));
    assert_eq!(word("response"), Err(Malformed::Kind));
}

#[test]
fn the_longest_datagram_can_be_written_and_a_longer_one_cannot() {
    let report = |reason| Report::NotLaunched { sandbox: 1, reason };
    let overhead = 2 + 3;
    let fits = "r".repeat(DATAGRAM_BYTES_MAX - overhead);
    let longer = "r".repeat(DATAGRAM_BYTES_MAX - overhead + 1);

    let written = codec::datagram(&report(&fits)).unwrap();

    assert_eq!(written.len(), DATAGRAM_BYTES_MAX);
    assert_eq!(codec::read_datagram(&written), Ok(report(&fits)));
    assert_eq!(codec::datagram(&report(&longer)), Err(TooLarge::Datagram));
}

#[test]
fn the_prefix_alone_says_how_long_the_frame_is() {
    let bytes = prefix(300, 5000);
    let prefix = Prefix::read(&bytes).unwrap().unwrap();

    assert_eq!(prefix.frame_bytes(), PREFIX_BYTES + 300 + 5000);
}
