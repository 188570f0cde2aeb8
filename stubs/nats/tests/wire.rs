//! The protocol without a socket: round trips, garbage, limits.

#![allow(clippy::expect_used)]

use proptest::prelude::*;
use stub_nats::wire::{
    HEADERS_BYTES_MAX, Headers, INFO_BYTES_MAX, LINE_BYTES_MAX, MESSAGE_BYTES_MAX, Malformed,
    NotWritten, Op, Reader, Status, publish, subscribe,
};

/// What a reader makes of these bytes, as text.
fn read(bytes: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut reader = Reader::default();
    reader.space().extend_from_slice(bytes);
    let mut ops = Vec::new();
    while let Some(op) = reader.next()? {
        ops.push(told(op));
    }
    Ok(ops)
}

/// The same, one byte after the other.
fn read_slowly(bytes: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut reader = Reader::default();
    let mut ops = Vec::new();
    for byte in bytes {
        reader.space().push(*byte);
        while let Some(op) = reader.next()? {
            ops.push(told(op));
        }
    }
    Ok(ops)
}

fn told(op: Op<'_>) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    match op {
        Op::Msg(m) => format!(
            "{} {} {:?} {:?} {:?}",
            m.subject,
            m.sid,
            m.reply,
            text(m.headers),
            text(m.payload)
        ),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_operation_of_a_server_is_read() {
    let bytes = b"INFO {\"a\":1}\r\nPING\r\npong\r\n+OK\r\n-ERR 'No Way'\r\n\
                  MSG a.b 7 5\r\nhello\r\nMSG a 7 re.1 0\r\n\r\n\
                  HMSG a 9 re 12 14\r\nNATS/1.0\r\n\r\nhi\r\n";

    let ops = read(bytes).expect("operations");

    assert_eq!(
        ops,
        [
            r#"Info("{\"a\":1}")"#,
            "Ping",
            "Pong",
            "Ok",
            r#"Err("No Way")"#,
            r#"a.b 7 None "" "hello""#,
            r#"a 7 Some("re.1") "" """#,
            r#"a 9 Some("re") "NATS/1.0\r\n\r\n" "hi""#,
        ]
    );
    assert_eq!(read_slowly(bytes), Ok(ops));
}

#[test]
fn lengths_are_checked_before_anything_is_kept() {
    let long = |bytes: u64| read(format!("MSG a 1 {bytes}\r\n").as_bytes());
    let headers = |bytes: usize| read(format!("HMSG a 1 {bytes} {bytes}\r\n").as_bytes());
    let info = |bytes: usize| read(&[b"INFO ".to_vec(), vec![b'x'; bytes]].concat());

    assert_eq!(long(MESSAGE_BYTES_MAX as u64), Ok(vec![]));
    assert_eq!(
        long(MESSAGE_BYTES_MAX as u64 + 1),
        Err(Malformed::Long(
            MESSAGE_BYTES_MAX as u64 + 1,
            MESSAGE_BYTES_MAX
        ))
    );
    assert_eq!(
        long(u64::from(u32::MAX)),
        Err(Malformed::Long(u64::from(u32::MAX), MESSAGE_BYTES_MAX))
    );
    assert_eq!(headers(HEADERS_BYTES_MAX), Ok(vec![]));
    assert!(matches!(
        headers(HEADERS_BYTES_MAX + 1),
        Err(Malformed::Long(..))
    ));
    assert_eq!(info(INFO_BYTES_MAX - 5), Ok(vec![]));
    assert_eq!(info(INFO_BYTES_MAX), Err(Malformed::Line(INFO_BYTES_MAX)));
    assert_eq!(read(&[b'M'; LINE_BYTES_MAX]), Ok(vec![]));
    assert_eq!(
        read(&[b'M'; LINE_BYTES_MAX + 1]),
        Err(Malformed::Line(LINE_BYTES_MAX))
    );
}

#[test]
fn what_is_no_operation_says_what_it_is() {
    let check = |bytes: &[u8], reason: &str| {
        let error = read(bytes).expect_err("no operation");
        assert_eq!(error.to_string(), reason);
    };

    check(
        b"HTTP/1.1 400 Bad Request\r\n",
        "`HTTP/1.1` is not an operation of a server",
    );
    check(
        b"\x1b[31m\r\n",
        "`\\u{1b}[31m` is not an operation of a server",
    );
    check(
        b"MSG a 1\r\n",
        "`MSG a 1` has not the words that its operation needs",
    );
    check(
        b"MSG a 1 -4\r\n",
        "`MSG a 1 -4` has not the words that its operation needs",
    );
    check(
        b"MSG a b c d 1\r\n",
        "`MSG a b c d 1` has not the words that its operation needs",
    );
    check(b"HMSG a 1 9 4\r\n", "headers of 9 bytes in a message of 4");
    check(
        b"MSG a 1 2\r\nhello\r\n",
        "a payload that is longer than its line said",
    );
    check(b"PI\xffNG\r\n", "a line that is not UTF-8");
}

#[test]
fn a_subject_cannot_say_another_operation() {
    let mut out = Vec::new();
    for subject in ["", "a b", "a\r\nPUB b 0", "a..b", ".a", "a.", "\u{e4}"] {
        let refused = publish(&mut out, subject, None, &[], b"");
        assert_eq!(refused, Err(NotWritten::Subject(subject.to_owned())));
        let refused = publish(&mut out, "a", Some(subject), &[], b"");
        assert_eq!(refused, Err(NotWritten::Subject(subject.to_owned())));
        assert!(subscribe(&mut out, subject, 1).is_err());
    }
    let header = publish(&mut out, "a", None, &[("A", "b\r\nC: d")], b"");
    assert_eq!(header, Err(NotWritten::Header("b\r\nC: d".to_owned())));
    let long = "a".repeat(LINE_BYTES_MAX);
    assert!(matches!(
        publish(&mut out, &long, None, &[], b""),
        Err(NotWritten::Line(_))
    ));

    assert_eq!(out, b"", "nothing of what was refused is written");
}

#[test]
fn the_status_of_a_header_block_is_read() {
    let block = Headers::of(b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\n\r\n");

    assert_eq!(block.status(), Some(Status(408)));
    assert_eq!(block.description(), "Request Timeout");
    assert_eq!(block.get("nats-pending-messages"), Some("3"));
    assert_eq!(Headers::of(b"NATS/1.0\r\nA: b\r\n\r\n").status(), None);
    assert_eq!(Headers::of(b"\xff\xff").get("A"), None);
}

proptest! {
    #[test]
    fn what_is_published_is_what_is_read(
        subject in "[a-z=_-]{1,20}(\\.[a-z0-9]{1,9}){0,4}",
        reply in proptest::option::of("[a-z]{1,9}\\.[0-9]{1,9}"),
        value in proptest::option::of("[ -~]{0,40}"),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut out = Vec::new();
        let headers: Vec<_> = value.iter().map(|value| ("Hy-Test", value.as_str())).collect();
        publish(&mut out, &subject, reply.as_deref(), &headers, &payload).expect("written");

        // As the server hands it on: its verb, and a subscription's number.
        let text = out.iter().position(|byte| *byte == b'\r').expect("a line");
        let line = String::from_utf8(out[..text].to_vec()).expect("text");
        let (verb, rest) = line.split_once(' ').expect("words");
        let verb = if verb == "HPUB" { "HMSG" } else { "MSG" };
        let (subject_said, rest) = rest.split_once(' ').expect("words");
        let mut bytes = format!("{verb} {subject_said} 4 {rest}").into_bytes();
        bytes.extend_from_slice(&out[text..]);
        let mut reader = Reader::default();
        reader.space().extend_from_slice(&bytes);
        let Some(Op::Msg(read)) = reader.next().expect("an operation") else {
            return Err(TestCaseError::fail("no message"));
        };

        prop_assert_eq!(read.subject, subject);
        prop_assert_eq!(read.reply, reply.as_deref());
        prop_assert_eq!(read.payload, payload);
        let header = Headers::of(read.headers).get("hy-test");
        prop_assert_eq!(header, value.as_deref().map(str::trim));
    }

    #[test]
    fn garbage_is_refused_or_waited_for_and_reads_the_same_in_pieces(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        text in "(MSG|HMSG|PING|INFO|-ERR)( [a-z0-9]{1,4}){0,5}\r\n[a-z\r\n]{0,20}",
    ) {
        prop_assert_eq!(read(&bytes), read_slowly(&bytes));
        prop_assert_eq!(read(text.as_bytes()), read_slowly(text.as_bytes()));
    }
}
