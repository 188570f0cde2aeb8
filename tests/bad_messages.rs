//! Bad messages and bad manners: each is answered or ended, and nobody else notices.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::Duration;

use hyperty_tests::harness::{Answer, Catalogue, Runtime, WAIT_MAX, eventually, script};
use protocol::api::user_agent::Component;
use protocol::limits::BODY_BYTES_MAX;
use serde_json::{Value, json};

fn with_witness(catalogue: Catalogue) -> Runtime {
    Runtime::with(catalogue.with_witness()).start()
}

#[test]
fn an_absent_address_is_answered_at_once() {
    let runtime = with_witness(Catalogue::new());

    let answer = runtime
        .operator()
        .ask("read", "hyperty://good.example/nobody", &json!({}));

    assert_eq!(answer.code, 404, "{answer:?}");
    assert!(
        answer
            .reason()
            .contains("no protocol stub speaks for `good.example`"),
        "{answer:?}"
    );
}

#[test]
fn an_address_that_is_none() {
    let runtime = with_witness(Catalogue::new());

    for address in [
        "",
        "hyperty://",
        "hyperty://a/../b",
        "no scheme",
        "hyperty://a/%2e",
    ] {
        let answer = runtime.operator().try_ask("read", address, &json!({}));

        let code = answer.as_ref().map(|answer| answer.code);
        assert!(matches!(code, Ok(400 | 404)), "{address}: {answer:?}");
    }
    runtime.assert_unharmed();
}

#[test]
fn an_unknown_scheme() {
    let runtime = with_witness(Catalogue::new());

    let answer = runtime
        .operator()
        .ask("read", "gopher://good.example/1", &json!({}));

    assert_eq!(answer.code, 404, "{answer:?}");
}

// messaging A.2 case 20
#[test]
fn a_room_that_does_not_exist() {
    let runtime = with_witness(Catalogue::new());

    let answer = runtime.operator().ask_room("read", "cellar", &json!({}));

    assert_eq!(answer.code, 404, "{answer:?}");
}

#[test]
fn a_request_that_its_room_does_not_understand() {
    let runtime = with_witness(Catalogue::new());
    let check = |kind: &str, room: &str, body: &Value| {
        let answer = runtime.operator().ask_room(kind, room, body);
        assert!(
            matches!(answer.code, 400 | 404 | 405),
            "{kind} {room}: {answer:?}"
        );
        assert!(!answer.reason().is_empty(), "{kind} {room}: {answer:?}");
    };

    check("forward", "registry", &json!({}));
    check("create", "ua", &json!({ "compnent": "hyperty/Good" }));
    check("create", "ua", &json!([]));
    check(
        "execute",
        "ua",
        &json!({ "method": "explode", "resource": "x" }),
    );
    check("execute", "pep", &json!({ "method": "explode" }));
    check("subscribe", "bus", &json!({ "colour": "red" }));
    runtime.assert_unharmed();
}

#[test]
fn a_message_to_a_dead_peer_is_answered_at_once() {
    let catalogue =
        Catalogue::new().puppet("bad.example", "Bad", &json!({ "act": "exit", "code": 1 }));
    let runtime = with_witness(catalogue);
    let bad = runtime.deploy("bad.example/hyperty/Bad");
    eventually("it is given up", || {
        runtime.component(&bad.address).state == "failed"
    });

    let answer = runtime.operator().ask("read", &bad.address, &json!({}));

    assert_eq!(answer.code, 503, "{answer:?}");
}

#[test]
fn a_request_that_is_pending_when_its_receiver_dies() {
    let catalogue = Catalogue::new().puppet("bad.example", "Bad", &json!({ "act": "never-reads" }));
    let runtime = with_witness(catalogue);
    let bad = runtime.deploy("bad.example/hyperty/Bad");
    let process = runtime.process_of(&bad);

    let answer: Answer = std::thread::scope(|scope| {
        let asking = scope.spawn(|| runtime.operator().ask("read", &bad.address, &json!({})));
        process.kill();
        asking.join().unwrap()
    });

    assert!(matches!(answer.code, 500 | 503), "{answer:?}");
    runtime.assert_unharmed();
}

#[test]
fn a_body_that_is_not_json_goes_through_unread() {
    let catalogue = Catalogue::new().puppet("bad.example", "Bad", &json!({ "act": "echo" }));
    let runtime = with_witness(catalogue);
    let echo = runtime.deploy("bad.example/hyperty/Bad");

    let body = b"\xff\xfe not json";
    let answer = runtime
        .operator()
        .ask_bytes("read", &echo.address, body, WAIT_MAX)
        .unwrap();

    assert_eq!(answer.code, 200);
}

#[test]
fn a_message_that_is_too_large_is_answered_where_it_was_written() {
    let source = script(
        "bus.addListener(url, function (m) {
            if (m.type !== 'read') return;
            var body = { big: new Array(2 * 1024 * 1024).join('x') };
            var answer = function (code, why) {
                bus.postMessage({ id: m.id, type: 'response', from: url, to: m.from,
                                  body: { code: 200, value: { code: code, why: why } } });
            };
            try {
                bus.postMessage({ type: 'read', from: url, to: m.body.to, body: body },
                    function (reply) { answer(reply.body.code, reply.body.desc); });
            } catch (error) { answer(413, String(error)); }
        });",
    );
    let runtime = with_witness(Catalogue::new().script("good.example", "Big", &source));
    let good = runtime.deploy("good.example/hyperty/Witness");
    let big = runtime.deploy("good.example/hyperty/Big");

    let told = runtime
        .operator()
        .ask("read", &big.address, &json!({ "to": good.address }));

    assert_eq!(told.value()["code"], 413, "{told:?}");
    assert!(
        told.value()["why"].as_str().unwrap().contains("1048576"),
        "{told:?}"
    );
    runtime.assert_unharmed();
}

#[test]
fn a_deeply_nested_body() {
    let deep = json!({ "act": "say-body", "depth": 200_000 });
    let catalogue = Catalogue::new().puppet("good.example", "Deep", &deep);
    let runtime = with_witness(catalogue);
    let good = runtime.deploy("good.example/hyperty/Witness");
    let room = format!("{}/registry", runtime.operator().runtime());

    let to_script =
        runtime.deploy_with("good.example/hyperty/Deep", &json!({ "to": good.address }));
    let to_room = runtime.deploy_with("good.example/hyperty/Deep", &json!({ "to": room }));

    eventually("the room refused", || {
        runtime.log_says(&to_room, "answer 4")
    });
    eventually("the script got an end", || {
        runtime.log_says(&to_script, "answer")
    });
    runtime.assert_unharmed();
}

// Manners

/// A listener, and somebody who speaks to it in a third one's name `count` times.
#[track_caller]
fn forge(count: usize) -> (Runtime, Component, Component) {
    let listens = script(
        "bus.addListener(url, function (m) {
            if (m.body.value === 'forged') console.error('heard a forged message');
            if (m.type === 'read') bus.postMessage({ id: m.id, type: 'response', from: url,
                to: m.from, body: { code: 200 } }); });",
    );
    let catalogue = Catalogue::new()
        .script("good.example", "Listener", &listens)
        .puppet(
            "good.example",
            "Bad",
            &json!({ "act": "forge", "count": count }),
        );
    let runtime = with_witness(catalogue);
    runtime.watch();
    let listener = runtime.deploy("good.example/hyperty/Listener");
    let good = runtime.deploy("good.example/hyperty/Witness");
    let forgery = json!({ "as": good.address, "to": listener.address });
    let bad = runtime.deploy_with("good.example/hyperty/Bad", &forgery);
    (runtime, listener, bad)
}

#[test]
fn a_forged_sender_never_reaches_the_receiver() {
    let (runtime, listener, bad) = forge(16);

    eventually("every forgery is shown", || {
        runtime
            .traffic()
            .iter()
            .filter(|it| it.verdict == "forged-from")
            .count()
            == 16
    });

    assert_eq!(
        runtime
            .operator()
            .ask("read", &listener.address, &json!({}))
            .code,
        200
    );
    assert!(!runtime.log_says(&listener, "forged"));
    assert_eq!(runtime.component(&bad.address).restarts, 0);
}

#[test]
fn who_keeps_forging_is_cut_off() {
    let (runtime, listener, bad) = forge(17);

    eventually("it is cut off", || {
        runtime.component(&bad.address).reason.contains("forged")
    });

    assert_eq!(
        runtime
            .operator()
            .ask("read", &listener.address, &json!({}))
            .code,
        200
    );
    assert!(!runtime.log_says(&listener, "forged"));
}

#[test]
fn an_answer_to_a_request_that_was_never_made() {
    let catalogue =
        Catalogue::new().puppet("good.example", "Bad", &json!({ "act": "stray-reply" }));
    let runtime = with_witness(catalogue);
    let good = runtime.deploy("good.example/hyperty/Witness");
    runtime.watch();

    runtime.deploy_with("good.example/hyperty/Bad", &json!({ "to": good.address }));

    eventually("it is refused", || {
        runtime
            .traffic()
            .iter()
            .any(|it| it.kind == "response" && it.verdict != "permit")
    });
    runtime.assert_unharmed();
}

#[test]
fn a_component_that_floods_is_slowed_and_the_others_are_not() {
    let flood = json!({ "act": "flood", "count": 20_000 });
    let catalogue = Catalogue::new().puppet("good.example", "Bad", &flood);
    let runtime = with_witness(catalogue);
    let good = runtime.deploy("good.example/hyperty/Witness");

    let bad = runtime.deploy_with("good.example/hyperty/Bad", &json!({ "to": good.address }));

    runtime.assert_unharmed();
    eventually("every message was answered, or the flood was ended", || {
        runtime.log_says(&bad, "answers") || !runtime.component(&bad.address).reason.is_empty()
    });
}

#[test]
fn a_component_that_never_reads_costs_its_senders_an_answer_only() {
    let catalogue = Catalogue::new().puppet("bad.example", "Bad", &json!({ "act": "never-reads" }));
    let runtime = with_witness(catalogue);
    let bad = runtime.deploy("bad.example/hyperty/Bad");

    let body = vec![b' '; BODY_BYTES_MAX / 2];
    let codes: Vec<_> = (0..200)
        .map(|_| {
            let wait = Duration::from_millis(1);
            runtime
                .operator()
                .ask_bytes("read", &bad.address, &body, wait)
                .map(|it| it.code)
        })
        .collect();

    assert!(
        codes.iter().any(|code| matches!(code, Ok(429 | 503))),
        "{codes:?}"
    );
    runtime.assert_unharmed();
}

#[test]
fn a_component_that_says_half_a_frame_and_stops() {
    let half = json!({ "act": "say-bytes", "hex": "b70604" });
    let catalogue = Catalogue::new().puppet("bad.example", "Bad", &half);
    let runtime = with_witness(catalogue);

    let bad = runtime.deploy("bad.example/hyperty/Bad");

    runtime.assert_unharmed();
    eventually("it is ended for it", || {
        !runtime.component(&bad.address).reason.is_empty()
    });
}
