//! Objects and observers in other runtimes, behind a stub; message nodes.

use super::*;

/// Speaks for the domain of Alice and of what is reported there.
pub(super) const STUB: &str = "stub/home@a.example";
/// Speaks for another domain.
pub(super) const AWAY: &str = "stub/away@b.example";
const FAR: &str = "comm://b.example/o2";
pub(super) const HB: &str = "hyperty://b.example/far";

/// Alice and her domain's stub, Bob and his.
pub(super) fn stage_with_stubs() -> Story {
    let mut story = stage();
    for name in [STUB, AWAY] {
        story.deploy(name);
        story.heard(name);
    }
    story
}

/// A stub hands in what came from outside.
pub(super) fn brings(
    story: &mut Story,
    stub: &str,
    from: &str,
    kind: &str,
    to: &str,
    body: &Value,
) -> u64 {
    let link = story.link(stub);
    story.send_as(link, from, kind, to, &body.to_string(), Reply::Untimed)
}

/// The node, or whoever was asked behind the stub, answers.
pub(super) fn replies(story: &mut Story, stub: &str, question: &Told, body: &Value) {
    let link = story.link(stub);
    let text = body.to_string();
    let mut message = Message::new(
        MessageKind::Response,
        &question.to,
        &question.from,
        text.as_bytes(),
    )
    .with_id(question.id);
    message.header.code = Code(u16::try_from(body["code"].as_u64().unwrap()).unwrap());
    story.says(link, &HostFrame::Send(message));
}

pub(super) fn creates(story: &mut Story, schema: &str, more: &Value) -> u64 {
    let mut value = json!({ "name": "c", "schema": schema, "data": { "x": 1 } });
    value
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let body = json!({ "schema": schema, "value": value });
    story.send(ALICE, "create", &sm(), &body.to_string(), WITHIN)
}

// services §8.3 case 1
#[test]
fn the_message_node_is_asked_to_bring_what_is_sent_to_a_new_object() {
    let mut story = stage_with_stubs();

    let id = creates(&mut story, CHAT, &json!({}));
    let first = only(&mut story, STUB);
    let early = told(&mut story, ALICE);
    replies(&mut story, STUB, &first, &json!({ "code": 200 }));
    let second = only(&mut story, STUB);
    replies(&mut story, STUB, &second, &json!({ "code": 200 }));
    let answer = only(&mut story, ALICE);

    let object = answer.body["resource"].as_str().unwrap();
    assert!(early.is_empty(), "{early:?}");
    assert_eq!(
        (first.kind.as_str(), first.to.as_str()),
        ("subscribe", "domain://msg-node.a.example/sm")
    );
    assert_eq!(first.from, "runtime://home.example/rt/sm");
    assert_eq!(
        first.body["resources"],
        json!([object, format!("{object}/subscription")])
    );
    assert_eq!(first.body["source"], story.address(ALICE));
    assert_eq!(
        second.body["resources"],
        json!([format!("{object}/children/")])
    );
    assert_eq!((answer.id, answer.code), (id, 200));
    assert_eq!(answer.body["childrenResources"], json!(["resources"]));
}

// services §8.3 case 2
#[test]
fn an_object_without_routing_is_no_concern_of_the_node() {
    let mut story = stage_with_stubs();

    creates(&mut story, HELLO, &json!({ "domain_routing": false }));

    assert!(told(&mut story, STUB).is_empty());
    assert_eq!(only(&mut story, ALICE).code, 200);
}

// services §8.3 case 3
#[test]
fn an_object_that_is_not_to_be_registered_is_told_to_its_node_alone() {
    let mut story = stage_with_stubs();

    creates(&mut story, HELLO, &json!({ "domain_registration": false }));
    let asked = only(&mut story, STUB);
    replies(&mut story, STUB, &asked, &json!({ "code": 200 }));

    assert_eq!(asked.to, "domain://msg-node.a.example/sm");
    assert!(told(&mut story, STUB).is_empty());
    assert_eq!(only(&mut story, ALICE).code, 200);
}

// services §8.3 case 5
#[test]
fn a_node_that_fails_eleven_times_is_given_up_with_503() {
    let mut story = stage_with_stubs();

    creates(&mut story, HELLO, &json!({}));
    for _ in 0..11 {
        let asked = only(&mut story, STUB);
        replies(
            &mut story,
            STUB,
            &asked,
            &json!({ "code": 500, "desc": "full" }),
        );
    }
    let answer = only(&mut story, ALICE);

    assert_eq!(answer.code, 503);
    assert!(
        answer.body["desc"].as_str().unwrap().contains("full"),
        "{:?}",
        answer.body
    );
    assert!(told(&mut story, STUB).is_empty());
    let resumed = asks(
        &mut story,
        ALICE,
        "create",
        &json!({ "resume": true, "value": {} }),
    );
    assert_eq!(resumed.code, 404);
}

/// Bob subscribes to an object elsewhere, up to the question to its runtime.
fn wants_far(story: &mut Story, more: &Value) -> (u64, Told) {
    let mut body = json!({ "schema": CHAT, "resource": FAR });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let id = story.send(BOB, "subscribe", &sm(), &body.to_string(), WITHIN);
    let route = only(story, AWAY);
    assert_eq!(route.to, "domain://msg-node.b.example/sm");
    assert_eq!(
        route.body["resources"],
        json!([format!("{FAR}/changes"), format!("{FAR}/children/")])
    );
    assert_eq!(route.body["source"], story.address(BOB));
    replies(story, AWAY, &route, &json!({ "code": 200 }));
    (id, only(story, AWAY))
}

fn accepts_far(story: &mut Story, asked: &Told) {
    let value = json!({ "url": FAR, "reporter": HB, "data": { "a": 1 }, "version": 4 });
    replies(
        story,
        AWAY,
        asked,
        &json!({ "code": 200, "owner": HB, "value": value }),
    );
}

// services §8.3 case 11
// services §8.3 case 12
// services §8.3 case 13
#[test]
fn an_object_elsewhere_is_observed_through_its_domain() {
    let mut story = stage_with_stubs();

    let (id, asked) = wants_far(&mut story, &json!({}));
    let offered = only(&mut story, BOB);
    accepts_far(&mut story, &asked);
    let answer = only(&mut story, BOB);

    assert_eq!((offered.id, offered.code), (id, 100));
    assert_eq!(offered.body["childrenResources"], json!(["resources"]));
    assert_eq!(
        (asked.kind.as_str(), asked.to),
        ("subscribe", format!("{FAR}/subscription"))
    );
    assert_eq!(asked.from, "runtime://home.example/rt/sm");
    assert_eq!(asked.body["subscriber"], story.address(BOB));
    assert_eq!((answer.id, answer.code), (id, 200));
    assert_eq!(
        (&answer.body["resource"], &answer.body["schema"]),
        (&json!(FAR), &json!(CHAT))
    );
    assert_eq!(answer.body["value"]["data"], json!({ "a": 1 }));
}

// services §8.3 case 14
#[test]
fn without_a_domain_subscription_the_reporter_is_asked_at_once() {
    let mut story = stage_with_stubs();
    let body = json!({ "schema": CHAT, "resource": FAR, "domain_subscription": false });

    story.send(BOB, "subscribe", &sm(), &body.to_string(), WITHIN);

    assert_eq!(only(&mut story, AWAY).to, format!("{FAR}/subscription"));
    assert_eq!(only(&mut story, BOB).code, 100);
}

// services §8.3 case 15
#[test]
fn what_the_node_refuses_is_refused_without_a_provisional_answer() {
    let mut story = stage_with_stubs();
    let body = json!({ "schema": CHAT, "resource": FAR });

    story.send(BOB, "subscribe", &sm(), &body.to_string(), WITHIN);
    let route = only(&mut story, AWAY);
    replies(
        &mut story,
        AWAY,
        &route,
        &json!({ "code": 404, "desc": "unknown" }),
    );

    let answer = only(&mut story, BOB);
    assert_eq!(
        (answer.code, &answer.body["desc"]),
        (404, &json!("unknown"))
    );
}

// services §8.3 case 16
#[test]
fn what_a_reporter_elsewhere_refuses_is_passed_on() {
    let mut story = stage_with_stubs();

    let (_, asked) = wants_far(&mut story, &json!({}));
    told(&mut story, BOB);
    replies(
        &mut story,
        AWAY,
        &asked,
        &json!({ "code": 403, "desc": "no" }),
    );

    let answer = only(&mut story, BOB);
    assert_eq!((answer.code, &answer.body["desc"]), (403, &json!("no")));
}

// services §8.3 case 23
#[test]
fn an_offline_manager_accepts_in_the_place_of_a_reporter_that_is_away() {
    let mut story = stage_with_stubs();
    let offline = "hyperty://b.example/offline-sub-mgr";

    let (id, asked) = wants_far(&mut story, &json!({ "offline": offline }));
    told(&mut story, BOB);
    replies(&mut story, AWAY, &asked, &json!({ "code": 408 }));
    let forwarded = only(&mut story, AWAY);
    accepts_far(&mut story, &forwarded);

    assert_eq!(
        (forwarded.kind.as_str(), forwarded.to.as_str()),
        ("forward", offline)
    );
    assert_eq!(forwarded.body["type"], "subscribe");
    assert_eq!(forwarded.body["to"], format!("{FAR}/subscription"));
    assert_eq!(forwarded.body["body"]["subscriber"], story.address(BOB));
    let answer = only(&mut story, BOB);
    assert_eq!((answer.id, answer.code), (id, 200));
}

fn change(version: u64, value: u64) -> Value {
    json!({ "version": version, "source": HB, "attribute": "a", "value": value })
}

// services §8.3 case 34
#[test]
fn changes_from_elsewhere_are_followed_and_what_was_missed_is_read_from_the_reporter() {
    let mut story = stage_with_stubs();
    let (_, asked) = wants_far(&mut story, &json!({}));
    accepts_far(&mut story, &asked);
    told(&mut story, BOB);
    let to = format!("{FAR}/changes");
    let select = json!({ "resource": FAR });

    brings(&mut story, AWAY, FAR, "update", &to, &change(5, 2));
    let copy = asks(&mut story, BOB, "read", &select);
    brings(&mut story, AWAY, FAR, "update", &to, &change(8, 3));
    let id = story.send(BOB, "read", &sm(), &select.to_string(), WITHIN);
    let read = only(&mut story, AWAY);
    let value = json!({ "data": { "a": 3, "b": 4 }, "version": 8 });
    replies(
        &mut story,
        AWAY,
        &read,
        &json!({ "code": 200, "value": value }),
    );
    let heard = told(&mut story, BOB);

    assert_eq!(
        (&copy.body["value"]["data"], &copy.body["value"]["version"]),
        (&json!({ "a": 2 }), &json!(5))
    );
    assert_eq!((read.kind.as_str(), read.to.as_str()), ("read", FAR));
    let answer = heard.last().unwrap();
    assert_eq!((answer.id, answer.code), (id, 200));
    assert_eq!(answer.body["value"]["data"], json!({ "a": 3, "b": 4 }));
    assert_eq!(
        heard[0].body["version"], 8,
        "the change itself came through"
    );
}

#[test]
fn nobody_here_changes_what_is_reported_elsewhere() {
    let mut story = stage_with_stubs();
    let (_, asked) = wants_far(&mut story, &json!({}));
    accepts_far(&mut story, &asked);
    told(&mut story, BOB);
    let to = format!("{FAR}/changes");

    story.send(BOB, "update", &to, &change(5, 9).to_string(), WITHIN);
    let own = only(&mut story, BOB);
    let copy = asks(&mut story, BOB, "read", &json!({ "resource": FAR }));

    assert_eq!(own.code, 403);
    assert_eq!(copy.body["value"]["data"], json!({ "a": 1 }));
}

// services §8.3 case 53
#[test]
fn the_last_observer_here_closes_the_routes() {
    let mut story = stage_with_stubs();
    let (_, asked) = wants_far(&mut story, &json!({}));
    accepts_far(&mut story, &asked);
    told(&mut story, BOB);

    let answer = asks(&mut story, BOB, "unsubscribe", &json!({ "resource": FAR }));
    let heard = told(&mut story, AWAY);

    assert_eq!(answer.code, 200);
    let to: Vec<&str> = heard.iter().map(|t| t.to.as_str()).collect();
    assert_eq!(
        to,
        [
            &format!("{FAR}/subscription"),
            "domain://msg-node.b.example/sm"
        ]
    );
    assert_eq!(heard[0].body["source"], story.address(BOB));
    assert!(heard.iter().all(|t| t.kind == "unsubscribe"));
}

// services §8.3 case 56
#[test]
fn an_object_that_is_deleted_elsewhere_is_gone_here() {
    let mut story = stage_with_stubs();
    let (_, asked) = wants_far(&mut story, &json!({}));
    accepts_far(&mut story, &asked);
    told(&mut story, BOB);

    let from = format!("{FAR}/subscription");
    brings(
        &mut story,
        AWAY,
        &from,
        "delete",
        &format!("{FAR}/changes"),
        &json!({}),
    );
    let notice = only(&mut story, BOB);
    let late = asks(&mut story, BOB, "unsubscribe", &json!({ "resource": FAR }));

    assert_eq!((notice.kind.as_str(), notice.from), ("delete", from));
    assert_eq!(notice.body["resource"], FAR);
    assert_eq!(late.code, 404);
}
