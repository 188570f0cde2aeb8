//! Callbacks: lent to a hyperty, called by it, and over with it.

use std::os::unix::net::UnixStream;

use protocol::api::rpc::{Tag, Thrown};
use protocol::client::Incoming;
use protocol::client::blocking::Link;
use protocol::client::rpc::Callback;
use protocol::{CoreFrame, Message, MessageKind, Reply};
use serde_json::json;

use crate::far_end::{Core, THEM, component};
use crate::{MY_API, THEIR_API, answers, calls, hear};

/// A link with a callback for [`THEM`]: the watch was heard, number 1.
fn lending() -> (Link<UnixStream>, Core, Callback) {
    let (mut link, mut core) = component();
    let tick = link.hyperty(THEM).callback("tick").unwrap();
    link.flush().unwrap();
    let (kind, to, id, reply, body) = hear(&mut core);
    assert_eq!((kind.as_str(), to.as_str(), id), ("execute", THEIR_API, 1));
    assert_eq!(
        (reply, body),
        (Reply::Within(600_000), json!({"watch": true}))
    );
    (link, core, tick)
}

#[test]
fn a_callback_is_called_and_answers() {
    let (mut link, mut core, tick) = lending();
    assert!(matches!(Tag::read(&tick.to_value()), Some(Tag::Ref(lent)) if lent.kind == "function"));
    calls(
        &mut core,
        MessageKind::Execute,
        &json!({"ref": tick.id(), "args": [1, "x"]}),
    );

    let (incoming, out) = link.recv().unwrap();
    let Incoming::Message(message) = incoming else {
        panic!("{incoming:?}");
    };
    let called = out.called(&message).unwrap();
    assert_eq!(
        (called.callback.as_str(), &called.args),
        (tick.id(), &vec![json!(1), json!("x")])
    );
    out.answer_call(&called, Ok(&json!("done"))).unwrap();
    let thrown = Thrown {
        name: "TypeError".to_owned(),
        message: "no".to_owned(),
        ..Thrown::default()
    };
    out.answer_call(&called, Err(&thrown)).unwrap();
    link.flush().unwrap();

    let (kind, to, id, _, body) = hear(&mut core);
    assert_eq!(
        (kind.as_str(), to.as_str(), id),
        ("response", THEIR_API, 77)
    );
    assert_eq!(body, json!({"code": 200, "value": "done"}));
    assert_eq!(hear(&mut core).4["error"]["name"], "TypeError");
}

#[test]
fn a_callback_that_was_dropped_is_gone_for_its_hyperty() {
    let (mut link, mut core, tick) = lending();
    let call = json!({"ref": tick.id(), "args": []});
    calls(&mut core, MessageKind::Execute, &call);
    drop(tick);
    calls(&mut core, MessageKind::Update, &json!("after"));

    // The call is answered on the way; what comes is the message behind it.
    let (incoming, _) = link.recv().unwrap();
    assert!(matches!(incoming, Incoming::Message(m) if m.header.kind == MessageKind::Update));
    link.flush().unwrap();

    let (kind, .., body) = hear(&mut core);
    assert_eq!((kind.as_str(), &body["code"]), ("response", &json!(410)));
}

#[test]
fn a_callback_is_its_hypertys_alone() {
    let (mut link, mut core, tick) = lending();
    let body = json!({"ref": tick.id(), "args": []}).to_string();
    let stranger = Message::new(
        MessageKind::Execute,
        "hyperty://c.example/3/api",
        MY_API,
        body.as_bytes(),
    );
    core.say(&[CoreFrame::Deliver(
        stranger.with_id(9).expecting(Reply::Untimed),
    )]);
    calls(&mut core, MessageKind::Update, &json!("after"));

    link.recv().unwrap();
    link.flush().unwrap();

    assert_eq!(hear(&mut core).4["code"], 410);
}

#[test]
fn watches_and_releases_are_nobodys_business() {
    let (mut link, mut core, _tick) = lending();
    calls(&mut core, MessageKind::Execute, &json!({"watch": true}));
    calls(
        &mut core,
        MessageKind::Event,
        &json!({"release": [["tick-1", 1]]}),
    );
    calls(&mut core, MessageKind::Event, &json!({"news": 1}));

    let (incoming, _) = link.recv().unwrap();

    assert!(matches!(incoming, Incoming::Message(m) if m.body == br#"{"news":1}"#));
    link.flush().unwrap();
    core.hears_nothing_more();
}

#[test]
fn a_watch_whose_time_is_over_is_asked_again_under_its_number() {
    let (mut link, mut core, _tick) = lending();
    answers(&mut core, 1, &json!({"code": 408}));
    calls(&mut core, MessageKind::Update, &json!("after"));

    link.recv().unwrap();
    link.flush().unwrap();

    let (kind, _, id, reply, body) = hear(&mut core);
    assert_eq!(
        (kind.as_str(), id, reply),
        ("execute", 1, Reply::Within(600_000))
    );
    assert_eq!(body, json!({"watch": true}));
}

#[test]
fn the_end_of_a_hyperty_is_heard_and_its_callbacks_are_gone() {
    let (mut link, mut core, tick) = lending();
    answers(
        &mut core,
        1,
        &json!({"code": 503, "desc": "the receiver ended"}),
    );

    let (incoming, out) = link.recv().unwrap();

    assert!(matches!(incoming, Incoming::Response(response) if tick.is_over(&response)));
    assert_eq!(out.pending(), 0);
    calls(
        &mut core,
        MessageKind::Execute,
        &json!({"ref": tick.id(), "args": []}),
    );
    calls(&mut core, MessageKind::Update, &json!("after"));
    link.recv().unwrap();
    link.flush().unwrap();
    assert_eq!(hear(&mut core).4["code"], 410);
}
