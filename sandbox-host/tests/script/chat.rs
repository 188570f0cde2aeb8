//! ChatManager, ChatController and who is invited: spec services §2.12.

use protocol::frame::CoreFrame;
use serde_json::{Value, json};

use super::chatting::{
    BOB, CAROL, bob, found, managing, observing, participants, reporting, requests, subscribe,
};
use super::services::{DO, REPORTER, RT, only, run, serve, told};
use super::world::{ME, sent};

#[test]
fn a_conversation_is_created_with_its_creator_and_whoever_was_found() {
    let records = json!([
        {"hypertyID": BOB, "status": "live"}, {"hypertyID": CAROL, "status": "disconnected"},
    ]);

    let (_, said) = reporting(
        "[{user: 'user://idp.example/bob', domain: 'there.example'}]",
        found(records),
    );

    let messages = sent(&said);
    let lookup = requests(&messages, "read", &format!("{RT}/discovery/"))[0];
    let criteria =
        json!({"resources": ["chat"], "dataSchemes": ["comm"], "domain": "there.example"});
    assert_eq!(
        lookup.body,
        json!({"resource": "/hyperty/user/user://idp.example/bob", "criteria": criteria})
    );
    let creations = requests(&messages, "create", &format!("{RT}/sm"));
    let creation = &creations[0].body;
    let value = &creation["value"];
    assert_eq!(
        creation["schema"],
        "hyperty-catalogue://catalogue.here.example/.well-known/dataschema/Communication"
    );
    assert_eq!(
        (&creation["store"], &creation["identity"]),
        (&json!(true), &json!({}))
    );
    assert_eq!(
        (&value["name"], &value["resources"]),
        (&json!("talk"), &json!(["chat"]))
    );
    assert_eq!(
        (&value["mutual"], &value["authorise"]),
        (&json!(true), &json!([BOB]))
    );
    let ann = &value["data"]["participants"]["user-guid://ann"];
    assert_eq!(
        (&ann["hypertyURL"], &ann["domain"]),
        (&json!(ME), &json!("here.example"))
    );
    assert_eq!(
        ann["identity"]["userProfile"]["userURL"],
        "user://idp.example/ann"
    );
    assert_eq!(
        (&value["data"]["status"], &value["data"]["cseq"]),
        (&json!("open"), &json!(1))
    );
    assert_eq!(
        (creations.len(), &creations[1].body["authorise"]),
        (2, &json!([BOB]))
    );
    assert_eq!(told(&said), [json!(["invited", BOB, 200])]);
}

#[test]
fn further_metadata_wins_and_an_offline_keeper_is_named() {
    let world = managing();

    let said = run(
        &world,
        "manager.offline = 'hyperty://here.example/keeper';
         manager.create('talk', [], {name: 'other', mutual: false, resources: ['team'], domain_routing: false})",
    );
    let said = sent(&serve(&world, said, |_| None));

    let value = &requests(&said, "create", &format!("{RT}/sm"))[0].body["value"];
    assert_eq!(
        (&value["name"], &value["mutual"]),
        (&json!("talk"), &json!(false))
    );
    assert_eq!(
        (&value["resources"], &value["domain_routing"]),
        (&json!(["team"]), &json!(false))
    );
    assert_eq!(value["offline"], "hyperty://here.example/keeper");
}

#[test]
fn participants_of_one_conversation_are_none_of_the_next() {
    let (world, _) = reporting("[]", |_| None);
    subscribe(&world, BOB, &bob());

    let said = run(&world, "manager.create('second', [])");
    let said = sent(&serve(&world, said, |_| None));

    let data = &requests(&said, "create", &format!("{RT}/sm"))[0].body["value"]["data"];
    assert_eq!(
        participants(&world),
        json!(["user-guid://ann", "user-guid://bob"])
    );
    assert_eq!(data["participants"].as_object().unwrap().len(), 1);
}

#[test]
fn a_conversation_is_not_created_for_somebody_unknown() {
    let (_, said) = reporting("[]", |request| {
        request
            .to
            .ends_with("/registry/")
            .then(|| json!({"code": 404, "resource": ""}))
    });

    assert_eq!(
        told(&said),
        [json!(["failed", "code: 404 No user was found"])]
    );
}

#[test]
fn whoever_is_away_is_invited_when_they_are_back() {
    let records = json!([{"hypertyID": CAROL, "status": "disconnected"}]);
    let (world, said) = reporting("[{user: 'user://idp.example/carol'}]", found(records));

    let back = json!({"type": "update", "from": RT, "to": format!("{CAROL}/registration"), "body": {"value": "live"}});
    let said_then = serve(&world, world.deliver(back), |_| None);

    let resource = format!("{CAROL}/registration");
    let subscription = format!("{RT}/subscriptions");
    let before = sent(&said);
    assert_eq!(
        requests(&before, "subscribe", &subscription)[0].body,
        json!({"resources": [resource]})
    );
    let then = sent(&said_then);
    assert_eq!(
        requests(&then, "create", &format!("{RT}/sm"))[0].body["authorise"],
        json!([CAROL])
    );
    assert_eq!(
        requests(&then, "unsubscribe", &subscription)[0].body,
        json!({"resource": resource})
    );
    assert_eq!(told(&said_then), [json!(["invited", CAROL, 200])]);
    assert_eq!(world.value("chat.invitationsHandler._pending"), json!({}));
}

#[test]
fn who_cannot_be_reached_is_waited_for_and_who_refuses_is_not() {
    let records =
        json!([{"hypertyID": BOB, "status": "live"}, {"hypertyID": CAROL, "status": "live"}]);
    let lookup = found(records);
    let (world, said) = reporting("[{user: 'user://idp.example/bob'}]", |request| {
        let invited = |who: &str| request.body["authorise"] == json!([who]);
        match () {
            () if invited(BOB) => Some(json!({"code": 403, "desc": "busy"})),
            () if invited(CAROL) => Some(json!({"code": 408, "desc": "Response timeout!"})),
            () => lookup(request),
        }
    });

    let mut results = told(&said);
    results.sort_by_key(ToString::to_string);
    assert_eq!(
        results,
        [json!(["invited", BOB, 403]), json!(["invited", CAROL, 408])]
    );
    let waiting =
        world.value("Object.keys(chat.invitationsHandler._pending['comm://here.example/o1'])");
    assert_eq!(waiting, json!([CAROL]));
}

#[test]
fn pending_invitations_are_kept_for_each_conversation() {
    let records = json!([{"hypertyID": CAROL, "status": "disconnected"}]);
    let (world, _) = reporting("[{user: 'user://idp.example/carol'}]", found(records));

    let said = run(
        &world,
        "chat.close().then(() => say(chat.invitationsHandler._pending))",
    );
    let said = serve(&world, said, |_| None);

    assert_eq!(told(&said), [json!({})]);
    let messages = sent(&said);
    assert_eq!(
        requests(&messages, "unsubscribe", &format!("{RT}/subscriptions")).len(),
        1
    );
    assert_eq!(requests(&messages, "delete", &format!("{RT}/sm")).len(), 1);
}

#[test]
fn invitations_of_before_a_restart_are_taken_up_again() {
    let (world, _) = reporting("[]", |_| None);
    let urls = [BOB, CAROL, "hyperty://there.example/tv"].map(|url| format!("{url}/registration"));

    let said = run(
        &world,
        "tell(chat.invitationsHandler.resumeDiscoveries(manager.discovery, chat.dataObjectReporter))",
    );
    let said = serve(&world, said, |request| {
        let record = |status: &str, resource: &str| {
            let url = request.body["resource"]
                .as_str()
                .unwrap()
                .replace("/hyperty/url/", "");
            Some(
                json!({"code": 200, "value": {"hypertyID": url, "status": status, "resources": [resource]}}),
            )
        };
        match request.body["resource"].as_str().unwrap_or_default() {
            ME => Some(json!({"code": 200, "value": urls})),
            url if url.ends_with("bob") => record("live", "chat"),
            url if url.ends_with("carol") => record("disconnected", "chat"),
            url if url.ends_with("tv") => record("live", "film"),
            _ => None,
        }
    });

    let messages = sent(&said);
    let invited = requests(&messages, "create", &format!("{RT}/sm"));
    assert_eq!(
        (invited.len(), &invited[0].body["authorise"]),
        (1, &json!([BOB]))
    );
    let subscriptions = format!("{RT}/subscriptions");
    let body = |kind: &str| requests(&messages, kind, &subscriptions)[0].body.clone();
    assert_eq!(body("subscribe"), json!({"resources": [urls[1]]}));
    assert_eq!(body("unsubscribe"), json!({"resource": urls[0]}));
}

#[test]
fn a_conversation_is_joined_with_its_user_s_identity() {
    let world = managing();

    let said = run(
        &world,
        &format!("manager.join('{DO}').then((chat) => say([chat.url, chat.controllerMode]))"),
    );
    let said = serve(&world, said, |_| None);

    let messages = sent(&said);
    let body = &requests(&messages, "subscribe", &format!("{RT}/sm"))[0].body;
    assert_eq!(
        (&body["resource"], &body["store"], &body["mutual"]),
        (&json!(DO), &json!(true), &json!(true))
    );
    assert_eq!(
        (&body["p2p"], &body["domain_subscription"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(body["identity"]["guid"], "user-guid://ann");
    assert_eq!(told(&said), [json!([DO, "observer"])]);
    assert_eq!(
        world.value("Object.keys(manager._observersControllers)"),
        json!([DO])
    );
}

#[test]
fn a_reporter_closes_for_all_and_an_observer_for_itself() {
    let (reporter, _) = reporting("[]", |_| None);
    let kept = run(&reporter, "tell(chat.close(false))");
    let deleted = run(
        &reporter,
        "chat.onClose((event) => say(event)); tell(chat.close())",
    );
    let observer = observing();
    let stays = run(&observer, "tell(chat.close(false))");
    let leaves = run(&observer, "tell(chat.close())");

    assert_eq!(only(&kept).body["value"], "closed");
    assert_eq!(
        (only(&deleted).kind.as_str(), &only(&deleted).body),
        ("delete", &json!({"resource": DO}))
    );
    assert_eq!(
        told(&deleted),
        [
            json!({"code": 200, "desc": "deleted", "url": DO}),
            json!(true)
        ]
    );
    assert_eq!((sent(&stays), told(&stays)), (vec![], vec![json!(true)]));
    assert_eq!(
        (only(&leaves).kind.as_str(), told(&leaves)),
        ("unsubscribe", vec![json!(true)])
    );
    for world in [reporter, observer] {
        let left = world.value("[manager._reportersControllers, manager._observersControllers]");
        assert_eq!(left, json!([{}, {}]));
    }
}

#[test]
fn a_deleted_conversation_is_closed_and_others_are_not() {
    let world = observing();
    run(
        &world,
        "chat.onClose((event) => say(event.type)); manager._observersControllers.other = {close: () => say('wrong')}",
    );
    let deleted = |url: &str| {
        let body = json!({"resource": url});
        world.deliver(json!({"id": 70, "type": "delete", "from": format!("{url}/subscription"), "to": ME, "body": body}))
    };

    let said = deleted(DO);
    let unknown = deleted("comm://here.example/unknown");

    let messages = sent(&said);
    let to = format!("{DO}/subscription");
    assert_eq!(requests(&messages, "response", &to)[0].body["code"], 200);
    assert_eq!(told(&said), [json!("delete")]);
    assert_eq!(told(&unknown), [] as [Value; 0]);
    assert_eq!(
        world.value("Object.keys(manager._observersControllers)"),
        json!(["other"])
    );
}

#[test]
fn an_invitation_reaches_the_application() {
    let world = managing();
    run(
        &world,
        "manager.onInvitation((event) => { say([event.type, event.url, event.from]); event.ack() })",
    );

    let body = json!({"p2p": false, "source": REPORTER, "schema": "s", "value": {"name": "talk"}});
    let said = world.deliver(json!({"id": 71, "type": "create", "from": format!("{DO}/subscription"), "to": ME, "body": body}));

    assert_eq!(told(&said), [json!(["create", DO, REPORTER])]);
    assert_eq!(only(&said).body["code"], 200);
}

#[test]
fn a_component_that_is_gone_waits_for_nobody() {
    let records = json!([{"hypertyID": CAROL, "status": "disconnected"}]);
    let (world, _) = reporting("[{user: 'user://idp.example/carol'}]", found(records));

    world.handle(CoreFrame::Unload { component: ME });
    let back = json!({"type": "update", "from": RT, "to": format!("{CAROL}/registration"), "body": {"value": "live"}});

    assert_eq!(world.deliver(back), []);
}
