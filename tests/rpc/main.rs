//! An application uses a hyperty's methods, members, callbacks and objects.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod command_line;
mod lifetimes;

use hyperty_tests::harness::{Catalogue, Runtime, WAIT_MAX, class, eventually};
use protocol::api::rpc::Thrown;
use protocol::api::user_agent::Component;
use protocol::client::blocking::Client;
use protocol::client::rpc::{Callback, Mirror};
use protocol::client::{Error, Failure, Incoming};
use protocol::frame::Role;
use protocol::{Code, MessageKind};
use serde_json::{Value, json};

fn runtime() -> (Runtime, Component) {
    let runtime = Runtime::with(Catalogue::fixture("api")).start();
    let lobby = runtime.deploy("app.example/hyperty/Lobby");
    (runtime, lobby)
}

fn application(runtime: &Runtime, provider: &str) -> Client {
    let role = Role::Application {
        provider,
        name: "tests",
        token: "",
    };
    Client::connect(runtime.endpoint(), role).expect("the endpoint takes an application")
}

fn called(client: &mut Client, lobby: &Component, method: &str, args: &[Value]) -> Value {
    let returned = client
        .hyperty(&lobby.address)
        .within(WAIT_MAX)
        .call(method, args);
    returned.expect("it is called").value
}

fn failed(error: Error) -> Failure {
    match error {
        Error::Answered(failure) => *failure,
        other => panic!("{other:?}"),
    }
}

fn freed(client: &mut Client, lobby: &Component) -> Value {
    called(client, lobby, "freed", &[])
}

/// The arguments of the next call of a callback, which is answered with `outcome`.
fn next_call(
    client: &mut Client,
    callback: &Callback,
    outcome: Result<&Value, &Thrown>,
) -> Vec<Value> {
    loop {
        let (incoming, out) = client.recv_within(WAIT_MAX).expect("it is called");
        let Incoming::Message(message) = incoming else {
            continue;
        };
        let called = out.called(&message).expect("a call");
        assert_eq!(called.callback, callback.id());
        out.answer_call(&called, outcome).expect("an answer");
        client.flush().expect("the link lives");
        return called.args;
    }
}

#[test]
fn methods_promises_members_and_errors_are_as_if_they_were_here() {
    let (runtime, lobby) = runtime();
    let mut client = application(&runtime, "app.example");

    assert_eq!(called(&mut client, &lobby, "add", &[json!(1), json!(2)]), 3);
    assert_eq!(called(&mut client, &lobby, "later", &[json!("x")]), "x");
    let mut api = client.hyperty(&lobby.address);
    assert_eq!(api.get("loud").unwrap().value, false);
    api.set("volume", &json!(9)).unwrap();
    assert_eq!(api.get("loud").unwrap().value, true);
    let thrown = failed(api.call("fail", &[json!("too far")]).unwrap_err());
    assert_eq!(thrown.thrown().unwrap().message, "too far");
    assert!(
        thrown.thrown().unwrap().stack.contains("Lobby.hy.js"),
        "{thrown:?}"
    );
    let codes =
        ["nothing", "_start", "constructor"].map(|name| api.call(name, &[]).unwrap_err().code());
    assert_eq!(
        codes,
        [Code::NOT_FOUND, Code::FORBIDDEN, Code::FORBIDDEN].map(Some)
    );
    let described = api.describe().unwrap();
    assert!(
        described
            .methods
            .iter()
            .any(|method| method.name == "add" && method.arity == 2)
    );
}

#[test]
fn listeners_are_called_back_and_may_answer_or_throw() {
    let (runtime, lobby) = runtime();
    let mut client = application(&runtime, "app.example");
    let listener = client.hyperty(&lobby.address).callback("news").unwrap();
    called(
        &mut client,
        &lobby,
        "on",
        &[json!("news"), listener.to_value()],
    );
    let mut ask = |method: &str, args: &[Value]| {
        let body = json!({ "method": method, "args": args }).to_string();
        let api = format!("{}/api", lobby.address);
        client
            .ask(MessageKind::Execute, &api, body.as_bytes(), WAIT_MAX)
            .unwrap()
    };

    let emitted = ask("emit", &[json!("news"), json!({"n": 1})]);
    assert_eq!(
        next_call(&mut client, &listener, Ok(&json!("heard"))),
        [json!({"n": 1})]
    );
    let answer = answer_to(&mut client, emitted);
    assert_eq!(answer["value"], "heard");

    let body = json!({"method": "tryEmit", "args": ["news"]}).to_string();
    let api = format!("{}/api", lobby.address);
    let emitted = client
        .ask(MessageKind::Execute, &api, body.as_bytes(), WAIT_MAX)
        .unwrap();
    let thrown = Thrown {
        name: "TypeError".to_owned(),
        message: "not today".to_owned(),
        ..Thrown::default()
    };
    next_call(&mut client, &listener, Err(&thrown));
    assert_eq!(
        answer_to(&mut client, emitted)["value"],
        "TypeError: not today"
    );
}

fn answer_to(client: &mut Client, id: u64) -> Value {
    loop {
        let (incoming, _) = client.recv_within(WAIT_MAX).expect("an answer comes");
        if let Incoming::Response(response) = incoming
            && response.id == id
        {
            return serde_json::from_slice(response.body).unwrap();
        }
    }
}

#[test]
fn hostile_values_are_refused_and_harm_nobody() {
    let (runtime, lobby) = runtime();
    let mut client = application(&runtime, "app.example");
    let api = format!("{}/api", lobby.address);
    let deep = format!(
        r#"{{"method":"add","args":[{}{}]}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );

    let answer = client.request(MessageKind::Execute, &api, deep.as_bytes(), WAIT_MAX);
    assert_eq!(answer.unwrap().code, Code::BAD_REQUEST);
    let pollution = br#"{"method":"later","args":[{"__proto__":{"volume":99}}]}"#;
    let answer = client.request(MessageKind::Execute, &api, pollution, WAIT_MAX);
    assert_eq!(answer.unwrap().code, Code::BAD_REQUEST);
    let error = client
        .hyperty(&lobby.address)
        .call("many", &[json!(10_000)])
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::BUSY));
    let many = client
        .hyperty(&lobby.address)
        .call("many", &[json!(1024)])
        .unwrap();
    assert_eq!(many.references.len(), 1024);
    drop(many);
    assert_eq!(called(&mut client, &lobby, "add", &[json!(1), json!(2)]), 3);
    let many = client
        .hyperty(&lobby.address)
        .call("many", &[json!(1024)])
        .unwrap();
    assert_eq!(many.references.len(), 1024);
}

#[test]
fn a_data_object_is_used_as_if_it_were_here() {
    let (runtime, lobby) = runtime();
    let mut client = application(&runtime, "app.example");
    let returned = client.hyperty(&lobby.address).call("board", &[]).unwrap();
    let board = returned.into_reference().expect("a reference");
    let mut mirror = Mirror::of(&board).expect("a data object");
    assert_eq!(mirror.data()["posts"], json!([]));

    called(&mut client, &lobby, "post", &[json!("first")]);
    called(&mut client, &lobby, "post", &[json!("second")]);
    while mirror.data()["posts"] != json!(["first", "second"]) {
        next_change(&mut client, &mut mirror);
    }

    client
        .reference(&board)
        .at(&["data"])
        .set("topic", &json!("mine"))
        .unwrap();
    assert_eq!(called(&mut client, &lobby, "topic", &[]), "mine");
    while mirror.data()["topic"] != "mine" {
        next_change(&mut client, &mut mirror);
    }
    let whole = client.reference(&board).snapshot().unwrap();
    assert_eq!(&whole.data, mirror.data());
}

fn next_change(client: &mut Client, mirror: &mut Mirror) {
    let (incoming, out) = client.recv_within(WAIT_MAX).expect("a change comes");
    if let Incoming::Message(message) = incoming
        && let Some(changed) = out.changed(&message)
    {
        mirror.apply(&changed).expect("nothing is missing");
    }
}

#[test]
fn an_application_of_another_provider_is_refused_by_policy() {
    let (runtime, lobby) = runtime();
    let mut stranger = application(&runtime, "other.example");

    let error = failed(
        stranger
            .hyperty(&lobby.address)
            .call("add", &[])
            .unwrap_err(),
    );

    assert_eq!(error.code, Code::FORBIDDEN);
    assert!(!error.decision.is_empty(), "{error:?}");
}

#[test]
fn a_script_calls_a_hyperty_in_another_sandbox() {
    let caller = class(
        "class Component {
           async _start(url, bus, config, factory) {
             const lobby = await factory.requireHyperty(config.lobby);
             const room = await lobby.open('far');
             await room.say('a');
             lobby.volume = 8;
             await lobby.on('news', (text) => text.toUpperCase());
             console.log(JSON.stringify([await lobby.add(1, 2), await room.said, await lobby.loud,
               await lobby.emit('news', 'heard'), lobby.name,
               await lobby.fail('no').catch((error) => error.constructor.name + ' ' + error.message)]));
           }
         }",
    );
    let catalogue = Catalogue::fixture("api").script("caller.example", "Caller", &caller);
    let runtime = Runtime::with(catalogue.permissive()).start();
    let lobby = runtime.deploy("app.example/hyperty/Lobby");

    let caller = runtime.deploy_with(
        "caller.example/hyperty/Caller",
        &json!({"lobby": lobby.address}),
    );

    let line = r#"[3,["a"],true,"HEARD","Lobby","RangeError no"]"#;
    eventually("it has called everything", || {
        runtime.log_says(&caller, line)
    });
    assert_ne!(runtime.process_of(&caller), runtime.process_of(&lobby));
}
