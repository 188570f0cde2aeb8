//! Requests of the blocking client, and their answers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

mod far_end;

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use far_end::{THEM, answer, component, deliver, pair, start, welcome};
use protocol::client::blocking::Link;
use protocol::client::{Error, Incoming, Response};
use protocol::frame::Role;
use protocol::limits::BODY_BYTES_MAX;
use protocol::{Code, HostFrame, MessageKind, Reply, version};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_request_waits_for_its_answer_and_leaves_the_rest_in_line() {
    let (mut link, mut core) = component();
    core.say(&[
        deliver(b"before"),
        answer(1, 100, b"soon"),
        deliver(b"between"),
        answer(1, 200, b"done"),
        deliver(b"after"),
    ]);

    let response = link
        .request(MessageKind::Read, THEM, b"{}", SECOND)
        .unwrap();
    let expected = Response {
        id: 1,
        code: Code::OK,
        from: THEM,
        body: b"done",
    };
    assert_eq!(response, expected);

    for body in [&b"before"[..], b"between", b"after"] {
        let (incoming, out) = link.recv().unwrap();
        assert!(matches!(incoming, Incoming::Message(m) if m.body == body));
        assert_eq!(out.pending(), 0);
    }
}

#[test]
fn a_client_does_not_wait_for_ever_for_a_core_that_hangs() {
    let (socket, mut core) = pair();
    core.say(&[welcome(version::PROTOCOL), start()]);
    let deadline = Instant::now() + SECOND;
    let mut client = Link::greet(socket, Role::Operator, deadline).unwrap();

    // Two seconds of grace are the core's; no shorter way to see a time pass.
    let response = client.request(MessageKind::Read, THEM, b"", Duration::ZERO);

    assert!(matches!(response, Err(Error::TimedOut("answer"))));
    assert_eq!(client.out().pending(), 0);
}

#[test]
fn a_second_request_does_not_lose_what_the_first_left_in_line() {
    let (mut link, mut core) = component();
    core.say(&[deliver(b"1"), answer(1, 200, b"a"), deliver(b"2")]);
    let kind = MessageKind::Read;
    assert_eq!(link.request(kind, THEM, b"", SECOND).unwrap().body, b"a");
    core.say(&[answer(2, 200, b"b")]);
    assert_eq!(link.request(kind, THEM, b"", SECOND).unwrap().body, b"b");

    for body in [b"1", b"2"] {
        let (incoming, _) = link.recv().unwrap();
        assert!(matches!(incoming, Incoming::Message(m) if m.body == body));
    }
}

#[test]
fn answers_in_any_order_find_their_requests() {
    let (mut link, mut core) = component();
    for _ in 0..3 {
        link.ask(MessageKind::Read, THEM, b"", SECOND).unwrap();
    }
    core.say(&[
        answer(3, 200, b""),
        answer(1, 100, b""),
        answer(1, 200, b""),
    ]);
    core.say(&[answer(9, 200, b""), answer(3, 200, b"")]);

    let ids = [3, 1, 1].map(|_| match link.recv().unwrap().0 {
        Incoming::Response(response) => response.id,
        other => panic!("{other:?}"),
    });
    assert_eq!(ids, [3, 1, 1]);
    // Never asked, and already answered: somebody's message, not a response.
    assert!(matches!(link.recv().unwrap().0, Incoming::Message(_)));
    assert!(matches!(link.recv().unwrap().0, Incoming::Message(_)));
    assert_eq!(link.out().pending(), 1);
}

#[test]
fn more_messages_than_fit_behind_a_request_end_it() {
    let (mut link, mut core) = component();
    let body = vec![b'x'; BODY_BYTES_MAX];
    let far = thread::spawn(move || {
        let mut bytes = Vec::new();
        for _ in 0..20 {
            deliver(&body).encode(&mut bytes).unwrap();
        }
        // The client goes away in the middle of it.
        core.socket.write_all(&bytes).unwrap_err();
    });

    let error = link.request(MessageKind::Read, THEM, b"", Duration::from_mins(1));

    assert!(matches!(error, Err(Error::Backlog(_))), "{error:?}");
    drop(link);
    far.join().unwrap();
}

#[test]
fn a_room_is_asked_below_the_runtime_and_its_value_is_read() {
    let (mut link, mut core) = component();
    core.say(&[answer(1, 200, br#"{"code":200,"value":{"components":[]}}"#)]);

    let listing = link.components().unwrap();

    assert_eq!(listing.components, []);
    core.hear(|frame| {
        let HostFrame::Send(question) = frame else {
            panic!("{frame:?}");
        };
        assert_eq!(question.header.to, "hyperty-runtime://local/r1/ua");
        assert_eq!(question.header.kind, MessageKind::Read);
        assert_eq!(question.header.reply, Reply::Within(15_000));
    });
}

#[test]
fn an_answer_without_a_value_is_the_unit() {
    let (mut link, mut core) = component();
    core.say(&[answer(1, 200, br#"{"code":200}"#)]);

    link.remove(THEM).unwrap();
}

#[test]
fn a_failed_answer_keeps_its_number_reason_and_decision() {
    let (mut link, mut core) = component();
    let body = br#"{"code":403,"description":"no rule permits it","decision":"d-1-7"}"#;
    core.say(&[answer(1, 403, body)]);

    let error = link.remove(THEM).unwrap_err();

    assert_eq!(error.to_string(), "no rule permits it (403)");
    assert_eq!(error.code(), Some(Code::FORBIDDEN));
    let Error::Answered(failure) = error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.decision, "d-1-7");
    assert_eq!(failure.body, body);
}
