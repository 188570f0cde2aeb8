//! Large bodies by slots: the client against a core that is played by the test.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

mod far_end;

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use far_end::{Core, ME, THEM, answer, component, deliver, memory};
use protocol::client::Incoming;
use protocol::client::blocking::Link;
use protocol::limits::{SLOT_BYTES, SLOT_FROM_BYTES, SLOTS_TAKEN};
use protocol::slot::{InSlot, Lend};
use protocol::{Code, CoreFrame, HostFrame, Message, MessageKind, Reply};
use rustix::io::{pread, pwrite};

const SECOND: Duration = Duration::from_secs(1);
const LARGE: usize = SLOT_FROM_BYTES + 1;

const fn lend(slot: u64) -> CoreFrame<'static> {
    CoreFrame::Lend(Lend {
        slot,
        bytes: 1024 * 1024,
        to: THEM,
    })
}

const fn borrow(slot: u64) -> CoreFrame<'static> {
    let bytes = 1024 * 1024;
    CoreFrame::Borrow { slot, bytes }
}

fn deliver_by(slot: u64, bytes: usize) -> CoreFrame<'static> {
    let message = Message::new(MessageKind::Update, THEM, ME, b"").with_id(7);
    by(slot, bytes, &message.expecting(Reply::Within(10)))
}

fn answer_by(id: u64, slot: u64, bytes: usize) -> CoreFrame<'static> {
    let question = Message::new(MessageKind::Read, ME, THEM, b"").with_id(id);
    by(slot, bytes, &question.answer(Code::OK, b""))
}

fn by(slot: u64, bytes: usize, message: &Message<'static>) -> CoreFrame<'static> {
    CoreFrame::DeliverBy(InSlot {
        slot,
        bytes: u32::try_from(bytes).unwrap(),
        header: message.header,
    })
}

/// Everything that the client says until its next pause, by name.
fn hears(core: &mut Core) -> String {
    core.hear(|frame| match frame {
        HostFrame::Send(message) => format!("send {}", message.body.len()),
        HostFrame::SendBy(sent) => format!("send {} by {}", sent.bytes, sent.slot),
        HostFrame::TakeSlots { most } => format!("take {most}"),
        HostFrame::Return { slot } => format!("return {slot}"),
        other => format!("{other:?}"),
    })
}

fn content(memory: &OwnedFd, bytes: usize) -> Vec<u8> {
    let mut content = vec![0; bytes];
    assert_eq!(pread(memory, &mut content, 0), Ok(bytes));
    content
}

/// Sends a large body, and hears how it goes.
fn say(link: &mut Link<UnixStream>, core: &mut Core, letter: u8) -> String {
    link.send(MessageKind::Update, THEM, &vec![letter; LARGE])
        .unwrap();
    link.flush().unwrap();
    hears(core)
}

/// A component that has been lent a slot.
fn lent(slot: u64) -> (Link<UnixStream>, Core, OwnedFd) {
    let (mut link, mut core) = component();
    assert_eq!(say(&mut link, &mut core, b'1'), format!("send {LARGE}"));
    link.flush().unwrap();
    assert_eq!(hears(&mut core), format!("take {SLOTS_TAKEN}"));
    let memory = memory();
    core.say_with(&lend(slot), &memory);
    catch_up(&mut link, &mut core);
    (link, core, memory)
}

/// Lets the client read all that was said so far.
fn catch_up(link: &mut Link<UnixStream>, core: &mut Core) {
    core.say(&[deliver(b"caught up")]);
    loop {
        if let (Incoming::Message(message), _) = link.recv().unwrap()
            && message.body == b"caught up"
        {
            return;
        }
    }
}

#[test]
fn a_client_without_large_bodies_never_asks_for_slots() {
    let (mut link, mut core) = component();
    let body = vec![b'x'; SLOT_FROM_BYTES];

    link.send(MessageKind::Update, THEM, &body).unwrap();
    link.flush().unwrap();

    assert_eq!(hears(&mut core), format!("send {SLOT_FROM_BYTES}"));
    core.hears_nothing_more();
}

#[test]
fn whoever_receives_a_large_body_asks_for_slots_once() {
    let (mut link, mut core) = component();
    let body = vec![b'x'; LARGE];
    core.say(&[deliver(&body), deliver(&body)]);

    for _ in 0..2 {
        assert!(matches!(link.recv().unwrap().0, Incoming::Message(_)));
    }
    link.flush().unwrap();

    assert_eq!(hears(&mut core), format!("take {SLOTS_TAKEN}"));
    core.hears_nothing_more();
}

#[test]
fn a_large_body_goes_by_the_slot_that_was_lent_for_its_receiver() {
    let (mut link, mut core, memory) = lent(4);

    assert_eq!(
        say(&mut link, &mut core, b'2'),
        format!("send {LARGE} by 4")
    );

    assert_eq!(content(&memory, LARGE), vec![b'2'; LARGE]);
}

#[test]
fn a_small_body_and_one_for_somebody_else_go_by_stream() {
    let (mut link, mut core, _memory) = lent(4);

    link.send(MessageKind::Update, THEM, b"small").unwrap();
    link.send(MessageKind::Update, ME, &vec![b'2'; LARGE])
        .unwrap();
    link.flush().unwrap();

    assert_eq!(hears(&mut core), "send 5");
    assert_eq!(hears(&mut core), format!("send {LARGE}"));
}

#[test]
fn a_slot_is_not_written_again_before_it_is_returned() {
    let (mut link, mut core, memory) = lent(4);

    let ways = [b'2', b'3'].map(|letter| say(&mut link, &mut core, letter));
    assert_eq!(content(&memory, LARGE), vec![b'2'; LARGE]);
    core.say(&[CoreFrame::Returned { slot: 4 }]);
    catch_up(&mut link, &mut core);
    let after = say(&mut link, &mut core, b'4');

    assert_eq!(
        ways,
        [format!("send {LARGE} by 4"), format!("send {LARGE}")]
    );
    assert_eq!(after, format!("send {LARGE} by 4"));
}

#[test]
fn what_was_not_sent_by_its_slot_is_sent_by_stream_once_and_unchanged() {
    let (mut link, mut core, _memory) = lent(4);
    say(&mut link, &mut core, b'2');

    core.say(&[CoreFrame::Revoke { slot: 4 }, CoreFrame::Unsent { slot: 4 }]);
    catch_up(&mut link, &mut core);
    link.flush().unwrap();

    core.hear(|frame| {
        let HostFrame::Send(message) = frame else {
            panic!("{frame:?}");
        };
        assert_eq!(message.header.to, THEM);
        assert_eq!(message.body, vec![b'2'; LARGE]);
    });
    core.hears_nothing_more();
}

#[test]
fn what_was_not_sent_is_sent_again_while_its_answer_is_awaited() {
    let (mut link, mut core, _memory) = lent(4);
    let far = std::thread::spawn(move || {
        assert_eq!(hears(&mut core), format!("send {LARGE} by 4"));
        core.say(&[CoreFrame::Unsent { slot: 4 }]);
        let id = core.hear(|frame| match frame {
            HostFrame::Send(message) => message.header.id,
            other => panic!("{other:?}"),
        });
        core.say(&[answer(id, 200, b"done")]);
    });

    let response = link.request(MessageKind::Read, THEM, &vec![b'2'; LARGE], SECOND);

    assert_eq!(response.unwrap().body, b"done");
    far.join().unwrap();
}

#[test]
fn a_slot_that_was_taken_back_is_not_used_and_is_closed() {
    let (mut link, mut core, memory) = lent(4);
    let (mut watched, held) = UnixStream::pair().unwrap();
    core.say_with(&lend(5), &OwnedFd::from(held));
    drop(memory);

    core.say(&[CoreFrame::Revoke { slot: 4 }, CoreFrame::Revoke { slot: 5 }]);
    catch_up(&mut link, &mut core);

    assert_eq!(say(&mut link, &mut core, b'2'), format!("send {LARGE}"));
    assert_eq!(watched.read(&mut [0; 1]).unwrap(), 0, "it is still open");
}

/// A component that has borrowed a slot.
fn borrowed(slot: u64) -> (Link<UnixStream>, Core, OwnedFd) {
    let (mut link, mut core) = component();
    core.say(&[deliver(&vec![b'x'; LARGE])]);
    assert!(matches!(link.recv().unwrap().0, Incoming::Message(_)));
    link.flush().unwrap();
    assert_eq!(hears(&mut core), format!("take {SLOTS_TAKEN}"));
    let memory = memory();
    core.say_with(&borrow(slot), &memory);
    catch_up(&mut link, &mut core);
    link.flush().unwrap();
    assert_eq!(hears(&mut core), format!("return {slot}"));
    (link, core, memory)
}

#[test]
fn a_body_is_copied_out_of_its_slot_and_the_slot_given_back() {
    let (mut link, mut core, memory) = borrowed(6);
    pwrite(&memory, &vec![b'y'; SLOT_BYTES], 0).unwrap();
    core.say(&[deliver_by(6, SLOT_BYTES)]);

    let (incoming, out) = link.recv().unwrap();
    let Incoming::Message(message) = incoming else {
        panic!("{incoming:?}");
    };
    pwrite(&memory, &vec![b'z'; SLOT_BYTES], 0).unwrap();
    assert_eq!(message.body, vec![b'y'; SLOT_BYTES]);
    out.reply(&message, Code::OK, b"{}").unwrap();
    link.flush().unwrap();

    assert_eq!(hears(&mut core), "return 6");
    assert_eq!(hears(&mut core), "send 2");
}

#[test]
fn an_awaited_answer_may_come_by_a_slot() {
    let (mut link, mut core, memory) = borrowed(6);
    pwrite(&memory, &vec![b'y'; LARGE], 0).unwrap();
    core.say(&[answer_by(1, 6, LARGE)]);

    let response = link
        .request(MessageKind::Read, THEM, b"{}", SECOND)
        .unwrap();

    assert_eq!(response.code, Code::OK);
    assert_eq!(response.body, vec![b'y'; LARGE]);
}

#[test]
fn a_message_that_waits_in_line_keeps_its_slot_when_it_is_taken_back() {
    let (mut link, mut core, memory) = borrowed(6);
    pwrite(&memory, &vec![b'y'; LARGE], 0).unwrap();
    let revoke = CoreFrame::Revoke { slot: 6 };
    core.say(&[deliver_by(6, LARGE), revoke, answer(1, 200, b"done")]);

    let response = link.request(MessageKind::Read, THEM, b"{}", SECOND);
    assert_eq!(response.unwrap().body, b"done");
    let (incoming, _) = link.recv().unwrap();

    let Incoming::Message(message) = incoming else {
        panic!("{incoming:?}");
    };
    assert_eq!(message.body, vec![b'y'; LARGE]);
}

#[test]
fn descriptors_belong_to_the_frames_they_came_with() {
    let (mut link, mut core, first) = lent(4);
    let [second, third] = [memory(), memory()];
    core.say(&[deliver(b"in between")]);
    core.say_with(&lend(5), &second);
    core.say(&[CoreFrame::Revoke { slot: 4 }, deliver(b"in between")]);
    core.say_with(&borrow(6), &third);
    pwrite(&third, &vec![b'y'; LARGE], 0).unwrap();
    core.say(&[deliver_by(6, LARGE)]);

    let mut bodies = Vec::new();
    while bodies.len() < 3 {
        if let (Incoming::Message(message), _) = link.recv().unwrap() {
            bodies.push(message.body.to_vec());
        }
    }
    link.send(MessageKind::Update, THEM, &vec![b'w'; LARGE])
        .unwrap();

    assert_eq!(bodies[2], vec![b'y'; LARGE]);
    assert_eq!(content(&second, LARGE), vec![b'w'; LARGE]);
    assert_eq!(content(&first, LARGE), vec![0; LARGE]);
}

#[test]
fn a_slot_whose_descriptor_got_lost_ends_slots_and_nothing_else() {
    let (mut link, mut core, _memory) = lent(4);
    core.say(&[borrow(5)]);
    catch_up(&mut link, &mut core);

    let way = say(&mut link, &mut core, b'2');

    assert_eq!(way, "take 0");
    assert_eq!(hears(&mut core), format!("send {LARGE}"));
}

#[test]
fn slots_that_nobody_asked_for_end_the_link() {
    let (mut link, mut core) = component();
    core.say_with(&lend(4), &memory());

    let error = link.recv().unwrap_err();

    assert_eq!(
        error.to_string(),
        "the supervisor sent a frame that does not belong here: about slots, which nobody asked for"
    );
}
