//! A message on its usual way through the core allocates nothing.

// A broken expectation is what these panics are for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod story;

use allocation_counter::measure;
use core_supervisor::event::{Actions, Event};
use core_supervisor::ids::LinkId;
use protocol::slot::InSlot;
use protocol::{Code, HostFrame, Message, MessageKind, Reply};
use story::Story;

const BODY: [u8; 512] = [b' '; 512];

struct RoundTrip {
    asker: LinkId,
    request: Vec<u8>,
    answerer: LinkId,
    response: Vec<u8>,
}

impl RoundTrip {
    fn new(story: &mut Story) -> Self {
        let (alice, asker) = story.deploy("alice@a.example");
        let (bob, answerer) = story.deploy("bob@b.example");
        let request = Message::new(MessageKind::Read, &alice, &bob, &BODY)
            .with_id(7)
            .expecting(Reply::Within(15_000));
        let frames = [request, request.answer(Code::OK, &BODY)].map(|message| {
            let mut bytes = Vec::new();
            HostFrame::Send(message).encode(&mut bytes).unwrap();
            bytes
        });
        let [request, response] = frames;
        Self {
            asker,
            request,
            answerer,
            response,
        }
    }

    // There and back, as the shell does it: events in, bytes out, bytes written.
    fn run(&self, story: &mut Story, actions: &mut Actions) {
        let steps = [
            (self.asker, &self.request, self.answerer),
            (self.answerer, &self.response, self.asker),
        ];
        for (link, bytes, to) in steps {
            let now = story.now();
            actions.clear();
            story
                .core
                .handle(Event::Received { link, bytes }, now, actions);
            assert_eq!(
                actions.bytes.len(),
                bytes.len(),
                "it was delivered, and nothing else said"
            );
            let written = Event::Written {
                link: to,
                bytes: actions.bytes.len(),
            };
            story.core.handle(written, now, actions);
        }
    }
}

#[test]
fn a_request_and_its_answer_pass_without_allocating() {
    let mut story = Story::new();
    let trip = RoundTrip::new(&mut story);
    let mut actions = Actions::default();
    for _ in 0..100 {
        trip.run(&mut story, &mut actions);
    }

    let count = measure(|| {
        for _ in 0..1_000 {
            trip.run(&mut story, &mut actions);
        }
    });

    assert_eq!(count.count_total, 0);
}

#[test]
fn a_message_by_a_slot_passes_without_allocating() {
    let mut story = Story::new();
    let (alice, sender) = story.deploy("alice@a.example");
    let (bob, receiver) = story.deploy("bob@b.example");
    for link in [sender, receiver] {
        story.says(link, &HostFrame::TakeSlots { most: 1 });
    }
    let large = vec![b' '; 100_000];
    let message = Message::new(MessageKind::Update, &alice, &bob, &large);
    story.says(sender, &HostFrame::Send(message));
    let slot = *story.lender.slots.first().expect("a slot was made");
    let (mut sent, mut returned) = (Vec::new(), Vec::new());
    let given = HostFrame::Return { slot };
    given.encode(&mut returned).unwrap();
    story.says(receiver, &given);
    HostFrame::SendBy(InSlot {
        slot,
        bytes: 100_000,
        header: message.header,
    })
    .encode(&mut sent)
    .unwrap();
    let mut actions = Actions::default();
    let mut turn = |story: &mut Story| {
        let steps = [(sender, &sent, receiver), (receiver, &returned, sender)];
        for (link, bytes, to) in steps {
            let now = story.now();
            actions.clear();
            let received = Event::Received { link, bytes };
            story.core.handle(received, now, &mut actions);
            assert_eq!(actions.bytes.len(), bytes.len(), "it was passed on");
            let bytes = actions.bytes.len();
            let written = Event::Written { link: to, bytes };
            story.core.handle(written, now, &mut actions);
        }
    };
    for _ in 0..100 {
        turn(&mut story);
    }

    let count = measure(|| (0..1_000).for_each(|_| turn(&mut story)));

    assert_eq!(count.count_total, 0);
}
