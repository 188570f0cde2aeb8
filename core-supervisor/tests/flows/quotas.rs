//! Quotas: what a descriptor asks for, within what the operator lets it have.

use std::time::Duration;

use core_supervisor::quota::{Ceiling, OverCeiling, Quota};
use core_supervisor::store::Table;
use protocol::frame::{Log, LogLevel};
use protocol::{Code, HostFrame};
use serde_json::{Value, json};

use crate::WITHIN;
use crate::story::{RUNTIME, Story, settings};

const ALICE: &str = "alice@a.example";
/// Asks for less than is usual, see `story/world.rs`.
const MODEST: &str = "modest@a.example";
/// Asks for a GiB of memory.
const GREEDY: &str = r#"{"component":"greedy@a.example"}"#;

fn story() -> Story {
    let mut story = Story::new();
    story.deploy(ALICE);
    story.deploy(MODEST);
    story.heard(ALICE);
    story.heard(MODEST);
    story
}

fn under(over: OverCeiling) -> Story {
    let mut ceiling = Ceiling::default();
    ceiling.over = over;
    ceiling.set(Quota::Memory, 32 << 20, "hyperty.toml:2".to_owned());
    Story::with(core_supervisor::core::Settings {
        ceiling,
        ..settings()
    })
}

/// The codes of the answers that a component heard.
fn codes(story: &mut Story, name: &str) -> Vec<u16> {
    let answers = story.messages(name).into_iter();
    answers
        .filter(|(kind, ..)| kind == "response")
        .map(|(.., code, _)| code)
        .collect()
}

fn limit(story: &mut Story, component: &str, name: &str) -> Value {
    let select = json!({ "resource": component }).to_string();
    let (_, body) = story.ask_operator("read", "ua", &select);
    let view: Value = serde_json::from_str(&body).unwrap();
    let limits = view["value"]["limits"].as_array().unwrap();
    limits.iter().find(|it| it["name"] == name).unwrap().clone()
}

#[test]
fn who_asks_for_more_than_the_ceiling_is_not_deployed_and_told_whose_it_is() {
    let mut story = under(OverCeiling::Refuse);

    let (code, told) = story.ask_operator("create", "ua", GREEDY);

    assert_eq!(code, Code(422), "{told}");
    for part in [
        "limits.memory",
        "1073741824",
        "33554432",
        "hyperty.toml:2",
        "clip",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(story.audited.iter().any(|it| it.what == "not-deployed"));
}

#[test]
fn where_the_operator_says_clip_it_runs_with_the_ceiling_and_shows_it() {
    let mut story = under(OverCeiling::Clip);

    let (code, told) = story.ask_operator("create", "ua", GREEDY);

    assert_eq!(code, Code::OK, "{told}");
    let memory = limit(&mut story, "greedy", "memory");
    assert_eq!(memory["most"], 32 << 20);
    let origin = memory["origin"].as_str().unwrap();
    assert!(origin.contains("hyperty.toml:2, clipped"), "{origin}");
}

#[test]
fn what_may_have_less_has_a_process_of_its_own() {
    let story = story();

    assert_ne!(story.link(ALICE), story.link(MODEST));
}

#[test]
fn messages_beyond_the_rate_are_answered_429_until_the_second_is_over() {
    let mut story = story();
    let alice = story.address(ALICE);

    for _ in 0..3 {
        story.send(MODEST, "create", &alice, "{}", protocol::Reply::Unwanted);
    }
    story.send(MODEST, "create", &alice, "{}", WITHIN);
    let (delivered, refused) = (story.messages(ALICE).len(), codes(&mut story, MODEST));
    story.wait(Duration::from_secs(1));
    story.send(MODEST, "create", &alice, "{}", protocol::Reply::Unwanted);

    assert_eq!((delivered, refused), (3, vec![429]));
    assert_eq!(story.messages(ALICE).len(), 1);
}

#[test]
fn an_answer_beyond_the_rate_still_ends_its_request() {
    let mut story = story();
    let (alice, modest) = (story.address(ALICE), story.address(MODEST));
    let asked = story.send(ALICE, "read", &modest, "{}", WITHIN);
    for _ in 0..3 {
        story.send(MODEST, "create", &alice, "{}", protocol::Reply::Unwanted);
    }

    story.answer(MODEST, asked, &alice, 200);

    assert_eq!(codes(&mut story, ALICE), [429]);
}

#[test]
fn as_many_requests_wait_as_may_and_not_one_more() {
    let mut story = story();
    let alice = story.address(ALICE);

    for _ in 0..3 {
        story.send(MODEST, "read", &alice, "{}", WITHIN);
    }

    assert_eq!(story.messages(ALICE).len(), 2);
    assert_eq!(codes(&mut story, MODEST), [429]);
    assert_eq!(limit(&mut story, "modest", "pending")["used"], 2);
    assert_eq!(
        limit(&mut story, "modest", "pending")["origin"],
        "descriptor"
    );
}

#[test]
fn as_many_addresses_are_listened_to_and_held_as_may_be() {
    let mut story = story();
    let (modest, link) = (story.address(MODEST), story.link(MODEST));
    let alice = story.address(ALICE);
    for address in [format!("{alice}/one"), format!("{alice}/two")] {
        let (component, address) = (&*modest, &*address);
        story.says(link, &HostFrame::Listen { component, address });
    }
    let allocation = format!("{RUNTIME}/address-allocation");
    let wanted = |number: u8| json!({"value": {"number": number}, "scheme": "comm"}).to_string();

    story.send(MODEST, "create", &allocation, &wanted(3), WITHIN);
    let refused = codes(&mut story, MODEST);
    story.send(MODEST, "create", &allocation, &wanted(2), WITHIN);

    assert_eq!((refused, codes(&mut story, MODEST)), (vec![429], vec![200]));
    assert_eq!(limit(&mut story, "modest", "listeners")["used"], 1);
    assert_eq!(limit(&mut story, "modest", "addresses")["used"], 2);
}

#[test]
fn lines_beyond_the_rate_are_left_out_and_it_is_said() {
    let mut story = story();
    let (component, link) = (story.address(MODEST), story.link(MODEST));
    for line in [b"one", b"two", b"six"] {
        let log = Log {
            component: &component,
            level: LogLevel::Info,
            place: "",
        };
        story.says(link, &HostFrame::Log(log, line));
    }

    let filter = json!({"component": component, "last": 10}).to_string();
    story.ask_operator("subscribe", "sandboxes", &filter);
    let (operator, _) = story.operator();
    let told: String = story
        .messages_on(operator)
        .into_iter()
        .map(|(.., body)| body)
        .collect();

    assert!(told.contains("two") && !told.contains("six"), "{told}");
    assert!(told.contains("more than 2 lines"), "{told}");
}

#[test]
fn what_a_script_keeps_and_shares_is_bounded_by_its_own_quota() {
    let mut story = story();
    let room = format!("{RUNTIME}/storage");
    let keeps = |value: &str| json!({"items": [["set", "k", value]], "first": true}).to_string();
    let shares = |content: &str| {
        json!({"value": {"name": "a", "mimetype": "text/plain", "content": content}}).to_string()
    };

    let mut answers = Vec::new();
    for (kind, body) in [
        ("update", keeps(&"x".repeat(967))), // and 1 for the key, and 32 for having one
        ("update", keeps(&"x".repeat(968))),
        ("create", shares(&"x".repeat(1000))),
        ("create", shares(&"x".repeat(1001))),
    ] {
        story.send(MODEST, kind, &room, &body, WITHIN);
        answers.extend(codes(&mut story, MODEST));
        story.wait(Duration::from_secs(1));
    }

    assert_eq!(answers, [200, 413, 200, 413]);
    assert_eq!(limit(&mut story, "modest", "storage")["used"], 1000);
    assert_eq!(limit(&mut story, "modest", "files")["used"], 1000);
}

#[test]
fn what_was_kept_stays_when_its_component_goes_unless_it_is_purged() {
    let mut story = story();
    let (room, modest) = (format!("{RUNTIME}/storage"), story.address(MODEST));
    let keeps = json!({"items": [["set", "k", "kept"]], "first": true}).to_string();
    story.send(MODEST, "update", &room, &keeps, WITHIN);

    let (removed, _) = story.ask_operator("delete", "ua", &json!({"resource": modest}).to_string());
    let purge = json!({"resource": modest, "purge": true}).to_string();
    let (purged, told) = story.ask_operator("delete", "ua", &purge);
    let (again, _) = story.ask_operator("delete", "ua", &purge);

    assert_eq!(
        (removed, purged, again),
        (Code::OK, Code::OK, Code::NOT_FOUND)
    );
    assert!(told.contains(r#""bytes":5"#), "{told}");
    let last = story.audited.last().unwrap();
    assert_eq!((last.what.as_str(), &last.whom), ("purged", &modest));
    let kept = story.kept.keys().any(|(table, _)| *table == Table::Storage);
    assert!(!kept, "{:?}", story.kept.keys());
}
