//! The async client against a core that is played by the test.

#![cfg(feature = "async")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

mod far_end;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use far_end::{Core, ME, RUNTIME, THEM, answer, deliver, memory, pair, start, welcome};
use protocol::client::tokio::{Client, Component};
use protocol::client::{Error, Incoming, Place};
use protocol::frame::Role;
use protocol::limits::SLOT_FROM_BYTES;
use protocol::slot::{InSlot, Lend};
use protocol::{Code, CoreFrame, HostFrame, Message, MessageKind, version};
use tokio::net::UnixStream;

const SECOND: Duration = Duration::from_secs(1);

fn block_on<F: Future>(future: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(future)
}

fn stream(socket: std::os::unix::net::UnixStream) -> UnixStream {
    socket.set_nonblocking(true).unwrap();
    UnixStream::from_std(socket).unwrap()
}

/// A client that has been let in.
async fn client() -> (Client, Core) {
    let (socket, mut core) = pair();
    core.say(&[welcome(version::PROTOCOL), start()]);
    let client = Client::greet(stream(socket), Role::Operator).await.unwrap();
    core.hear(|frame| assert!(matches!(frame, HostFrame::Hello(_))));
    (client, core)
}

#[test]
fn a_client_is_let_in() {
    block_on(async {
        let (client, _core) = client().await;

        assert_eq!(client.address(), ME);
        assert_eq!(client.runtime(), RUNTIME);
    });
}

#[test]
fn a_hangup_after_hello_is_a_refusal() {
    block_on(async {
        let (socket, mut core) = pair();
        core.say(&[welcome(version::PROTOCOL)]);
        core.socket.shutdown(std::net::Shutdown::Write).unwrap();

        let error = Client::greet(stream(socket), Role::Operator).await;

        assert!(matches!(error, Err(Error::Refused)), "{error:?}");
    });
}

#[test]
fn no_supervisor_at_the_path_is_told_with_the_path() {
    block_on(async {
        let error = Client::connect("/nonexistent/bus.sock", Role::Operator).await;

        let text = error.unwrap_err().to_string();
        assert!(text.contains("/nonexistent/bus.sock"), "{text}");
    });
}

#[test]
fn a_message_is_answered_while_it_is_borrowed() {
    block_on(async {
        let (mut client, mut core) = client().await;
        core.say(&[CoreFrame::Ping { token: 4 }, deliver(b"question")]);

        let (incoming, out) = client.recv().await.unwrap();
        let Incoming::Message(message) = incoming else {
            panic!("{incoming:?}");
        };
        out.reply(&message, Code::OK, message.body).unwrap();
        client.flush().await.unwrap();

        core.hear(|frame| assert_eq!(frame, HostFrame::Pong { token: 4 }));
        core.hear(|frame| assert!(matches!(frame, HostFrame::Send(m) if m.body == b"question")));
    });
}

#[test]
fn a_request_leaves_the_rest_in_line() {
    block_on(async {
        let (mut client, mut core) = client().await;
        core.say(&[
            deliver(b"before"),
            answer(1, 200, b"done"),
            deliver(b"after"),
        ]);

        let response = client.request(MessageKind::Read, THEM, b"", SECOND).await;
        assert_eq!(response.unwrap().body, b"done");

        for body in [&b"before"[..], b"after"] {
            let (incoming, _) = client.recv().await.unwrap();
            assert!(matches!(incoming, Incoming::Message(m) if m.body == body));
        }
    });
}

#[test]
fn a_dropped_recv_loses_nothing() {
    block_on(async {
        let (mut client, mut core) = client().await;
        let mut bytes = Vec::new();
        deliver(b"whole").encode(&mut bytes).unwrap();
        let (first, second) = bytes.split_at(5);

        std::io::Write::write_all(&mut core.socket, first).unwrap();
        {
            let mut recv = pin!(client.recv());
            let mut context = Context::from_waker(Waker::noop());
            assert!(recv.as_mut().poll(&mut context).is_pending());
        }
        std::io::Write::write_all(&mut core.socket, second).unwrap();

        let (incoming, _) = client.recv().await.unwrap();
        assert!(matches!(incoming, Incoming::Message(m) if m.body == b"whole"));
    });
}

#[test]
fn two_peers_that_both_only_write_do_not_wait_for_each_other() {
    block_on(async {
        let (mut client, mut core) = client().await;
        let body = vec![b'x'; 100_000];
        let theirs = body.clone();
        let far = std::thread::spawn(move || {
            core.say(&[deliver(&theirs); 20]);
            let mut heard = 0;
            while heard < 20 {
                // Among them it asks for slots.
                let is_message = core.hear(|frame| matches!(frame, HostFrame::Send(_)));
                heard += i32::from(is_message);
            }
        });

        for _ in 0..20 {
            client.send(MessageKind::Event, THEM, &body).await.unwrap();
        }
        client.flush().await.unwrap();
        for _ in 0..20 {
            let (incoming, _) = client.recv().await.unwrap();
            assert!(matches!(incoming, Incoming::Message(m) if m.body == body));
        }
        far.join().unwrap();
    });
}

#[test]
fn the_end_of_the_link_is_an_event() {
    block_on(async {
        let (mut client, core) = client().await;
        drop(core);

        assert_eq!(client.recv().await.unwrap().0, Incoming::Closed);
        assert!(matches!(
            client.request(MessageKind::Read, THEM, b"", SECOND).await,
            Err(Error::Closed)
        ));
    });
}

#[test]
fn a_room_is_asked_and_its_failure_is_told() {
    block_on(async {
        let (mut client, mut core) = client().await;
        core.say(&[answer(1, 200, br#"{"code":200,"value":{"components":[]}}"#)]);
        core.say(&[answer(
            2,
            404,
            br#"{"code":404,"desc":"nobody has this address"}"#,
        )]);

        assert_eq!(client.components().await.unwrap().components, []);
        let error = client.remove(THEM).await.unwrap_err();
        assert_eq!(error.to_string(), "nobody has this address (404)");
    });
}

#[test]
fn a_hyperty_is_called_and_what_it_lent_is_given_back() {
    block_on(async {
        let (mut client, mut core) = client().await;
        let room = r#"{"code":200,"value":{"$":"ref","ref":"r-1","kind":"object"}}"#;
        core.say(&[answer(1, 200, room.as_bytes())]);

        let returned = client.hyperty(THEM).call("open", &[]).await.unwrap();
        drop(returned.into_reference().unwrap());
        client.flush().await.unwrap();

        let bodies = [0, 1].map(|_| core.hear(body));
        assert_eq!(bodies[0], r#"{"method":"open","args":[]}"#);
        assert_eq!(bodies[1], r#"{"release":[["r-1",1]]}"#);
    });
}

fn body(frame: HostFrame<'_>) -> String {
    match frame {
        HostFrame::Send(message) => String::from_utf8(message.body.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn large_bodies_go_by_slots_both_ways() {
    block_on(async {
        let (mut client, mut core) = client().await;
        let (body, memory) = (vec![b'x'; SLOT_FROM_BYTES + 1], memory());
        let bytes = u32::try_from(body.len()).unwrap();
        core.say(&[deliver(&body)]);
        assert!(matches!(client.recv().await, Ok((Incoming::Message(_), _))));
        core.say_with(&CoreFrame::Borrow { slot: 1, bytes }, &memory);
        let to = THEM;
        core.say_with(&CoreFrame::Lend(Lend { slot: 2, bytes, to }), &memory);
        let header = Message::new(MessageKind::Update, THEM, ME, b"").header;
        core.say(&[CoreFrame::DeliverBy(InSlot {
            slot: 1,
            bytes,
            header,
        })]);

        let (incoming, out) = client.recv().await.unwrap();
        let Incoming::Message(message) = incoming else {
            panic!("{incoming:?}");
        };
        assert_eq!(message.body, vec![0; body.len()]);
        out.send(MessageKind::Update, THEM, &body).unwrap();
        client.flush().await.unwrap();

        let mut heard = Vec::new();
        while heard.len() < 4 {
            heard.push(core.hear(|frame| match frame {
                HostFrame::TakeSlots { .. } => "take",
                HostFrame::Return { slot: 1 } => "return",
                HostFrame::SendBy(InSlot { slot: 2, .. }) => "send by",
                _ => "something else",
            }));
        }
        assert_eq!(heard, ["take", "return", "return", "send by"]);
    });
}

#[test]
fn a_component_attaches_and_dials_while_messages_wait() {
    block_on(async {
        let (socket, mut core) = pair();
        core.say(&[start()]);
        let mut component = Component::attach_to(stream(socket)).await.unwrap();
        core.hear(|frame| assert_eq!(frame, HostFrame::Loaded { component: ME }));
        core.say(&[deliver(b"waits")]);
        let told = CoreFrame::Socket {
            request: 1,
            socket: 9,
            peer: "[2001:db8::1]:443",
        };
        core.say_with(&told, &memory());

        let place = Place::tcp("h.example", 443);
        let connection = component.dial(place, SECOND).await.unwrap();

        core.hear(|frame| assert!(matches!(frame, HostFrame::Dial(_))));
        assert_eq!(connection.peer.to_string(), "[2001:db8::1]:443");
        assert!(matches!(
            component.recv().await,
            Ok((Incoming::Message(_), _))
        ));
        drop(connection);
        component.flush().await.unwrap();
        core.hear(|frame| assert_eq!(frame, HostFrame::Hangup { socket: 9 }));
    });
}

#[test]
fn the_socket_of_a_dial_that_was_dropped_is_closed_by_the_next_recv() {
    block_on(async {
        let (mut client, mut core) = client().await;
        let place = Place::tcp("h.example", 443);
        {
            let dial = pin!(client.dial(place, SECOND));
            let mut context = Context::from_waker(Waker::noop());
            assert!(dial.poll(&mut context).is_pending());
        }
        core.hear(|frame| assert!(matches!(frame, HostFrame::Dial(_))));
        let told = CoreFrame::Socket {
            request: 1,
            socket: 9,
            peer: "192.0.2.1:443",
        };
        core.say_with(&told, &memory());

        assert!(matches!(client.recv().await, Ok((Incoming::Network(_), _))));
        core.say(&[deliver(b"next")]);
        client.recv().await.unwrap();
        client.flush().await.unwrap();

        core.hear(|frame| assert_eq!(frame, HostFrame::Hangup { socket: 9 }));
    });
}
