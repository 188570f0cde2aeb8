//! Many, large, and at the wrong moment.

use super::super::story::rules;
use super::*;

const EVERYBODY: &str = r#"
@id("everybody")
@why("everybody may ask to observe")
permit (principal is Hyperty, action == Action::"subscribe", resource);
"#;

#[test]
fn a_thousand_observers_are_told_of_each_change_and_one_that_never_reads_stops_nobody() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "t": "" }));
    // Forty of each provider's, which share its sandbox and are handed one copy.
    let names: Vec<String> = (0..1_000)
        .map(|n| format!("o{n}@p{}.example", n % 25))
        .collect();
    story.core_rules(rules(EVERYBODY));
    for name in &names {
        story.deploy(name);
        story.heard(name);
        observes(&mut story, name, &object);
    }
    for name in &names {
        story.heard(name);
    }
    let deaf = story.link(&names[0]);
    story.deaf = Some(deaf);

    for version in 1..=10 {
        assigns(
            &mut story,
            &object,
            version,
            "t",
            &json!("x".repeat(500_000)),
        );
    }
    let refused = told(&mut story, ALICE);
    let heard: Vec<usize> = names[1..25]
        .iter()
        .map(|name| told(&mut story, name).len())
        .collect();
    let late = told(&mut story, &names[0]).len();
    story.deaf = None;
    story.drains(deaf);
    let notices = told(&mut story, &names[0]);

    assert!(refused.is_empty(), "{refused:?}");
    assert!(heard.iter().all(|count| *count == 10), "{heard:?}");
    assert!(late < 10, "{late}");
    assert_eq!(notices.len(), 1);
    assert_eq!(
        (&notices[0].body["behind"], &notices[0].body["version"]),
        (&json!(true), &json!(10))
    );
    let resumed = asks(
        &mut story,
        ALICE,
        "create",
        &json!({ "resume": true, "value": {} }),
    );
    assert_eq!(
        resumed.body["value"][0]["subscriptions"]
            .as_array()
            .unwrap()
            .len(),
        1_000
    );
}

#[test]
fn an_object_of_a_hundred_thousand_keys_is_changed_and_kept_like_any_other() {
    let mut story = stage();
    let data: serde_json::Map<String, Value> =
        (0..100_000).map(|n| (format!("{n:x}"), json!(0))).collect();
    let object = makes(&mut story, HELLO, &Value::Object(data));

    for version in 1..=10_000 {
        assigns(&mut story, &object, version, "7", &json!(version));
    }
    story.wait(Duration::from_millis(100));
    let value = reads(&mut story, &object);

    assert!(told(&mut story, ALICE).is_empty());
    assert_eq!(
        (&value["data"]["7"], &value["version"]),
        (&json!(10_000), &json!(10_000))
    );
    assert_eq!(value["data"].as_object().unwrap().len(), 100_000);
}

#[test]
fn a_component_that_is_replaced_by_another_version_goes_on_with_its_objects() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "a": 1 }));
    observes(&mut story, BOB, &object);
    story.send(
        BOB,
        "subscribe",
        &sm(),
        &json!({ "resource": object }).to_string(),
        WITHIN,
    );
    told(&mut story, BOB);

    let alice = story.address(ALICE);
    story.ask_operator("delete", "ua", &format!(r#"{{"resource":"{alice}"}}"#));
    let ended = only(&mut story, BOB);
    story.deploy(ALICE);
    story.heard(ALICE);
    assigns(&mut story, &object, 1, "a", &json!(2));
    let early = told(&mut story, ALICE);
    asks(
        &mut story,
        ALICE,
        "create",
        &json!({ "resume": true, "value": {} }),
    );
    assigns(&mut story, &object, 1, "a", &json!(2));

    assert_eq!(ended.code, 503);
    // Until it resumes, the object's address is not its own.
    assert_eq!(early.iter().map(|t| t.code).collect::<Vec<_>>(), [403]);
    assert_eq!(only(&mut story, BOB).body["value"], 2);
}

#[test]
fn the_objects_of_an_application_end_with_its_link() {
    use protocol::frame::Role;
    let mut story = stage();
    story.core_rules(rules(EVERYBODY));
    let (link, address) = story.local(Role::Application {
        provider: "d.example",
        name: "shop",
        token: "",
    });
    let body = json!({ "schema": CHAT, "value": { "data": {} } }).to_string();
    story.send_as(link, &address, "create", &sm(), &body, WITHIN);
    let made = story.messages_on(link).pop().unwrap();
    let made: Value = serde_json::from_str(&made.3).unwrap();
    let object = made["resource"].as_str().unwrap().to_owned();
    story.send(
        BOB,
        "subscribe",
        &sm(),
        &json!({ "resource": object }).to_string(),
        WITHIN,
    );
    let id = story.next_number();
    let asked = story
        .heard_on(link)
        .into_iter()
        .find_map(|heard| match heard {
            Heard::Message { id, from, .. } => Some((id, from)),
            _ => None,
        });
    let (asked, from) = asked.unwrap();
    story.answer_as(link, &address, asked, &from, 200);
    told(&mut story, BOB);

    story.happens(core_supervisor::event::Event::Closed { link });
    let notice = only(&mut story, BOB);

    assert!(id > 0);
    assert_eq!(
        (notice.kind.as_str(), &notice.body["resource"]),
        ("delete", &json!(object))
    );
    assert!(!story.kept.keys().any(|(_, key)| key.starts_with(&object)));
}
