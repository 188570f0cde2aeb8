//! Data objects are taken up again and end: spec services §8.3 E.

use serde_json::{Value, json};

use super::syncing::{DO, HA, HB, Pair, SCHEMA, SM, response, update};
use super::world::logged;

fn kept(version: u64) -> Value {
    let child = |creator: &str| {
        json!({"value": {"url": "c", "parent": DO, "reporter": creator, "created": "t", "runtime": "r",
        "schema": "s", "data": {"n": 1}}, "identity": {}, "version": 4})
    };
    json!({"url": DO, "reporter": HA, "created": "t", "runtime": "runtime://home.ex/r1", "schema": SCHEMA, "name": "c",
        "mutual": true, "data": {"x": 1}, "version": version, "isReporter": true,
        "childrenObjects": {"c1": child(HA), "c2": child(HB)}})
}

// services §8.3 case 50
#[test]
fn reporters_are_taken_up_with_their_versions_and_children() {
    let pair = Pair::idle(json!({}));
    pair.run("a.onReportersResume((map) => events.push(Object.keys(map)))");

    let sent = pair.run("globalThis.criteria = {store: true}; a.resumeReporters(criteria).then((map) => { reporter = Object.values(map)[0]; d = reporter.data })");
    pair.deliver(response(
        sent[0].id,
        SM,
        HA,
        json!({"code": 200, "value": [kept(1_000_006)]}),
    ));
    let changes =
        pair.run("d.x = 2; reporter.childrens.c1.data.n = 2; reporter.childrens.c2.data.n = 2");

    assert_eq!((sent[0].kind.as_str(), sent[0].to.as_str()), ("create", SM));
    assert_eq!(
        sent[0].body,
        json!({"resume": true, "store": true, "value": {"store": true, "resume": true, "reporter": HA}})
    );
    assert_eq!(
        pair.value("[events, criteria, reporter.status, reporter.metadata.mutual, reporter.metadata.resume, Object.keys(a.reporters), reporter._childrenObjects.c1.version]"),
        json!([[[DO]], {"store": true, "resume": true, "reporter": HA}, "live", false, true, [DO], 4])
    );
    let told: Vec<_> = changes
        .iter()
        .map(|s| (s.to.as_str(), &s.body["version"]))
        .collect();
    assert_eq!(
        told,
        [
            ("comm://home.ex/o1/changes", &json!(1_000_007)),
            ("comm://home.ex/o1/children/", &json!(5))
        ]
    );
}

// services §8.3 case 51
#[test]
fn nothing_to_take_up_is_an_empty_map_and_a_failure_rejects() {
    let pair = Pair::idle(json!({}));

    for resume in ["resumeReporters", "resumeObservers"] {
        let sent = pair.run(&format!("for (let n = 0; n < 2; n += 1) a.{resume}().then((map) => events.push(map), (reason) => events.push(reason))"));
        pair.deliver(response(
            sent[0].id,
            SM,
            HA,
            json!({"code": 404, "desc": "No data objects reporters to be resumed"}),
        ));
        pair.deliver(response(
            sent[1].id,
            SM,
            HA,
            json!({"code": 500, "desc": "broken"}),
        ));
    }

    assert_eq!(pair.value("events"), json!([{}, "broken", {}, "broken"]));
}

// services §8.3 case 52
#[test]
fn observers_are_taken_up_and_miss_nothing_meanwhile() {
    let pair = Pair::idle(json!({}));
    pair.run("a.onObserversResume((map) => events.push(Object.keys(map)))");

    let sent = pair.run(
        "a.resumeObservers({store: true}).then((map) => { observer = Object.values(map)[0] })",
    );
    let offered = json!({"code": 100, "childrenResources": [], "schema": SCHEMA, "resource": DO});
    pair.deliver(response(sent[0].id, SM, HA, offered));
    pair.deliver(update(&json!({"version": 7, "attribute": "x", "value": 2})));
    pair.deliver(response(
        sent[0].id,
        SM,
        HA,
        json!({"code": 200, "value": [kept(6)]}),
    ));
    pair.deliver(update(&json!({"version": 8, "attribute": "y", "value": 3})));

    assert_eq!(
        (sent[0].kind.as_str(), &sent[0].body),
        ("subscribe", &json!({"resume": true, "store": true}))
    );
    assert_eq!(
        pair.value("[events, observer.data, observer._version, Object.keys(observer.childrens), observer.metadata.resume]"),
        json!([[[DO]], {"x": 2, "y": 3}, 8, ["c1", "c2"], true])
    );
}

#[test]
fn what_moved_on_while_a_component_was_away_is_read() {
    let pair = Pair::new(json!({"x": 1}));

    let mut sent = pair.deliver(update(&json!({"version": 9, "source": HA, "behind": true})));
    sent.retain(|read| read.from == HB);
    let value = json!({"url": DO, "data": {"x": 1, "l": [1]}, "version": 9});
    pair.deliver(response(
        sent[0].id,
        SM,
        HB,
        json!({"code": 200, "value": value}),
    ));
    let known = pair.deliver(update(&json!({"version": 9, "attribute": "x", "value": 2})));

    assert_eq!(sent[0].kind, "read");
    assert_eq!(known, []);
    assert_eq!(
        pair.value("[observer.data, events.map((e) => e.field)]"),
        json!([{"x": 1, "l": [1]}, ["l"]])
    );
}

#[test]
fn children_that_a_participant_could_not_be_told_of_are_read() {
    let pair = Pair::new(json!({"x": 1}));
    for name in ["reporter", "observer"] {
        pair.run(&format!("{name}._childrenObjects = {{c1: {{}}}}; {name}.onAddChild((e) => events.push(['{name}', e.childId]))"));
    }

    let sent = pair.deliver(update(&json!({"version": 0, "source": HA, "behind": true})));
    let (parts, last) = (
        json!({"c1": kept(0)["childrenObjects"]["c1"]}),
        kept(0)["childrenObjects"]["c2"].clone(),
    );
    for (read, reader) in sent.iter().zip([HA, HB]) {
        let part = json!({"url": DO, "childrenObjects": parts, "responses": 2});
        pair.deliver(response(
            read.id,
            SM,
            reader,
            json!({"code": 100, "value": part}),
        ));
        let value = json!({"url": DO, "data": {"x": 1}, "version": 0, "childrenObjects": {"c2": last}, "responses": 2});
        pair.deliver(response(
            read.id,
            SM,
            reader,
            json!({"code": 200, "value": value}),
        ));
    }

    let reads: Vec<_> = sent
        .iter()
        .map(|s| (s.kind.as_str(), s.from.as_str()))
        .collect();
    assert_eq!(reads, [("read", HA), ("read", HB)]);
    assert_eq!(
        pair.value("[events, observer.data]"),
        json!([[["reporter", "c2"], ["observer", "c2"]], {"x": 1}])
    );
}

#[test]
fn a_child_that_missed_an_update_is_made_good_by_a_read() {
    let pair = Pair::new(json!({}));
    let child = |version: u64, n: u64| {
        let mut child = kept(0)["childrenObjects"]["c1"].clone();
        child["version"] = json!(version);
        child["value"]["data"] = json!({"n": n, "m": n});
        json!({"url": DO, "data": {}, "version": 0, "childrenObjects": {"c1": child}})
    };
    let read = pair.run("observer.sync()");
    pair.deliver(response(
        read[0].id,
        SM,
        HB,
        json!({"code": 200, "value": child(4, 4)}),
    ));

    let delta = json!({"resource": "c1", "version": 6, "attribute": "n", "value": 6});
    pair.deliver(json!({"id": 1, "type": "update", "from": HA, "to": "comm://home.ex/o1/children/", "body": delta}));
    let between = pair.value("observer.childrens.c1.data");
    let read = pair.run("observer.sync()");
    pair.deliver(response(
        read[0].id,
        SM,
        HB,
        json!({"code": 200, "value": child(6, 6)}),
    ));

    assert_eq!(between, json!({"n": 6, "m": 4}));
    assert_eq!(
        pair.value("observer.childrens.c1.data"),
        json!({"n": 6, "m": 6})
    );
}

#[test]
fn a_refused_change_of_a_child_is_told() {
    let pair = Pair::new(json!({}));

    let refusal = json!({"code": 413, "desc": "too large"});
    let said = pair
        .world
        .deliver(response(50, "comm://home.ex/o1/children/", HB, refusal));

    assert_eq!(
        logged(&said),
        ["data object `comm://home.ex/o1`: a change of its children was refused: 413 too large"]
    );
}

#[test]
fn who_unsubscribes_hears_no_more() {
    let pair = Pair::new(json!({"x": 1}));

    let sent = pair.run("observer.unsubscribe(); observer.unsubscribe()");
    pair.deliver(update(&json!({"version": 1, "attribute": "x", "value": 2})));

    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].kind.as_str(), sent[0].to.as_str(), &sent[0].body),
        ("unsubscribe", SM, &json!({"resource": DO}))
    );
    assert_eq!(
        pair.value("[observer.data, observer.status, b.observers]"),
        json!([{"x": 1}, "unsubscribed", {}])
    );
}

// services §8.3 case 54
#[test]
fn a_reporter_hears_who_unsubscribes() {
    let pair = Pair::reporting(json!({}));
    pair.run(&format!(
        "reporter._subscriptions['{HB}'] = {{}}; reporter.onSubscription((e) => events.push(e))"
    ));

    let body = json!({"type": "unsubscribe", "from": HB, "to": DO, "identity": {"guid": "g"}});
    pair.deliver(json!({"id": 3, "type": "forward", "from": DO, "to": HA, "body": body}));

    assert_eq!(
        pair.value("[events, reporter.subscriptions]"),
        json!([[{"type": "unsubscribe", "url": HB, "domain": "away.ex", "identity": {"guid": "g"}}], {}])
    );
}

#[test]
fn a_deleted_object_is_forgotten_and_its_data_stays_readable() {
    let pair = Pair::reporting(json!({"x": 1}));

    let sent = pair.run("reporter.delete()");
    let still = pair.run("d.x = 2");
    pair.deliver(response(sent[0].id, SM, HA, json!({"code": 200})));
    let said = pair.said("d.x = 3; d.x = 4; reporter.delete()");

    assert_eq!(
        (sent[0].kind.as_str(), &sent[0].body),
        ("delete", &json!({"resource": DO}))
    );
    assert_eq!(still.len(), 1, "it lives until it is deleted");
    assert_eq!(
        logged(&said),
        [
            "data object `comm://home.ex/o1`: its data has changed, but it is deleted: nobody hears of it"
        ]
    );
    assert_eq!(
        pair.value("[d, reporter.status, a.reporters]"),
        json!([{"x": 4}, "deleted", {}])
    );
}

#[test]
fn an_object_that_may_not_be_deleted_lives_on() {
    let pair = Pair::reporting(json!({}));

    let sent = pair.run("reporter.delete()");
    pair.deliver(response(
        sent[0].id,
        SM,
        HA,
        json!({"code": 403, "desc": "not yours"}),
    ));

    assert_eq!(
        pair.value("[reporter.status, Object.keys(a.reporters)]"),
        json!(["live", [DO]])
    );
}

// services §8.3 case 56
#[test]
fn an_observer_hears_the_end_leaves_and_acknowledges_it() {
    let pair = Pair::new(json!({"x": 1}));
    pair.run("b.onNotification((e) => { events.push([e.type, e.url, e.identity]); e.ack(200) })");

    let body = json!({"resource": DO, "identity": {"guid": "g"}});
    let sent = pair.deliver(json!({"id": 12, "type": "delete", "from": "comm://home.ex/o1/subscription", "to": HB, "body": body}));
    let said = pair.said("observer.data.x = 2; observer.unsubscribe(); observer.execute('m', []).catch((reason) => console.log(reason))");

    let told: Vec<_> = sent
        .iter()
        .map(|s| (s.kind.as_str(), s.to.as_str(), &s.body))
        .collect();
    assert_eq!(
        told,
        [
            ("unsubscribe", SM, &json!({"resource": DO})),
            (
                "response",
                "comm://home.ex/o1/subscription",
                &json!({"code": 200, "source": HB})
            )
        ]
    );
    assert_eq!(sent[1].id, 12);
    assert_eq!(
        logged(&said),
        ["data object `comm://home.ex/o1` is deleted"]
    );
    assert_eq!(
        pair.value("[events.slice(0, 1), observer.status, observer.data, b.observers]"),
        json!([[["delete", DO, {"guid": "g"}]], "deleted", {"x": 2}, {}])
    );
}

#[test]
fn a_component_hears_that_it_is_closed_and_answers_other_calls() {
    let pair = Pair::idle(json!({}));
    // A second Syncher of the same component must not answer as well.
    pair.run("factory.createSyncher('hyperty://home.ex/a', a._bus, {runtimeURL: 'runtime://home.ex/r1'});
        a.onClose((e) => { events.push(e.type); globalThis.close = e })");
    let execute = |from: &str, method: &str| json!({"id": 8, "type": "execute", "from": from, "to": HA, "body": {"method": method}});

    let closing = pair.deliver(execute("runtime://home.ex/r1/registry/", "close"));
    let other = pair.deliver(execute("runtime://home.ex/r1/ua", "other"));

    let closed = pair.run("close.ack(201); close.ack(500)");
    pair.run("a._bus.addListener('hyperty://home.ex/a', (m) => events.push(m.body.method))");
    let own = pair.deliver(execute("runtime://home.ex/r1/ua", "other"));

    assert_eq!((closing.len(), other.len(), closed.len()), (0, 1, 1));
    assert_eq!(closed[0].body, json!({"code": 201}));
    assert_eq!(
        (other[0].kind.as_str(), &other[0].body),
        ("response", &json!({"code": 200}))
    );
    assert_eq!(own, [], "it listens itself");
    assert_eq!(pair.value("events"), json!(["close", "other"]));
}

#[test]
fn an_observer_hears_that_its_reporter_is_gone() {
    let pair = Pair::new(json!({}));

    let sent = pair.run(
        "observer.onDisconnected(() => events.push('gone')).then(() => events.push('watched'))",
    );
    pair.deliver(response(
        sent[0].id,
        "runtime://home.ex/r1/subscriptions",
        HB,
        json!({"code": 200}),
    ));
    for value in ["live", "disconnected"] {
        pair.deliver(json!({"type": "update", "from": "runtime://home.ex/r1/registry", "to": "comm://home.ex/o1/registration",
            "body": {"value": value, "attribute": "status"}}));
    }

    assert_eq!(
        (sent[0].kind.as_str(), sent[0].to.as_str(), &sent[0].body),
        (
            "subscribe",
            "runtime://home.ex/r1/subscriptions",
            &json!({"resources": ["comm://home.ex/o1/registration"]})
        )
    );
    assert_eq!(pair.value("events"), json!(["watched", "gone"]));
}
