//! Components of several providers are deployed and talk over the bus.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Catalogue, Runtime, eventually, script};
use serde_json::json;

const ECHO: &str = "bus.addListener(url, function (m) {
    if (m.type === 'response') return;
    bus.postMessage({ id: m.id, type: 'response', from: m.to, to: m.from,
                      body: { code: 200, value: m.body } });
});";

#[test]
fn two_providers_exchange_requests_subscriptions_and_updates() {
    let runtime = Runtime::with(Catalogue::demo()).start();

    let station = runtime.deploy("weather.example/hyperty/Station");
    let board = runtime.deploy_with(
        "family.example/hyperty/Board",
        &json!({ "station": station.address }),
    );

    eventually("the board asked", || {
        runtime.log_says(&board, "degrees in Lisbon")
    });
    eventually("the station accepted", || {
        runtime.log_says(&station, "accepts observer")
    });
    eventually("the board observes", || {
        runtime.log_says(&board, "observes weather://")
    });
    eventually("updates arrive", || runtime.log_says(&board, "(version 2)"));
    let board_tells = runtime.operator().ask("read", &board.address, &json!({}));
    assert!(
        board_tells.value()["updates"].as_u64().unwrap() >= 2,
        "{board_tells:?}"
    );
}

#[test]
fn a_protocol_stub_carries_messages_to_its_domain_and_back() {
    let runtime = Runtime::with(Catalogue::demo()).start();

    runtime.deploy("weather.example/protocolstub/loopback");
    let station = runtime.deploy("weather.example/hyperty/Station");
    let far = json!({ "station": station.address, "far": "hyperty://weather.example/far-away" });
    let board = runtime.deploy_with("family.example/hyperty/Board", &far);

    eventually("an answer came from afar", || {
        runtime.log_says(&board, "the stub carried it there and back")
    });
}

// messaging A.6 case 55
#[test]
fn every_published_component_form_runs() {
    let catalogue = Catalogue::new()
        .script("forms.example", "Registered", &script(ECHO))
        .fixture_script("forms.example", "Umd")
        .fixture_script("forms.example", "CommonJs");
    let runtime = Runtime::with(catalogue).start();

    let registered = runtime.deploy("forms.example/hyperty/Registered");
    let umd = runtime.deploy("forms.example/hyperty/Umd");
    let commonjs = runtime.deploy("forms.example/hyperty/CommonJs");
    let ask = |address: &str| runtime.operator().ask("read", address, &json!({ "n": 1 }));

    assert_eq!(ask(&registered.address).value(), &json!({ "n": 1 }));
    assert_eq!(ask(&umd.address).value()["form"], "umd");
    assert_eq!(ask(&umd.address).value()["hasFactory"], true);
    assert_eq!(ask(&commonjs.address).value()["form"], "commonjs");
    assert!(
        ask(&umd.address).value()["runtime"]
            .as_str()
            .unwrap()
            .starts_with("runtime://")
    );
}

#[test]
fn a_native_component_answers_like_a_script() {
    let catalogue = Catalogue::new().puppet("native.example", "Echo", &json!({ "act": "echo" }));
    let runtime = Runtime::with(catalogue).start();

    let echo = runtime.deploy("native.example/hyperty/Echo");
    let answer = runtime
        .operator()
        .ask("read", &echo.address, &json!({ "n": 2 }));

    assert_eq!((answer.code, answer.value()), (200, &json!({ "n": 2 })));
}

#[test]
fn a_native_and_a_script_component_talk() {
    let catalogue = Catalogue::new()
        .script("one.example", "Echo", &script(ECHO))
        .puppet("one.example", "Asker", &json!({ "act": "ask" }));
    let runtime = Runtime::with(catalogue).start();

    let echo = runtime.deploy("one.example/hyperty/Echo");
    let asker = runtime.deploy_with(
        "one.example/hyperty/Asker",
        &json!({ "peer": echo.address }),
    );

    eventually("the answer is there", || {
        runtime.log_says(&asker, "answer 200")
    });
}

// messaging A.6 case 56
#[test]
fn a_sandbox_is_shared_by_one_provider_and_kind_only() {
    let catalogue = Catalogue::demo()
        .script("weather.example", "Second", &script(""))
        .script("family.example", "Second", &script(""));
    let runtime = Runtime::with(catalogue).start();

    let first = runtime.deploy("weather.example/hyperty/Station");
    let second = runtime.deploy("weather.example/hyperty/Second");
    let stub = runtime.deploy("weather.example/protocolstub/loopback");
    let stranger = runtime.deploy("family.example/hyperty/Second");

    assert_eq!(first.pid, second.pid);
    assert_ne!(first.pid, stub.pid);
    assert_ne!(first.pid, stranger.pid);
}

#[test]
fn two_copies_of_one_component_get_different_addresses() {
    let catalogue = Catalogue::new().script("one.example", "Echo", &script(ECHO));
    let runtime = Runtime::with(catalogue).start();

    let first = runtime.deploy("one.example/hyperty/Echo");
    let second = runtime.deploy("one.example/hyperty/Echo");
    let ask = |address: &str| runtime.operator().ask("read", address, &json!({})).code;

    assert_ne!(first.address, second.address);
    assert_eq!((ask(&first.address), ask(&second.address)), (200, 200));
}

#[test]
fn a_removed_component_is_gone_and_its_neighbour_is_not() {
    let catalogue = Catalogue::new().script("one.example", "Echo", &script(ECHO));
    let runtime = Runtime::with(catalogue).start();
    let first = runtime.deploy("one.example/hyperty/Echo");
    let second = runtime.deploy("one.example/hyperty/Echo");

    let removal =
        runtime
            .operator()
            .ask_room("delete", "ua", &json!({ "resource": first.address }));
    let ask = |address: &str| runtime.operator().ask("read", address, &json!({})).code;

    assert_eq!(removal.code, 200);
    assert_eq!((ask(&first.address), ask(&second.address)), (404, 200));
}

#[test]
fn crowd_of_five_hundred_components_deployed_at_once_all_run() {
    let catalogue = Catalogue::new().puppet("crowd.example", "One", &json!({ "act": "echo" }));
    let runtime = Runtime::with(catalogue).start();

    let wish = runtime.wish("crowd.example/hyperty/One", &json!({}));
    let codes = runtime.operator().ask_room_many("create", "ua", &wish, 500);

    assert_eq!(codes, [(200, 500)].into());
    assert_eq!(runtime.components().len(), 500);
    let last = runtime.components().pop().unwrap();
    let answer = runtime
        .operator()
        .ask("read", &last.address, &json!({ "n": 500 }));
    assert_eq!(answer.value(), &json!({ "n": 500 }));
}
