//! The blocking client against a core that is played by the test.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

mod far_end;

use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use far_end::{Core, ME, RUNTIME, THEM, component, deliver, pair, start, welcome};
use protocol::client::blocking::{Client, Link};
use protocol::client::{Error, Incoming, Listening};
use protocol::frame::{LogLevel, Role};
use protocol::limits::{BODY_BYTES_MAX, LOG_BYTES_MAX};
use protocol::{Code, CoreFrame, HostFrame, Message, MessageKind, Reply, version};

const SECOND: Duration = Duration::from_secs(1);

fn soon() -> Instant {
    Instant::now() + SECOND
}

#[test]
fn a_component_learns_who_it_is_and_says_that_it_is_loaded() {
    let (link, _core) = component();

    assert_eq!(link.address(), ME);
    assert_eq!(link.runtime(), RUNTIME);
    assert_eq!(link.config(), r#"{"n":1}"#);
}

#[test]
fn a_client_sends_the_nonce_back_and_waits_for_start() {
    let (socket, mut core) = pair();
    core.say(&[welcome(version::PROTOCOL), start()]);

    let link = Link::greet(socket, Role::Operator, soon()).unwrap();

    assert_eq!(link.address(), ME);
    core.hear(|frame| {
        let HostFrame::Hello(hello) = frame else {
            panic!("{frame:?}");
        };
        assert_eq!(hello.nonce, [9; 16]);
        assert_eq!(hello.role, Role::Operator);
    });
}

#[test]
fn another_version_is_told_as_such() {
    let (socket, mut core) = pair();
    core.say(&[welcome(99)]);

    let error = Link::greet(socket, Role::Operator, soon()).unwrap_err();

    assert!(matches!(error, Error::Version(99)), "{error:?}");
}

#[test]
fn a_hangup_after_hello_is_a_refusal() {
    let (socket, mut core) = pair();
    core.say(&[welcome(version::PROTOCOL)]);
    core.socket.shutdown(std::net::Shutdown::Write).unwrap();

    let error = Link::greet(socket, Role::Operator, soon()).unwrap_err();

    assert!(matches!(error, Error::Refused), "{error:?}");
}

#[test]
fn a_hangup_before_welcome_is_a_closed_link() {
    let (socket, core) = pair();
    drop(core);

    let error = Link::greet(socket, Role::Operator, soon()).unwrap_err();

    assert!(matches!(error, Error::Closed), "{error:?}");
}

#[test]
fn a_core_that_says_nothing_is_a_time_out() {
    let (socket, _core) = pair();

    let error = Link::greet(socket, Role::Operator, Instant::now()).unwrap_err();

    assert!(matches!(error, Error::TimedOut(_)), "{error:?}");
}

#[test]
fn no_supervisor_at_the_path_is_told_with_the_path() {
    let error = Link::connect("/nonexistent/bus.sock", Role::Operator).unwrap_err();

    assert!(error.to_string().contains("/nonexistent/bus.sock"));
}

#[test]
fn many_frames_of_one_read_come_one_by_one() {
    let (mut link, mut core) = component();
    core.say(&[
        deliver(b"1"),
        deliver(b"2"),
        CoreFrame::Stop { grace_ms: 3 },
    ]);

    for body in [b"1", b"2"] {
        let (incoming, _) = link.recv().unwrap();
        assert!(matches!(incoming, Incoming::Message(m) if m.body == body));
    }
    let (incoming, _) = link.recv().unwrap();
    assert_eq!(incoming, Incoming::Stop { grace_ms: 3 });
}

#[test]
fn the_end_of_the_link_is_an_event() {
    let (mut link, core) = component();
    drop(core);

    assert_eq!(link.recv().unwrap().0, Incoming::Closed);
    assert_eq!(link.recv().unwrap().0, Incoming::Closed);
}

#[test]
fn a_ping_is_answered_on_the_way() {
    let (mut link, mut core) = component();
    core.say(&[CoreFrame::Ping { token: 5 }, deliver(b"x")]);

    assert!(matches!(link.recv().unwrap().0, Incoming::Message(_)));
    link.flush().unwrap();

    core.hear(|frame| assert_eq!(frame, HostFrame::Pong { token: 5 }));
}

#[test]
fn a_busy_component_answers_pings_and_leaves_the_rest_in_line() {
    let (mut link, mut core) = component();
    core.say(&[deliver(b"1"), CoreFrame::Ping { token: 6 }, deliver(b"2")]);

    link.tend().unwrap();
    link.tend().unwrap();

    core.hear(|frame| assert_eq!(frame, HostFrame::Pong { token: 6 }));
    core.hears_nothing_more();
    for body in [b"1", b"2"] {
        let (incoming, _) = link.recv().unwrap();
        assert!(matches!(incoming, Incoming::Message(m) if m.body == body));
    }
}

#[test]
fn only_a_component_has_a_log() {
    let (socket, mut core) = pair();
    core.say(&[welcome(version::PROTOCOL), start()]);
    let mut client = Link::greet(socket, Role::Operator, soon()).unwrap();

    let error = client.log(LogLevel::Info, "line").unwrap_err();

    assert!(matches!(error, Error::NoLog), "{error:?}");
}

#[test]
fn a_message_is_answered_while_it_is_borrowed() {
    let (mut link, mut core) = component();
    core.say(&[deliver(b"question")]);

    let (incoming, out) = link.recv().unwrap();
    let Incoming::Message(message) = incoming else {
        panic!("{incoming:?}");
    };
    out.reply(&message, Code::OK, message.body).unwrap();
    link.flush().unwrap();

    core.hear(|frame| {
        let HostFrame::Send(answer) = frame else {
            panic!("{frame:?}");
        };
        assert_eq!(answer.header.id, 7);
        assert_eq!((answer.header.from, answer.header.to), (ME, THEM));
        assert_eq!(answer.header.code, Code::OK);
        assert_eq!(answer.body, b"question");
    });
}

#[test]
fn what_wants_no_answer_gets_none() {
    let (mut link, mut core) = component();
    let message = Message::new(MessageKind::Update, THEM, ME, b"");
    core.say(&[CoreFrame::Deliver(message)]);

    let (incoming, out) = link.recv().unwrap();
    let Incoming::Message(message) = incoming else {
        panic!("{incoming:?}");
    };
    out.reply(&message, Code::OK, b"").unwrap();
    link.flush().unwrap();

    core.hears_nothing_more();
}

#[test]
fn what_was_only_listened_to_is_answered_from_the_own_address() {
    let (mut link, mut core) = component();
    let heard = Message::new(MessageKind::Read, THEM, "comm://b.example/9", b"");
    core.say(&[CoreFrame::Deliver(heard.expecting(Reply::Untimed))]);

    let (incoming, out) = link.recv().unwrap();
    let Incoming::Message(message) = incoming else {
        panic!("{incoming:?}");
    };
    out.reply(&message, Code::OK, b"").unwrap();
    link.flush().unwrap();

    core.hear(|frame| {
        assert!(matches!(frame, HostFrame::Send(answer) if answer.header.from == ME));
    });
}

#[test]
fn what_is_said_waits_for_the_flush() {
    let (mut link, mut core) = component();

    link.send(MessageKind::Event, THEM, b"1").unwrap();
    link.listen("comm://b.example/9/changes").unwrap();

    core.hears_nothing_more();
}

#[test]
fn a_recv_that_waits_flushes_first() {
    let (mut link, mut core) = component();
    link.send(MessageKind::Event, THEM, b"1").unwrap();
    let far = thread::spawn(move || {
        core.hear(|frame| assert!(matches!(frame, HostFrame::Send(_))));
        core.say(&[CoreFrame::Listening {
            address: THEM,
            code: Code::OK,
            reason: "",
        }]);
    });

    let expected = Listening {
        address: THEM,
        code: Code::OK,
        reason: "",
    };
    assert_eq!(link.recv().unwrap().0, Incoming::Listening(expected));
    far.join().unwrap();
}

#[test]
fn two_peers_that_both_only_write_do_not_wait_for_each_other() {
    let (mut link, mut core) = component();
    let body = vec![b'x'; 100_000];
    let theirs = body.clone();
    let far = thread::spawn(move || {
        // More than a socket holds, while the client writes more than it holds.
        for _ in 0..20 {
            core.say(&[deliver(&theirs)]);
        }
        let mut heard = 0;
        while heard < 20 {
            // Among them it asks for slots.
            let is_message = core.hear(|frame| matches!(frame, HostFrame::Send(_)));
            heard += i32::from(is_message);
        }
    });

    for _ in 0..20 {
        link.send(MessageKind::Event, THEM, &body).unwrap();
    }
    link.flush().unwrap();
    for _ in 0..20 {
        let (incoming, _) = link.recv().unwrap();
        assert!(matches!(incoming, Incoming::Message(m) if m.body == body));
    }
    far.join().unwrap();
}

#[test]
fn nothing_in_time_is_a_time_out_and_the_link_goes_on() {
    let (mut link, mut core) = component();

    let error = link.recv_within(Duration::ZERO).unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error:?}");

    core.say(&[CoreFrame::Stop { grace_ms: 1 }]);
    let (incoming, _) = link.recv_within(SECOND).unwrap();
    assert_eq!(incoming, Incoming::Stop { grace_ms: 1 });
}

/// The bodies of the messages that are here already.
fn bodies(link: &mut Link<UnixStream>) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while let Ok((Incoming::Message(message), _)) = link.recv_within(Duration::ZERO) {
        bodies.push(message.body.to_vec());
    }
    bodies
}

#[test]
fn frames_cut_anywhere_arrive_whole() {
    let (mut link, mut core) = component();
    let mut stream = Vec::new();
    for body in [&b"one"[..], b"", b"three"] {
        deliver(body).encode(&mut stream).unwrap();
    }

    for cut in 0..=stream.len() {
        core.socket.write_all(&stream[..cut]).unwrap();
        let mut came = bodies(&mut link);
        core.socket.write_all(&stream[cut..]).unwrap();
        came.extend(bodies(&mut link));
        assert_eq!(came, [&b"one"[..], b"", b"three"], "cut at {cut}");
    }
}

#[test]
fn the_longest_frame_arrives_whole_and_the_next_one_too() {
    let (mut link, mut core) = component();
    let body = vec![b'x'; BODY_BYTES_MAX];
    let far = thread::spawn(move || core.say(&[deliver(&body), deliver(b"next")]));

    for length in [BODY_BYTES_MAX, 4] {
        let (incoming, _) = link.recv().unwrap();
        assert!(matches!(incoming, Incoming::Message(m) if m.body.len() == length));
    }
    far.join().unwrap();
}

#[test]
fn bytes_that_are_no_frame_are_an_error() {
    let (mut link, mut core) = component();
    core.socket.write_all(b"hello").unwrap();

    let error = link.recv().unwrap_err();

    assert!(matches!(error, Error::Malformed(_)), "{error:?}");
}

#[test]
fn a_frame_that_does_not_belong_on_a_running_link_is_an_error() {
    let (mut link, mut core) = component();
    core.say(&[start()]);

    let error = link.recv().unwrap_err();

    assert!(matches!(error, Error::Unexpected(_)), "{error:?}");
}

#[test]
fn more_than_64_kib_leave_without_a_flush() {
    let (mut link, mut core) = component();

    link.send(MessageKind::Event, THEM, &vec![b'x'; 64 * 1024])
        .unwrap();

    core.hear(|frame| assert!(matches!(frame, HostFrame::Send(_))));
}

#[test]
fn listening_is_asked_for_from_the_own_address() {
    let (mut link, mut core) = component();

    link.listen("comm://b.example/9/changes").unwrap();
    link.unlisten("comm://b.example/9/changes").unwrap();
    link.flush().unwrap();

    let (component, address) = (ME, "comm://b.example/9/changes");
    core.hear(|frame| assert_eq!(frame, HostFrame::Listen { component, address }));
    core.hear(|frame| assert_eq!(frame, HostFrame::Unlisten { component, address }));
}

#[test]
fn a_long_log_line_is_cut_between_letters() {
    let (mut link, mut core) = component();
    let longest = "x".repeat(LOG_BYTES_MAX);
    let longer = "ä".repeat(LOG_BYTES_MAX);

    link.log(LogLevel::Info, &longest).unwrap();
    link.log(LogLevel::Info, &longer).unwrap();
    link.flush().unwrap();

    core.hear(|frame| {
        assert!(matches!(frame, HostFrame::Log(_, text) if text == longest.as_bytes()));
    });
    core.hear(|frame| {
        let HostFrame::Log(log, text) = frame else {
            panic!("{frame:?}");
        };
        assert_eq!((log.component, log.level), (ME, LogLevel::Info));
        assert!(text.len() <= LOG_BYTES_MAX);
        assert!(str::from_utf8(text).unwrap().ends_with("ä … (cut)"));
    });
}

#[test]
fn what_nobody_will_read_is_a_closed_link() {
    let (mut link, core) = component();
    drop(core);

    link.send(MessageKind::Event, THEM, b"").unwrap();
    let error = link.flush().unwrap_err();

    assert!(matches!(error, Error::Closed), "{error:?}");
    let response = link.request(MessageKind::Read, THEM, b"", SECOND);
    assert!(matches!(response, Err(Error::Closed)), "{response:?}");
}

#[test]
fn the_core_s_last_words_are_read_after_it_has_gone() {
    let (mut link, mut core) = component();
    core.say(&[CoreFrame::Stop { grace_ms: 5 }]);
    drop(core);

    link.send(MessageKind::Event, THEM, b"").unwrap();

    assert_eq!(link.recv().unwrap().0, Incoming::Stop { grace_ms: 5 });
    assert_eq!(link.recv().unwrap().0, Incoming::Closed);
}

#[test]
fn a_client_connects_by_path() {
    let path = std::env::temp_dir().join(format!("protocol-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let far = thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut core = Core::over(socket);
        core.say(&[welcome(version::PROTOCOL)]);
        core.hear(|frame| assert!(matches!(frame, HostFrame::Hello(_))));
        core.say(&[start()]);
    });

    let client = Client::connect(&path, Role::Operator).unwrap();

    assert_eq!(client.address(), ME);
    far.join().unwrap();
    std::fs::remove_file(path).unwrap();
}
