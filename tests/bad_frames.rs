//! Bytes that are no frames, and frames that do not belong: the peer is hung up on.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use hyperty_tests::harness::{Catalogue, Runtime, eventually};
use hyperty_tests::link::Link;
use protocol::codec::MAGIC;
use protocol::frame::{CoreFrame, Hello, HostFrame, Role};
use protocol::limits::{BODY_BYTES_MAX, PREFIX_BYTES};
use serde_json::json;

#[track_caller]
fn check_frame(bytes: &[u8]) {
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let catalogue = Catalogue::new().puppet(
        "bad.example",
        "Bad",
        &json!({ "act": "say-bytes", "hex": hex.concat() }),
    );
    let runtime = with_witness(catalogue);

    let bad = runtime.deploy("bad.example/hyperty/Bad");

    eventually("it is ended for breaking the protocol", || {
        runtime.component(&bad.address).reason.contains("cut off")
    });
    runtime.assert_unharmed();
}

fn frame(tag: u8, header: u16, body: u32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![MAGIC, tag];
    bytes.extend(header.to_le_bytes());
    bytes.extend(body.to_le_bytes());
    assert_eq!(bytes.len(), PREFIX_BYTES);
    bytes.extend(rest);
    bytes
}

const SEND: u8 = 0x06;
const PONG: u8 = 0x0a;

fn with_witness(catalogue: Catalogue) -> Runtime {
    Runtime::with(catalogue.with_witness()).start()
}

#[test]
fn a_text_where_a_frame_belongs() {
    check_frame(b"/home/user\n");
}

#[test]
fn a_frame_with_a_header_that_is_too_long() {
    check_frame(&frame(SEND, u16::MAX, 0, &[]));
}

#[test]
fn a_frame_with_a_body_that_is_too_long() {
    let length = u32::try_from(BODY_BYTES_MAX).unwrap() + 1;

    check_frame(&frame(SEND, 4, length, &[]));
}

#[test]
fn a_frame_with_the_longest_length_there_is() {
    check_frame(&frame(SEND, 4, u32::MAX, &[]));
}

#[test]
fn a_frame_with_an_empty_header() {
    check_frame(&frame(SEND, 0, 0, &[]));
}

#[test]
fn a_frame_whose_header_is_garbage() {
    check_frame(&frame(SEND, 8, 0, &[0xff; 8]));
}

#[test]
fn a_frame_of_an_unknown_kind() {
    check_frame(&frame(0x7f, 0, 0, &[]));
}

#[test]
fn a_frame_that_only_the_core_may_say() {
    let mut bytes = Vec::new();
    CoreFrame::Stop { grace_ms: 0 }.encode(&mut bytes).unwrap();

    check_frame(&bytes);
}

#[test]
fn a_frame_with_a_body_where_none_belongs() {
    check_frame(&frame(PONG, 1, 1, &[0, 0]));
}

#[test]
fn a_second_hello() {
    let catalogue = Catalogue::new().puppet("bad.example", "Bad", &json!({ "act": "hello-again" }));
    let runtime = with_witness(catalogue);

    let bad = runtime.deploy("bad.example/hyperty/Bad");

    eventually("it is ended for breaking the protocol", || {
        runtime.component(&bad.address).reason.contains("cut off")
    });
    runtime.assert_unharmed();
}

// The local endpoint

#[track_caller]
fn check_hang_up(say: impl FnOnce(&mut Link<UnixStream>, [u8; 16])) {
    let runtime = with_witness(Catalogue::new());
    let mut link = Link::over(UnixStream::connect(runtime.endpoint()).unwrap());
    let welcome = link.hear(|frame| match frame {
        CoreFrame::Welcome { nonce, .. } => nonce,
        other => panic!("{other:?} before a welcome"),
    });

    say(&mut link, welcome.unwrap().expect("a welcome"));

    assert_eq!(
        link.stream().read(&mut [0; 64]).unwrap_or(0),
        0,
        "the link was not closed"
    );
    runtime.assert_unharmed();
}

const fn hello(version: u16, nonce: [u8; 16], role: Role<'_>) -> HostFrame<'_> {
    HostFrame::Hello(Hello {
        version,
        nonce,
        role,
        build: "test",
    })
}

#[test]
fn a_frame_before_hello() {
    check_hang_up(|link, _| link.say(&HostFrame::Pong { token: 1 }).unwrap());
}

#[test]
fn a_hello_of_another_version() {
    check_hang_up(|link, nonce| link.say(&hello(u16::MAX, nonce, Role::Operator)).unwrap());
}

#[test]
fn a_hello_with_a_nonce_of_another_link() {
    check_hang_up(|link, nonce| {
        let stale = nonce.map(|byte| byte ^ 1);
        link.say(&hello(protocol::version::PROTOCOL, stale, Role::Operator))
            .unwrap();
    });
}

#[test]
fn a_stranger_that_says_it_is_a_sandbox() {
    check_hang_up(|link, nonce| {
        link.say(&hello(protocol::version::PROTOCOL, nonce, Role::Sandbox))
            .unwrap();
    });
}

#[test]
fn a_client_that_speaks_another_protocol() {
    check_hang_up(|link, _| {
        link.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
    });
}

#[test]
fn a_client_that_says_half_a_frame_and_leaves() {
    let runtime = with_witness(Catalogue::new());

    for _ in 0..20 {
        let mut stream = UnixStream::connect(runtime.endpoint()).unwrap();
        stream.write_all(&[MAGIC, SEND, 4]).unwrap();
    }

    runtime.assert_unharmed();
}
