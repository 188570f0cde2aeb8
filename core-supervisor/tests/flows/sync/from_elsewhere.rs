//! Observers in other runtimes of what is reported here.

use super::elsewhere::{AWAY, HB, STUB, brings, creates, replies, stage_with_stubs};
use super::*;
use crate::story::USER;

const SMB: &str = "runtime://b.example/r2/sm";

/// Another runtime asks to observe Alice's object.
fn asked_from_afar(story: &mut Story, object: &str) -> u64 {
    let to = format!("{object}/subscription");
    let body = json!({ "subscriber": HB, "identity": { "i": 1 } });
    brings(story, AWAY, SMB, "subscribe", &to, &body)
}

fn routed(story: &mut Story) -> String {
    creates(story, CHAT, &json!({}));
    for _ in 0..2 {
        let asked = only(story, STUB);
        replies(story, STUB, &asked, &json!({ "code": 200 }));
    }
    only(story, ALICE).body["resource"]
        .as_str()
        .unwrap()
        .to_owned()
}

const FAR_MAY: &str = r#"
@id("far-may")
@why("who is behind b.example may observe what alice reports")
permit (principal is Remote, action == Action::"subscribe", resource is Hyperty in Provider::"a.example")
when { principal.domain == "b.example" };
"#;

// services §8.3 case 17
// services §8.3 case 18
// services §8.3 case 24
// messaging A.1 case 17
#[test]
fn an_observer_elsewhere_is_accepted_and_one_copy_leaves_for_it() {
    let mut story = stage_with_stubs();
    story.core_rules(crate::story::rules(FAR_MAY));
    let object = routed(&mut story);

    let id = asked_from_afar(&mut story, &object);
    let asked = only(&mut story, ALICE);
    answers(
        &mut story,
        ALICE,
        &asked,
        &json!({ "code": 200, "value": {} }),
    );
    let answer = only(&mut story, AWAY);
    let inner = json!({ "body": { "subscriber": HB, "identity": {} } });
    brings(
        &mut story,
        AWAY,
        SMB,
        "forward",
        &format!("{object}/subscription"),
        &inner,
    );
    accepts(&mut story);
    told(&mut story, AWAY);
    assigns(&mut story, &object, 1, "x", &json!(2));
    let copies = told(&mut story, AWAY);

    assert_eq!(asked.from, object);
    assert_eq!(
        asked.body,
        json!({ "type": "subscribe", "from": HB, "to": object, "identity": { "i": 1 } })
    );
    assert_eq!((answer.id, answer.code, answer.to.as_str()), (id, 200, SMB));
    assert_eq!(answer.from, format!("{object}/subscription"));
    assert_eq!(
        (&answer.body["owner"], &answer.body["schema"]),
        (&json!(story.address(ALICE)), &json!(CHAT))
    );
    assert_eq!(answer.body["value"]["data"], json!({ "x": 1 }));
    assert_eq!(copies.len(), 1, "{copies:#?}");
    assert_eq!(copies[0].to, format!("{object}/changes"));
}

const BOB_MAY: &str = r#"
@id("bob-may")
@why("bob may observe what alice reports")
permit (principal is Hyperty in Provider::"b.example", action == Action::"subscribe", resource is Hyperty in Provider::"a.example");
"#;

/// An object of Alice's that somebody elsewhere observes, and Bob.
fn observed_everywhere(story: &mut Story) -> String {
    story.core_rules(crate::story::rules(&format!("{FAR_MAY}{BOB_MAY}")));
    let object = routed(story);
    asked_from_afar(story, &object);
    accepts(story);
    observes(story, BOB, &object);
    for name in [AWAY, BOB, ALICE] {
        story.heard(name);
    }
    object
}

// services §8.3 case 37
#[test]
fn who_changes_an_object_goes_along_with_the_copy_that_leaves() {
    let mut story = stage_with_stubs();
    let object = observed_everywhere(&mut story);
    let said =
        json!({ "userProfile": { "userURL": "user://eve.example/eve" }, "assertion": "a.b.c" });
    let delta =
        json!({ "version": 1, "attribute": "x", "value": { "b": 1, "a": 2 }, "identity": said });

    changes(&mut story, &object, &delta);
    let here = only(&mut story, BOB);
    let there = only(&mut story, AWAY);

    assert_eq!(here.body, delta, "nobody here is told what all know");
    let identity = &there.body["identity"];
    assert_eq!(identity["userProfile"]["userURL"], USER);
    assert_eq!(identity.get("assertion"), None);
    assert_eq!(there.body["value"].to_string(), r#"{"b":1,"a":2}"#);
    assert_eq!(there.to, format!("{object}/changes"));
}

#[test]
fn a_child_leaves_with_its_maker_or_without_anybody() {
    let mut story = stage_with_stubs();
    let object = observed_everywhere(&mut story);
    let to = format!("{object}/children/");
    let open = json!({ "resource": "1-b#1", "value": { "data": {} } });
    let masked = json!({
        "resource": "1-b#2", "value": { "data": {}, "anonymous": true },
        "identity": { "guid": "user-guid://mask", "assertion": "a.b.c" },
    });

    story.send(BOB, "create", &to, &open.to_string(), Reply::Untimed);
    story.send(BOB, "create", &to, &masked.to_string(), Reply::Untimed);
    story.send(BOB, "event", &to, r#"{"value":"typing"}"#, Reply::Untimed);
    let left = told(&mut story, AWAY);

    let mask = json!({ "userProfile": { "guid": "user-guid://mask" } });
    assert_eq!(left[0].body["identity"]["userProfile"]["userURL"], USER);
    assert_eq!(left[1].body["identity"], mask);
    assert_eq!(left[2].body, json!({ "value": "typing" }));
}

#[test]
fn a_change_that_fills_its_message_leaves_as_it_is() {
    let mut story = stage_with_stubs();
    let object = observed_everywhere(&mut story);
    let mut delta = json!({ "version": 1, "attribute": "x", "value": 2, "note": "" });
    let room = protocol::limits::BODY_BYTES_MAX - delta.to_string().len();
    delta["note"] = "x".repeat(room).into();

    changes(&mut story, &object, &delta);

    let there = only(&mut story, AWAY);
    assert_eq!(there.body.get("identity"), None);
    assert_eq!(there.body["version"], 1);
}

// services §8.3 case 19
// services §8.3 case 54
#[test]
fn an_observer_elsewhere_is_refused_or_leaves_as_one_here_does() {
    let mut story = stage_with_stubs();
    story.core_rules(crate::story::rules(FAR_MAY));
    let object = routed(&mut story);
    let to = format!("{object}/subscription");

    asked_from_afar(&mut story, &object);
    let asked = only(&mut story, ALICE);
    answers(
        &mut story,
        ALICE,
        &asked,
        &json!({ "code": 403, "desc": "busy" }),
    );
    let refused = only(&mut story, AWAY);
    asked_from_afar(&mut story, &object);
    accepts(&mut story);
    told(&mut story, AWAY);
    brings(
        &mut story,
        AWAY,
        SMB,
        "unsubscribe",
        &to,
        &json!({ "source": HB }),
    );
    let notice = only(&mut story, ALICE);
    let left = only(&mut story, AWAY);
    assigns(&mut story, &object, 1, "x", &json!(2));

    assert_eq!((refused.code, &refused.body["desc"]), (403, &json!("busy")));
    assert_eq!(refused.body["owner"], story.address(ALICE));
    assert_eq!(
        (notice.body["type"].as_str(), notice.body["from"].as_str()),
        (Some("unsubscribe"), Some(HB))
    );
    assert_eq!(left.code, 200);
    assert!(told(&mut story, AWAY).is_empty());
}

#[test]
fn a_stub_asks_for_those_of_its_own_domain_only() {
    let mut story = stage_with_stubs();
    let object = routed(&mut story);
    let to = format!("{object}/subscription");
    let bob = story.address(BOB);

    brings(
        &mut story,
        AWAY,
        SMB,
        "subscribe",
        &to,
        &json!({ "subscriber": "hyperty://c.example/1" }),
    );
    brings(
        &mut story,
        AWAY,
        SMB,
        "subscribe",
        &to,
        &json!({ "subscriber": bob }),
    );
    brings(&mut story, AWAY, SMB, "subscribe", &to, &json!({}));
    asked_from_afar(&mut story, &object);
    let heard = told(&mut story, AWAY);

    // The last one is for the policy to permit, and nothing does.
    assert_eq!(
        heard.iter().map(|t| t.code).collect::<Vec<_>>(),
        [403, 403, 400, 403]
    );
    assert!(told(&mut story, ALICE).is_empty());
}

// services §8.3 case 55
#[test]
fn a_deleted_object_is_taken_back_from_the_world_outside() {
    let mut story = stage_with_stubs();
    let object = routed(&mut story);

    let answer = asks(&mut story, ALICE, "delete", &json!({ "resource": object }));
    let heard = told(&mut story, STUB);

    assert_eq!(answer.code, 200);
    let deletes: Vec<_> = heard.iter().filter(|t| t.kind == "delete").collect();
    assert_eq!(deletes[0].to, format!("{object}/changes"));
    assert_eq!(
        (&deletes[0].from, &deletes[0].body),
        (&format!("{object}/subscription"), &json!({}))
    );
    assert_eq!(
        deletes[1].to,
        "domain://msg-node.a.example/object-address-allocation"
    );
    assert_eq!(
        deletes[1].body,
        json!({ "resource": object, "childrenResources": ["resources"] })
    );
}

#[test]
fn the_offline_manager_of_an_object_is_kept_informed() {
    let mut story = stage_with_stubs();
    let offline = json!({ "domain_routing": false, "offline": "hyperty://b.example/mgr" });

    creates(&mut story, HELLO, &offline);
    let created = only(&mut story, AWAY);
    let object = only(&mut story, ALICE).body["resource"]
        .as_str()
        .unwrap()
        .to_owned();
    asks(
        &mut story,
        ALICE,
        "create",
        &json!({ "resume": true, "value": {} }),
    );
    let back = only(&mut story, AWAY);
    asks(&mut story, ALICE, "delete", &json!({ "resource": object }));
    let deleted = only(&mut story, AWAY);

    assert_eq!(
        (created.kind.as_str(), created.to.as_str()),
        ("forward", "hyperty://b.example/mgr/register")
    );
    assert_eq!(created.body["body"]["resource"], object);
    assert_eq!(
        (back.kind.as_str(), back.to.as_str()),
        ("update", "hyperty://b.example/mgr/register")
    );
    assert_eq!(
        (deleted.kind.as_str(), deleted.body["type"].as_str()),
        ("forward", Some("delete"))
    );
}
