//! Children, events, reads and calls of data objects: spec services §8.3 D.

use serde_json::{Value, json};

use super::syncing::{DO, HA, HB, Pair, SM, response, update};
use super::world::Sent;

const CHILDREN: &str = "comm://home.ex/o1/children/";
const CHILD: &str = "1700000000000-b#2";

fn child_of(creator: &str, kind: &str, body: &Value) -> Value {
    json!({"id": 7, "type": kind, "from": creator, "to": CHILDREN, "body": body})
}

fn created(creator: &str) -> Value {
    let value = json!({"url": CHILD, "parent": DO, "reporter": creator, "created": "2026-11-01T00:00:00.000Z",
        "runtime": "runtime://away.ex/r2", "schema": "s", "data": {"content": "hi"}});
    let identity = json!({"userProfile": {"userURL": "user://u/b"}});
    child_of(
        creator,
        "create",
        &json!({"resource": CHILD, "value": value, "identity": identity}),
    )
}

fn shape(sent: &Sent) -> (&str, &str, &str) {
    (&sent.kind, &sent.from, &sent.to)
}

// services §8.3 case 39
#[test]
fn an_observers_child_is_shared_when_the_reporter_acknowledges_it() {
    let pair = Pair::new(json!({"mutual": true}));

    let sent = pair.run("observer.addChild({content: 'hi'}, {guid: 'g'}, {name: 'n'}).then((child) => { globalThis.child = child;
        child.onResponse((e) => events.push(e)); child.sharingStatus.then((won) => events.push(won)) })");
    let not_yet = pair.value("events");
    pair.deliver(response(sent[0].id, HA, HB, json!({"code": 100})));

    assert_eq!(shape(&sent[0]), ("create", HB, CHILDREN));
    let body = &sent[0].body;
    let id = body["resource"].as_str().unwrap();
    let (stamp, rest) = id.split_once('-').unwrap();
    assert!(stamp.parse::<u64>().is_ok() && rest == "b#2", "{id}");
    assert_eq!(
        (&body["identity"], &body["mutual"]),
        (&json!({"guid": "g"}), &json!(true))
    );
    let value = &body["value"];
    assert_eq!(
        (
            &value["url"],
            &value["parent"],
            &value["reporter"],
            &value["data"],
            &value["name"]
        ),
        (
            &json!(id),
            &json!(DO),
            &json!(HB),
            &json!({"content": "hi"}),
            &json!("n")
        )
    );
    assert_eq!(not_yet, json!([]));
    assert_eq!(
        pair.value("[events, Object.keys(observer.childrens)]"),
        json!([[{"type": "response", "url": HA, "code": 100}, {"code": 100}], [id]])
    );
}

#[test]
fn the_reporter_acknowledges_a_child_and_other_observers_do_not() {
    let pair = Pair::new(json!({}));
    pair.run("reporter.onAddChild((e) => events.push(['reporter', e])); observer.onAddChild((e) => events.push(['observer', e]))");
    let other = "hyperty://away.ex/c";

    let sent = pair.deliver(created(other));
    let again = pair.deliver(created(other));

    let answered = |sent: &[Sent]| {
        sent.iter()
            .map(|s| (s.id, s.from.clone(), s.to.clone(), s.body.clone()))
            .collect::<Vec<_>>()
    };
    let answer = vec![(7, HA.to_owned(), other.to_owned(), json!({"code": 100}))];
    assert_eq!(answered(&sent), answer);
    assert_eq!(
        answered(&again),
        answer,
        "announced again, it is the same child"
    );
    assert_eq!(
        pair.value("events.map(([who, e]) => [who, e.type, e.from, e.url, e.value, e.childId, e.identity.userProfile.userURL, e.child.metadata.reporter])"),
        json!([["reporter", "create", other, CHILDREN, {"content": "hi"}, CHILD, "user://u/b", other],
            ["observer", "create", other, CHILDREN, {"content": "hi"}, CHILD, "user://u/b", other]])
    );
}

// services §8.3 case 40
#[test]
fn a_child_that_nobody_acknowledges_fails_after_three_seconds() {
    let pair = Pair::new(json!({}));
    pair.run("observer.addChild({}).then((child) => child.sharingStatus.catch((lost) => events.push(lost)))");

    pair.world.pass(2_999);
    let before = pair.value("events");
    pair.world.pass(1);

    assert_eq!(before, json!([]));
    assert_eq!(
        pair.value("events"),
        json!([{"code": 408, "desc": "timout"}])
    );
}

// services §8.3 case 41
#[test]
fn the_reporters_child_is_shared_at_once_and_observers_hear_of_it() {
    let pair = Pair::new(json!({}));
    pair.run("observer.onAddChild((e) => events.push([e.type, e.from, e.value, e.childId === e.child.childId]))");

    let sent = pair.run("reporter.addChild('resources', {content: 'hi'}).then((child) => child.sharingStatus.then(() => events.push('shared')))");
    pair.deliver(child_of(HA, "create", &sent[0].body));

    assert_eq!(
        pair.value("events"),
        json!(["shared", ["create", HA, {"content": "hi"}, true]])
    );
}

// services §8.3 case 42
#[test]
fn a_childs_update_is_its_makers_and_has_its_own_version() {
    let pair = Pair::new(json!({}));
    pair.run("observer.addChild({content: 'hi'}).then((child) => { globalThis.child = child })");
    pair.deliver(created(HB));
    pair.run("globalThis.seen = reporter.childrens['1700000000000-b#2']; seen.onChange((e) => events.push(JSON.parse(JSON.stringify(e))))");

    let sent = pair.run("child.data.content = 'x'; child.data.l = []; child.data.l.push(1)");
    for message in &sent {
        let mut body = message.body.clone();
        body["resource"] = json!(CHILD);
        pair.deliver(child_of(HB, "update", &body));
    }
    let forged =
        json!({"resource": CHILD, "version": 9, "attribute": "content", "value": "forged"});
    pair.deliver(child_of("hyperty://away.ex/c", "update", &forged));
    // What is not one's own child is changed for nobody else.
    let own = pair.run("seen.data.mine = 1");

    assert_eq!(shape(&sent[0]), ("update", HB, CHILDREN));
    let body = &sent[0].body;
    assert_eq!(
        (
            &body["version"],
            &body["source"],
            &body["attribute"],
            &body["path"],
            &body["value"]
        ),
        (
            &json!(1),
            &json!(HB),
            &json!("content"),
            &json!(["content"]),
            &json!("x")
        )
    );
    assert_eq!(body["resource"], pair.value("child.childId"));
    assert_eq!(own, []);
    assert_eq!(
        pair.value("[seen.data, reporter._version, events.map((e) => [e.cType, e.field, e.data])]"),
        json!([{"content": "x", "l": [1], "mine": 1}, 0,
            [["update", "content", "x"], ["add", "l", []], ["add", "l.0", 1], ["add", "mine", 1]]])
    );
}

#[test]
fn a_childs_update_of_a_published_peer_comes_in_the_objects_name() {
    let pair = Pair::new(json!({}));
    pair.deliver(created("hyperty://away.ex/c"));

    let body = json!({"resource": CHILD, "version": 5, "source": "hyperty://away.ex/c", "attribute": "content", "value": "x"});
    pair.deliver(child_of(DO, "update", &body));

    assert_eq!(
        pair.value(&format!("observer.childrens['{CHILD}'].data")),
        json!({"content": "x"})
    );
}

#[test]
fn more_changes_of_a_child_than_fit_a_turn_end_as_its_members() {
    let pair = Pair::new(json!({}));
    pair.run("observer.addChild({n: 0}).then((child) => { globalThis.child = child })");
    pair.deliver(created(HB));

    let sent = pair.run("for (let n = 1; n <= 1000; n += 1) child.data.n = n; child.data.m = 1; delete child.data.m");

    let last: Vec<_> = sent
        .iter()
        .rev()
        .take(2)
        .map(|s| (&s.body["attribute"], s.body.get("value")))
        .collect();
    assert_eq!(sent.len(), 66);
    assert_eq!(
        last,
        [(&json!("m"), None), (&json!("n"), Some(&json!(1000)))]
    );
}

#[test]
fn a_deleted_child_is_gone_for_all() {
    let pair = Pair::new(json!({}));
    pair.run("reporter.onDeleteChild((e) => events.push([e.type, e.childId])); observer.addChild({}).then((child) => { globalThis.child = child })");
    pair.deliver(created(HB));

    let sent = pair.run("child.delete(); child.delete(); child.data.late = 1");
    pair.deliver(child_of(HB, "delete", &json!({"resource": CHILD})));

    assert_eq!(sent.len(), 1);
    assert_eq!(
        (shape(&sent[0]), sent[0].body.as_object().unwrap().len()),
        (("delete", HB, CHILDREN), 1)
    );
    assert_eq!(
        pair.value("[observer.childrens, reporter.childrens, events]"),
        json!([{}, {}, [["delete", CHILD]]])
    );
}

// services §8.3 case 43
#[test]
fn an_event_reaches_the_other_participants() {
    let pair = Pair::new(json!({}));
    pair.run("reporter.onEvent((e) => events.push(e)); observer.onEvent(() => events.push('own'))");

    let sent = pair.run("observer.sendEvent('typing')");
    pair.deliver(child_of(HB, "event", &sent[0].body));

    assert_eq!(
        (shape(&sent[0]), &sent[0].body),
        (("event", HB, CHILDREN), &json!({"value": "typing"}))
    );
    assert_eq!(
        pair.value("events"),
        json!([{"from": HB, "value": "typing"}])
    );
}

// services §8.3 case 44
#[test]
fn a_child_for_the_reporter_alone_is_given_to_the_sync_manager() {
    let pair = Pair::new(json!({}));
    let shared = pair.run("observer.addChild({a: 1}).then((child) => child.share(true))");

    let mut message = created(HB);
    message["to"] = json!(DO);
    let sent = pair.deliver(message);

    assert_eq!(
        [0, 1].map(|at: usize| shared[at].to.as_str()),
        [CHILDREN, DO]
    );
    assert_eq!(shape(&sent[1]), ("create", HA, SM));
    let body = &sent[1].body;
    assert_eq!(
        (
            &body["resource"],
            &body["attribute"],
            &body["value"]["value"]["data"]
        ),
        (&json!(DO), &json!(CHILD), &json!({"content": "hi"}))
    );
}

// services §8.3 case 45
#[test]
fn a_subscriber_reads_and_a_stranger_is_decided_about() {
    let pair = Pair::reporting(json!({"x": 1}));
    pair.deliver(created(HB));
    pair.run(&format!("reporter.metadata.subscriptions = ['{HB}']"));
    let read = |from: &str| json!({"id": 5, "type": "read", "from": from, "to": DO, "body": {}});

    let known = pair.deliver(read(HB));
    let nobody = pair.deliver(read("hyperty://x.ex/x"));
    pair.run("reporter.onRead((e) => { events.push([e.type, e.url]); e.reject('x') })");
    let stranger = pair.deliver(read("hyperty://x.ex/x"));

    assert_eq!(
        (shape(&known[0]), &known[0].body["code"]),
        (("response", DO, HB), &json!(200))
    );
    let value = &known[0].body["value"];
    assert_eq!(
        (
            &value["data"],
            &value["version"],
            &value["childrenObjects"][CHILD]["value"]["data"]
        ),
        (&json!({"x": 1}), &json!(0), &json!({"content": "hi"}))
    );
    assert_eq!(nobody[0].body["code"], json!(401));
    assert_eq!(
        (&stranger[0].body["code"], &stranger[0].body["desc"]),
        (&json!(401), &json!("x"))
    );
    assert_eq!(pair.value("events"), json!([["read", "hyperty://x.ex/x"]]));
}

// services §8.3 case 46
#[test]
fn children_that_do_not_fit_one_answer_come_in_parts() {
    let pair = Pair::new(json!({"x": 1}));
    for n in 0..5 {
        let mut child = created(HB);
        child["body"]["resource"] = json!(format!("{CHILD}{n}"));
        child["body"]["value"]["data"] = json!({"text": "t".repeat(20_000)});
        pair.deliver(child);
    }
    pair.run("reporter.onRead((e) => e.accept())");

    let parts = pair.deliver(
        json!({"id": 5, "type": "read", "from": "hyperty://x.ex/x", "to": DO, "body": {}}),
    );
    let asked = pair.run(&format!(
        "b.read('{DO}').then((value) => events.push(value))"
    ));
    for part in &parts {
        pair.deliver(response(asked[0].id, SM, HB, part.body.clone()));
    }

    let told: Vec<_> = parts
        .iter()
        .map(|part| (&part.body["code"], &part.body["value"]["responses"]))
        .collect();
    let four = &json!(4);
    assert_eq!(
        told,
        [
            (&json!(100), four),
            (&json!(100), four),
            (&json!(100), four),
            (&json!(200), four)
        ]
    );
    assert!(
        parts
            .iter()
            .all(|part| part.body.to_string().len() < 60_000)
    );
    assert_eq!(parts[0].body["value"]["data"], json!({"x": 1}));
    assert_eq!(
        pair.value("[events[0].data, Object.keys(events[0].childrenObjects).length, events[0].responses ?? null]"),
        json!([{"x": 1}, 5, null])
    );
}

// services §8.3 case 47
// services §8.3 case 48
#[test]
fn a_read_of_nothing_is_rejected_with_the_reason() {
    let pair = Pair::idle(json!({}));

    let sent =
        pair.run("a.read('comm://x/none', {depth: 1}).catch((reason) => events.push(reason))");
    pair.deliver(response(
        sent[0].id,
        SM,
        HA,
        json!({"code": 404, "desc": "none", "description": "none"}),
    ));

    assert_eq!(
        (shape(&sent[0]), &sent[0].body),
        (
            ("read", HA, SM),
            &json!({"resource": "comm://x/none", "criteria": {"depth": 1}})
        )
    );
    assert_eq!(pair.value("events"), json!(["none"]));
}

// services §8.3 case 49
#[test]
fn a_call_of_the_reporter_is_accepted_or_rejected() {
    let pair = Pair::new(json!({}));
    pair.run("reporter.onExecute((e) => { events.push([e.type, e.url, e.method, e.params]); e.params.length ? e.accept() : e.reject('no') })");

    let sent = pair.run(
        "observer.execute('addUser', ['u']).then(() => events.push('done'));
        observer.execute('addUser', []).catch((reason) => events.push(reason))",
    );
    for message in &sent {
        let answer = pair.deliver(json!({"id": message.id, "type": "execute", "from": HB, "to": DO, "body": message.body}));
        pair.deliver(response(message.id, DO, HB, answer[0].body.clone()));
    }

    assert_eq!(
        (shape(&sent[0]), &sent[0].body),
        (
            ("execute", HB, DO),
            &json!({"method": "addUser", "params": ["u"]})
        )
    );
    assert_eq!(
        pair.value("events"),
        json!([
            ["execute", HB, "addUser", ["u"]],
            "done",
            ["execute", HB, "addUser", []],
            "no"
        ])
    );
}

#[test]
fn an_observer_synchronises_with_what_is_read() {
    let pair = Pair::new(json!({"x": 1, "old": 1}));
    pair.run("observer.onAddChild((e) => events.push(e.childId)); globalThis.list = 0");

    let sent = pair.run("observer.sync().then((done) => events.push(done)); observer.sync().then((done) => events.push(done))");
    let kept =
        json!({CHILD: {"value": created(HA)["body"]["value"], "identity": {}}, "heartbeat": 5});
    let value =
        json!({"url": DO, "data": {"x": 2, "y": [1]}, "version": 3, "childrenObjects": kept});
    pair.deliver(response(
        sent[0].id,
        SM,
        HB,
        json!({"code": 200, "value": value}),
    ));
    pair.deliver(response(
        sent[1].id,
        SM,
        HB,
        json!({"code": 404, "desc": "none"}),
    ));
    pair.deliver(update(&json!({"version": 4, "attribute": "x", "value": 5})));

    assert_eq!(
        pair.value("[observer.data, observer._version, events.map((e) => e.field ?? e)]"),
        json!([{"x": 5, "y": [1]}, 4, ["x", "y", "old", CHILD, true, false, "x"]])
    );
}
