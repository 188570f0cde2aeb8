//! Sockets by a link: the client against a core that is played by the test.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers of the tests

mod far_end;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use far_end::{Core, answer, component, deliver, memory};
use protocol::client::blocking::Link;
use protocol::client::{Connection, Dialled, Error, Incoming, Network, Place, SocketId};
use protocol::dial::{Dial, NotDialled, Transport};
use protocol::{Code, CoreFrame, HostFrame, MessageKind};
use rustix::io::pwrite;

const SECOND: Duration = Duration::from_secs(1);
const PEER: &str = "192.0.2.1:443";

const fn socket(request: u64, socket: u64) -> CoreFrame<'static> {
    let peer = PEER;
    CoreFrame::Socket {
        request,
        socket,
        peer,
    }
}

const fn refused(request: u64) -> CoreFrame<'static> {
    CoreFrame::NotDialled(NotDialled {
        request,
        code: Code::FORBIDDEN,
        reason: "no",
        decision: "d-1",
    })
}

/// Two ends of a TCP connection.
fn connection() -> (OwnedFd, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near.into(), listener.accept().unwrap().0)
}

/// What the client says next, by name.
fn hears(core: &mut Core) -> String {
    core.hear(|frame| match frame {
        HostFrame::Dial(Dial {
            request,
            host,
            port,
            transport,
            ..
        }) => format!("dial {request} {transport} {host} {port}"),
        HostFrame::Hangup { socket } => format!("hangup {socket}"),
        HostFrame::TakeRoots => "roots".to_owned(),
        HostFrame::Send(message) => format!("send {}", message.header.id),
        other => format!("{other:?}"),
    })
}

/// The next news about sockets.
fn news(link: &mut Link<UnixStream>) -> (String, Option<Connection>) {
    let (incoming, out) = link.recv_within(SECOND).unwrap();
    let Incoming::Network(news) = incoming else {
        panic!("{incoming:?} is not about sockets");
    };
    let text = format!("{news:?}");
    let connection = match news {
        Network::Dialled { .. } => match out.dialled().unwrap() {
            Ok(Dialled::Connection(connection)) => Some(connection),
            _ => None,
        },
        Network::Accepted { .. } => out.accepted(),
        Network::Hungup { .. } | Network::Roots => None,
    };
    (text, connection)
}

fn assert_works(connection: Connection, mut far: TcpStream) {
    let mut near = TcpStream::from(connection.socket);
    near.write_all(b"x").unwrap();
    let mut came = [0];
    far.read_exact(&mut came).unwrap();
    assert_eq!(&came, b"x");
}

#[test]
fn a_dial_brings_a_socket_that_works() {
    let (mut link, mut core) = component();
    let (near, far) = connection();
    core.say_with(&socket(1, 9), &near);

    let connection = link.dial(Place::tcp("h.example", 443), SECOND).unwrap();

    assert_eq!(hears(&mut core), "dial 1 tcp h.example 443");
    assert_eq!(connection.peer.to_string(), PEER);
    assert_eq!(connection.lease.id(), SocketId(9));
    assert_works(connection, far);
}

#[test]
fn a_closed_socket_is_told_when_the_link_is_used_next() {
    let (mut link, mut core) = component();
    core.say_with(&socket(1, 9), &connection().0);
    let connection = link.dial(Place::tcp("h.example", 443), SECOND).unwrap();
    hears(&mut core);

    drop(connection);
    link.flush().unwrap();

    assert_eq!(hears(&mut core), "hangup 9");
}

#[test]
fn a_refusal_names_its_decision() {
    let (mut link, mut core) = component();
    core.say(&[refused(1)]);

    let error = link.dial(Place::tcp("h.example", 443), SECOND).unwrap_err();

    let Error::Answered(failure) = error else {
        panic!("{error}");
    };
    assert_eq!(failure.code, Code::FORBIDDEN);
    assert_eq!(failure.decision, "d-1");
}

#[test]
fn dials_may_end_in_any_order_among_other_messages() {
    let (mut link, mut core) = component();
    let first = link.out().dial(Place::tcp("a", 1), SECOND).unwrap();
    let second = link.out().dial(Place::tcp("b", 2), SECOND).unwrap();
    let third = link.out().dial(Place::tcp("c", 3), SECOND).unwrap();
    let (near_first, far_first) = connection();
    let (near_third, far_third) = connection();
    core.say_with(&socket(third, 30), &near_third);
    core.say(&[deliver(b"between"), refused(second)]);
    core.say_with(&socket(first, 10), &near_first);

    let (told, connection) = news(&mut link);
    assert_eq!(told, format!("Dialled {{ request: {third} }}"));
    assert_works(connection.unwrap(), far_third);
    let came = link.recv_within(SECOND).unwrap().0;
    assert!(matches!(came, Incoming::Message(message) if message.body == b"between"));
    assert_eq!(
        news(&mut link).0,
        format!("Dialled {{ request: {second} }}")
    );
    let (told, connection) = news(&mut link);
    assert_eq!(told, format!("Dialled {{ request: {first} }}"));
    assert_works(connection.unwrap(), far_first);
}

#[test]
fn a_socket_that_comes_behind_an_awaited_answer_is_kept() {
    let (mut link, mut core) = component();
    let dialled = link.out().dial(Place::tcp("a", 1), SECOND).unwrap();
    let (near, far) = connection();
    core.say_with(&socket(dialled, 9), &near);
    core.say(&[answer(1, 200, b"{}")]);

    link.request(MessageKind::Read, far_end::THEM, b"{}", SECOND)
        .unwrap();

    assert_works(news(&mut link).1.unwrap(), far);
}

#[test]
fn what_is_not_taken_before_the_next_recv_is_closed() {
    let (mut link, mut core) = component();
    link.out().dial(Place::tcp("a", 1), SECOND).unwrap();
    link.flush().unwrap();
    hears(&mut core);
    let (near, mut far) = connection();
    core.say_with(&socket(1, 9), &near);
    drop(near);

    let came = link.recv_within(SECOND).unwrap().0;
    assert!(matches!(
        came,
        Incoming::Network(Network::Dialled { request: 1 })
    ));
    core.say(&[deliver(b"next")]);
    link.recv_within(SECOND).unwrap();
    link.flush().unwrap();

    assert_eq!(hears(&mut core), "hangup 9");
    assert_eq!(far.read(&mut [0]).unwrap(), 0, "closed");
}

#[test]
fn a_listener_is_told_of_each_caller() {
    let (mut link, mut core) = component();
    core.say(&[CoreFrame::Bound {
        request: 1,
        socket: 4,
        local: "0.0.0.0:8080",
    }]);
    let listener = link.listen_at("0.0.0.0", 8080, SECOND).unwrap();
    assert_eq!(hears(&mut core), "dial 1 listen 0.0.0.0 8080");
    let (near, far) = connection();
    let accepted = CoreFrame::Accepted {
        listener: 4,
        socket: 5,
        peer: PEER,
    };
    core.say_with(&accepted, &near);

    let (told, connection) = news(&mut link);

    assert_eq!(told, "Accepted { listener: SocketId(4) }");
    assert_works(connection.unwrap(), far);
    drop(listener);
    link.flush().unwrap();
    assert_eq!(hears(&mut core), "hangup 5");
    assert_eq!(hears(&mut core), "hangup 4");
}

#[test]
fn a_revoked_socket_is_told_with_the_reason() {
    let (mut link, mut core) = component();
    core.say_with(&socket(1, 9), &connection().0);
    let _open = link.dial(Place::tcp("a", 1), SECOND).unwrap();
    core.say(&[CoreFrame::Hungup {
        socket: 9,
        reason: "revoked",
    }]);

    let came = link.recv_within(SECOND).unwrap().0;

    let (socket, reason) = (SocketId(9), "revoked");
    assert_eq!(came, Incoming::Network(Network::Hungup { socket, reason }));
}

#[test]
fn the_certificates_are_what_lies_in_the_memory() {
    let (mut link, mut core) = component();
    let memory = memory();
    pwrite(&memory, b"-----BEGIN", 0).unwrap();
    core.say_with(&CoreFrame::Roots { bytes: 10 }, &memory);

    assert_eq!(link.roots().unwrap(), b"-----BEGIN");
    assert_eq!(hears(&mut core), "roots");
}

#[test]
fn sockets_that_nobody_asked_for_end_the_link() {
    let (mut link, mut core) = component();
    core.say_with(&socket(1, 9), &connection().0);

    let error = link.recv_within(SECOND).unwrap_err();

    assert!(matches!(error, Error::Unexpected(_)), "{error}");
}

#[test]
fn a_name_that_no_host_can_have_is_refused_at_once() {
    let (mut link, _core) = component();
    let just_fits = "a".repeat(253);
    let too_long = "a".repeat(254);
    let dial = |link: &mut Link<UnixStream>, host: &str| {
        let transport = Transport::Udp;
        let place = Place {
            host,
            port: 1,
            transport,
        };
        link.out().dial(place, SECOND).map(|_| ())
    };

    assert!(dial(&mut link, &just_fits).is_ok());
    assert!(matches!(dial(&mut link, &too_long), Err(Error::Host(254))));
}
