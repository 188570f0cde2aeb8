//! ContextObserver: spec services §2.11.

use serde_json::{Value, json};

use super::context::{SCHEMA, observer, presence, reporter, requests, resumed};
use super::services::{DO, REPORTER, RT, object, run, serve, told};
use super::world::{ME, Sent, sent};

fn registered(status: &str) -> Value {
    json!({"type": "update", "from": RT, "to": format!("{DO}/registration"), "body": {"value": status}})
}

fn users(records: Value) -> impl Fn(&Sent) -> Option<Value> {
    move |request| {
        let is_lookup = request.to.ends_with("/discovery/");
        is_lookup.then(|| json!({"code": 200, "value": records}))
    }
}

#[test]
fn live_users_are_found_and_asked_for_once() {
    let world = observer();
    let live = json!({"hypertyID": REPORTER, "status": "live"});
    let records =
        json!([live, {"hypertyID": "hyperty://there.example/old", "status": "disconnected"}]);

    let said = run(&world, "say(context.discoverUsers('bob@idp.example', 'there.example') === context.discoverUsers('bob@idp.example', 'there.example'));
        tell(context.discoverUsers('bob@idp.example', 'there.example'))");
    let said = serve(&world, said, users(records));

    let lookups = requests(&said, "read", "/discovery/");
    let criteria = json!({"resources": ["availability_context"], "dataSchemes": ["context"], "domain": "there.example"});
    assert_eq!(
        (lookups.len(), &lookups[0].body),
        (
            1,
            &json!({"resource": "/hyperty/user/bob@idp.example", "criteria": criteria})
        )
    );
    assert_eq!(told(&said), [json!(true), json!([live])]);
}

#[test]
fn a_disconnected_user_is_waited_for_with_all_their_devices() {
    let world = observer();
    let gone = |name: &str| json!({"hypertyID": format!("hyperty://there.example/{name}"), "status": "disconnected"});

    let waits = run(
        &world,
        "tell(context.discoverUsers('bob', 'there.example'))",
    );
    let waits = serve(&world, waits, users(json!([gone("old"), gone("new")])));
    let back = json!({"type": "update", "from": RT, "to": "hyperty://there.example/new/registration", "body": {"value": "live"}});
    let then = serve(&world, world.deliver(back), |_| None);

    assert_eq!(requests(&waits, "subscribe", "/subscriptions").len(), 2);
    assert_eq!(told(&waits), [] as [Value; 0]);
    assert_eq!(
        told(&then),
        [json!([{"hypertyID": "hyperty://there.example/new", "status": "live"}])]
    );
    assert_eq!(requests(&then, "unsubscribe", "/subscriptions").len(), 2);
}

#[test]
fn who_is_not_there_can_be_found_later() {
    let world = observer();

    let none = serve(
        &world,
        run(&world, "tell(context.discoverUsers('bob', 'd'))"),
        |_| None,
    );
    let live = json!([{"hypertyID": REPORTER, "status": "live"}]);
    let later = serve(
        &world,
        run(&world, "tell(context.discoverUsers('bob', 'd'))"),
        users(live.clone()),
    );

    assert_eq!((told(&none), told(&later)), (vec![json!([])], vec![live]));
}

const OBSERVE: &str = "context.observe({hypertyID: 'hyperty://there.example/reporter'})";

fn objects() -> impl Fn(&Sent) -> Option<Value> {
    let records = json!([
        {"url": "context://there.example/old", "lastModified": "2026-01-01T00:00:00Z"},
        {"url": "context://there.example/new", "lastModified": "2026-02-01T00:00:00Z"},
        {"url": "context://there.example/undated"}, {"lastModified": "2026-03-01T00:00:00Z"},
    ]);
    move |request| match request.kind.as_str() {
        "read" if request.to.ends_with("/discovery/") => {
            Some(json!({"code": 200, "value": records}))
        }
        "subscribe" if request.to.ends_with("/sm") => Some(json!({"code": 200, "schema": SCHEMA,
            "value": object(&request.body["resource"], presence("available"))})),
        _ => None,
    }
}

#[test]
fn the_newest_context_of_a_reporter_is_observed_once() {
    let world = observer();

    let said = run(
        &world,
        &format!(
            "tell({OBSERVE}.then((seen) => [seen.url, seen.data.values[0].value])); {OBSERVE}"
        ),
    );
    let said = serve(&world, said, objects());
    let again = run(&world, &format!("tell({OBSERVE}.then((seen) => seen.url))"));

    let lookup = &requests(&said, "read", "/discovery/")[0].body;
    assert_eq!(
        lookup["resource"],
        format!("/dataObject/reporter/{REPORTER}")
    );
    let subscriptions = requests(&said, "subscribe", "/sm");
    assert_eq!(subscriptions.len(), 1);
    let body = &subscriptions[0].body;
    assert_eq!(
        (&body["schema"], &body["domain_subscription"]),
        (&json!(SCHEMA), &json!(true))
    );
    let url = "context://there.example/new";
    assert_eq!(told(&said), [json!([url, "available"])]);
    assert_eq!((sent(&again), told(&again)), (vec![], vec![json!(url)]));
}

#[test]
fn who_reports_nothing_cannot_be_observed_until_they_do() {
    let world = observer();

    let none = serve(&world, run(&world, &format!("tell({OBSERVE})")), |_| None);
    let later = serve(
        &world,
        run(&world, &format!("tell({OBSERVE}.then((seen) => seen.url))")),
        objects(),
    );

    let reason = format!("[ContextObserver.observe] `{REPORTER}` reports no context of ours");
    assert_eq!(told(&none), [json!({"rejected": reason})]);
    assert_eq!(told(&later), [json!("context://there.example/new")]);
}

#[test]
fn what_is_observed_no_more_can_be_observed_again() {
    let world = observer();
    serve(&world, run(&world, OBSERVE), objects());

    let leaves = run(
        &world,
        "context.unobserve('context://there.example/new'); context.unobserve('context://x.example/1')",
    );
    let again = serve(&world, run(&world, OBSERVE), objects());

    assert_eq!(requests(&leaves, "unsubscribe", "/sm").len(), 1);
    assert_eq!(requests(&again, "subscribe", "/sm").len(), 1);
}

#[test]
fn a_context_whose_reporter_has_gone_is_unavailable() {
    let world = observer();
    serve(
        &world,
        run(
            &world,
            &format!("{OBSERVE}.then((seen) => globalThis.seen = seen)"),
        ),
        objects(),
    );

    let gone = json!({"type": "update", "from": RT, "to": "context://there.example/new/registration", "body": {"value": "disconnected"}});
    world.deliver(gone);

    assert_eq!(
        world.value("seen.data.values[0]"),
        json!({"name": "availability", "value": "unavailable", "unit": "pres"})
    );
}

#[test]
fn observed_contexts_are_resumed_with_what_was_given_until_they_are_read() {
    let world = observer();
    let call = "context.onResumeObserver((observers) => say(Object.keys(observers)));
        context.start([{value: 'unknown'}], (observer) => say(['gone', observer.url])).then((observers) => {
          globalThis.seen = Object.values(observers)[0]; say(seen.data.values) })";

    let said = run(&world, call);
    let said = serve(&world, said, resumed("subscribe"));
    let gone = serve(&world, world.deliver(registered("disconnected")), |_| None);

    let resume = &requests(&said, "subscribe", "/sm")[0].body;
    assert_eq!(
        (&resume["resume"], &resume["store"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        told(&said)[..2],
        [json!([DO]), json!([{"value": "unknown"}])]
    );
    assert_eq!(world.value("seen.data.values[0].value"), json!("available"));
    assert_eq!(told(&gone), [json!(["gone", DO])]);
    let known = run(
        &world,
        &format!("tell({OBSERVE}.then((same) => same === seen))"),
    );
    assert_eq!((sent(&known), told(&known)), (vec![], vec![json!(true)]));
}

// The published observers of availability and consumption do this.
#[test]
fn a_published_callback_may_write_and_read_again_when_a_reporter_has_gone() {
    let world = observer();
    let call = "context.start([{value: 'unavailable'}], (observer) => {
        observer.data.values[0].value = 'unavailable'; observer.sync(); }).then((all) => globalThis.seen = Object.values(all)[0])";
    serve(&world, run(&world, call), resumed("subscribe"));

    serve(
        &world,
        world.deliver(registered("disconnected")),
        resumed("subscribe"),
    );
    let gone = world.value("seen.data.values[0].value");
    serve(
        &world,
        world.deliver(registered("live")),
        resumed("subscribe"),
    );
    let back = world.value("seen.data.values[0].value");

    assert_eq!((gone, back), (json!("unavailable"), json!("available")));
}

#[test]
fn a_reporter_that_had_gone_before_the_observer_was_back_is_unavailable() {
    let world = observer();
    let call = "context.start([{value: 'unknown'}]).then((all) => globalThis.seen = Object.values(all)[0])";
    let kept = resumed("subscribe");

    serve(&world, run(&world, call), |request| {
        let is_lookup = request.to.ends_with("/discovery/");
        let record = json!({"code": 200, "value": {"url": DO, "status": "disconnected"}});
        if is_lookup {
            Some(record)
        } else {
            kept(request)
        }
    });

    assert_eq!(
        world.value("seen.data.values"),
        json!([{"value": "unavailable"}])
    );
}

#[test]
fn users_of_before_a_restart_are_found_again() {
    let record = |name: &str, status: &str, resource: &str| json!({"hypertyID": format!("hyperty://there.example/{name}"), "status": status, "resources": [resource]});
    let found = |records: Vec<Value>| {
        move |request: &Sent| {
            let resource = request.body["resource"].as_str().unwrap_or_default();
            let urls = records
                .iter()
                .map(|r| format!("{}/registration", r["hypertyID"].as_str().unwrap()));
            match request.kind.as_str() {
                "read" if resource == ME => {
                    Some(json!({"code": 200, "value": urls.collect::<Vec<_>>()}))
                }
                "read" => records
                    .iter()
                    .find(|r| resource.ends_with(r["hypertyID"].as_str().unwrap()))
                    .map(|record| json!({"code": 200, "value": record})),
                _ => None,
            }
        }
    };
    let resume = |records: Vec<Value>| {
        let world = observer();
        let said = serve(
            &world,
            run(&world, "tell(context.resumeDiscoveries())"),
            found(records),
        );
        (world, said)
    };
    let live = record("live", "live", "availability_context");
    let gone = record("gone", "disconnected", "availability_context");
    let other = record("other", "live", "chat");

    let (_, at_once) = resume(vec![gone.clone(), live.clone(), other.clone()]);
    let (world, waits) = resume(vec![gone, other]);
    let back = json!({"type": "update", "from": RT, "to": "hyperty://there.example/gone/registration", "body": {"value": "live"}});
    let then = serve(&world, world.deliver(back), |_| None);
    let (_, nobody) = resume(vec![]);

    assert_eq!(told(&at_once), [json!([live])]);
    assert_eq!(told(&waits), [] as [Value; 0]);
    assert_eq!(
        told(&then)[0][0]["hypertyID"],
        "hyperty://there.example/gone"
    );
    assert_eq!(told(&nobody), [json!([])]);
}

#[test]
fn the_members_that_published_components_touch_are_there() {
    let seen = observer().value(
        "[context._url, context._domain, context._objectDescURL, context._users2observe, context._observers,
          typeof context._syncher, typeof context._discovery, window.discovery === context._discovery]",
    );
    let told = reporter().value(
        "[context.syncher._owner, context.domain, context.contexts, context.contextDescURL]",
    );

    assert_eq!(
        seen,
        json!([ME, "here.example", SCHEMA, [], {}, "object", "object", true])
    );
    assert_eq!(told, json!([ME, "here.example", {}, SCHEMA]));
}
