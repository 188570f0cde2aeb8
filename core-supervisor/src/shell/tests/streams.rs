//! Bytes in and out of links.

use std::io::{IoSlice, Read, Write};
use std::os::fd::AsFd;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::stage::{Stage, frame, read_ready};
use crate::event::Action;
use crate::shell::nursery::receive_datagram;

fn check_split(whole: &[u8], body: &[u8], offset: usize) {
    let mut stage = Stage::new();
    let (_, mut peer) = stage.sandbox_link();

    peer.write_all(&whole[..offset]).unwrap();
    stage.turn();
    assert!(stage.brain().bodies.is_empty(), "at offset {offset}");
    peer.write_all(&whole[offset..]).unwrap();
    while stage.brain().bodies.is_empty() {
        stage.wait();
    }

    assert!(stage.brain().bodies == [body], "at offset {offset}");
}

#[test]
fn a_frame_may_be_split_anywhere() {
    let whole = frame(b"hello");

    for offset in 1..whole.len() {
        check_split(&whole, b"hello", offset);
    }
}

#[test]
fn a_large_frame_may_be_split_where_its_rest_is_read_in_place() {
    let body = vec![7; 100_000];
    let whole = frame(&body);

    for offset in [7, 8, 9, 16 * 1024, 16 * 1024 + 1, 50_000, whole.len() - 1] {
        check_split(&whole, &body, offset);
    }
}

#[test]
fn a_frame_may_come_byte_by_byte_among_others() {
    let mut stage = Stage::new();
    let (_, mut peer) = stage.sandbox_link();
    let three = [frame(b"one"), frame(b"two"), frame(b"three")].concat();

    for byte in &three {
        peer.write_all(&[*byte]).unwrap();
        stage.turn();
    }

    assert_eq!(stage.brain().bodies, [&b"one"[..], b"two", b"three"]);
}

#[test]
fn the_largest_frame_comes_through_and_those_behind_it_too() {
    let mut stage = Stage::new();
    let (_, mut peer) = stage.sandbox_link();
    let body = vec![1; protocol::limits::BODY_BYTES_MAX];
    let bytes = [frame(&body), frame(b"next"), frame(&body), frame(b"last")].concat();

    let writer = std::thread::spawn(move || peer.write_all(&bytes).map(|()| peer));
    while stage.brain().bodies.len() < 4 {
        stage.wait();
    }

    let lengths: Vec<usize> = stage.brain().bodies.iter().map(Vec::len).collect();
    assert_eq!(lengths, [body.len(), 4, body.len(), 4]);
    writer.join().unwrap().unwrap();
}

#[test]
fn many_frames_take_one_read() {
    let mut stage = Stage::new();
    let (_, mut peer) = stage.sandbox_link();
    peer.write_all(&frame(b"small").repeat(1000)).unwrap();

    stage.turn();

    assert_eq!(stage.brain().bodies.len(), 1000);
    assert_eq!(stage.brain().reads, 1);
}

#[test]
fn what_was_said_before_the_end_is_heard() {
    let mut stage = Stage::new();
    let (link, mut peer) = stage.sandbox_link();
    peer.write_all(&frame(b"last words")).unwrap();
    drop(peer);

    stage.turn();
    stage.turn();
    stage.turn();

    assert_eq!(stage.brain().bodies, [b"last words"]);
    assert_eq!(
        stage.brain().told.last().unwrap(),
        &format!("closed {link}")
    );
    assert_eq!(stage.looping.links.len(), 0);
}

#[test]
fn half_a_frame_at_the_end_is_forgotten() {
    let mut stage = Stage::new();
    let (link, mut peer) = stage.sandbox_link();
    peer.write_all(&frame(b"cut")[..9]).unwrap();
    stage.turn();
    drop(peer);

    stage.turn();

    assert!(stage.brain().bodies.is_empty());
    assert_eq!(
        stage.brain().told.last().unwrap(),
        &format!("closed {link}")
    );
}

#[test]
fn a_peer_that_never_reads_is_waited_for_without_turning() {
    let mut stage = Stage::new();
    let (link, mut peer) = stage.sandbox_link();
    let all = vec![9; 4 * 1024 * 1024];

    stage.send(link, &all);
    let taken = stage.brain().written;
    stage.turn();
    stage.turn();

    assert!(taken > 0 && taken < all.len());
    assert_eq!(stage.brain().written, taken);

    let reader = std::thread::spawn(move || {
        let mut got = vec![0; 4 * 1024 * 1024];
        peer.read_exact(&mut got).map(|()| got)
    });
    while stage.brain().written < all.len() {
        stage.wait();
    }
    assert_eq!(reader.join().unwrap().unwrap(), all);
}

#[test]
fn what_is_queued_behind_blocked_bytes_stays_in_order() {
    let mut stage = Stage::new();
    let (link, mut peer) = stage.sandbox_link();
    let first = vec![1; 1024 * 1024];
    stage.send(link, &first);
    stage.send(link, b"second");

    let total = first.len() + 6;
    let reader = std::thread::spawn(move || {
        let mut got = vec![0; total];
        peer.read_exact(&mut got).map(|()| got)
    });
    while stage.brain().written < total {
        stage.wait();
    }

    assert_eq!(&reader.join().unwrap().unwrap()[first.len()..], b"second");
}

#[test]
fn a_link_closed_with_drain_gets_its_last_bytes() {
    let mut stage = Stage::new();
    let (link, mut peer) = stage.sandbox_link();
    let last = vec![3; 1024 * 1024];
    stage.send(link, &last);
    stage.act(Action::Close { link, drain: true }, &[]);

    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        peer.read_to_end(&mut got).map(|_| got)
    });
    while stage.looping.links.len() > 0 {
        stage.wait();
    }

    assert_eq!(reader.join().unwrap().unwrap(), last);
}

#[test]
fn a_link_closed_without_drain_ends_at_once() {
    let mut stage = Stage::new();
    let (link, mut peer) = stage.sandbox_link();

    stage.act(Action::Close { link, drain: false }, &[]);

    assert_eq!(read_ready(&mut peer), b"");
    assert_eq!(stage.looping.links.len(), 0);
    stage.turn();
    assert!(!stage.brain().told.contains(&format!("closed {link}")));
}

#[test]
fn descriptors_that_a_peer_sends_are_closed_by_the_kernel() {
    let mut stage = Stage::new();
    let (_, peer) = stage.sandbox_link();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let rights = [writer.as_fd()];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&rights));
    let bytes = frame(b"take this");
    sendmsg(
        &peer,
        &[IoSlice::new(&bytes)],
        &mut control,
        SendFlags::empty(),
    )
    .unwrap();
    drop(writer);

    stage.turn();

    assert_eq!(stage.brain().bodies, [b"take this"]);
    // The pipe ends: nobody has its other end any more.
    assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_program_goes_along_with_its_own_frame() {
    let mut stage = Stage::new();
    let (link, peer) = stage.sandbox_link();
    let program = stage.a_program();
    let send = |bytes: &[u8]| (Action::Send { link, bytes: 0..0 }, bytes.to_vec());
    let with_program = Action::SendProgram {
        link,
        bytes: 0..0,
        program,
    };
    stage.brain().wants = vec![
        send(b"before"),
        (with_program, b"exec".to_vec()),
        send(b"after"),
    ];

    stage.send(link, b"!");

    let mut space = [0; protocol::nursery::DATAGRAM_BYTES_MAX];
    let mut next = || {
        let got = receive_datagram(&peer, &mut space).unwrap().unwrap();
        (
            String::from_utf8_lossy(got.bytes).into_owned(),
            got.descriptor.is_some(),
        )
    };
    assert_eq!(next(), ("beforeexec".into(), true));
    assert_eq!(next(), ("after!".into(), false));
}
