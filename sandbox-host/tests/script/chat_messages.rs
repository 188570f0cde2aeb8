//! What goes to and fro in a conversation, and SimpleChatManager with its Chat: spec services
//! §2.12, §1.8.

use serde_json::json;

use super::services::{DO, RT, only, run, serve, told, using};
use super::world::{ME, Said, Sent, World, sent};

const BOB: &str = "hyperty://there.example/bob";

const MANAGER: &str = "globalThis.say = say; globalThis.tell = tell;
    globalThis.manager = factory.createSimpleChatManager(url, bus, config);
    globalThis.full = factory.createChatManager(url, bus, config, manager._syncher);
    manager._syncher.onNotification((event) => manager.processNotification(event));";

fn chatting(call: &str) -> (World, Vec<Said>) {
    let (world, _) = using(MANAGER);
    let text = format!("{call}.then((chat) => globalThis.chat = chat, (e) => say(String(e)))");
    let said = serve(&world, run(&world, &text), |_| None);
    (world, said)
}

fn create() -> String {
    format!("manager.create('talk', ['{BOB}'])")
}

fn children() -> String {
    format!("{DO}/children/")
}

fn child(world: &World, id: &str, content: &str) -> Vec<Said> {
    world.deliver(json!({
        "id": 40, "type": "create", "from": BOB, "to": children(),
        "body": {"resource": id, "identity": {"userProfile": {"guid": "user-guid://bob"}},
                 "value": {"url": id, "parent": DO, "reporter": BOB, "data": {"type": "chat", "content": content}}},
    }))
}

fn requests(said: &[Said], kind: &str, to: &str) -> Vec<Sent> {
    sent(said)
        .into_iter()
        .filter(|m| m.kind == kind && m.to == to)
        .collect()
}

#[test]
fn a_simple_conversation_is_created_with_the_hyperties_that_were_named() {
    let (world, said) = chatting(
        "(manager.backup = true, manager.create('talk', ['hyperty://there.example/bob'], {mutual: false}))",
    );

    let sm = format!("{RT}/sm");
    let creations = requests(&said, "create", &sm);
    let value = &creations[0].body["value"];
    assert_eq!(
        (&value["authorise"], &value["backup"]),
        (&json!([BOB]), &json!(true))
    );
    assert_eq!(
        (&value["mutual"], &value["resources"]),
        (&json!(false), &json!(["chat"]))
    );
    assert_eq!(creations[1].body["authorise"], json!([BOB]));
    assert_eq!(requests(&said, "read", &format!("{RT}/discovery/")), []);
    let kept = world.value("[chat.controllerMode, chat.url, Object.keys(manager._reportersControllers), manager.backup]");
    assert_eq!(kept, json!(["reporter", DO, [DO], true]));
}

#[test]
fn asking_for_invitations_starts_the_domain_s_stub_once() {
    let (world, _) = using(MANAGER);

    let first = run(&world, "manager.onInvitation(() => say('first'))");
    let second = run(&world, "manager.onInvitation(() => say('second'))");

    let ping = only(&first);
    assert_eq!(
        (ping.kind.as_str(), ping.from.as_str(), ping.to.as_str()),
        ("execute", ME, "here.example")
    );
    assert_eq!(sent(&second), []);
}

#[test]
fn both_managers_join_with_their_own_default_of_mutual() {
    for (call, mutual) in [
        ("manager.join('comm://here.example/o1')", false),
        ("full.join('comm://here.example/o1')", true),
        ("manager.join('comm://here.example/o1', true)", true),
        ("full.join('comm://here.example/o1', false)", false),
    ] {
        let (_, said) = chatting(call);
        assert_eq!(
            requests(&said, "subscribe", &format!("{RT}/sm"))[0].body["mutual"],
            mutual,
            "{call}"
        );
    }
}

#[test]
fn a_guest_joins_as_who_they_are() {
    let (_, said) = chatting(
        "manager.join('comm://here.example/o1', false, {userProfile: {userURL: 'slack://eve'}})",
    );

    assert_eq!(requests(&said, "read", &format!("{RT}/registry/")), []);
    let body = &requests(&said, "subscribe", &format!("{RT}/sm"))[0].body;
    assert_eq!(
        body["identity"],
        json!({"userProfile": {"userURL": "slack://eve"}})
    );
}

#[test]
fn a_stub_asks_the_identity_module_who_it_is() {
    let (world, _) = using("globalThis.tell = tell;
        globalThis.manager = factory.createChatManager('runtime://here.example/protostub/1', bus, config)");

    let said = serve(
        &world,
        run(&world, "tell(manager.myIdentity())"),
        |request| {
            request
                .to
                .ends_with("/idm")
                .then(|| json!({"code": 200, "value": {"userURL": "u"}}))
        },
    );

    assert_eq!(told(&said), [json!({"userURL": "u"})]);
}

#[test]
fn a_message_is_a_child_and_is_told_at_once() {
    for (call, mine) in [
        (
            "full.join('comm://here.example/o1')",
            json!({"userProfile": {
            "userURL": "user://idp.example/ann", "guid": "user-guid://ann", "preferred_username": "Ann"}}),
        ),
        (
            "manager.join('comm://here.example/o1')",
            json!({"userProfile": {"guid": "user-guid://ann"}}),
        ),
    ] {
        let (world, _) = chatting(call);
        let said = run(
            &world,
            "tell(chat.send('hi').then((m) => [m.type, m.from, m.value, m.identity.userProfile.guid, m.childId]))",
        );
        let message = only(&said);
        assert_eq!(
            (message.kind.as_str(), message.from.as_str(), message.to),
            ("create", ME, children()),
            "{call}"
        );
        let value = &message.body["value"];
        assert_eq!(value["data"], json!({"type": "chat", "content": "hi"}));
        assert_eq!(message.body["identity"], mine, "{call}");
        let sent = json!(["create", ME, {"type": "chat", "content": "hi"}, "user-guid://ann", message.body["resource"]]);
        assert_eq!(told(&said), [sent], "{call}");
    }
}

#[test]
fn a_message_may_be_somebody_else_s() {
    for (call, identity) in [
        (
            "full.join('comm://here.example/o1')",
            json!({"userProfile": {"userURL": "slack://eve"}}),
        ),
        (
            "manager.join('comm://here.example/o1')",
            json!({"userProfile": {"guid": "anonymous"}}),
        ),
    ] {
        let (world, _) = chatting(call);
        let said = run(
            &world,
            "chat.send('hi', {userProfile: {userURL: 'slack://eve'}})",
        );
        assert_eq!(only(&said).body["identity"], identity, "{call}");
    }
}

#[test]
fn messages_of_others_are_told_and_kept_on_both_sides() {
    for call in [
        create(),
        "manager.join('comm://here.example/o1')".to_owned(),
    ] {
        let (world, _) = chatting(&call);
        run(
            &world,
            "chat.onMessage((m) => say([m.from, m.value.content, m.identity.userProfile.guid, m.childId]))",
        );

        let said = child(&world, "1-bob#2", "hello");

        assert_eq!(
            told(&said),
            [json!([BOB, "hello", "user-guid://bob", "1-bob#2"])],
            "{call}"
        );
        assert_eq!(
            world.value("[Object.keys(chat.messages), chat.child_cseq]"),
            json!([["1-bob#2"], 1])
        );
    }
}

#[test]
fn typing_is_an_event_that_only_those_hear_who_asked() {
    for call in [
        create(),
        "manager.join('comm://here.example/o1')".to_owned(),
    ] {
        let (world, _) = chatting(&call);
        let types = only(&run(
            &world,
            "chat.onTyping((event) => say(event.from)); chat.typing()",
        ));
        let event = |value: &str| {
            told(&world.deliver(
                json!({"type": "event", "from": BOB, "to": children(), "body": {"value": value}}),
            ))
        };
        assert_eq!(
            (types.kind.as_str(), types.to, types.body),
            ("event", children(), json!({"value": "typing"}))
        );
        assert_eq!(
            (event("typing"), event("other")),
            (vec![json!(BOB)], vec![]),
            "{call}"
        );
    }
}

// services §8.3 case 40
#[test]
fn a_message_that_the_reporter_does_not_get_is_sent_again_when_it_is_back() {
    let (world, _) = chatting("full.join('comm://here.example/o1')");
    let message = only(&run(&world, "chat.send('hi')"));
    let registration = format!("{DO}/registration");

    let waits = world.pass(3000);
    serve(&world, waits.clone(), |_| None);
    let back = json!({"type": "update", "from": RT, "to": registration, "body": {"value": "live"}});
    let then = world.deliver(back);

    let subscription = only(&waits);
    assert_eq!(
        (subscription.from.as_str(), &subscription.body),
        (ME, &json!({"resources": [registration]}))
    );
    let again = requests(&then, "create", DO);
    assert_eq!(again[0].body["resource"], message.body["resource"]);
    assert_eq!(
        requests(&then, "unsubscribe", &format!("{RT}/subscriptions")).len(),
        1
    );
}

#[test]
fn a_reporter_s_own_message_waits_for_nobody() {
    let (world, _) = chatting(&create());
    run(&world, "chat.send('hi')");

    assert_eq!(sent(&world.pass(10_000)), []);
}

#[test]
fn a_chat_invites_hyperties_by_address_only() {
    let (world, _) = chatting(&create());
    let told_of = |users: &str| {
        let said = run(
            &world,
            &format!(
                "chat.onInvitationResponse((r) => say([r.invited, r.code])); tell(chat.addUser({users}))"
            ),
        );
        let mut all = told(&serve(&world, said, |_| None));
        all.sort_by_key(ToString::to_string);
        all
    };

    let carol = "hyperty://there.example/carol";
    assert_eq!(
        told_of("['hyperty://there.example/carol']"),
        [json!([carol, 200]), json!(true)]
    );
    assert_eq!(
        told_of("[{user: 'hyperty://there.example/carol', domain: 'd'}]"),
        [json!([carol, 200]), json!(true)]
    );
    let refused = json!({"rejected": "`user://idp.example/carol` is not the address of a hyperty"});
    assert_eq!(
        told_of("[{user: 'user://idp.example/carol', domain: 'd'}]"),
        [refused]
    );
}

#[test]
fn the_end_of_a_conversation_is_a_notification_of_the_simple_manager() {
    let (world, _) = chatting("manager.join('comm://here.example/o1')");
    run(
        &world,
        "chat.onClose(() => say('closed')); manager.onNotification((event) => say(event.url))",
    );

    let said = world.deliver(json!({
        "id": 70, "type": "delete", "from": format!("{DO}/subscription"), "to": ME, "body": {"resource": DO},
    }));

    assert_eq!(told(&said), [json!("closed"), json!(DO)]);
}

#[test]
fn what_a_conversation_cannot_do_without_is_named() {
    for (call, missing) in [
        ("factory.createChat()", "syncher"),
        ("factory.createChat({})", "domain"),
        (
            "factory.createChatController({}, null, 'd', {})",
            "discovery",
        ),
        ("factory.createChatController({}, {}, 'd')", "search"),
        ("factory.createChatController({}, {}, '', {})", "domain"),
        ("factory.createChatManager()", "myUrl"),
        ("factory.createSimpleChatManager(url, bus)", "configuration"),
    ] {
        let (_, said) = using(&format!("try {{ {call} }} catch (e) {{ say(e.message) }}"));
        assert_eq!(
            told(&said),
            [json!(format!("The {missing} is a needed parameter"))],
            "{call}"
        );
    }
}

// Published bundles read these.
#[test]
fn the_members_that_published_components_touch_are_there() {
    let (world, _) = chatting(&create());

    let managers = world.value(
        "[manager, full].map((m) => [m._myUrl, m._domain, m._runtimeURL, typeof m._bus, typeof m._syncher,
            m._objectDescURL.split('/').pop(), typeof m.identityManager, m.offline, m.communicationChildren.type])",
    );
    let chat = world.value(
        "[chat._dataObjectReporter === chat.dataObject, chat.dataObjectReporter === chat.dataObject,
          typeof full.discovery, typeof full.search, typeof manager.currentIdentity, chat.domain]",
    );

    let expected = json!([
        ME,
        "here.example",
        RT,
        "object",
        "object",
        "Communication",
        "object",
        false,
        "HypertyResource"
    ]);
    assert_eq!(managers, json!([expected, expected]));
    assert_eq!(
        chat,
        json!([true, true, "object", "object", "object", "here.example"])
    );
}

#[test]
fn a_file_is_shared_like_a_message() {
    let (_, said) = using(
        "const added = {sharingStatus: Promise.resolve()};
         const dataObject = {onAddChild() {}, onChange() {}, addHypertyResource: async (...args) => { say(args); return added }};
         const chat = factory.createChat({owner: url}, 'd', {guid: 'g'});
         chat.dataObjectObserver = dataObject;
         tell(chat.sendFile('file').then((event) => [event.value === added, event.resource === added, event.identity]));",
    );

    let identity = json!({"userProfile": {"guid": "g"}});
    assert_eq!(
        told(&said),
        [
            json!(["file", "file", identity]),
            json!([true, true, identity])
        ]
    );
}

#[test]
fn what_a_published_component_does_on_resume_works() {
    let (world, _) = chatting(&create());

    let said = run(
        &world,
        "say(Object.values(chat.dataObjectReporter.data.participants).map((p) => p.identity.userProfile.userURL.split('://')[0]))",
    );

    assert_eq!(told(&said), [json!(["user"])]);
}
