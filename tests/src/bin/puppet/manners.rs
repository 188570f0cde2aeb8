//! Good manners and bad ones, one function each.

use std::collections::BTreeMap;

use protocol::Code;
use protocol::frame::{Hello, HostFrame, LogLevel, Role};
use protocol::message::{Message, MessageKind, Reply};
use serde_json::json;

use crate::part::{Delivered, Heard, Part};

/// Answers every request with what it was asked.
pub(crate) fn echo(part: &mut Part) {
    part.ready();
    each_message(part, |part, message| {
        if message.is_request {
            let body = [b"{\"code\":200,\"value\":", &*message.body, b"}"].concat();
            answer(part, message, Code::OK, &body);
        }
    });
}

/// Asks `peer` once, logs the answer's code and text, then waits for the end.
pub(crate) fn ask(part: &mut Part) {
    part.ready();
    let (from, to) = (part.address().to_owned(), part.text("peer").to_owned());
    let question = Message::new(MessageKind::Read, &from, &to, b"{}").with_id(1);
    part.send(question.expecting(Reply::Within(10_000)));
    each_message(part, |part, message| {
        let text = String::from_utf8_lossy(&message.body).into_owned();
        part.log(LogLevel::Info, &format!("answer {}: {text}", message.code));
    });
}

/// Runs, but never says so.
pub(crate) fn never_ready(part: &mut Part) {
    each_message(part, |_, _| {});
}

/// Says that it runs and never reads a byte again.
pub(crate) fn never_reads(part: &mut Part) {
    part.ready();
    wait_for_ever();
}

/// Says the bytes of `hex` as they are, then stays.
pub(crate) fn say_bytes(part: &mut Part) {
    part.ready();
    let bytes = from_hex(part.text("hex"));
    part.write(&bytes);
    each_message(part, |_, _| {});
}

/// Greets a second time.
pub(crate) fn hello_again(part: &mut Part) {
    part.ready();
    part.say(&HostFrame::Hello(Hello {
        version: protocol::version::PROTOCOL,
        nonce: [0; 16],
        role: Role::Operator,
        build: "puppet",
    }));
    each_message(part, |_, _| {});
}

/// Sends `count` messages to `to` in the name of `as`.
pub(crate) fn forge(part: &mut Part) {
    part.ready();
    let (from, to) = (part.text("as").to_owned(), part.text("to").to_owned());
    for _ in 0..part.number("count").unwrap_or(1) {
        let body = b"{\"value\":\"forged\"}";
        part.send(Message::new(MessageKind::Update, &from, &to, body));
    }
    each_message(part, |_, _| {});
}

/// Answers a request that `to` never made.
pub(crate) fn stray_reply(part: &mut Part) {
    part.ready();
    let (from, to) = (part.address().to_owned(), part.text("to").to_owned());
    let reply = Message::new(MessageKind::Read, &to, &from, b"{}").with_id(4711);
    part.send(reply.answer(Code::OK, b"{\"code\":200,\"value\":\"stray\"}"));
    each_message(part, |_, _| {});
}

/// Sends `count` requests to `to` without waiting, then logs how they were answered.
pub(crate) fn flood(part: &mut Part) {
    part.ready();
    let (from, to) = (part.address().to_owned(), part.text("to").to_owned());
    let count = part.number("count").unwrap_or(1000);
    for id in 1..=count {
        let message = Message::new(MessageKind::Read, &from, &to, b"{}").with_id(id);
        part.send(message.expecting(Reply::Within(10_000)));
    }
    let mut answers = BTreeMap::<u16, u64>::new();
    each_message(part, |part, message| {
        *answers.entry(message.code.0).or_default() += 1;
        if answers.values().sum::<u64>() == count {
            part.log(LogLevel::Info, &format!("answers {}", json!(answers)));
        }
    });
}

/// Sends the body `body`, as it is, to `to` and logs the answer.
pub(crate) fn say_body(part: &mut Part) {
    part.ready();
    let (from, to) = (part.address().to_owned(), part.text("to").to_owned());
    let depth = usize::try_from(part.number("depth").unwrap_or(0)).unwrap_or(0);
    let body = format!(
        "{}{}{}",
        "[".repeat(depth),
        part.text("body"),
        "]".repeat(depth)
    );
    let message = Message::new(MessageKind::Read, &from, &to, body.as_bytes()).with_id(1);
    part.send(message.expecting(Reply::Within(10_000)));
    each_message(part, |part, message| {
        part.log(LogLevel::Info, &format!("answer {}", message.code));
    });
}

/// Takes memory until there is none.
pub(crate) fn hog(part: &mut Part) {
    part.ready();
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&taken);
    }
}

/// Computes for ever and hears nothing.
pub(crate) fn spin(part: &mut Part) {
    part.ready();
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

fn each_message(part: &mut Part, mut with: impl FnMut(&mut Part, &Delivered)) {
    loop {
        match part.hear() {
            Heard::Message(message) => with(part, &message),
            Heard::Other => {}
            Heard::End => return,
        }
    }
}

pub(crate) fn answer(part: &mut Part, request: &Delivered, code: Code, body: &[u8]) {
    let asked = Message::new(MessageKind::Read, &request.from, &request.to, b"");
    part.send(asked.with_id(request.id).answer(code, body));
}

fn wait_for_ever() {
    loop {
        let _ = rustix::event::poll(&mut [], None);
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    digits
        .chunks_exact(2)
        .filter_map(|pair| u8::try_from(pair.first()? * 16 + pair.last()?).ok())
        .collect()
}
