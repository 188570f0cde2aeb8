//! Discovery: spec services §2.9 and §8.3 F, messaging §8.2.

use serde_json::{Value, json};

use super::services::{RT, only, outline, reply, told, using};
use super::world::{ME, Said, World, sent};

const BOB: &str = "hyperty://there.example/bob";

fn discovering(call: &str) -> (World, Vec<Said>) {
    using(&format!(
        "const discovery = factory.createDiscovery(url, config.runtimeURL, bus);
         tell({call});"
    ))
}

/// One lookup: what is asked, and what comes of an answer.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better at the calls"
)]
fn check(call: &str, asked: Value, answer: Value, result: Value) {
    let (world, said) = discovering(&format!("discovery.{call}"));
    let request = only(&said);
    let expected = json!({
        "type": "read", "from": ME, "to": format!("{RT}/discovery/"), "body": asked,
    });

    let then = reply(&world, &request, answer);

    assert_eq!(outline(&request), expected, "{call}");
    assert_eq!(told(&then), [result], "{call}");
}

fn found(records: &Value) -> Value {
    json!({"code": 200, "value": records})
}

// services §8.3 case 59
// messaging A.4 case 39
#[test]
fn each_lookup_asks_the_discovery_room_for_its_resource() {
    let bob = json!([{"hypertyID": BOB, "status": "live"}]);
    let object = json!([{"url": "comm://there.example/1"}]);
    let criteria = json!({"resources": ["chat"], "dataSchemes": ["comm"], "domain": "d.example"});
    let anywhere = json!({"resources": ["chat"], "dataSchemes": ["comm"]});
    let within = [
        (
            "discoverHyperties('user://idp.example/bob'",
            "/hyperty/user/user://idp.example/bob",
            &bob,
        ),
        (
            "discoverHyperties('bob@idp.example'",
            "/hyperty/user/bob@idp.example",
            &bob,
        ),
        (
            "discoverDataObjects('bob@idp.example'",
            "/dataObject/user/bob@idp.example",
            &object,
        ),
        (
            "discoverDataObjectsPerName('talk'",
            "/dataObject/name/talk",
            &object,
        ),
        (
            "discoverDataObjectsPerReporter('hyperty://x.example/1'",
            "/dataObject/reporter/hyperty://x.example/1",
            &object,
        ),
    ];
    let everywhere = [
        (
            "discoverHypertiesPerGUID('user-guid://1'",
            "/hyperty/guid/user-guid://1",
            &bob,
        ),
        (
            "discoverDataObjectsPerGUID('user-guid://1'",
            "/dataObject/guid/user-guid://1",
            &object,
        ),
        (
            "discoverHypertiesPerUserProfileData('Bob'",
            "/hyperty/userprofile/Bob",
            &bob,
        ),
        (
            "discoverDataObjectsPerUserProfileData('Bob'",
            "/dataObject/userprofile/Bob",
            &object,
        ),
    ];

    for (call, resource, records) in within {
        let full = format!("{call}, ['comm'], ['chat'], 'd.example')");
        let asked = json!({"resource": resource, "criteria": criteria});
        check(&full, asked, found(records), records.clone());
        let asked = json!({"resource": resource, "criteria": {"domain": "here.example"}});
        check(&format!("{call})"), asked, found(records), records.clone());
    }
    for (call, resource, records) in everywhere {
        let full = format!("{call}, ['comm'], ['chat'])");
        let asked = json!({"resource": resource, "criteria": anywhere});
        check(&full, asked, found(records), records.clone());
        check(
            &format!("{call})"),
            json!({"resource": resource}),
            found(records),
            records.clone(),
        );
    }
}

#[test]
fn a_lookup_by_address_gives_one_record() {
    let record = json!({"hypertyID": BOB, "status": "disconnected"});
    let object = json!({"url": "comm://there.example/1"});
    let asked = |resource: &str, domain: &str| json!({"resource": resource, "criteria": {"domain": domain}});
    let hyperty = format!("/hyperty/url/{BOB}");
    let comm = "/dataObject/url/comm://there.example/1";

    check(
        &format!("discoverHypertyPerURL('{BOB}')"),
        asked(&hyperty, "here.example"),
        found(&record),
        record.clone(),
    );
    check(
        "discoverDataObjectPerURL('comm://there.example/1', 'd.example')",
        asked(comm, "d.example"),
        found(&object),
        object,
    );
    check(
        &format!("discoverHypertyPerURL('{BOB}')"),
        asked(&hyperty, "here.example"),
        json!({"code": 404, "description": "Not Found"}),
        json!([]),
    );
}

// services §8.3 case 60
// messaging A.4 case 46
#[test]
fn what_is_not_found_is_an_empty_list() {
    let errors = [
        json!({"code": 404, "description": "Not Found"}),
        json!({"code": 500, "description": "This search is not available at the moment. Try later."}),
        json!({"code": 500, "value": {}}),
        json!({"code": 408, "desc": "Response timeout!"}),
        json!({"code": 200}),
        json!({"code": 200, "value": [null, 7, "text", []]}),
        json!({}),
    ];
    let calls = [
        "discoverHyperties('user://a.example/b')",
        "discoverDataObjects('user://a.example/b')",
        "discoverDataObjectsPerName('n')",
        "discoverDataObjectsPerReporter('hyperty://a.example/b')",
        "discoverDataObjectsPerGUID('user-guid://1')",
        "discoverHypertiesPerUserProfileData('n')",
        "discoverDataObjectsPerUserProfileData('n')",
    ];

    for call in calls {
        for error in &errors {
            let (world, said) = discovering(&format!("discovery.{call}"));
            let then = reply(&world, &only(&said), error.clone());
            assert_eq!(told(&then), [json!([])], "{call}: {error}");
        }
    }
}

#[test]
fn a_lookup_by_guid_that_finds_none_is_rejected_and_one_that_fails_is_empty() {
    let guid = "discoverHypertiesPerGUID('user-guid://1')";
    let asked = json!({"resource": "/hyperty/guid/user-guid://1"});

    let rejected = json!({"rejected": "No Hyperty was found"});
    check(guid, asked.clone(), found(&json!([])), rejected.clone());
    check(
        guid,
        asked.clone(),
        found(&json!([{"hypertyID": ME}])),
        rejected,
    );
    check(
        guid,
        asked,
        json!({"code": 500, "description": "no"}),
        json!([]),
    );
}

#[test]
fn the_hyperty_that_asks_is_not_among_the_found() {
    let records = json!([{"hypertyID": ME}, {"hypertyID": BOB}]);
    let others = json!([{"hypertyID": BOB}]);
    let user = json!({"resource": "/hyperty/user/user://a.example/b", "criteria": {"domain": "here.example"}});

    check(
        "discoverHyperties('user://a.example/b')",
        user,
        found(&records),
        others.clone(),
    );
    let profile = json!({"resource": "/hyperty/userprofile/b"});
    check(
        "discoverHypertiesPerUserProfileData('b')",
        profile,
        found(&records),
        others,
    );
}

// messaging A.2 case 28
#[test]
fn a_value_that_comes_with_500_counts() {
    let gone = json!([{"hypertyID": BOB, "status": "disconnected"}]);
    let asked = json!({"resource": "/hyperty/user/user://a.example/b", "criteria": {"domain": "here.example"}});

    check(
        "discoverHyperties('user://a.example/b')",
        asked,
        json!({"code": 500, "value": gone}),
        gone,
    );
}

// messaging A.4 case 40
#[test]
fn a_user_of_another_network_is_found_without_a_message() {
    let (_, said) = discovering("discovery.discoverHyperties('slack:bob', ['comm'], ['chat'])");
    let (_, live) = discovering(
        "discovery.discoverHypertiesDO('slack:bob').then((found) => found.map((one) => one.data))",
    );

    let legacy = json!([{"hypertyID": "slack:bob", "status": "live"}]);
    assert_eq!((sent(&said), told(&said)), (vec![], vec![legacy.clone()]));
    assert_eq!((sent(&live), told(&live)), (vec![], vec![legacy]));
}

#[test]
fn each_lookup_has_a_twin_that_gives_live_objects() {
    let lists = [
        "discoverHyperties",
        "discoverDataObjects",
        "discoverDataObjectsPerName",
        "discoverDataObjectsPerReporter",
        "discoverHypertiesPerGUID",
        "discoverDataObjectsPerGUID",
        "discoverHypertiesPerUserProfileData",
        "discoverDataObjectsPerUserProfileData",
    ];
    let shape = "(one) => [one.data, typeof one.onLive, typeof one.check]";
    let record = json!({"hypertyID": BOB, "status": "live"});
    let live = json!([record, "function", "function"]);

    for name in lists {
        let call = format!("discovery.{name}DO('x').then((found) => found.map({shape}))");
        let (world, said) = discovering(&call);
        let then = reply(&world, &only(&said), found(&json!([record])));
        assert_eq!(told(&then), [json!([live])], "{name}DO");
    }
    for name in ["discoverHypertyPerURLDO", "discoverDataObjectPerURLDO"] {
        let (world, said) = discovering(&format!("discovery.{name}('x').then({shape})"));
        let then = reply(&world, &only(&said), found(&record));
        assert_eq!(told(&then), std::slice::from_ref(&live), "{name}");
    }
}

#[test]
fn who_is_not_registered_can_still_be_waited_for() {
    let call = format!(
        "discovery.discoverHypertyPerURLDO('{BOB}').then((one) => one.onLive(url, () => say('back')))"
    );
    let (world, said) = discovering(&call);

    let then = reply(&world, &only(&said), json!({"code": 404}));

    let body = json!({"resources": [format!("{BOB}/registration")]});
    assert_eq!(only(&then).body, body);
}

// services §8.3 case 58
#[test]
fn discoveries_are_resumed_for_each_registration_that_was_waited_for() {
    let (world, said) =
        discovering("discovery.resumeDiscoveries().then((all) => all.map((one) => one.data))");
    let read = only(&said);
    let urls = json!([
        format!("{BOB}/registration"),
        "comm://there.example/1/registration",
        "hyperty://there.example/gone/registration",
        "comm://there.example/2/changes",
    ]);

    let lookups = sent(&reply(&world, &read, json!({"code": 200, "value": urls})));
    let asked: Vec<_> = lookups.iter().map(|m| m.body["resource"].clone()).collect();
    reply(&world, &lookups[2], json!({"code": 404}));
    reply(
        &world,
        &lookups[1],
        found(&json!({"url": "comm://there.example/1"})),
    );
    let then = reply(&world, &lookups[0], found(&json!({"hypertyID": BOB})));

    let expected = json!({"type": "read", "from": ME, "to": format!("{RT}/subscriptions"), "body": {"resource": ME}});
    assert_eq!(outline(&read), expected);
    let resources = [
        format!("/hyperty/url/{BOB}"),
        "/dataObject/url/comm://there.example/1".to_owned(),
        "/hyperty/url/hyperty://there.example/gone".to_owned(),
    ];
    assert_eq!(asked, resources.map(Value::from));
    assert_eq!(
        told(&then),
        [json!([{"hypertyID": BOB}, {"url": "comm://there.example/1"}])]
    );
}

#[test]
fn without_subscriptions_there_is_nothing_to_resume() {
    let (world, said) = discovering("discovery.resumeDiscoveries()");

    let then = reply(
        &world,
        &only(&said),
        json!({"code": 404, "description": "Not Found"}),
    );

    assert_eq!(told(&then), [json!([])]);
}

#[test]
fn deprecated_lookups_go_straight_to_the_registry_of_a_domain() {
    let records = json!({
        "hyperty://a.example/1": {"descriptor": "one", "lastModified": "2026-01-01T00:00:00Z"},
        "hyperty://a.example/2": {"descriptor": "two", "lastModified": "2026-03-01T00:00:00Z"},
        "hyperty://a.example/3": {"descriptor": "three"},
    });
    let newest =
        json!({"id": "bob@a.example", "descriptor": "two", "hypertyURL": "hyperty://a.example/2"});
    let none = json!({"rejected": "User Hyperty not found"});
    let cases = [
        (
            "discoverDataObject('talk', ['comm'], ['chat'], 'a.example')",
            "talk",
            json!([]),
            records.clone(),
        ),
        (
            "discoverHyperty('bob@a.example', [], [], 'a.example')",
            "user://a.example/bob",
            json!({"rejected": "No Hyperty was found"}),
            records.clone(),
        ),
        (
            "discoverHypertyPerUser('bob@a.example', 'a.example')",
            "user://a.example/bob",
            none.clone(),
            newest,
        ),
        (
            "discoverHypertiesPerUser('user://a.example/bob', 'a.example')",
            "user://a.example/bob",
            none,
            records.clone(),
        ),
    ];

    for (call, resource, without, with) in cases {
        for (answer, result) in [(found(&records), with), (json!({"code": 404}), without)] {
            let (world, said) = discovering(&format!("discovery.{call}"));
            let request = only(&said);
            let then = reply(&world, &request, answer);
            assert_eq!(request.to, "domain://registry.a.example", "{call}");
            assert_eq!(request.body["resource"], resource, "{call}");
            assert_eq!(told(&then), [result], "{call}");
        }
    }
}

// The published SIP stub leaves the runtime's address out.
#[test]
fn the_runtime_may_be_left_out() {
    let (_, said) = using(
        "tell(factory.createDiscovery(url, bus).discoverHypertyPerURL('hyperty://a.example/1'))",
    );

    assert_eq!(only(&said).to, format!("{RT}/discovery/"));
}
