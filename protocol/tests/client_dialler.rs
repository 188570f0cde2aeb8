//! Tasks that dial over a link which another task drives.

#![cfg(feature = "async")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

mod far_end;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use far_end::{Core, ME, deliver, memory, pair, start};
use protocol::client::tokio::{Component, Dialler};
use protocol::client::{Error, Incoming, Place};
use protocol::dial::NotDialled;
use protocol::{Code, CoreFrame, HostFrame};
use tokio::net::UnixStream;

const SECOND: Duration = Duration::from_secs(1);
const PLACE: Place<'static> = Place::tcp("h.example", 443);

fn block_on<F: Future>(future: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(future)
}

async fn component() -> (Component, Dialler, Core) {
    let (socket, mut core) = pair();
    core.say(&[start()]);
    socket.set_nonblocking(true).unwrap();
    let socket = UnixStream::from_std(socket).unwrap();
    let mut component = Component::attach_to(socket).await.unwrap();
    core.hear(|frame| assert_eq!(frame, HostFrame::Loaded { component: ME }));
    let dialler = component.dialler();
    (component, dialler, core)
}

fn begin(future: std::pin::Pin<&mut impl Future>) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.poll(&mut context).is_pending());
}

fn socket() -> CoreFrame<'static> {
    CoreFrame::Socket {
        request: 1,
        socket: 9,
        peer: "192.0.2.1:443",
    }
}

#[test]
fn a_dial_beside_the_link_gets_its_connection_and_messages_wait() {
    block_on(async {
        let (mut component, dialler, mut core) = component().await;
        core.say(&[deliver(b"waits")]);

        let (connection, revocation) = {
            let mut dialling = pin!(component.during(dialler.dial(PLACE, SECOND)));
            begin(dialling.as_mut());
            core.hear(|frame| assert!(matches!(frame, HostFrame::Dial(dial) if dial.port == 443)));
            core.say_with(&socket(), &memory());
            dialling.await.unwrap().unwrap()
        };

        assert_eq!(connection.peer.port(), 443);
        assert_eq!(revocation.reason(), None);
        let incoming = component.recv().await;
        assert!(matches!(incoming, Ok((Incoming::Message(_), _))));
    });
}

#[test]
fn whoever_waits_for_a_message_dials_for_the_others_meanwhile() {
    block_on(async {
        let (mut component, dialler, mut core) = component().await;
        let dialling = tokio::spawn(async move { dialler.dial(PLACE, SECOND).await });
        {
            let mut waiting = pin!(component.recv());
            begin(waiting.as_mut());
            tokio::task::yield_now().await;
            begin(waiting.as_mut());
            core.hear(|frame| assert!(matches!(frame, HostFrame::Dial(_))));
            let decision = "d-1";
            core.say(&[CoreFrame::NotDialled(NotDialled {
                request: 1,
                code: Code::FORBIDDEN,
                reason: "not granted",
                decision,
            })]);
            core.say(&[deliver(b"next")]);
            assert!(matches!(waiting.await, Ok((Incoming::Message(_), _))));
        }

        let error = dialling.await.unwrap().unwrap_err();

        let Error::Answered(failure) = error else {
            panic!("{error}");
        };
        assert_eq!((failure.code, &*failure.decision), (Code::FORBIDDEN, "d-1"));
    });
}

#[test]
fn a_connection_that_is_taken_back_tells_why_and_a_closed_one_is_told_at_once() {
    block_on(async {
        let (mut component, dialler, mut core) = component().await;
        let (connection, revocation) = {
            let mut dialling = pin!(component.during(dialler.dial(PLACE, SECOND)));
            begin(dialling.as_mut());
            core.hear(|frame| assert!(matches!(frame, HostFrame::Dial(_))));
            core.say_with(&socket(), &memory());
            dialling.await.unwrap().unwrap()
        };
        let reason = "the grant was revoked";
        core.say(&[CoreFrame::Hungup { socket: 9, reason }, deliver(b"next")]);

        let incoming = component.recv().await;

        // What concerns the task is not told to the owner as well.
        assert!(matches!(incoming, Ok((Incoming::Message(_), _))));
        assert_eq!(revocation.reason(), Some(reason));
        drop(connection);
        dialler.tell_closed();
        begin(pin!(component.recv()));
        core.hear(|frame| assert_eq!(frame, HostFrame::Hangup { socket: 9 }));
    });
}

#[test]
fn a_dial_without_a_link_ends() {
    block_on(async {
        let (component, dialler, _core) = component().await;
        drop(component);

        let error = dialler.dial(PLACE, SECOND).await;

        assert!(matches!(error, Err(Error::Closed)), "{error:?}");
    });
}

#[test]
fn a_dial_ends_with_its_link() {
    block_on(async {
        let (mut component, dialler, mut core) = component().await;
        let mut dialling = pin!(component.during(dialler.dial(PLACE, SECOND)));
        begin(dialling.as_mut());
        core.hear(|frame| assert!(matches!(frame, HostFrame::Dial(_))));

        drop(core);

        assert!(matches!(dialling.await, Err(Error::Closed)));
    });
}
