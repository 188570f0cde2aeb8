//! Methods, members and errors (spec services §7.3).

use std::time::Duration;

use protocol::Code;
use protocol::frame::CoreFrame;
use serde_json::json;

use super::super::world::{ME, World, logged, sent};
use super::{CALLER, answers, api, ask, class, failure, serving, tell, value};

const SAMPLE: &str = "
    constructor() { this.volume = 3; this.inner = { deep: new (class { twice(n) { return 2 * n } }) }; }
    add(a, b) { return a + b }
    async later(a) { await null; return a }
    never() { return new Promise(() => {}) }
    get loud() { return this.volume > 5 }
    get broken() { throw new TypeError('no') }
    throws() { const e = new RangeError('too far'); e.code = 'E_FAR'; throw e }
    throwsText() { throw 'just text' }
    async rejects() { throw new Error('later') }
    whose() { return this.volume }
    _hidden() { return 'secret' }
    list = [1, 2];
    fixed = Object.freeze({ a: 1 });
    set only(value) { this.volume = value }
    forever() { for (;;) {} }
    big() { return 'x'.repeat(2000000) }
";

#[test]
fn a_method_is_called_with_its_arguments_and_its_object() {
    let world = serving(SAMPLE);

    assert_eq!(value(&world, json!({"method": "add", "args": [1, 2]})), 3);
    assert_eq!(value(&world, json!({"method": "whose"})), 3);
    let path = json!({"path": ["inner", "deep"], "method": "twice", "args": [21]});
    assert_eq!(value(&world, path), 42);
}

#[test]
fn the_answer_goes_to_who_asked_with_the_same_number() {
    let world = serving(SAMPLE);

    let said = sent(&tell(
        &world,
        "execute",
        json!({"method": "add", "args": [1, 2]}),
    ));

    let ends = (said[0].from.clone(), said[0].to.clone());
    assert_eq!(ends, (api(ME), api(CALLER)));
    assert_eq!((said[0].id, said[0].code, said.len()), (41, 200, 1));
}

#[test]
fn a_promise_is_awaited() {
    let world = serving(SAMPLE);

    assert_eq!(
        value(&world, json!({"method": "later", "args": ["x"]})),
        "x"
    );
    assert_eq!(
        answers(&tell(&world, "execute", json!({"method": "never"}))),
        [0; 0]
    );
}

#[test]
fn members_are_read_and_assigned() {
    let world = serving(SAMPLE);

    assert_eq!(value(&world, json!({"get": "loud"})), false);
    value(&world, json!({"set": "volume", "value": 9}));
    assert_eq!(value(&world, json!({"get": "loud"})), true);
    value(&world, json!({"set": "only", "value": 1}));
    assert_eq!(value(&world, json!({"get": "volume"})), 1);
    value(&world, json!({"set": "onchange", "value": 5}));
    assert_eq!(value(&world, json!({"get": "onchange"})), 5);
}

#[test]
fn what_a_method_throws_comes_back_with_its_name_and_stack() {
    let world = serving(SAMPLE);

    let answer = ask(&world, json!({"method": "throws"}));
    let error = &answer["error"];
    assert_eq!(
        (&answer["code"], &error["name"]),
        (&json!(500), &json!("RangeError"))
    );
    assert_eq!(
        (&error["message"], &error["code"]),
        (&json!("too far"), &json!("E_FAR"))
    );
    assert!(
        error["stack"].as_str().unwrap().contains("me.js"),
        "{error}"
    );
    assert!(
        !error["stack"].as_str().unwrap().contains("./hyperty/"),
        "{error}"
    );
    assert_eq!(answer["desc"], answer["description"]);

    let thrown = |method: &str| ask(&world, json!({"method": method}))["error"]["message"].clone();
    assert_eq!(thrown("throwsText"), "just text");
    assert_eq!(thrown("rejects"), "later");
    assert_eq!(
        ask(&world, json!({"get": "broken"}))["error"]["name"],
        "TypeError"
    );
}

#[test]
fn what_does_not_exist_and_what_is_not_exposed_are_told_apart() {
    let world = serving(SAMPLE);
    let code = |body| failure(&world, body).0;

    for name in ["nothing", "inner.deep.nothing"] {
        let mut path: Vec<_> = name.split('.').collect();
        let method = path.pop();
        assert_eq!(code(json!({"path": path, "method": method})), 404, "{name}");
    }
    assert_eq!(code(json!({"method": "volume"})), 404);
    assert_eq!(code(json!({"path": ["volume"], "get": "toFixed"})), 404);
    for name in [
        "_hidden",
        "__proto__",
        "constructor",
        "toString",
        "hasOwnProperty",
        "prototype",
    ] {
        assert_eq!(code(json!({"method": name})), 403, "{name}");
        assert_eq!(code(json!({"get": name})), 403, "{name}");
        assert_eq!(code(json!({"set": name, "value": 1})), 403, "{name}");
        assert_eq!(
            code(json!({"path": [name], "method": "add"})),
            403,
            "{name}"
        );
    }
    assert_eq!(
        code(json!({"path": ["list"], "method": "push", "args": [3]})),
        403
    );
    assert_eq!(code(json!({"set": "add", "value": 1})), 403);
    assert_eq!(
        code(json!({"path": ["fixed"], "set": "a", "value": 2})),
        403
    );
    assert_eq!(code(json!({"set": "loud", "value": 2})), 403);
    assert_eq!(code(json!({"set": "then", "value": 2})), 403);
    assert_eq!(code(json!({"path": ["volume"], "describe": true})), 404);
}

#[test]
fn a_request_that_makes_no_sense_is_a_bad_one() {
    let world = serving(SAMPLE);
    let code = |body| failure(&world, body).0;

    assert_eq!(code(json!({})), 400);
    assert_eq!(code(json!({"method": -5})), 400);
    assert_eq!(code(json!({"method": "add", "args": "no list"})), 400);
    assert_eq!(code(json!({"method": "add", "path": "inner"})), 400);
    assert_eq!(
        code(json!({"method": "add", "path": vec!["inner"; 17]})),
        400
    );
    assert_eq!(code(json!({"ref": "nobody-1", "method": "add"})), 410);
    let other = tell(&world, "read", json!({"method": "add"}));
    assert_eq!(answers(&other)[0]["code"], 405);
}

#[test]
fn what_the_runtime_gave_to_a_component_is_not_handed_on() {
    let world = serving(
        "_start(url, bus, config, factory) { this.bus = bus; this.factory = factory; this.all = globalThis }",
    );

    for name in ["bus", "factory", "all"] {
        assert_eq!(failure(&world, json!({"get": name})).0, 403, "{name}");
        let path = json!({"path": [name], "method": "postMessage", "args": [{}]});
        assert_eq!(failure(&world, path).0, 403, "{name}");
    }
}

#[test]
fn a_call_that_runs_too_long_is_answered_as_well() {
    let world = World::with(|limits| limits.turn = Duration::from_millis(40));
    world.load(ME, &class(SAMPLE));

    let (code, reason) = failure(&world, json!({"method": "forever"}));

    assert_eq!(
        (code, reason.as_str()),
        (500, "it ran too long without returning")
    );
    assert_eq!(value(&world, json!({"method": "add", "args": [1, 2]})), 3);
}

#[test]
fn a_result_that_does_not_fit_is_answered_with_that() {
    let world = serving(SAMPLE);

    assert_eq!(failure(&world, json!({"method": "big"})).0, 413);
}

#[test]
fn a_body_that_cannot_be_read_is_answered_by_the_host() {
    let world = serving(SAMPLE);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let to = api(ME);

    for body in [deep.as_bytes(), b"{\"method\":"] {
        let mut message = protocol::Message::new(protocol::MessageKind::Execute, CALLER, &to, body);
        message = message.with_id(9);
        let said = world.handle(CoreFrame::Deliver(message));

        let answers = sent(&said);
        assert_eq!((answers.len(), answers[0].id), (1, 9), "{said:?}");
        assert_eq!(answers[0].code, Code::BAD_REQUEST.0);
        assert_eq!(
            (answers[0].from.as_str(), answers[0].to.as_str()),
            (to.as_str(), CALLER)
        );
    }
}

#[test]
fn too_many_calls_that_wait_are_refused_and_the_oldest_end_in_time() {
    let world = serving(SAMPLE);
    for _ in 0..256 {
        tell(&world, "execute", json!({"method": "never"}));
    }

    assert_eq!(
        failure(&world, json!({"method": "add", "args": [1, 2]})).0,
        429
    );

    world.pass(10 * 60 * 1000 + 1);
    let said = answers(&tell(
        &world,
        "execute",
        json!({"method": "add", "args": [1, 2]}),
    ));
    let codes: Vec<_> = said
        .iter()
        .map(|answer| answer["code"].as_u64().unwrap())
        .collect();
    assert_eq!(codes.iter().filter(|code| **code == 408).count(), 256);
    assert_eq!(codes.last(), Some(&200));
}

#[test]
fn what_there_is_to_call_is_told_without_running_it() {
    let world = serving(SAMPLE);

    let told = value(&world, json!({"describe": true}));

    assert_eq!(told["name"], "me");
    let methods = told["methods"].as_array().unwrap();
    assert!(
        methods.contains(&json!({"name": "add", "arity": 2})),
        "{told}"
    );
    let names: Vec<_> = methods
        .iter()
        .map(|method| method["name"].as_str().unwrap())
        .collect();
    assert!(
        !names.contains(&"_hidden") && !names.contains(&"constructor"),
        "{told}"
    );
    let properties = told["properties"].as_array().unwrap();
    assert!(
        properties.contains(&json!({"name": "broken", "type": "getter"})),
        "{told}"
    );
    assert!(
        properties.contains(&json!({"name": "volume", "type": "number"})),
        "{told}"
    );
}

#[test]
fn a_component_that_listens_there_itself_has_an_api_of_its_own() {
    let world = World::running("bus.addListener(url + '/api', (m) => console.log(m.body.method))");

    let said = tell(&world, "execute", json!({"method": "add"}));

    assert_eq!(
        (logged(&said), answers(&said).len()),
        (vec!["add".to_owned()], 0)
    );
}

#[test]
fn the_star_and_the_components_own_listeners_do_not_hear_calls() {
    let world = serving(
        "_start(url, bus) { for (const to of [url, '*']) bus.addListener(to, () => console.log('heard')) }
         add() { return 1 }",
    );

    let said = tell(&world, "execute", json!({"method": "add"}));

    assert_eq!((logged(&said).len(), answers(&said).len()), (0, 1));
}

#[test]
fn the_first_generations_instance_is_called_too() {
    let world = World::new();
    world.load(
        ME,
        "function activate() { return { name: 'old', instance: { add: (a, b) => a + b } } }",
    );

    assert_eq!(value(&world, json!({"method": "add", "args": [1, 2]})), 3);
}

#[test]
fn only_hyperties_have_an_api() {
    let world = World::new();
    world.load_as(
        protocol::frame::ComponentKind::ProtoStub,
        ME,
        "{}",
        &class(SAMPLE),
    );

    assert_eq!(failure(&world, json!({"method": "add"})).0, 404);
}
