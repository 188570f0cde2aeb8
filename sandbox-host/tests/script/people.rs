//! IdentityManager, Search, NotificationHandler and the factory itself: spec services §2.1, §2.2,
//! §2.8, §2.11, §8.2.

use serde_json::{Value, json};

use super::services::{RT, only, outline, reply, told, using};
use super::world::{ME, Said, World, logged, sent};

fn asking(call: &str) -> (World, Vec<Said>) {
    using(&format!(
        "const identity = factory.createIdentityManager(url, config.runtimeURL, bus);
         const search = factory.createSearch(factory.createDiscovery(url, config.runtimeURL, bus), identity);
         tell({call});"
    ))
}

// services §8.3 case 61
// messaging A.4 case 45
#[test]
fn the_registry_is_asked_for_the_user_of_a_hyperty() {
    let profile = json!({"userURL": "user://idp.example/ann", "guid": "user-guid://1"});
    let other = "hyperty://here.example/other";
    let cases = [
        (
            "identity.discoverUserRegistered()",
            ".",
            ME,
            profile.clone(),
        ),
        ("search.myIdentity()", ".", ME, profile),
        (
            "identity.discoverUserRegistered('userURL')",
            "userURL",
            ME,
            json!("user://idp.example/ann"),
        ),
        (
            "identity.discoverUserRegistered('.', 'hyperty://here.example/other')",
            ".",
            other,
            json!({"userURL": "u"}),
        ),
    ];

    for (call, resource, hyperty, answer) in cases {
        let (world, said) = asking(call);
        let request = only(&said);
        let then = reply(&world, &request, json!({"code": 200, "resource": answer}));
        let expected = json!({
            "type": "read", "from": hyperty, "to": format!("{RT}/registry/"),
            "body": {"resource": resource, "criteria": hyperty},
        });
        assert_eq!(outline(&request), expected, "{call}");
        assert_eq!(told(&then), [answer], "{call}");
    }
}

// messaging A.4 case 45
#[test]
fn a_user_that_is_not_known_is_a_rejection_with_the_code() {
    let (world, said) = asking("identity.discoverUserRegistered('avatar')");

    let then = reply(&world, &only(&said), json!({"code": 404, "resource": ""}));

    assert_eq!(
        told(&then),
        [json!({"rejected": "code: 404 No user was found"})]
    );
}

#[test]
fn the_identity_module_is_asked_for_the_identity_of_a_provider() {
    let (world, said) = asking("identity.discoverIdentityPerIdP('idp.example')");
    let (other, refused) = asking("identity.discoverIdentityPerIdP()");

    let request = only(&said);
    let then = reply(
        &world,
        &request,
        json!({"code": 200, "value": {"userURL": "u"}}),
    );
    let failed = reply(
        &other,
        &only(&refused),
        json!({"code": 404, "desc": "none"}),
    );

    let body = json!({"resource": "idp.example", "criteria": "idp"});
    let expected = json!({"type": "read", "from": ME, "to": format!("{RT}/idm"), "body": body});
    assert_eq!(outline(&request), expected);
    assert_eq!(told(&then), [json!({"userURL": "u"})]);
    assert_eq!(told(&failed), [json!({"rejected": "404 none"})]);
}

#[test]
fn a_search_gives_the_newest_hyperty_of_each_user_who_has_one() {
    let call = "search.users(['user://a.example/1', 'user://a.example/2', 'user://a.example/3'],
        ['a.example', 'b.example', 'a.example'], ['comm'], ['chat'])";
    let (world, said) = asking(call);
    let lookups = sent(&said);

    let records = json!([
        {"hypertyID": "hyperty://a.example/old", "lastModified": "2026-01-01T00:00:00Z"},
        {"hypertyID": "hyperty://a.example/new", "lastModified": "2026-02-01T00:00:00Z"},
        {"hypertyID": "hyperty://a.example/undated"},
    ]);
    reply(&world, &lookups[0], json!({"code": 200, "value": records}));
    reply(&world, &lookups[1], json!({"code": 404}));
    let undated = json!([{"hypertyID": "hyperty://a.example/undated"}]);
    let then = reply(&world, &lookups[2], json!({"code": 200, "value": undated}));

    let criteria = json!({"resources": ["chat"], "dataSchemes": ["comm"], "domain": "b.example"});
    assert_eq!(lookups[1].body["criteria"], criteria);
    let found = json!([records[1], undated[0]]);
    assert_eq!(told(&then), [found]);
}

#[test]
fn a_search_that_finds_nothing_is_empty_and_one_without_lists_is_refused() {
    let (world, said) =
        asking("search.users(['user://a.example/1'], ['a.example'], ['comm'], ['chat'])");
    let (_, nobody) = asking("search.users([], [], ['comm'], ['chat'])");
    let everywhere = "search.users(['Ann'], ['a.example'], ['comm'], ['chat'], true)";

    let then = reply(&world, &only(&said), json!({"code": 200, "value": []}));

    assert_eq!(told(&then), [json!([])]);
    assert_eq!((sent(&nobody), told(&nobody)), (vec![], vec![json!([])]));
    assert_eq!(
        only(&asking(everywhere).1).body["resource"],
        "/hyperty/userprofile/Ann"
    );
    for (call, missing) in [
        ("search.users()", "users"),
        ("search.users([])", "domains"),
        ("search.users([], [], ['comm'])", "resources"),
        ("search.users([], [], null, ['chat'])", "schemes"),
    ] {
        let (_, said) = using(&format!(
            "const search = factory.createSearch({{}}, {{}}); try {{ {call} }} catch (e) {{ say(e.message) }}"
        ));
        assert_eq!(
            told(&said),
            [json!(format!("You need to provide a list of {missing}"))]
        );
    }
}

#[test]
fn a_search_of_which_every_lookup_was_rejected_is_rejected() {
    let (_, said) = using(
        "const lookup = () => Promise.reject('No Hyperty was found');
         tell(factory.createSearch({discoverHyperties: lookup}, {}).users(['a', 'b'], ['d', 'd'], [], []));",
    );

    assert_eq!(told(&said), [json!({"rejected": "No Hyperty was found"})]);
}

const HANDED_IN: &str = "const handler = factory.createNotificationHandler(bus);
    handler.onNotification('comm', (event) => { say(event); event.ack(); event.error('late'); });
    bus.addListener('*', (m) => m.type === 'create' ? handler.onCreate(m) : handler.onDelete(m));";

const LEGACY: &str = "slack://ann@slack.example";

fn handed_in(kind: &str, body: &Value) -> Vec<Said> {
    let from = "comm://there.example/1/subscription";
    let (world, _) = using(HANDED_IN);
    world.deliver(json!({"id": 7, "type": kind, "from": from, "to": LEGACY, "body": body}))
}

#[test]
fn an_invitation_for_a_user_of_another_network_reaches_the_stub_s_callback() {
    let body = json!({"source": "hyperty://there.example/bob", "schema": "s", "value": {"name": "n"}, "identity": {"userProfile": {}}, "via": "v"});

    let said = handed_in("create", &body);

    let event = json!({
        "type": "create", "from": "hyperty://there.example/bob", "url": "comm://there.example/1",
        "domain": "there.example", "schema": "s", "value": {"name": "n"},
        "identity": {"userProfile": {}}, "to": LEGACY, "via": "v",
    });
    assert_eq!(told(&said), [event]);
    let answer = only(&said);
    assert_eq!(
        (answer.id, answer.kind.as_str(), answer.from.as_str()),
        (7, "response", LEGACY)
    );
    assert_eq!(answer.body, json!({"code": 200}));
}

#[test]
fn an_invitation_that_lacks_something_is_answered_once_and_goes_no_further() {
    let cases = [
        (
            json!({"schema": "s", "value": {}, "identity": {}}),
            "source",
        ),
        (json!({"source": "h", "value": {}}), "schema, identity"),
        (json!({}), "source, schema, value, identity"),
    ];

    for (body, missing) in cases {
        let said = handed_in("create", &body);
        let desc = format!("Bad Request: Missing {missing}");
        assert_eq!(only(&said).body, json!({"code": 400, "desc": desc}));
        assert_eq!(told(&said), [] as [Value; 0]);
    }
}

#[test]
fn an_invitation_to_an_object_that_nobody_takes_is_answered_404() {
    let body = json!({"resource": "hello://there.example/1", "source": "h", "schema": "s", "value": {}, "identity": {}});

    assert_eq!(only(&handed_in("create", &body)).body["code"], 404);
}

#[test]
fn a_deletion_reaches_the_stub_s_callback() {
    let said = handed_in(
        "delete",
        &json!({"resource": "comm://there.example/1", "identity": {"a": 1}}),
    );

    let event = json!({"type": "delete", "url": "comm://there.example/1", "identity": {"a": 1}});
    assert_eq!(told(&said)[0], event);
    assert_eq!(only(&said).body, json!({"code": 200, "source": LEGACY}));
    assert_eq!(only(&handed_in("delete", &json!({}))).body["code"], 400);
}

#[test]
fn addresses_are_divided_as_published() {
    let cases = [
        ("hyperty://sp.org/123", "hyperty", "sp.org", "/123"),
        ("user://google.com/a@b.c", "user", "google.com", "/a@b.c"),
        ("sip:alice@x.y", "sip", "x.y", "sip://alice@x.y"),
        (
            "fitness://sharinglisboa@google.com",
            "fitness",
            "google.com",
            "fitness://sharinglisboa@google.com",
        ),
        ("alice@x.y", "smtp", "x.y", "smtp://alice@x.y"),
        ("localhost", "", "localhost", ""),
        (
            "http://localhost:9090/test",
            "http",
            "localhost:9090",
            "/test",
        ),
        ("runtime://sp.sp/8456/sm", "runtime", "sp.sp", "/8456/sm"),
        ("runtime://sp1.sp", "runtime", "sp1.sp", ""),
        ("mn:/session", "", "mn:/session", ""),
        ("*", "", "*", ""),
        ("tel:123", "tel", "123", ""),
        ("hyperty://a/b", "hyperty", "a", "/b"),
        ("hyperty://sp.org/a,b", "hyperty", "sp.org", "/a,b"),
        ("hyperty://sp.org?q=1", "hyperty", "sp.org", "?q=1"),
    ];

    for (url, kind, domain, identity) in cases {
        let (_, said) = using(&format!("say(factory.divideURL('{url}'))"));
        let divided = json!({"type": kind, "domain": domain, "identity": identity});
        assert_eq!(told(&said).last(), Some(&divided), "{url}");
        let warned = logged(&said)
            .iter()
            .any(|line| line.contains("has no scheme"));
        assert_eq!(warned, kind.is_empty(), "{url}");
    }
}

#[test]
fn an_identity_for_a_message_has_what_was_given() {
    let make = "factory.createMessageBodyIdentity";
    let cases = [
        (
            "'alice', 'slack://alice@slack.com', 'p.png', 'Alice', 'pt', 'idp.com', 'assertion'",
            json!({"idp": "idp.com", "assertion": "assertion", "userProfile": {
                "preferred_username": "alice", "userURL": "slack://alice@slack.com", "picture": "p.png",
                "name": "Alice", "locale": "pt",
            }}),
        ),
        (
            "'alice', 'u', undefined, 'Alice', '', 'idp.com', undefined, {name: 'A', team: 't'}",
            json!({"idp": "idp.com", "userProfile": {
                "preferred_username": "alice", "userURL": "u", "name": "A", "team": "t",
            }}),
        ),
    ];

    for (arguments, expected) in cases {
        let (_, said) = using(&format!("say({make}({arguments}))"));
        assert_eq!(told(&said), [expected]);
    }
    for (arguments, missing) in [
        ("'alice'", "IDP"),
        ("'', 'u', '', '', '', 'idp.com'", "username"),
    ] {
        let (_, said) = using(&format!(
            "try {{ {make}({arguments}) }} catch (e) {{ say(e.message) }}"
        ));
        assert_eq!(
            told(&said),
            [json!(format!("{missing} should be a parameter"))]
        );
    }
}

#[test]
fn the_factory_has_the_published_members_and_belongs_to_its_component() {
    let (_, said) = using(
        "say(Object.keys(factory).filter((name) => name.startsWith('create')).sort());
         say([factory._bus === bus, typeof factory._divideURL, Object.isFrozen(factory)]);",
    );

    let methods = [
        "createChat",
        "createChatController",
        "createChatManager",
        "createContextObserver",
        "createContextReporter",
        "createDiscovery",
        "createIdentityManager",
        "createMessageBodyIdentity",
        "createNotificationHandler",
        "createRegistrationStatus",
        "createSearch",
        "createSimpleChatManager",
        "createSyncher",
    ];
    assert_eq!(
        told(&said),
        [json!(methods), json!([true, "function", true])]
    );
}

#[test]
fn a_logger_puts_its_name_in_front_and_leaves_out_what_is_below_its_level() {
    let (_, said) = using(
        "const log = factory.logger.getLogger('Chat');
         log.info('one', {a: 1}); log.setLevel('warn'); log.info('two'); log.warn('three');
         say([log.getLevel(), factory.logger.getLogger('Chat') === log]);
         factory.logger.debug('four'); log.setLevel('silent'); log.error('five');
         try { log.setLevel('loud') } catch (e) { say(e.message) }",
    );

    let expected = [
        json!("[Chat] one {a: 1}"),
        json!("[Chat] three"),
        json!(["warn", true]),
        json!("four"),
        json!("no log level `loud`; there are trace, debug, info, warn, error, silent"),
    ];
    assert_eq!(told(&said), expected);
}
