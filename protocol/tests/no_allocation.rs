//! The hot path allocates nothing once its buffers have grown.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

mod far_end;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use allocation_counter::measure;
use protocol::client::Incoming;
use protocol::client::blocking::Link;
use protocol::frame::Start;
use protocol::limits::{SLOT_BYTES, SLOT_FROM_BYTES};
use protocol::slot::{InSlot, Lend};
use protocol::{Code, CoreFrame, HostFrame, Message, MessageKind, Reply, codec};

const BODY: [u8; 512] = [b' '; 512];

const fn message() -> Message<'static> {
    let (from, to) = ("hyperty://a.example/1", "hyperty://b.example/2");
    Message::new(MessageKind::Read, from, to, &BODY).expecting(Reply::Within(10))
}

fn core_says(frames: &[CoreFrame<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        frame.encode(&mut bytes).unwrap();
    }
    bytes
}

#[test]
fn the_counter_counts() {
    let count = measure(|| drop(std::hint::black_box(vec![1_u8; 8])));

    assert_eq!(count.count_total, 1);
}

#[test]
fn a_send_is_written_read_and_forwarded_without_allocating() {
    let mut out = Vec::with_capacity(4096);
    let mut forwarded = Vec::with_capacity(4096);

    let count = measure(|| {
        HostFrame::Send(message()).encode(&mut out).unwrap();
        let raw = codec::split(&out).unwrap().unwrap();
        assert_eq!(HostFrame::decode(raw), Ok(HostFrame::Send(message())));
        codec::forward(raw, &mut forwarded);
        let raw = codec::split(&forwarded).unwrap().unwrap();
        assert_eq!(CoreFrame::decode(raw), Ok(CoreFrame::Deliver(message())));
    });

    assert_eq!(count.count_total, 0);
}

#[test]
fn a_client_receives_answers_and_asks_without_allocating() {
    let (mut core, socket) = UnixStream::pair().unwrap();
    let (address, runtime) = ("hyperty://b.example/2", "hyperty-runtime://local/r");
    let config = "{}";
    let start = Start {
        address,
        runtime,
        config,
    };
    core.write_all(&core_says(&[CoreFrame::Start(start)]))
        .unwrap();
    let mut link = Link::attach_to(socket).unwrap();
    // As many of both as one turn has, so that the second turn finds the room.
    let batch = core_says(&[CoreFrame::Deliver(message()); 32]);
    let mut answer = Vec::new();
    let mut turn = || {
        core.write_all(&batch).unwrap();
        for _ in 0..32 {
            let (incoming, out) = link.recv().unwrap();
            let Incoming::Message(question) = incoming else {
                panic!("{incoming:?}");
            };
            out.reply(&question, Code::OK, question.body).unwrap();
            out.send(MessageKind::Event, question.header.from, b"{}")
                .unwrap();
        }
        let kind = MessageKind::Read;
        let id = link.ask(kind, runtime, b"{}", Duration::from_secs(1));
        let question = Message::new(kind, address, runtime, b"{}").with_id(id.unwrap());
        answer.clear();
        CoreFrame::Deliver(question.answer(Code::OK, b"{}"))
            .encode(&mut answer)
            .unwrap();
        core.write_all(&answer).unwrap();
        assert!(matches!(link.recv().unwrap().0, Incoming::Response(_)));
    };
    turn();

    let count = measure(&mut turn);

    assert_eq!(count.count_total, 0);
}

#[test]
fn large_bodies_go_by_slots_without_allocating() {
    let (socket, mut core) = far_end::pair();
    core.say(&[far_end::start()]);
    let mut link = Link::attach_to(socket).unwrap();
    let (body, memory) = (vec![b'x'; SLOT_BYTES], far_end::memory());
    core.say(&[far_end::deliver(&body[..=SLOT_FROM_BYTES])]);
    link.recv().unwrap();
    let to = far_end::THEM;
    let bytes = u32::try_from(SLOT_BYTES).unwrap();
    core.say_with(&CoreFrame::Borrow { slot: 1, bytes }, &memory);
    core.say_with(&CoreFrame::Lend(Lend { slot: 2, bytes, to }), &memory);
    let header = Message::new(MessageKind::Event, to, far_end::ME, b"").header;
    let came = CoreFrame::DeliverBy(InSlot {
        slot: 1,
        bytes,
        header,
    });
    let again = core_says(&[CoreFrame::Returned { slot: 2 }, came]);
    let mut heard = vec![0; 64 * 1024];
    let mut turn = || {
        core.socket.write_all(&again).unwrap();
        let (incoming, out) = link.recv().unwrap();
        let Incoming::Message(message) = incoming else {
            panic!("{incoming:?}");
        };
        out.send(MessageKind::Event, to, message.body).unwrap();
        link.flush().unwrap();
        // Had it gone by stream, this would not be all of it.
        let read = core.socket.read(&mut heard).unwrap();
        assert!(read < 1024, "{read} bytes went by stream");
    };
    turn();
    turn();

    let count = measure(|| (0..100).for_each(|_| turn()));

    assert_eq!(count.count_total, 0);
}
