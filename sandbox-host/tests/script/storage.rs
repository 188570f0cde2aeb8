//! `localStorage` and `sessionStorage`: seeded by the core, kept by it, and each
//! component's own.

use protocol::frame::CoreFrame;
use serde_json::{Value, json};

use super::world::{ME, Said, Sent, World, component, logged, sent};

const RUNTIME: &str = "runtime://here.example/rt";

fn config() -> String {
    json!({ "runtimeURL": RUNTIME }).to_string()
}

/// Loads a component whose code is this.
fn start(world: &World, address: &str, body: &str) -> Vec<Said> {
    let kind = protocol::frame::ComponentKind::Hyperty;
    world.load_as(kind, address, &config(), &component(body))
}

fn seed(world: &World, address: &str, items: &Value) {
    let items = items.to_string();
    world.handle(CoreFrame::Seed {
        component: address,
        items: items.as_bytes(),
    });
}

/// What the core was told to keep: items, whether they are the first, whether more come.
fn kept(said: &[Said]) -> Vec<(Value, Value, Value)> {
    let of = |sent: &Sent| {
        assert_eq!(
            (sent.kind.as_str(), sent.to.as_str()),
            ("update", "runtime://here.example/rt/storage")
        );
        (
            sent.body["items"].clone(),
            sent.body["first"].clone(),
            sent.body["more"].clone(),
        )
    };
    sent(said).iter().map(of).collect()
}

fn answers(world: &World, said: &[Said], code: u16) -> Vec<Said> {
    let asked = sent(said).pop().unwrap();
    let body = json!({"code": code, "desc": "no"});
    world.deliver(json!({"id": asked.id, "type": "response", "from": asked.to, "to": asked.from, "body": body}))
}

#[test]
fn a_component_finds_what_it_kept_and_only_its_own() {
    let world = World::new();
    let other = "hyperty://here.example/other";
    seed(
        &world,
        ME,
        &json!([["set", "a", "1"], ["set", "long", "x"]]),
    );
    seed(&world, ME, &json!([["add", "long", "y"]]));
    seed(&world, other, &json!([["set", "a", "other's"]]));
    let show = "console.log(JSON.stringify([localStorage.getItem('a'), localStorage.long, localStorage.length]))";

    assert_eq!(logged(&start(&world, ME, show)), [r#"["1","xy",2]"#]);
    assert_eq!(
        logged(&start(&world, other, show)),
        [r#"["other's",null,1]"#]
    );
}

#[test]
fn after_an_await_a_component_still_finds_its_own() {
    let world = World::new();
    let body = |word: &str| {
        format!(
        "globalThis.go ??= new Promise((done) => globalThis.open = done);
         localStorage.mine = '{word}'; go.then(async () => {{ await null; console.log(localStorage.mine) }})"
    )
    };
    start(&world, ME, &body("me"));
    start(&world, "hyperty://here.example/other", &body("other"));

    let said = start(&world, "hyperty://here.example/third", "open()");

    assert_eq!(logged(&said), ["me", "other"]);
}

#[test]
fn the_changes_of_one_turn_go_to_the_core_together_and_in_their_last_form() {
    let world = World::new();

    let said = start(
        &world,
        ME,
        "for (let n = 0; n < 100000; n++) localStorage.n = n; localStorage.setItem('b', 2); localStorage.b = 3;
         localStorage.c = 4; delete localStorage.c",
    );

    let items = json!([["set", "n", "99999"], ["set", "b", "3"], ["remove", "c"]]);
    assert_eq!(kept(&said), [(items, json!(true), json!(false))]);
}

#[test]
fn no_more_is_sent_while_the_core_has_something_to_write() {
    let world = World::new();
    let first = start(
        &world,
        ME,
        "let n = 0; setInterval(() => { localStorage.n = ++n }, 10)",
    );
    assert_eq!(kept(&first), []);

    let begun = world.pass(10);
    let meanwhile = world.pass(1_000);
    let then = answers(&world, &begun, 200);

    assert_eq!(kept(&begun)[0].0, json!([["set", "n", "1"]]));
    assert_eq!(kept(&meanwhile), []);
    assert_eq!(kept(&then)[0].0, json!([["set", "n", "101"]]));
}

#[test]
fn a_long_value_goes_in_pieces_that_belong_together() {
    let world = World::new();

    let first = start(
        &world,
        ME,
        "localStorage.long = '\\u{1f600}'.repeat(80000) + 'end'",
    );
    let second = answers(&world, &first, 200);
    let third = answers(&world, &second, 200);

    let all = [kept(&first), kept(&second)].concat();
    let flags: Vec<(bool, bool)> = all
        .iter()
        .map(|(_, first, more)| (first == true, more == true))
        .collect();
    let text: String = all
        .iter()
        .flat_map(|(items, ..)| items.as_array().unwrap())
        .map(|item| item[2].as_str().unwrap())
        .collect();
    assert_eq!(flags, [(true, true), (false, false)]);
    assert_eq!(text, "\u{1f600}".repeat(80000) + "end");
    assert_eq!(kept(&third), []);
}

#[test]
fn what_the_core_could_not_keep_is_tried_again() {
    let world = World::new();
    let said = start(&world, ME, "localStorage.a = 1");

    let refused = answers(&world, &said, 429);
    let again = world.pass(1_000);

    assert_eq!(
        logged(&refused),
        [format!("localStorage of {ME} is not kept: 429 no")]
    );
    assert_eq!(kept(&again), kept(&said));
}

#[test]
fn beyond_its_share_a_component_is_told_and_goes_on() {
    let world = World::new();
    let full = "(() => { try { for (let n = 0; ; n++) localStorage['k' + n] = 'x'.repeat(100000) } catch (e) { return [e.name, localStorage.length] } })()";

    let said = start(
        &world,
        ME,
        &format!(
            "console.log(JSON.stringify({full})); localStorage.clear(); localStorage.a = 1; console.log(localStorage.length)"
        ),
    );

    assert_eq!(logged(&said), [r#"["QuotaExceededError",52]"#, "1"]);
    assert_eq!(kept(&said)[0].0, json!([["clear"], ["set", "a", "1"]]));
    assert_eq!(
        world.outcome("localStorage.setItem('k'.repeat(9000), '')")[0],
        json!("QuotaExceededError")
    );
    assert_eq!(
        world.outcome("sessionStorage.setItem('k', 'x'.repeat(6000000))")[0],
        json!("QuotaExceededError")
    );
}

#[test]
fn the_members_of_a_storage_are_as_browsers_have_them() {
    let world = World::new();

    assert_eq!(
        world.value("((s) => { s.b = 1; s.setItem('a', null); s['length'] = 5; return [Object.keys(s), s.a, 'b' in s, 'z' in s, s.z, s.key(0), s.key(9), JSON.stringify(s), s.getItem('length'), typeof s.setItem, s instanceof Storage] })(sessionStorage)"),
        json!([["b", "a", "length"], "null", true, false, null, "b", null, r#"{"b":"1","a":"null","length":3}"#, "5", "function", true])
    );
}

#[test]
fn a_component_that_is_loaded_again_at_once_finds_what_was_on_its_way() {
    let world = World::new();
    start(&world, ME, "localStorage.a = 'new'");

    world.handle(CoreFrame::Unload { component: ME });
    seed(&world, ME, &json!([["set", "a", "old"]]));
    let said = start(&world, ME, "console.log(localStorage.a)");

    assert_eq!(logged(&said), ["new"]);
    assert_eq!(kept(&said)[0].0, json!([["set", "a", "new"]]));
}

#[test]
fn a_session_ends_with_its_component_and_is_not_kept() {
    let world = World::new();

    let said = start(&world, ME, "sessionStorage.a = 1");
    world.handle(CoreFrame::Unload { component: ME });
    let again = start(&world, ME, "console.log(sessionStorage.a)");

    assert_eq!(kept(&said), []);
    assert_eq!(logged(&again), ["undefined"]);
}
