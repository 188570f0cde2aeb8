//! What reaches a script host from others: messages for a component that listens,
//! reports and observes, and the frames around them.
//!
//! The first byte says which: any frames of the core, or one message whose parts stand
//! on lines of their own: type, sender, destination, members, body.

use std::rc::Rc;
use std::time::Duration;

use protocol::codec;
use protocol::frame::{ComponentKind, CoreFrame, HostFrame, Load};
use protocol::limits::ADDRESS_BYTES_MAX;
use protocol::{Message, MessageKind};
use sandbox_host::link::Outbox;
use sandbox_host::script::{Engine, Limits};

const ME: &str = "hyperty://here.example/me";
const OBJECT: &str = "comm://here.example/o1";
const SYNC: &str = "runtime://here.example/r1/sm";

/// Uses what the factory hands out that hears messages of others.
const COMPONENT: &str = include_str!("script.js");

/// Reads the bytes.
pub fn read(bytes: &[u8]) {
    let Some((&form, bytes)) = bytes.split_first() else {
        return;
    };
    let engine = loaded();
    if form % 2 == 0 {
        frames(&engine, bytes);
    } else {
        message(&engine, bytes);
    }
    engine.run_jobs();
    while engine.fire() {}
    check(&engine);
    let ping = CoreFrame::Ping { token: 7 };
    engine.handle(ping);
    assert!(check(&engine), "the engine does not answer any more");
}

fn loaded() -> Engine {
    let limits = Limits {
        stack_bytes: 512 * 1024,
        turn: Duration::from_secs(5),
        load: Duration::from_secs(5),
        ..Limits::default()
    };
    let clock = Rc::new(|| Duration::from_secs(1));
    let engine = Engine::new(limits, clock).expect("an engine");
    let load = Load {
        component: ME,
        name: "me",
        kind: ComponentKind::Hyperty,
        config: r#"{"runtimeURL": "runtime://here.example/r1"}"#,
        file: "me.js",
    };
    engine.handle(CoreFrame::Load(load, COMPONENT.as_bytes()));
    engine.run_jobs();
    // The first thing it asked for is its data object: from here on it reports one.
    let created = format!(r#"{{"code": 200, "resource": "{OBJECT}", "childrenResources": []}}"#);
    let created = Message::new(MessageKind::Response, SYNC, ME, created.as_bytes()).with_id(1);
    engine.handle(CoreFrame::Deliver(created));
    engine.run_jobs();
    check(&engine);
    engine
}

fn frames(engine: &Engine, bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some(raw)) = codec::split(rest) {
        if let Ok(frame) = CoreFrame::decode(raw) {
            engine.handle(frame);
        }
        rest = &rest[raw.bytes.len()..];
    }
}

fn message(engine: &Engine, bytes: &[u8]) {
    let mut lines = bytes.splitn(5, |byte| *byte == b'\n');
    let mut line = || std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let (kind, from, to, members) = (line(), line(), line(), line());
    let body = lines.next().unwrap_or_default();
    if kind.is_empty() || from.len().max(to.len()) > ADDRESS_BYTES_MAX {
        return;
    }
    let mut message = Message::new(MessageKind::parse(kind), from, to, body).with_id(1);
    message.header.members = members;
    engine.handle(CoreFrame::Deliver(message));
}

/// Reads what the engine said; whether a pong was among it.
fn check(engine: &Engine) -> bool {
    let mut out = Outbox::default();
    engine.swap_outbox(&mut out);
    let said = out.take();
    let (mut rest, mut is_alive) = (said.as_slice(), false);
    while !rest.is_empty() {
        let raw = codec::split(rest).expect("a frame").expect("whole");
        let frame = HostFrame::decode(raw).expect("a frame of a host");
        is_alive |= matches!(frame, HostFrame::Pong { token: 7 });
        rest = &rest[raw.bytes.len()..];
    }
    is_alive
}
