//! What was lent, and how it ends: dropped, killed, restarted, out of time.

use std::time::Duration;

use hyperty_tests::harness::{WAIT_MAX, eventually, some_time};
use protocol::client::Incoming;
use protocol::client::blocking::Client;
use protocol::{Code, MessageKind};
use serde_json::{Value, json};

use crate::{answer_to, application, called, failed, freed, runtime};

#[test]
fn an_object_stays_at_the_hyperty_until_it_is_dropped() {
    let (runtime, lobby) = runtime();
    let mut client = application(&runtime, "app.example");
    let open = |client: &mut Client| {
        let returned = client
            .hyperty(&lobby.address)
            .call("open", &[json!("lobby")]);
        returned.unwrap().into_reference().expect("a reference")
    };

    let room = open(&mut client);
    assert_eq!(
        client
            .reference(&room)
            .call("say", &[json!("a")])
            .unwrap()
            .value,
        1
    );
    assert_eq!(
        client
            .reference(&room)
            .call("say", &[json!("b")])
            .unwrap()
            .value,
        2
    );
    assert_eq!(
        client.reference(&room).get("said").unwrap().value,
        json!(["a", "b"])
    );
    assert_eq!(freed(&mut client, &lobby), json!([]));

    drop(room);
    assert_eq!(freed(&mut client, &lobby), json!(["lobby"]));
}

#[test]
fn what_a_killed_caller_held_is_freed() {
    let (runtime, lobby) = runtime();
    let mut client = application(&runtime, "app.example");
    let arguments = [
        "call",
        "Lobby",
        "open",
        r#"["killed", "$opened"]"#,
        "--follow",
        "--json",
    ];
    let other = runtime.start_hyperty(&arguments);
    assert!(
        other.says("hyperty.callback/1"),
        "it holds the room and was called back"
    );
    assert_eq!(freed(&mut client, &lobby), json!([]));

    other.kill();

    let mut look = || freed(&mut client, &lobby) == json!(["killed"]);
    some_time("the room is freed", || look().then_some(()));
}

#[test]
fn a_restarted_hyperty_knows_nothing_of_what_it_lent_and_its_callers_hear_of_it() {
    let (runtime, lobby) = runtime();
    let mut client = application(&runtime, "app.example");
    let room = client
        .hyperty(&lobby.address)
        .call("open", &[json!("r")])
        .unwrap();
    let room = room.into_reference().unwrap();
    let listener = client.hyperty(&lobby.address).callback("news").unwrap();
    called(
        &mut client,
        &lobby,
        "on",
        &[json!("news"), listener.to_value()],
    );

    runtime.process_of(&lobby).kill();

    loop {
        let (incoming, _) = client.recv_within(WAIT_MAX).expect("the end is told");
        if matches!(incoming, Incoming::Response(response) if listener.is_over(&response)) {
            break;
        }
    }
    eventually("it runs again", || {
        let lobby = runtime.component(&lobby.address);
        lobby.restarts > 0 && lobby.state == "running"
    });
    let error = failed(
        client
            .reference(&room)
            .call("say", &[json!("x")])
            .unwrap_err(),
    );
    assert_eq!(error.code, Code::GONE);
    assert!(
        error.reason.contains("its owner was started again"),
        "{error}"
    );
}

#[test]
fn calls_in_flight_are_answered_at_once_when_the_hyperty_dies() {
    let (runtime, lobby) = runtime();
    let mut client = application(&runtime, "app.example");
    let api = format!("{}/api", lobby.address);
    let ask = |client: &mut Client, body: &Value| {
        let body = body.to_string();
        client
            .ask(
                MessageKind::Execute,
                &api,
                body.as_bytes(),
                Duration::from_mins(5),
            )
            .unwrap()
    };
    let ids: Vec<_> = (0..50)
        .map(|_| ask(&mut client, &json!({"method": "never"})))
        .collect();
    let last = ask(&mut client, &json!({"method": "add", "args": [1, 2]}));
    assert_eq!(answer_to(&mut client, last)["value"], 3);

    runtime.process_of(&lobby).kill();

    let codes: Vec<_> = ids
        .iter()
        .map(|id| answer_to(&mut client, *id)["code"].clone())
        .collect();
    assert_eq!(codes, vec![json!(503); 50]);
}

#[test]
fn a_promise_that_never_settles_ends_with_the_callers_time() {
    let (runtime, lobby) = runtime();
    let mut client = application(&runtime, "app.example");

    let within = Duration::from_millis(100);
    let error = client
        .hyperty(&lobby.address)
        .within(within)
        .call("never", &[])
        .unwrap_err();

    assert_eq!(error.code(), Some(Code::TIMEOUT));
    assert_eq!(called(&mut client, &lobby, "add", &[json!(1), json!(2)]), 3);
}
