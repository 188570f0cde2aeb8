//! Who takes part in a conversation: spec services §2.12.

use serde_json::{Value, json};

use super::chatting::{
    BOB, CAROL, asked, bob, executed, found, observing, participants, reporting, requests,
    subscribe,
};
use super::services::{DO, REPORTER, RT, only, reply, run, serve, told};
use super::world::{Said, sent};

#[test]
fn whoever_subscribes_is_accepted_and_becomes_a_participant_without_secrets() {
    let (world, _) = reporting("[]", |_| None);
    run(
        &world,
        "chat.onUserAdded((user) => say(user.hypertyURL)); chat.onUserRemoved((user) => say(user.guid))",
    );
    let mut identity = bob();
    identity["assertion"] = json!("a");
    identity["accessToken"] = json!("t");

    let joined = subscribe(&world, BOB, &identity);
    let entry = world.value("chat.dataObject.data.participants['user-guid://bob']");
    let left = asked(&world, "unsubscribe", BOB, &bob());

    assert_eq!(sent(&joined)[0].body["code"], 200);
    assert_eq!(
        entry,
        json!({"hypertyURL": BOB, "domain": "there.example", "identity": bob()})
    );
    assert_eq!(
        (told(&joined), told(&left)),
        (vec![json!(BOB)], vec![json!("user-guid://bob")])
    );
    assert_eq!(participants(&world), json!(["user-guid://ann"]));
}

#[test]
fn a_user_who_has_joined_with_another_device_since_stays() {
    let (world, _) = reporting("[]", |_| None);
    subscribe(&world, BOB, &bob());
    subscribe(&world, "hyperty://there.example/phone", &bob());

    asked(&world, "unsubscribe", BOB, &bob());

    assert_eq!(
        participants(&world),
        json!(["user-guid://ann", "user-guid://bob"])
    );
}

#[test]
fn a_subscriber_whom_nobody_knows_is_a_participant_by_address() {
    let (world, _) = reporting("[]", |_| None);

    subscribe(&world, BOB, &Value::Null);
    let joined = participants(&world);
    asked(&world, "unsubscribe", BOB, &Value::Null);

    assert_eq!(
        (joined, participants(&world)),
        (json!(["user-guid://ann", BOB]), json!(["user-guid://ann"]))
    );
}

#[test]
fn an_observer_is_told_who_comes_and_goes() {
    let world = observing();
    run(&world, "chat.onUserAdded((e) => say(['added', e.field])); chat.onUserRemoved((e) => say(['removed', e.field]));
         chat.onChange((e) => say(e.cType))");
    let delta = |version: u64, path: &[&str], value: Option<Value>| {
        let mut body = json!({"version": version, "source": REPORTER, "attribute": path.join("."), "path": path});
        if let Some(value) = value {
            body["value"] = value;
        }
        told(&world.deliver(
            json!({"type": "update", "from": DO, "to": format!("{DO}/changes"), "body": body}),
        ))
    };

    let added = delta(
        4,
        &["participants", "user-guid://eve"],
        Some(json!({"hypertyURL": CAROL})),
    );
    let removed = delta(5, &["participants", "user-guid://eve"], None);
    let other = delta(6, &["status"], Some(json!("closed")));

    assert_eq!(
        added,
        [
            json!(["added", "participants.user-guid://eve"]),
            json!("add")
        ]
    );
    assert_eq!(
        removed,
        [
            json!(["removed", "participants.user-guid://eve"]),
            json!("remove")
        ]
    );
    assert_eq!(other, [json!("add")]);
}

#[test]
fn members_may_have_others_invited_and_strangers_may_not() {
    let records = json!([{"hypertyID": CAROL, "status": "live"}]);
    let (world, _) = reporting("[]", |_| None);
    subscribe(&world, BOB, &bob());
    let users = json!([{"user": "user://idp.example/carol", "domain": "there.example"}]);

    let by_member = serve(
        &world,
        executed(&world, BOB, "addUser", &users),
        found(records.clone()),
    );
    let nested = serve(
        &world,
        executed(&world, BOB, "addUser", &json!([users])),
        found(records),
    );
    let by_stranger = executed(&world, CAROL, "addUser", &users);
    let nobody = executed(&world, BOB, "addUser", &json!([]));
    let other = executed(&world, BOB, "reset", &json!([]));

    let invited = |said: &[Said]| {
        let messages = sent(said);
        requests(&messages, "create", &format!("{RT}/sm"))[0].body["authorise"].clone()
    };
    assert_eq!(
        [invited(&by_member), invited(&nested)],
        [json!([CAROL]), json!([CAROL])]
    );
    let answer = |said: &[Said], to: &str| {
        let messages = sent(said);
        requests(&messages, "response", to)[0].body["code"].clone()
    };
    assert_eq!(
        [answer(&by_member, BOB), answer(&nested, BOB)],
        [json!(200), json!(200)]
    );
    assert_eq!(answer(&by_stranger, CAROL), 401);
    assert_eq!(
        [answer(&nobody, BOB), answer(&other, BOB)],
        [json!(401), json!(401)]
    );
}

#[test]
fn an_observer_asks_the_reporter_to_add_and_to_remove() {
    let world = observing();
    let asks = |call: &str| {
        let request = only(&run(&world, &format!("tell(chat.{call})")));
        assert_eq!(
            (request.kind.as_str(), request.to.as_str()),
            ("execute", DO)
        );
        let done = reply(&world, &request, json!({"code": 200}));
        assert_eq!(told(&done), [json!(true)], "{call}");
        request.body
    };

    let carol = json!([{"user": "user://idp.example/carol"}]);
    let added = json!({"method": "addUser", "params": carol});
    assert_eq!(
        asks("addUserReq([{user: 'user://idp.example/carol'}])"),
        added
    );
    assert_eq!(asks("addUser([{user: 'user://idp.example/carol'}])"), added);
    assert_eq!(
        asks("removeUser('user-guid://bob')"),
        json!({"method": "removeUser", "params": ["user-guid://bob"]})
    );
    let nobody = run(
        &world,
        "tell(chat.addUserReq([])); tell(chat.addUser(['']))",
    );
    let refused = json!({"rejected": "Don't have users to invite"});
    assert_eq!(
        (sent(&nobody), told(&nobody)),
        (vec![], vec![refused.clone(), refused])
    );
}

#[test]
fn a_user_is_removed_by_any_of_their_names() {
    for name in [
        "'user-guid://bob'",
        "'user://idp.example/bob'",
        "'hyperty://there.example/bob'",
        "{user: 'user://idp.example/bob'}",
        "{hypertyURL: 'hyperty://there.example/bob'}",
    ] {
        let (world, _) = reporting("[]", |_| None);
        subscribe(&world, BOB, &bob());
        let said = run(
            &world,
            &format!("chat.onUserRemoved((user) => say(user.guid)); tell(chat.removeUser({name}))"),
        );
        assert_eq!(
            told(&said),
            [json!("user-guid://bob"), json!(true)],
            "{name}"
        );
        assert_eq!(participants(&world), json!(["user-guid://ann"]));
    }
    let (world, _) = reporting("[]", |_| None);
    let nobody = json!({"rejected": "the user to be removed is no participant"});
    assert_eq!(
        told(&run(&world, "tell(chat.removeUser('user-guid://eve'))")),
        std::slice::from_ref(&nobody)
    );
    assert_eq!(told(&run(&world, "tell(chat.removeUser())")), [nobody]);
}

#[test]
fn who_is_removed_leaves() {
    let world = observing();
    run(&world, "chat.onClose((event) => say(event))");
    let body = json!({"version": 4, "source": REPORTER, "attribute": "participants.user-guid://ann",
        "path": ["participants", "user-guid://ann"]});

    let said = world.deliver(
        json!({"type": "update", "from": DO, "to": format!("{DO}/changes"), "body": body}),
    );

    assert_eq!(only(&said).kind, "unsubscribe");
    assert_eq!(
        told(&said),
        [json!({"code": 200, "desc": "removed", "url": DO})]
    );
    assert_eq!(world.value("manager._observersControllers"), json!({}));
}
