//! Objects outlive their reporters, their observers, and the supervisor.

use core_supervisor::event::Exit;

use super::*;

const RESUME: Duration = Duration::from_millis(200);

fn resume_reporter(story: &mut Story) -> Told {
    let body =
        json!({ "resume": true, "value": { "resume": true, "reporter": story.address(ALICE) } });
    asks(story, ALICE, "create", &body)
}

/// The supervisor ends without a word, and starts again.
fn power_cut(story: &Story) -> Story {
    let mut next = story.restarted();
    next.starts();
    for name in [ALICE, BOB, CAROL] {
        next.deploy(name);
        next.heard(name);
    }
    next
}

// services §8.3 case 51
#[test]
fn there_may_be_nothing_to_resume() {
    let mut story = stage();

    let reporter = resume_reporter(&mut story);
    let observer = asks(&mut story, BOB, "subscribe", &json!({ "resume": true }));

    assert_eq!(
        (reporter.code, &reporter.body["desc"]),
        (404, &json!("No data objects reporters to be resumed"))
    );
    assert_eq!(
        (observer.code, &observer.body["desc"]),
        (404, &json!("No data objects observers to be resumed"))
    );
}

// services §8.3 case 50
// services §8.3 case 52
#[test]
fn after_a_power_cut_reporter_and_observer_go_on_where_they_were() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "a": 1 }));
    observes(&mut story, BOB, &object);
    assigns(&mut story, &object, 1, "a", &json!(2));
    let child = json!({ "resource": "1-a#2", "value": { "data": { "c": 1 } } });
    let children = format!("{object}/children/");
    story.send(
        ALICE,
        "create",
        &children,
        &child.to_string(),
        Reply::Untimed,
    );
    story.wait(RESUME);

    let mut next = power_cut(&story);
    assert_eq!(next.address(ALICE), story.address(ALICE));
    let down = ask(&mut next, BOB, "read", &json!({ "resource": object }));
    let resumed = resume_reporter(&mut next);
    let observer = ask(&mut next, BOB, "subscribe", &json!({ "resume": true }));
    let version = resumed.body["value"][0]["version"].as_u64().unwrap();
    assigns(&mut next, &object, version + 1, "a", &json!(3));

    assert_eq!(down[0].body["value"]["data"], json!({ "a": 2 }));
    assert_eq!(resumed.code, 200);
    let value = &resumed.body["value"][0];
    assert_eq!(
        (&value["url"], &value["isReporter"]),
        (&json!(object), &json!(true))
    );
    assert_eq!((&value["data"], version), (&json!({ "a": 2 }), 1_000_001));
    assert_eq!(
        value["childrenObjects"]["1-a#2"]["value"]["data"],
        json!({ "c": 1 })
    );
    assert_eq!(value["subscriptions"], json!([story.address(BOB)]));
    let codes: Vec<u16> = observer.iter().map(|t| t.code).collect();
    assert_eq!(codes, [100, 200]);
    assert_eq!(observer[1].body["value"][0]["data"], json!({ "a": 2 }));
    let heard = told(&mut next, BOB);
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0].body["version"], 1_000_002);
}

#[test]
fn a_version_is_not_used_again_after_a_power_cut() {
    let mut story = stage();
    let object = makes(&mut story, HELLO, &json!({}));
    assigns(&mut story, &object, 1, "a", &json!(1));

    let mut next = power_cut(&story);
    let lost = resume_reporter(&mut next);
    let mut third = power_cut(&next);
    let again = resume_reporter(&mut third);

    // The change was lost: it was promised to nobody.
    assert_eq!(lost.body["value"][0]["data"], json!({}));
    assert_eq!(lost.body["value"][0]["version"], 1_000_000);
    assert_eq!(again.body["value"][0]["version"], 2_000_000);
}

#[test]
fn what_was_answered_is_kept_whenever_the_power_goes() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "a": 1 }));
    let created = resume_reporter(&mut power_cut(&story));
    observes(&mut story, BOB, &object);
    let mut next = power_cut(&story);
    let observed = asks(&mut next, BOB, "subscribe", &json!({ "resume": true }));
    asks(
        &mut story,
        ALICE,
        "update",
        &json!({ "resource": object, "version": 5, "value": { "b": 1 } }),
    );
    let replaced = resume_reporter(&mut power_cut(&story));
    asks(
        &mut story,
        BOB,
        "unsubscribe",
        &json!({ "resource": object }),
    );
    let mut next = power_cut(&story);
    let left = asks(&mut next, BOB, "subscribe", &json!({ "resume": true }));
    asks(&mut story, ALICE, "delete", &json!({ "resource": object }));
    let deleted = resume_reporter(&mut power_cut(&story));

    assert_eq!(created.body["value"][0]["data"], json!({ "a": 1 }));
    assert_eq!(observed.code, 200);
    assert_eq!(replaced.body["value"][0]["data"], json!({ "b": 1 }));
    assert_eq!((left.code, deleted.code), (404, 404));
}

#[test]
fn a_long_history_is_kept_as_what_it_came_to() {
    let mut story = stage();
    let object = makes(&mut story, HELLO, &json!({ "n": 0 }));
    for version in 1..=2_000 {
        assigns(&mut story, &object, version, "n", &json!(version));
        passes(&mut story, Duration::from_millis(60));
    }

    let rows = story.kept.len();
    let resumed = resume_reporter(&mut power_cut(&story));

    assert!(rows < 400, "{rows} rows");
    assert_eq!(resumed.body["value"][0]["data"], json!({ "n": 2_000 }));
}

#[test]
fn an_orderly_end_loses_nothing() {
    let mut story = stage();
    let object = makes(&mut story, HELLO, &json!({}));
    assigns(&mut story, &object, 1, "a", &json!(1));

    story.ask_operator("execute", "sandboxes", r#"{"method":"shutdown"}"#);

    let resumed = resume_reporter(&mut power_cut(&story));
    assert_eq!(resumed.body["value"][0]["data"], json!({ "a": 1 }));
}

#[test]
fn an_observer_that_crashed_hears_nothing_until_it_resumes() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    observes(&mut story, BOB, &object);

    story.crash(BOB, Exit::Signal(9));
    assigns(&mut story, &object, 1, "a", &json!(1));
    passes(&mut story, Duration::from_millis(500));
    let link = story.link_of(&story.address(BOB)).unwrap();
    story.components.get_mut(BOB).unwrap().1 = link;
    assigns(&mut story, &object, 2, "a", &json!(2));
    let before = told(&mut story, BOB);
    let resumed = asks(&mut story, BOB, "subscribe", &json!({ "resume": true }));
    assigns(&mut story, &object, 3, "a", &json!(3));

    assert!(before.is_empty(), "{before:?}");
    assert_eq!(resumed.body["value"][0]["version"], 2);
    assert_eq!(only(&mut story, BOB).body["version"], 3);
}

#[test]
fn a_reporter_that_is_deployed_anew_takes_its_objects_up() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "a": 1 }));
    observes(&mut story, BOB, &object);
    let alice = story.address(ALICE);

    story.ask_operator("delete", "ua", &format!(r#"{{"resource":"{alice}"}}"#));
    story.send(BOB, "read", &object, "{}", WITHIN);
    let away = only(&mut story, BOB);
    story.deploy(ALICE);
    story.heard(ALICE);
    let resumed = resume_reporter(&mut story);
    assigns(&mut story, &object, 1, "a", &json!(2));

    assert_eq!(story.address(ALICE), alice);
    assert_eq!(away.code, 503);
    assert_eq!(resumed.code, 200);
    assert_eq!(only(&mut story, BOB).body["value"], 2);
}

const ANNS_ALONE: &str = r#"
@id("anns-alone")
@why("what acts for Ann is read by nobody else's")
forbid (principal is Hyperty in Provider::"b.example", action == Action::"read", resource is Hyperty)
when { resource has user && resource.user == "user://home.example/ann" };
"#;

#[test]
fn a_rule_about_the_reporters_user_holds_while_the_reporter_is_away() {
    let rules = || crate::story::rules(&format!("{}{ANNS_ALONE}", crate::story::RULES));
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let alice = story.address(ALICE);
    let read = |story: &mut Story| {
        story.send(BOB, "read", &object, "{}", WITHIN);
        only(story, BOB).code
    };

    story.ask_operator("delete", "ua", &format!(r#"{{"resource":"{alice}"}}"#));
    let before = read(&mut story);
    story.core_rules(rules());
    let away = read(&mut story);
    let mut next = story.restarted();
    next.starts();
    next.deploy(BOB);
    next.heard(BOB);
    let after_a_restart = read(&mut next);
    next.core_rules(rules());

    assert_eq!((before, away), (503, 403));
    assert_eq!((after_a_restart, read(&mut next)), (503, 403));
}

#[test]
fn nobody_resumes_what_is_somebody_elses() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let alice = story.address(ALICE);

    let as_alice = asks(
        &mut story,
        BOB,
        "create",
        &json!({ "resume": true, "value": { "reporter": alice, "name": "x" } }),
    );
    let by_schema = asks(
        &mut story,
        BOB,
        "create",
        &json!({ "resume": true, "schema": CHAT, "value": { "name": "x" } }),
    );
    let observer = asks(
        &mut story,
        BOB,
        "subscribe",
        &json!({ "resume": true, "schema": CHAT, "resource": object }),
    );

    assert_eq!(
        (as_alice.code, by_schema.code, observer.code),
        (403, 404, 404)
    );
}
