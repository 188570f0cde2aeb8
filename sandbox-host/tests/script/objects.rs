//! Data objects are created, and others invited and subscribed: spec services §8.3 A and B.

use serde_json::{Value, json};

use super::syncing::{DO, HA, HB, Pair, SCHEMA, SM, response, subscribed, update};
use super::world::{World, logged};

// messaging A.1 case 2
#[test]
fn a_syncher_needs_the_address_the_bus_and_the_runtime() {
    let world = World::new();

    let said = world.start(
        HA,
        "console.log(factory.createSyncher(url, bus, {runtimeURL: 'runtime://home.ex/r1'}).owner);
         try { factory.createSyncher(url, bus, {}) } catch (error) { console.log(error.message) }",
    );

    assert_eq!(
        logged(&said),
        [HA, "[Syncher] the configuration has no `runtimeURL`"]
    );
}

#[test]
fn a_new_object_is_asked_of_the_sync_manager() {
    let pair = Pair::idle(json!({}));

    let sent = pair.run(&format!(
        "a.create('{SCHEMA}', [], {{x: 1}}, true, false, '', {{}}, {{resources: ['hello'], reuseURL: true, mutual: true, extra: {{deep: 1}}}})"
    ));

    assert_eq!((sent[0].kind.as_str(), sent[0].to.as_str()), ("create", SM));
    let body = &sent[0].body;
    assert_eq!(
        (
            &body["resume"],
            &body["schema"],
            &body["store"],
            &body["p2p"],
            &body["identity"]
        ),
        (
            &json!(false),
            &json!(SCHEMA),
            &json!(true),
            &Value::Null,
            &json!({})
        )
    );
    let mut value = body["value"].clone();
    for clock in ["created", "lastModified"] {
        value.as_object_mut().unwrap().remove(clock).unwrap();
    }
    assert_eq!(
        value,
        json!({"schema": SCHEMA, "name": "no name", "reporter": HA, "runtime": "runtime://home.ex/r1", "resume": false,
            "mutual": true, "authorise": [], "data": {"x": 1}, "resources": ["hello"], "reuseURL": true, "resource": true,
            "extra": {"deep": 1}})
    );
}

#[test]
fn a_creation_without_schema_or_observers_throws_and_a_refused_one_rejects() {
    let pair = Pair::idle(json!({}));

    let said = pair.said(
        "try { a.create() } catch (error) { console.log(error.message) }
        try { a.create('s') } catch (error) { console.log(error.message) }",
    );
    let sent = pair.run("a.create('s', []).catch((reason) => events.push(reason))");
    pair.deliver(response(
        sent[0].id,
        SM,
        HA,
        json!({"code": 500, "desc": "unknown schema"}),
    ));

    assert_eq!(
        logged(&said),
        [
            "[Syncher - Create] - You need specify the data object schema",
            "[Syncher - Create] - The observers should be defined"
        ]
    );
    assert_eq!(pair.value("events"), json!(["unknown schema"]));
}

// services §8.3 case 8
// services §8.3 case 9
#[test]
fn an_invitation_resolves_with_what_the_invited_one_answers() {
    let pair = Pair::reporting(json!({"x": 1}));

    let sent = pair.run(
        "reporter.inviteObservers(['hyperty://away.ex/b', 'hyperty://away.ex/c']);
         for (const one of reporter.invitations) one.then((won) => events.push(won), (lost) => events.push(lost))",
    );
    for (invitation, answer) in sent.iter().zip([
        json!({"code": 200}),
        json!({"code": 408, "desc": "Response timeout!"}),
    ]) {
        pair.deliver(response(invitation.id, SM, HA, answer));
    }

    let body = &sent[0].body;
    assert_eq!(
        (
            &body["resource"],
            &body["authorise"],
            &body["resume"],
            &body["schema"],
            &body["value"]["url"]
        ),
        (
            &json!(DO),
            &json!([HB]),
            &json!(false),
            &json!(SCHEMA),
            &json!(DO)
        )
    );
    assert_eq!(
        pair.value("events"),
        json!([{"invited": HB, "code": 200, "desc": "Unknown"},
            {"invited": "hyperty://away.ex/c", "code": 408, "desc": "Response timeout!"}])
    );
}

#[test]
fn an_invitation_is_a_notification_that_is_acknowledged_once() {
    let pair = Pair::idle(json!({}));
    pair.load(HB, "b");
    pair.run("b.onNotification((event) => { events.push(event); event.ack(); event.ack(500) })");

    let sent = pair.deliver(
        json!({"id": 4, "type": "create", "from": "comm://home.ex/o1/subscription", "to": HB,
        "body": {"p2p": false, "source": HA, "schema": SCHEMA, "identity": {"userProfile": {}}}}),
    );

    assert_eq!(
        pair.value("events"),
        json!([{"type": "create", "from": HA, "url": DO, "domain": "home.ex", "schema": SCHEMA, "p2p": false,
            "identity": {"userProfile": {}}}])
    );
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (
            sent[0].id,
            sent[0].kind.as_str(),
            sent[0].from.as_str(),
            sent[0].to.as_str(),
            &sent[0].body
        ),
        (
            4,
            "response",
            HB,
            "comm://home.ex/o1/subscription",
            &json!({"code": 200})
        )
    );
}

// services §8.3 case 13
// messaging A.1 case 15
#[test]
fn a_subscription_resolves_with_the_data_after_its_provisional_answer() {
    let pair = Pair::idle(json!({}));
    pair.load(HB, "b");

    let sent = pair.run(&format!(
        "b.subscribe({{schema: '{SCHEMA}', resource: '{DO}', mutual: false}}).then((o) => {{ observer = o }})"
    ));
    let offered = json!({"code": 100, "childrenResources": [], "schema": SCHEMA, "resource": DO});
    pair.deliver(response(sent[0].id, SM, HB, offered));
    let before = pair.value("typeof observer");
    pair.deliver(subscribed(sent[0].id, &json!({"a": 1}), 4));

    assert_eq!(
        (sent[0].kind.as_str(), sent[0].to.as_str(), &sent[0].body),
        (
            "subscribe",
            SM,
            &json!({"schema": SCHEMA, "resource": DO, "mutual": false})
        )
    );
    assert_eq!(before, json!("undefined"));
    assert_eq!(
        pair.value("[observer.data, observer.url, observer.schema, observer.status, observer._version, observer._reporter, Object.keys(b.observers)]"),
        json!([{"a": 1}, DO, SCHEMA, "live", 4, HA, [DO]])
    );
}

#[test]
fn a_component_of_the_first_generation_subscribes_with_one_argument_after_the_other() {
    let pair = Pair::idle(json!({}));

    let sent = pair.run(&format!(
        "a.subscribe('{SCHEMA}', '{DO}', true, false, true, false, {{guid: 'g'}})"
    ));

    assert_eq!(
        sent[0].body,
        json!({"resume": false, "schema": SCHEMA, "resource": DO, "store": true, "mutual": true,
            "domain_subscription": false, "identity": {"guid": "g"}})
    );
}

// services §8.3 case 16
#[test]
fn a_refused_subscription_rejects_with_the_reason() {
    let pair = Pair::idle(json!({}));

    let sent = pair.run(&format!(
        "a.subscribe({{resource: '{DO}'}}).catch((reason) => events.push(reason))"
    ));
    pair.deliver(response(
        sent[0].id,
        SM,
        HA,
        json!({"code": 403, "desc": "no"}),
    ));

    assert_eq!(
        pair.value("[events, Object.keys(a.observers)]"),
        json!([["no"], []])
    );
}

fn asked(body: &Value) -> Value {
    let mut asked = json!({"type": "subscribe", "from": HB, "to": DO, "identity": {"userProfile": {"userURL": "user://u/b"}}});
    asked
        .as_object_mut()
        .unwrap()
        .extend(body.as_object().unwrap().clone());
    json!({"id": 9, "type": "forward", "from": DO, "to": HA, "body": asked})
}

// services §8.3 case 18
// services §8.3 case 22
#[test]
fn an_accepted_observer_gets_the_data_and_mutual_false_is_shared() {
    let pair = Pair::reporting(json!({"x": 1}));
    pair.run("reporter.metadata.subscriptions = []; reporter.onSubscription((event) => { events.push(event); event.accept() })");

    let sent = pair.deliver(asked(&json!({})));
    let second = pair.deliver(asked(&json!({"mutual": false})));

    let body = &sent[0].body;
    assert_eq!(
        (
            sent[0].id,
            sent[0].kind.as_str(),
            sent[0].from.as_str(),
            sent[0].to.as_str()
        ),
        (9, "response", HA, DO)
    );
    assert_eq!(
        (
            &body["code"],
            &body["schema"],
            &body["value"]["url"],
            &body["value"]["version"],
            &body["value"]["data"]
        ),
        (
            &json!(200),
            &json!(SCHEMA),
            &json!(DO),
            &json!(0),
            &json!({"x": 1})
        )
    );
    assert_eq!(
        pair.value("[events[0].type, events[0].url, events[0].domain, events[0].identity, events[1].mutual, events[1].nutual, reporter.subscriptions, reporter.metadata.subscriptions]"),
        json!(["subscribe", HB, "away.ex", {"userProfile": {"userURL": "user://u/b"}}, false, false,
            {HB: {"url": HB, "status": "live"}}, [HB]])
    );
    let told: Vec<_> = second
        .iter()
        .map(|sent| {
            (
                sent.kind.as_str(),
                &sent.body["mutual"],
                &sent.body["attribute"],
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("update", &Value::Null, &json!("mutual")),
            ("response", &json!(false), &Value::Null)
        ]
    );
}

// services §8.3 case 19
#[test]
fn a_rejected_observer_hears_the_reason_and_is_not_remembered() {
    let pair = Pair::reporting(json!({}));
    pair.run("reporter.onSubscription((event) => { event.reject('busy'); event.accept() })");

    let sent = pair.deliver(asked(&json!({})));

    assert_eq!(sent.len(), 1);
    assert_eq!(
        (&sent[0].body["code"], &sent[0].body["desc"]),
        (&json!(403), &json!("busy"))
    );
    assert_eq!(pair.value("reporter.subscriptions"), json!({}));
}

#[test]
fn a_request_that_comes_before_the_component_listens_waits_for_it() {
    let pair = Pair::reporting(json!({}));

    let early = pair.deliver(asked(&json!({})));
    let sent = pair.run("reporter.onSubscription((event) => event.accept())");

    assert_eq!(early, []);
    assert_eq!((sent[0].id, &sent[0].body["code"]), (9, &json!(200)));
}

#[test]
fn updates_that_come_before_the_answer_to_the_subscription_are_not_lost() {
    let pair = Pair::idle(json!({}));
    pair.load(HB, "b");
    let sent = pair.run(&format!(
        "b.subscribe({{resource: '{DO}'}}).then((o) => {{ observer = o }})"
    ));

    for version in [4, 5, 6] {
        pair.deliver(update(
            &json!({"version": version, "attribute": format!("v{version}"), "value": version}),
        ));
    }
    let after = pair.deliver(subscribed(sent[0].id, &json!({"v4": 4}), 4));

    assert_eq!(after, []);
    assert_eq!(
        pair.value("[observer.data, observer._version]"),
        json!([{"v4": 4, "v5": 5, "v6": 6}, 6])
    );
}
