//! Functions and objects that stay where they are, and for how long.

use protocol::Reply;
use serde_json::{Value, json};

use super::super::world::{ME, Said, World, logged, sent};
use super::{CALLER, answers, api, ask, asked, failure, function, serving, tell, value};

const SAMPLE: &str = "
    open(name) { this.count = (this.count ?? 0) + 1; return new (class Room {
        constructor() { this.said = [] }
        say(text) { this.said.push(text); return this.said.length }
        self() { return this }
    })() }
    same() { return this.kept ??= new (class Kept { ping() { return 'pong' } })() }
    isKept(it) { return it === this.kept }
    literal() { return { count: 5, bump() { return ++this.count } } }
    onTick(callback) { this.tick = callback }
    fire(...args) { return this.tick(...args) }
    fireAndForget() { this.tick('x') }
    options({ name, done }) { return done(name) }
    many(count) { return Array.from({ length: count }, () => () => 1) }
    on(event, listener) { (this.listeners ??= new Map()).set(listener, event) }
    off(event, listener) { return this.listeners.delete(listener) }
    drop() { this.tick = undefined; this.listeners = undefined }
";

fn lend(world: &World, body: Value) -> String {
    let told = value(world, body);
    assert_eq!(told["$"], "ref", "{told}");
    told["ref"].as_str().unwrap().to_owned()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better at the calls"
)]
fn release(world: &World, list: Value) -> Vec<Said> {
    tell(world, "event", json!({ "release": list }))
}

#[test]
fn an_object_with_methods_stays_and_is_called_by_its_reference() {
    let world = serving(SAMPLE);

    let told = value(&world, json!({"method": "open", "args": ["lobby"]}));
    let room = &told["ref"];

    assert_eq!(
        (&told["kind"], &told["name"]),
        (&json!("object"), &json!("Room"))
    );
    assert_eq!(told["methods"], json!(["say", "self"]));
    assert_eq!(
        value(&world, json!({"ref": room, "method": "say", "args": ["a"]})),
        1
    );
    assert_eq!(
        value(&world, json!({"ref": room, "method": "say", "args": ["b"]})),
        2
    );
    assert_eq!(
        value(&world, json!({"ref": room, "get": "said"})),
        json!(["a", "b"])
    );
    assert_eq!(
        value(&world, json!({"ref": room, "describe": true}))["name"],
        "Room"
    );
    assert_eq!(failure(&world, json!({"ref": room, "method": "_x"})).0, 403);
}

#[test]
fn the_same_object_has_the_same_reference_and_comes_back_as_itself() {
    let world = serving(SAMPLE);

    let first = lend(&world, json!({"method": "same"}));
    let second = lend(&world, json!({"method": "same"}));

    assert_eq!(first, second);
    let back = json!({"$": "back", "ref": first});
    assert_eq!(
        value(&world, json!({"method": "isKept", "args": [back]})),
        true
    );
}

#[test]
fn a_literal_is_copied_and_its_functions_know_it() {
    let world = serving(SAMPLE);

    let told = value(&world, json!({"method": "literal"}));

    assert_eq!(told["count"], 5);
    let bump = &told["bump"]["ref"];
    assert_eq!(value(&world, json!({"ref": bump, "args": []})), 6);
    assert_eq!(value(&world, json!({"ref": bump, "args": []})), 7);
}

#[test]
fn a_reference_is_freed_when_as_many_were_released_as_were_lent() {
    let world = serving(SAMPLE);
    let kept = lend(&world, json!({"method": "same"}));
    lend(&world, json!({"method": "same"}));

    release(&world, json!([[kept, 1]]));
    assert_eq!(
        value(&world, json!({"ref": kept, "method": "ping"})),
        "pong"
    );

    release(&world, json!([[kept, 1]]));
    let (code, reason) = failure(&world, json!({"ref": kept, "method": "ping"}));
    assert_eq!(code, 410);
    assert!(
        reason.contains("was released, or its owner was started again"),
        "{reason}"
    );
    assert_eq!(
        failure(
            &world,
            json!({"method": "isKept", "args": [{"$": "back", "ref": kept}]})
        )
        .0,
        410
    );
}

#[test]
fn nonsense_in_a_release_frees_nothing() {
    let world = serving(SAMPLE);
    let kept = lend(&world, json!({"method": "same"}));

    for list in [
        json!(null),
        json!([[kept, -5]]),
        json!([[kept, 0.5]]),
        json!([kept]),
        json!([["x", 1]]),
    ] {
        assert_eq!(answers(&release(&world, list)).len(), 0);
    }

    assert_eq!(
        value(&world, json!({"ref": kept, "method": "ping"})),
        "pong"
    );
}

#[test]
fn a_reference_is_its_borrowers_alone() {
    let world = serving(SAMPLE);
    let kept = lend(&world, json!({"method": "same"}));
    let other = |kind: &str, body: &Value| {
        let message = json!({"id": 1, "type": kind, "from": "app://here.example/app/2", "to": api(ME), "body": body});
        answers(&world.deliver(message))
    };

    assert_eq!(
        other("execute", &json!({"ref": kept, "method": "ping"}))[0]["code"],
        410
    );
    other("event", &json!({"release": [[kept, 1]]}));
    assert_eq!(
        value(&world, json!({"ref": kept, "method": "ping"})),
        "pong"
    );
}

#[test]
fn who_was_lent_something_is_watched_by_a_request_that_nobody_answers() {
    let world = serving(SAMPLE);

    let first = asked(&tell(&world, "execute", json!({"method": "same"})));
    let second = asked(&tell(&world, "execute", json!({"method": "open"})));

    assert_eq!((first.len(), second.len()), (1, 0));
    assert_eq!(first[0].body, json!({"watch": true}));
    assert_eq!(
        (first[0].from.clone(), first[0].to.clone()),
        (api(ME), api(CALLER))
    );
    assert_eq!(first[0].reply, Reply::Within(600_000));
    let late = json!({"id": first[0].id, "type": "response", "from": api(CALLER), "to": api(ME), "body": {"code": 408}});
    let again = asked(&world.deliver(late));
    assert_eq!((again.len(), again[0].id), (1, first[0].id));
}

#[test]
fn who_holds_nothing_any_more_is_not_watched_again() {
    let world = serving(SAMPLE);
    let said = tell(&world, "execute", json!({"method": "same"}));
    let watch = asked(&said)[0].id;
    release(&world, json!([[answers(&said)[0]["value"]["ref"], 1]]));

    let late = json!({"id": watch, "type": "response", "from": api(CALLER), "to": api(ME), "body": {"code": 408}});

    assert_eq!(world.deliver(late), []);
}

#[test]
fn the_end_of_the_borrower_frees_everything() {
    let world = serving(SAMPLE);
    let said = tell(&world, "execute", json!({"method": "same"}));
    let kept = answers(&said)[0]["value"]["ref"].clone();
    let watch = asked(&said)[0].id;

    let gone = json!({"id": watch, "type": "response", "from": api(CALLER), "to": api(ME), "body": {"code": 503, "desc": "ended"}});
    assert_eq!(world.deliver(gone), []);

    assert_eq!(
        failure(&world, json!({"ref": kept, "method": "ping"})).0,
        410
    );
    let again = tell(&world, "execute", json!({"method": "same"}));
    assert_ne!(answers(&again)[0]["value"]["ref"], kept);
    assert_eq!(asked(&again).len(), 1);
}

#[test]
fn a_borrower_that_may_not_be_spoken_to_holds_nothing_and_the_log_says_so() {
    let world = serving(SAMPLE);
    let watch = asked(&tell(&world, "execute", json!({"method": "same"})))[0].id;

    let refused = json!({"id": watch, "type": "response", "from": api(CALLER), "to": api(ME), "body": {"code": 403, "desc": "no rule permits it"}});
    let said = logged(&world.deliver(refused));

    assert_eq!(
        said,
        [format!(
            "no reference may be given to `{CALLER}`: no rule permits it"
        )]
    );
}

#[test]
fn the_components_watch_is_not_answered_while_it_lives() {
    let world = serving(SAMPLE);

    assert_eq!(tell(&world, "execute", json!({"watch": true})), []);
}

#[test]
fn too_many_references_are_refused_and_none_of_them_is_left() {
    let world = serving(SAMPLE);

    let (code, reason) = failure(&world, json!({"method": "many", "args": [10_000]}));
    assert_eq!(code, 429);
    assert!(reason.contains("holds 1024 references"), "{reason}");

    let all = value(&world, json!({"method": "many", "args": [1024]}));
    assert_eq!(all.as_array().unwrap().len(), 1024);
    assert_eq!(
        failure(&world, json!({"method": "many", "args": [1]})).0,
        429
    );
    release(&world, json!([[all[5]["ref"], 1]]));
    assert_eq!(
        ask(&world, json!({"method": "many", "args": [1]}))["code"],
        200
    );
}

#[test]
fn a_callback_is_a_call_of_the_callers_function() {
    let world = serving(SAMPLE);
    value(
        &world,
        json!({"method": "onTick", "args": [function("t1")]}),
    );

    let said = tell(
        &world,
        "execute",
        json!({"method": "fire", "args": [1, {"a": [2]}]}),
    );

    let called = asked(&said);
    assert_eq!(
        called[0].body,
        json!({"ref": "t1", "args": [1, {"a": [2]}]})
    );
    assert_eq!(
        (called[0].from.clone(), called[0].to.clone()),
        (api(ME), api(CALLER))
    );
    assert_eq!(answers(&said).len(), 0);
    let answer = json!({"id": called[0].id, "type": "response", "from": api(CALLER), "to": api(ME), "body": {"code": 200, "value": "back"}});
    assert_eq!(answers(&world.deliver(answer))[0]["value"], "back");
}

#[test]
fn a_callback_that_throws_rejects_and_who_does_not_look_is_not_told() {
    let world = serving(SAMPLE);
    value(
        &world,
        json!({"method": "onTick", "args": [function("t1")]}),
    );
    let thrown = |id: u64| json!({"id": id, "type": "response", "from": api(CALLER), "to": api(ME), "body": {"code": 500, "desc": "it threw", "error": {"name": "TypeError", "message": "oh"}}});

    let awaited = asked(&tell(&world, "execute", json!({"method": "fire"})))[0].id;
    let answer = answers(&world.deliver(thrown(awaited)))[0].clone();
    assert_eq!(
        (&answer["code"], &answer["error"]["name"]),
        (&json!(500), &json!("TypeError"))
    );

    let forgotten = asked(&tell(&world, "execute", json!({"method": "fireAndForget"})))[0].id;
    assert_eq!(world.deliver(thrown(forgotten)), []);
}

#[test]
fn a_callback_whose_owner_is_gone_is_not_called_again() {
    let world = serving(SAMPLE);
    value(
        &world,
        json!({"method": "onTick", "args": [function("t1")]}),
    );
    let first = asked(&tell(&world, "execute", json!({"method": "fireAndForget"})));
    let gone = json!({"id": first[0].id, "type": "response", "from": api(CALLER), "to": api(ME), "body": {"code": 404, "desc": "nobody has it"}});
    assert_eq!(world.deliver(gone), []);

    let (code, reason) = failure(&world, json!({"method": "fire"}));

    assert_eq!(code, 500);
    assert!(
        reason.contains("whose function it was, is gone"),
        "{reason}"
    );
}

#[test]
fn a_watch_for_which_the_core_has_no_room_is_asked_again() {
    let world = serving(SAMPLE);
    let said = tell(&world, "execute", json!({"method": "same"}));
    let kept = answers(&said)[0]["value"]["ref"].clone();
    let watch = asked(&said)[0].id;
    let busy = json!({"id": watch, "type": "response", "from": api(CALLER), "to": api(ME), "body": {"code": 429}});
    assert_eq!(world.deliver(busy), []);

    let again = asked(&world.pass(1000));

    assert_eq!((again.len(), again[0].id), (1, watch));
    let ping = json!({"ref": kept, "method": "ping"});
    assert_eq!(value(&world, ping), "pong");
}

#[test]
fn callbacks_in_an_object_of_options_are_called() {
    let world = serving(SAMPLE);

    let options = json!({"name": "x", "done": function("d")});
    let said = asked(&tell(
        &world,
        "execute",
        json!({"method": "options", "args": [options]}),
    ));

    assert_eq!(said[0].body, json!({"ref": "d", "args": ["x"]}));
}

#[test]
fn the_same_function_of_the_caller_is_the_same_here() {
    let world = serving(SAMPLE);
    value(
        &world,
        json!({"method": "on", "args": ["a", function("f")]}),
    );

    assert_eq!(
        value(
            &world,
            json!({"method": "off", "args": ["a", function("f")]})
        ),
        true
    );
}

#[test]
fn what_a_component_does_not_hold_any_more_is_given_back() {
    let world = serving(SAMPLE);
    value(
        &world,
        json!({"method": "onTick", "args": [function("t1")]}),
    );
    value(
        &world,
        json!({"method": "on", "args": ["a", function("t1")]}),
    );

    let said = sent(&tell(&world, "execute", json!({"method": "drop"})));

    let events: Vec<_> = said.iter().filter(|sent| sent.kind == "event").collect();
    assert_eq!(events.len(), 1, "{said:?}");
    assert_eq!(events[0].body, json!({"release": [["t1", 2]]}));
    assert_eq!(events[0].to, api(CALLER));
}

#[test]
fn a_component_that_was_started_again_does_not_know_old_references() {
    let world = serving(SAMPLE);
    let kept = lend(&world, json!({"method": "same"}));
    world.handle(protocol::frame::CoreFrame::Unload { component: ME });
    world.load(ME, &super::class(SAMPLE));

    assert_eq!(
        failure(&world, json!({"ref": kept, "method": "ping"})).0,
        410
    );
}

#[test]
fn more_callers_than_a_sandbox_has_room_for_are_refused() {
    let world = serving(SAMPLE);
    let open = |n: u32| {
        let from = format!("app://here.example/app/{n}");
        let message = json!({"id": 1, "type": "execute", "from": from, "to": api(ME), "body": {"method": "open"}});
        answers(&world.deliver(message))[0]["code"]
            .as_u64()
            .unwrap()
    };

    let codes: Vec<_> = (0..257).map(open).collect();

    assert_eq!(codes[..256], [200; 256]);
    assert_eq!(codes[256], 429);
}
