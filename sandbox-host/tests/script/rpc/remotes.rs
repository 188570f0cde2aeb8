//! `requireHyperty`: a hyperty's instance, wherever it runs (spec services §7.1).

use serde_json::{Value, json};

use super::super::world::{ME, Said, Sent, World, logged, sent};
use super::{api, asked, class};

const THERE: &str = "hyperty://there.example/far";

/// A component that holds the instance of [`THERE`] as `globalThis.far`.
fn holding() -> World {
    let world = World::running(&format!(
        "factory.requireHyperty('{THERE}').then((far) => {{ globalThis.far = far; console.log('held') }},
         (error) => console.log(error.name + ' ' + error.code + ' ' + error.message))"
    ));
    let answer = json!({"code": 200, "value": {"name": "Far", "methods": [{"name": "add", "arity": 2}], "properties": []}});
    assert_eq!(logged(&reply(&world, 1, answer)), ["held"]);
    world
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better at the calls"
)]
fn reply(world: &World, id: u64, body: Value) -> Vec<Said> {
    world.deliver(
        json!({"id": id, "type": "response", "from": api(THERE), "to": api(ME), "body": body}),
    )
}

/// Runs some code of a component, and what it asked of the far hyperty.
fn run(world: &World, code: &str) -> Vec<Sent> {
    let poke = "hyperty://here.example/poke";
    let said = world.start(poke, code);
    world.handle(protocol::frame::CoreFrame::Unload { component: poke });
    asked(&said)
}

#[test]
fn a_hyperty_of_this_sandbox_is_the_instance_itself_with_what_both_generations_look_for() {
    let world = World::new();
    world.load(THERE, &class("add(a, b) { return a + b }"));

    let said = world.start(
        ME,
        &format!(
            "factory.requireHyperty('{THERE}').then((far) => console.log(JSON.stringify([far.add(1, 2),
             far.instance === far, far.runtimeHypertyURL, far.status, far.name, Object.keys(far)])))"
        ),
    );

    let told: Value = serde_json::from_str(&logged(&said)[0]).unwrap();
    assert_eq!(told, json!([3, true, THERE, "live", "far", ["name"]]));
    assert_eq!(asked(&said).len(), 0);
}

#[test]
fn a_hyperty_of_another_sandbox_is_asked_what_it_has() {
    let world = World::new();

    let said = world.start(ME, &format!("factory.requireHyperty('{THERE}')"));

    let wanted = asked(&said);
    assert_eq!(
        (wanted[0].from.clone(), wanted[0].to.clone()),
        (api(ME), api(THERE))
    );
    assert_eq!(wanted[0].body, json!({"describe": true}));
}

#[test]
fn a_hyperty_that_is_not_there_rejects_with_the_code() {
    let world = World::running(&format!(
        "factory.requireHyperty('{THERE}').catch((error) => console.log(error.name + ' ' + error.code + ' ' + error.message))"
    ));

    let said = logged(&reply(
        &world,
        1,
        json!({"code": 404, "desc": "nobody has it"}),
    ));

    assert_eq!(said, ["RpcError 404 nobody has it"]);
}

#[test]
fn a_published_address_is_looked_up_in_the_registry() {
    let world = World::new();
    let start = super::super::world::component(
        "factory.requireHyperty('hyperty-catalogue://catalogue.there.example/.well-known/hyperty/Far.js')",
    );
    let config = r#"{"runtimeURL": "runtime://here.example/r1"}"#;
    let kind = protocol::frame::ComponentKind::Hyperty;
    let said = sent(&world.load_as(kind, ME, config, &start));
    assert_eq!(
        (said[0].to.as_str(), said[0].kind.as_str()),
        ("runtime://here.example/r1/registry", "read")
    );

    let entry = |name: &str, address: &str| json!({"address": address, "kind": "hyperty", "provider": "there.example", "name": name, "status": "live"});
    let entries = json!([
        entry("Near", "hyperty://there.example/near"),
        entry("Far", THERE)
    ]);
    let found = world.deliver(json!({"id": said[0].id, "type": "response", "from": said[0].to, "to": ME, "body": {"code": 200, "value": {"entries": entries}}}));

    assert_eq!(asked(&found)[0].to, api(THERE));
}

#[test]
fn methods_members_paths_and_assignments_become_messages() {
    let world = holding();

    let bodies = |code: &str| {
        run(&world, code)
            .into_iter()
            .map(|sent| sent.body)
            .collect::<Vec<_>>()
    };

    assert_eq!(
        bodies("far.add(1, [2])"),
        [json!({"method": "add", "args": [1, [2]]})]
    );
    assert_eq!(
        bodies("far.add.call(null, 3); far.add.apply(null, [4])"),
        [
            json!({"method": "add", "args": [3]}),
            json!({"method": "add", "args": [4]})
        ]
    );
    assert_eq!(
        bodies("(async () => await far.volume)()"),
        [json!({"get": "volume"})]
    );
    assert_eq!(
        bodies("(async () => await far.a.b.volume)()"),
        [json!({"path": ["a", "b"], "get": "volume"})]
    );
    assert_eq!(
        bodies("far.a.b.run('x')"),
        [json!({"path": ["a", "b"], "method": "run", "args": ["x"]})]
    );
    assert_eq!(
        bodies("far.volume = 3; far.a.b = 4"),
        [
            json!({"set": "volume", "value": 3}),
            json!({"path": ["a"], "set": "b", "value": 4})
        ]
    );
    assert_eq!(
        bodies(
            "(async () => { await far; await far.add; far._x; `${far}`; JSON.stringify({far: far.toJSON}) })()"
        ),
        Vec::<Value>::new()
    );
}

#[test]
fn a_remote_says_what_it_is_without_asking() {
    let world = holding();

    let told = world.value("[String(far), typeof far, typeof far.add, 'add' in far, 'x' in far, far.instance === far, far.runtimeHypertyURL, far.name, far._private === undefined]");

    assert_eq!(
        told,
        json!([
            format!("[remote {THERE}]"),
            "object",
            "function",
            true,
            false,
            true,
            THERE,
            "Far",
            true
        ])
    );
}

#[test]
fn answers_resolve_and_errors_reject_as_what_they_were() {
    let world = holding();
    let told = |body: Value| {
        let code = "globalThis.far.add(1).then((v) => console.log('is ' + v), (e) => console.log([e.constructor.name, e.name, e.code, e.message].join()))";
        let id = run_as_me(&world, code)[0].id;
        logged(&reply(&world, id, body))
    };

    assert_eq!(
        told(json!({"code": 200, "value": {"$": "bigint", "value": "5"}})),
        ["is 5"]
    );
    assert_eq!(
        told(
            json!({"code": 500, "desc": "it threw", "error": {"name": "RangeError", "message": "far", "code": 7}})
        ),
        ["RangeError,RangeError,7,far"]
    );
    assert_eq!(
        told(json!({"code": 403, "desc": "no rule permits it"})),
        ["Error,RpcError,403,no rule permits it"]
    );
    assert_eq!(
        told(json!({"code": 200, "value": {"$": "nonsense"}})),
        ["Error,RpcError,400,a value tagged `nonsense` is not what the tag says"]
    );
}

/// Runs some code as a timer of [`ME`], which stays.
fn run_as_me(world: &World, code: &str) -> Vec<Sent> {
    let poke =
        json!({"type": "event", "from": "x:/y", "to": "hyperty://here.example/run", "body": {}});
    let listen = format!("bus.addListener(url, () => {{ {code} }})");
    world.start("hyperty://here.example/run", &listen);
    let asked = asked(&world.deliver(poke));
    assert_eq!(asked.len(), 1);
    asked
}

#[test]
fn a_call_without_an_answer_rejects_after_its_own_time() {
    let world = World::running(&format!(
        "factory.requireHyperty('{THERE}', {{ timeout: 2000 }}).then((far) => far.add(1)).catch((e) => console.log(e.code + ' ' + e.message))"
    ));
    let answer = json!({"code": 200, "value": {"name": "Far", "methods": [], "properties": []}});
    reply(&world, 1, answer);

    assert_eq!(logged(&world.pass(1999)), [""; 0]);
    assert_eq!(logged(&world.pass(1)), ["408 Response timeout!"]);
}

#[test]
fn what_was_borrowed_is_used_given_back_and_then_refused() {
    let world = holding();
    let take = "globalThis.far.add().then((room) => { globalThis.room = room; console.log(String(room)) })";
    let id = run_as_me(&world, take)[0].id;
    let room =
        json!({"$": "ref", "ref": "r-1", "kind": "object", "name": "Room", "methods": ["say"]});
    assert_eq!(
        logged(&reply(&world, id, json!({"code": 200, "value": room}))),
        [format!("[remote {THERE}]")]
    );

    let said = sent(&world.start(
        "hyperty://here.example/last",
        "room.say('a'); far.add(room); rethink.release(room); rethink.release(room);
         room.say('b').catch((error) => console.log(error.code))",
    ));

    let bodies: Vec<_> = said.iter().map(|sent| sent.body.clone()).collect();
    assert_eq!(
        bodies[0],
        json!({"ref": "r-1", "method": "say", "args": ["a"]})
    );
    assert_eq!(
        bodies[1],
        json!({"method": "add", "args": [{"$": "back", "ref": "r-1"}]})
    );
    assert_eq!(bodies[2], json!({"release": [["r-1", 1]]}));
    assert_eq!(bodies.len(), 3, "{bodies:?}");
}

#[test]
fn functions_that_go_along_are_lent_and_the_far_end_is_watched() {
    let world = holding();

    let said = run_as(&world, "far.add((n) => n + 1, { done: () => 'done' })");

    let lent = &said[0].body["args"];
    assert_eq!(lent[0]["kind"], "function");
    assert_eq!(said[1].body, json!({"watch": true}));
    let call = json!({"id": 5, "type": "execute", "from": api(THERE), "to": said[0].from, "body": {"ref": lent[0]["ref"], "args": [41]}});
    assert_eq!(
        sent(&world.deliver(call))[0].body,
        json!({"code": 200, "value": 42})
    );
    let call = json!({"id": 6, "type": "execute", "from": api(THERE), "to": said[0].from, "body": {"ref": lent[1]["done"]["ref"], "args": []}});
    assert_eq!(sent(&world.deliver(call))[0].body["value"], "done");
}

/// Runs some code in a component that stays, with its own remote `far`.
fn run_as(world: &World, code: &str) -> Vec<Sent> {
    let address = "hyperty://here.example/stays";
    let start = format!("factory.requireHyperty('{THERE}').then((far) => {{ {code} }})");
    let first = asked(&world.start(address, &start))[0].clone();
    let answer = json!({"code": 200, "value": {"name": "Far", "methods": [], "properties": []}});
    asked(&world.deliver(json!({"id": first.id, "type": "response", "from": api(THERE), "to": first.from, "body": answer})))
}

#[test]
fn a_reference_of_one_cannot_go_to_another() {
    let world = holding();
    world.load("hyperty://here.example/third", &class("take() {}"));

    let said = world.start(
        "hyperty://here.example/poke",
        "factory.requireHyperty('hyperty://other.example/1').then((other) => other.take(globalThis.far)).catch((e) => console.log(e.code + ' ' + e.message))",
    );
    let first = asked(&said)[0].clone();
    let answer = json!({"code": 200, "value": {"name": "Other", "methods": [], "properties": []}});
    let told = logged(&world.deliver(json!({"id": first.id, "type": "response", "from": first.to, "to": first.from, "body": answer})));

    assert_eq!(
        told,
        [format!(
            "400 a reference to something of `{THERE}` cannot go to `hyperty://other.example/1`"
        )]
    );
}

#[test]
fn applications_find_it_under_the_name_they_know() {
    let world = World::new();

    let said = world.start(
        ME,
        &format!("rethink.install({{}}).then((runtime) => runtime.requireHyperty('{THERE}'))"),
    );

    assert_eq!(asked(&said)[0].body, json!({"describe": true}));
    assert_eq!(
        world.value("Object.keys(globalThis).includes('rethink')"),
        json!(false)
    );
}
