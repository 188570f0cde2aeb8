//! Hyperties called over a link, and calling back.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // in helpers of the tests

mod far_end;

use std::os::unix::net::UnixStream;
use std::time::Duration;

use far_end::{Core, ME, THEM, component};
use protocol::api::rpc::{Changed, Delta, Description, Method, Tag, Thrown};
use protocol::client::blocking::Link;
use protocol::client::rpc::{Callback, Mirror, OutOfStep, Returned};
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

/// A link that borrowed a data object, and its copy.
fn mirroring() -> (Link<UnixStream>, Core, Returned, Mirror) {
    let (mut link, mut core) = component();
    let lent = json!({"$": "ref", "ref": "d-1", "kind": "data-object", "data": {"list": [1], "x": 1}, "change": 3});
    answers(&mut core, 1, &json!({"code": 200, "value": lent}));
    let returned = link.hyperty(THEM).call("chat", &[]).unwrap();
    hear(&mut core);
    let mirror = Mirror::of(&returned.references[0]).unwrap();
    (link, core, returned, mirror)
}

#[test]
fn a_data_object_is_kept_up_to_date_by_its_changes() {
    let (mut link, mut core, _returned, mut mirror) = mirroring();
    let deltas = json!([
        {"path": ["x"], "value": 2},
        {"path": ["y"], "value": null},
        {"path": ["list", 1], "operation": "add", "value": [2, 3]},
        {"path": ["list", 0], "operation": "remove", "value": 1},
        {"path": ["list", 3], "attributeType": "array", "value": {"deep": [0]}},
        {"path": ["list", 3, "deep", 0], "value": 9},
        {"path": ["x"]},
    ]);
    calls(
        &mut core,
        MessageKind::Event,
        &json!({"changed": "d-1", "change": 4, "deltas": deltas}),
    );

    let (incoming, out) = link.recv().unwrap();
    let Incoming::Message(message) = incoming else {
        panic!("{incoming:?}");
    };
    mirror.apply(&out.changed(&message).unwrap()).unwrap();

    assert_eq!(
        mirror.data(),
        &json!({"list": [2, 3, null, {"deep": [9]}], "y": null})
    );
}

#[test]
fn what_is_known_is_skipped_and_what_is_missing_asks_for_a_snapshot() {
    let (mut link, mut core, returned, mut mirror) = mirroring();
    let changed = |change: u64, value: u64| Changed {
        reference: "d-1".to_owned(),
        change,
        deltas: vec![Delta {
            path: vec![json!("x")],
            value: Some(json!(value)),
            ..Delta::default()
        }],
        behind: false,
    };
    let other = Changed {
        reference: "d-2".to_owned(),
        ..changed(4, 9)
    };

    assert_eq!(mirror.apply(&changed(3, 7)), Ok(()));
    assert_eq!(mirror.apply(&other), Ok(()));
    assert_eq!(mirror.data()["x"], 1);
    assert_eq!(mirror.apply(&changed(4, 4)), Ok(()));
    assert_eq!(mirror.apply(&changed(6, 6)), Err(OutOfStep));
    assert_eq!(
        mirror.apply(&Changed {
            behind: true,
            ..changed(5, 5)
        }),
        Err(OutOfStep)
    );
    assert_eq!(mirror.data()["x"], 4);

    let whole = json!({"x": 6, "odd": {"$": "object", "value": {"$": 1}}});
    answers(
        &mut core,
        2,
        &json!({"code": 200, "value": {"data": whole, "change": 6}}),
    );
    mirror.adopt(link.reference(&returned.references[0]).snapshot().unwrap());
    assert_eq!(mirror.data(), &json!({"x": 6, "odd": {"$": 1}}));
    assert_eq!(mirror.apply(&changed(7, 7)), Ok(()));
}

#[test]
fn changes_that_do_not_fit_are_out_of_step_and_harm_nothing() {
    let (_link, _core, _returned, mirror) = mirroring();
    for (path, operation, value) in [
        (json!([]), "", json!(1)),
        (json!(["nothing", "x"]), "", json!(1)),
        (json!(["x", "y"]), "", json!(1)),
        (json!(["list", "a"]), "", json!(1)),
        (json!(["list", 9]), "add", json!(1)),
        (json!(["list", 0]), "remove", json!(2)),
        (json!(["list", 0]), "remove", json!(u64::MAX)),
        (json!(["list", 1_000_000]), "", json!(1)),
        (json!(["list", 0]), "turn", json!(1)),
    ] {
        let path = path.as_array().unwrap().clone();
        let delta = Delta {
            path,
            value: Some(value),
            operation: operation.to_owned(),
        };
        let changed = Changed {
            reference: "d-1".to_owned(),
            change: 4,
            deltas: vec![delta.clone()],
            behind: false,
        };
        let mut copy = mirror.clone();

        assert_eq!(copy.apply(&changed), Err(OutOfStep), "{delta:?}");
        assert_eq!(copy, mirror, "{delta:?}");
    }
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
