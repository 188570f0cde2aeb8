//! The domain registry: what is registered, found, told and forgotten.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]

mod story;

use serde_json::{Value, json};
use story::{REGISTRY, SM, START_MS, Story};

const ALICE: &str = "runtime://example.org/alice";
const BOB: &str = "runtime://example.org/bob";
const CHAT: &str = "hyperty://example.org/chat";
const ROOM: &str = "comm://example.org/room";

fn hyperty(url: &str) -> Value {
    json!({"policy": "policy", "value": {
        "user": "alice@gmail.com", "guid": "user-guid://f00", "url": url, "expires": 3600,
        "descriptor": "https://example.org/.well-known/hyperty/Chat.hy.js",
        "resources": ["chat"], "dataSchemes": ["comm"], "runtime": ALICE, "status": "live",
    }})
}

fn object(url: &str) -> Value {
    json!({"policy": "policy", "value": {
        "name": "room", "schema": "https://example.org/.well-known/dataschema/Communication",
        "url": url, "reporter": CHAT, "expires": 3600, "resources": ["chat"],
        "dataSchemes": ["comm"], "runtime": ALICE, "status": "live",
    }})
}

struct Registered {
    story: Story,
    alice: u64,
    bob: u64,
}

fn registered() -> Registered {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let (bob, _) = story.runtime(BOB);
    for body in [hyperty(CHAT), object(ROOM)] {
        let answer = story.ask(
            alice,
            "create",
            &format!("{ALICE}/registry/"),
            REGISTRY,
            body,
        );
        assert_eq!(answer, json!({"code": 200}));
    }
    Registered { story, alice, bob }
}

impl Registered {
    fn read(&mut self, body: Value) -> Value {
        let from = format!("{BOB}/discovery/");
        self.story.ask(self.bob, "read", &from, REGISTRY, body)
    }

    fn update(&mut self, body: Value) -> Value {
        let from = format!("{ALICE}/registry/");
        self.story.ask(self.alice, "update", &from, REGISTRY, body)
    }
}

#[test]
fn a_hyperty_is_found_by_url_user_and_guid() {
    let mut there = registered();

    let by_url = there.read(json!({"resource": CHAT}));
    let by_mail = there.read(json!({"resource": "/hyperty/idp-identifier/alice@gmail.com"}));
    let by_user = there.read(json!({"resource": "user://google.com/alice@gmail.com"}));
    let by_guid = there.read(json!({"resource": "user-guid://f00"}));

    let expected = json!({
        "hypertyID": CHAT, "userID": "alice@gmail.com", "guid": "user-guid://f00",
        "descriptor": "https://example.org/.well-known/hyperty/Chat.hy.js",
        "startingTime": "2026-11-24T11:59:59Z", "lastModified": "2026-11-24T11:59:59Z",
        "expires": 3600, "resources": ["chat"], "dataSchemes": ["comm"], "status": "live",
        "runtime": ALICE,
    });
    assert_eq!(by_url, json!({"code": 200, "value": expected}));
    for found in [by_mail, by_user, by_guid] {
        assert_eq!(found, json!({"code": 200, "value": {CHAT: expected}}));
    }
}

#[test]
fn criteria_narrow_a_search_down() {
    let mut there = registered();
    let mut code = |criteria: Value| {
        let resource = "/hyperty/idp-identifier/alice@gmail.com";
        there.read(json!({"resource": resource, "criteria": criteria}))["code"].clone()
    };

    assert_eq!(
        code(json!({"resources": ["chat"], "dataSchemes": ["comm"]})),
        200
    );
    assert_eq!(code(json!({"resources": ["chat", "video"]})), 404);
    assert_eq!(code(json!({"domain": "example.org"})), 200);
}

#[test]
fn an_object_is_found_by_url_name_and_reporter() {
    let mut there = registered();

    let by_url = there.read(json!({"resource": ROOM}));
    let by_name = there.read(json!({"resource": "room"}));
    let by_reporter = there.read(json!({"resource": "/comm", "criteria": {"reporter": CHAT}}));

    assert_eq!(by_url["value"]["url"], ROOM);
    assert_eq!(by_name["value"][ROOM], by_url["value"]);
    assert_eq!(by_reporter["value"][ROOM], by_url["value"]);
}

#[test]
fn what_is_not_kept_alive_is_disconnected_and_then_forgotten() {
    let mut there = registered();

    there.story.pass(3_599_999);
    let before = there.read(json!({"resource": CHAT}));
    there.story.pass(1);
    let expired = there.read(json!({"resource": CHAT}));
    there.story.pass(3_600_000);
    let gone = there.read(json!({"resource": CHAT}));

    assert_eq!(before["code"], 200);
    assert_eq!(expired["code"], 408);
    assert_eq!(expired["value"]["status"], "disconnected");
    assert_eq!(gone["code"], 404);
}

#[test]
fn keep_alive_keeps_alive() {
    let mut there = registered();

    there.story.pass(3_000_000);
    let kept =
        there.update(json!({"resource": CHAT, "value": {"status": "live"}, "method": "refresh"}));
    let bare = there.update(json!({"resource": ROOM}));
    there.story.pass(3_000_000);

    assert_eq!([&kept["code"], &bare["code"]], [&json!(200), &json!(200)]);
    assert_eq!(there.read(json!({"resource": CHAT}))["code"], 200);
    assert_eq!(there.read(json!({"resource": ROOM}))["code"], 200);
}

#[test]
fn both_ways_of_unregistering_disconnect() {
    let mut there = registered();

    there.update(json!({"resource": format!("/hyperty/{CHAT}"), "value": "disconnected", "attribute": "status"}));
    there.update(json!({"resource": ROOM, "value": {"status": "disconnected"}}));

    assert_eq!(there.read(json!({"resource": CHAT}))["code"], 408);
    assert_eq!(there.read(json!({"resource": ROOM}))["code"], 408);
}

#[test]
fn who_listens_is_told_of_each_change_of_a_status() {
    let mut there = registered();
    let channel = format!("{CHAT}/registration");
    there.story.ask(
        there.bob,
        "subscribe",
        BOB,
        SM,
        json!({"resources": [channel]}),
    );

    there.update(json!({"resource": CHAT, "value": {"status": "live"}}));
    let same = there.story.take(there.bob);
    there.update(json!({"resource": CHAT, "value": {"status": "disconnected"}}));
    let changed = there.story.take(there.bob);

    assert!(same.is_empty(), "{same:?}");
    assert_eq!(
        changed,
        [json!({
            "id": 4, "type": "update", "from": REGISTRY, "to": channel,
            "body": {"value": "disconnected", "attribute": "status"},
        })]
    );
}

#[test]
fn nobody_changes_what_another_registered() {
    let mut there = registered();
    let mut by_bob = |kind: &str, body: Value| {
        there.story.ask(there.bob, kind, BOB, REGISTRY, body)["code"].clone()
    };

    assert_eq!(
        by_bob(
            "update",
            json!({"resource": CHAT, "value": {"status": "disconnected"}})
        ),
        403
    );
    assert_eq!(by_bob("delete", json!({"value": {"url": CHAT}})), 403);
    assert_eq!(by_bob("create", hyperty(CHAT)), 403);
    assert_eq!(by_bob("create", hyperty(ALICE)), 403);
    assert_eq!(
        by_bob("update", json!({"resource": "hyperty://example.org/none"})),
        404
    );
}

#[test]
fn registrations_survive_the_node() {
    let there = registered();

    let mut story = there.story.restart();
    let (bob, _) = story.runtime(BOB);
    let found = story.ask(bob, "read", BOB, REGISTRY, json!({"resource": CHAT}));
    let stolen = story.ask(bob, "create", CHAT, BOB, json!({}));

    assert_eq!(found["value"]["startingTime"], "2026-11-24T11:59:59Z");
    assert_eq!(stolen["code"], 403);
}

#[test]
fn a_runtime_that_leaves_or_stays_away_leaves_no_live_registrations() {
    let mut left = registered();
    let mut lost = registered();

    left.story
        .say(left.alice, "close", ALICE, "mn:/session", json!(null));
    lost.story.lose(lost.alice);
    lost.story.pass(10 * 60_000);

    assert_eq!(left.read(json!({"resource": CHAT}))["code"], 408);
    assert_eq!(lost.read(json!({"resource": CHAT}))["code"], 408);
}

#[test]
fn nonsense_is_refused_with_a_reason() {
    let mut there = registered();
    let mut code = |kind: &str, body: Value| {
        let answer = there.story.ask(there.alice, kind, ALICE, REGISTRY, body);
        assert!(answer["description"].is_string(), "{answer}");
        answer["code"].clone()
    };

    assert_eq!(code("create", json!({})), 400);
    assert_eq!(
        code("create", json!({"value": {"url": "not an address"}})),
        400
    );
    assert_eq!(
        code(
            "create",
            json!({"value": {"url": "hyperty://example.org/x", "resources": "chat"}})
        ),
        400
    );
    assert_eq!(
        code(
            "create",
            json!({"value": {"url": "hyperty://example.org/x", "name": "n".repeat(17_000)}})
        ),
        413
    );
    assert_eq!(code("read", json!({})), 400);
    assert_eq!(code("execute", json!({})), 405);
    assert_eq!(there.story.now, START_MS);
}

#[test]
fn registrations_of_one_runtime_are_bounded() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let mut create = |number: usize| {
        let url = format!("hyperty://example.org/h{number}");
        story.ask(alice, "create", ALICE, REGISTRY, hyperty(&url))["code"].clone()
    };

    let within = (0..1000).all(|number| create(number) == 200);

    assert!(within);
    assert_eq!(create(1000), 429);
}
