//! Hyperties called over a link, and calling back.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

mod callbacks;
#[path = "../far_end/mod.rs"]
mod far_end;
mod mirror;

use std::os::unix::net::UnixStream;
use std::time::Duration;

use far_end::{Core, ME, THEM, component};
use protocol::api::rpc::{Description, Method, Tag, Thrown};
use protocol::client::blocking::Link;
use protocol::client::rpc::Returned;
use protocol::client::{Error, Incoming};
use protocol::{Code, CoreFrame, HostFrame, Message, MessageKind, Reply};
use serde_json::{Value, json};

const THEIR_API: &str = "hyperty://b.example/2/api";
const MY_API: &str = "hyperty://a.example/1/api";

/// What the link said: its type, where to, its number, its expectation, its body.
type Said = (String, String, u64, Reply, Value);

fn hear(core: &mut Core) -> Said {
    core.hear(|frame| {
        let HostFrame::Send(message) = frame else {
            panic!("{frame:?}");
        };
        let header = message.header;
        let body = serde_json::from_slice(message.body).unwrap();
        (
            header.kind.to_string(),
            header.to.to_owned(),
            header.id,
            header.reply,
            body,
        )
    })
}

fn answers(core: &mut Core, id: u64, body: &Value) {
    let code = Code(u16::try_from(body["code"].as_u64().unwrap()).unwrap());
    let bytes = body.to_string();
    let asked = Message::new(MessageKind::Execute, ME, THEIR_API, b"").with_id(id);
    core.say(&[CoreFrame::Deliver(asked.answer(code, bytes.as_bytes()))]);
}

fn calls(core: &mut Core, kind: MessageKind<'_>, body: &Value) {
    let bytes = body.to_string();
    let call = Message::new(kind, THEIR_API, MY_API, bytes.as_bytes())
        .with_id(77)
        .expecting(Reply::Untimed);
    core.say(&[CoreFrame::Deliver(call)]);
}

/// A link that borrowed one object of [`THEM`], and the core's end of it.
fn borrowing() -> (Link<UnixStream>, Core, Returned) {
    let (mut link, mut core) = component();
    let room =
        json!({"$": "ref", "ref": "r-1", "kind": "object", "name": "Room", "methods": ["say"]});
    answers(
        &mut core,
        1,
        &json!({"code": 200, "value": {"room": room, "again": room}}),
    );
    let returned = link.hyperty(THEM).call("open", &[json!("lobby")]).unwrap();
    hear(&mut core);
    (link, core, returned)
}

#[test]
fn a_method_is_called_and_its_value_read() {
    let (mut link, mut core) = component();
    answers(&mut core, 1, &json!({"code": 200, "value": 3}));

    let within = Duration::from_secs(2);
    let mut hyperty = link.hyperty(THEM).at(&["math"]).within(within);
    let sum: u32 = hyperty
        .call("add", &[json!(1), json!(2)])
        .unwrap()
        .read()
        .unwrap();

    assert_eq!(sum, 3);
    let (kind, to, _, reply, body) = hear(&mut core);
    assert_eq!(
        (kind.as_str(), to.as_str(), reply),
        ("execute", THEIR_API, Reply::Within(2000))
    );
    assert_eq!(
        body,
        json!({"path": ["math"], "method": "add", "args": [1, 2]})
    );
}

#[test]
fn members_are_read_assigned_and_described() {
    let (mut link, mut core) = component();
    answers(&mut core, 1, &json!({"code": 200, "value": 5}));
    answers(
        &mut core,
        2,
        &json!({"code": 200, "value": {"$": "undefined"}}),
    );
    let told = json!({"name": "Clock", "methods": [{"name": "add", "arity": 2}], "properties": []});
    answers(&mut core, 3, &json!({"code": 200, "value": told}));

    let mut hyperty = link.hyperty(THEM);
    assert_eq!(hyperty.get("volume").unwrap().value, 5);
    hyperty.set("volume", &json!(6)).unwrap();
    let methods = vec![Method {
        name: "add".to_owned(),
        arity: 2,
    }];
    let described = Description {
        name: "Clock".to_owned(),
        methods,
        properties: Vec::new(),
    };
    assert_eq!(hyperty.describe().unwrap(), described);

    link.flush().unwrap();
    let bodies = [0, 1, 2].map(|_| hear(&mut core).4);
    assert_eq!(bodies[0], json!({"get": "volume"}));
    assert_eq!(bodies[1], json!({"set": "volume", "value": 6}));
    assert_eq!(bodies[2], json!({"describe": true}));
}

#[test]
fn what_was_thrown_comes_with_the_error() {
    let (mut link, mut core) = component();
    let error = json!({"name": "RangeError", "message": "too far", "stack": "at Clock.js:3"});
    answers(
        &mut core,
        1,
        &json!({"code": 500, "desc": "it threw RangeError: too far", "error": error}),
    );

    let error = link.hyperty(THEM).call("add", &[]).unwrap_err();

    assert_eq!(error.to_string(), "it threw RangeError: too far (500)");
    let Error::Answered(failure) = error else {
        panic!("{error:?}");
    };
    let Thrown {
        name,
        message,
        stack,
        ..
    } = failure.thrown().unwrap();
    assert_eq!(
        (name.as_str(), message.as_str(), stack.as_str()),
        ("RangeError", "too far", "at Clock.js:3")
    );
}

#[test]
fn what_was_borrowed_is_called_and_sent_back() {
    let (mut link, mut core, returned) = borrowing();
    let room = &returned.references[0];
    answers(&mut core, 2, &json!({"code": 200, "value": 1}));

    link.reference(room)
        .call("say", &[room.to_value()])
        .unwrap();

    let (_, to, _, _, body) = hear(&mut core);
    assert_eq!(to, THEIR_API);
    assert_eq!(
        body,
        json!({"ref": "r-1", "method": "say", "args": [{"$": "back", "ref": "r-1"}]})
    );
    assert_eq!((room.lent().name.as_str(), room.peer()), ("Room", THEM));
}

#[test]
fn what_was_dropped_is_given_back_as_often_as_it_came() {
    let (mut link, mut core, returned) = borrowing();
    assert_eq!(returned.references.len(), 2);

    drop(returned);
    link.flush().unwrap();

    let (kind, to, _, reply, body) = hear(&mut core);
    assert_eq!(
        (kind.as_str(), to.as_str(), reply),
        ("event", THEIR_API, Reply::Unwanted)
    );
    assert_eq!(body, json!({"release": [["r-1", 2]]}));
    core.hears_nothing_more();
}

#[test]
fn a_value_that_is_no_reference_is_none() {
    let (_link, _core, returned) = borrowing();

    assert!(returned.into_reference().is_none());
}

#[test]
fn a_link_that_calls_nobody_is_shown_everything() {
    let (mut link, mut core) = component();
    calls(&mut core, MessageKind::Execute, &json!({"watch": true}));

    let (incoming, _) = link.recv().unwrap();

    assert!(matches!(incoming, Incoming::Message(_)));
}

#[test]
fn every_tag_is_read_as_it_was_written() {
    let tags = [
        json!({"$": "undefined"}),
        json!({"$": "number", "value": "NaN"}),
        json!({"$": "bigint", "value": "12345678901234567890"}),
        json!({"$": "date", "value": "2026-11-24T09:00:00.000Z"}),
        json!({"$": "date", "value": null}),
        json!({"$": "bytes", "type": "Uint8Array", "value": "AQL/"}),
        json!({"$": "map", "value": [["a", 1]]}),
        json!({"$": "set", "value": [1]}),
        json!({"$": "error", "value": {"name": "Error", "message": "m"}}),
        json!({"$": "object", "value": {"$": 1}}),
        json!({"$": "ref", "ref": "x-1", "kind": "function"}),
        json!({"$": "back", "ref": "x-1"}),
    ];

    for tag in tags {
        let read = Tag::read(&tag).unwrap_or_else(|| panic!("{tag}"));
        assert_eq!(read.to_value(), tag);
    }
    assert_eq!(Tag::read(&json!({"$": "nonsense"})), None);
    assert_eq!(Tag::read(&json!({"value": 1})), None);
}
