//! RegistrationStatus and DiscoveredObject: spec services §2.10, messaging §8.4.

use serde_json::{Value, json};

use super::services::{RT, configured, only, outline, reply, told, using};
use super::world::{ME, Said, World, sent};

const BOB: &str = "hyperty://there.example/bob";

const STATUS: &str = "const status = factory.createRegistrationStatus(
    'hyperty://there.example/bob', config.runtimeURL, url, bus);";

fn waiting(body: &str) -> (World, Vec<Said>) {
    using(&format!("{STATUS}\n{body}"))
}

fn event(status: &str) -> Value {
    json!({
        "id": 4, "type": "update", "from": format!("{RT}/registry"), "to": format!("{BOB}/registration"),
        "body": {"value": status, "attribute": "status"},
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better at the calls"
)]
fn request(kind: &str, body: Value) -> Value {
    json!({"type": kind, "from": ME, "to": format!("{RT}/subscriptions"), "body": body})
}

// services §8.3 case 57
// messaging A.4 case 41
#[test]
fn whoever_waits_is_told_when_the_other_comes_and_goes() {
    let (world, said) = waiting(
        "tell(Promise.all([status.onLive('a', (...args) => say(['live', args])),
                           status.onDisconnected('a', (...args) => say(['gone', args]))]));",
    );

    let subscribe = only(&said);
    let agreed = reply(&world, &subscribe, json!({"code": 200}));
    let live = world.deliver(event("live"));
    let gone = world.deliver(event("disconnected"));
    let other = world.deliver(event("toString"));

    let resources = json!({"resources": [format!("{BOB}/registration")]});
    assert_eq!(outline(&subscribe), request("subscribe", resources));
    assert_eq!(told(&agreed), [json!([null, null])]);
    assert_eq!(told(&live), [json!(["live", []])]);
    assert_eq!(told(&gone), [json!(["gone", []])]);
    assert_eq!(told(&other), [] as [Value; 0]);
}

// messaging A.4 case 41
#[test]
fn the_component_s_configuration_may_ask_for_the_published_delay() {
    let body = format!("{STATUS} status.onLive('a', () => say('live'));");
    let (world, said) = configured(&json!({"registrationDelay": 5000}), &body);
    reply(&world, &only(&said), json!({"code": 200}));

    let at_once = [world.deliver(event("live")), world.deliver(event("live"))].concat();
    let before = world.pass(4999);
    let then = world.pass(1);

    assert_eq!((told(&at_once), told(&before)), (vec![], vec![]));
    assert_eq!(
        told(&then),
        [json!("live")],
        "one call for both notifications"
    );
}

#[test]
fn who_has_unsubscribed_during_the_delay_is_not_called() {
    let body = format!(
        "{STATUS} status.onLive('a', () => say('live')); status.onLive('b', () => say('b'));
        bus.addListener(url, () => status.unsubscribeLive('a'));"
    );
    let (world, said) = configured(&json!({"registrationDelay": 5000}), &body);
    reply(&world, &only(&said), json!({"code": 200}));

    world.deliver(event("live"));
    world.deliver(json!({"type": "event", "from": BOB, "to": ME}));
    let then = world.pass(5000);

    assert_eq!(told(&then), [json!("b")]);
}

#[test]
fn the_last_to_unsubscribe_ends_the_subscription() {
    let (world, said) = waiting(
        "status.onLive('a', () => say('a')); status.onDisconnected('b', () => say('b'));
         const steps = {a: () => status.unsubscribeLive('a'), b: () => status.unsubscribeDisconnected('b'),
                        again: () => status.onLive('c', () => say('c'))};
         bus.addListener(url, (m) => m.type === 'event' && tell(steps[m.body.step]()));",
    );
    let step = |name: &str| {
        world.deliver(json!({"type": "event", "from": BOB, "to": ME, "body": {"step": name}}))
    };
    reply(&world, &only(&said), json!({"code": 200}));

    let first = step("a");
    let last = step("b");
    let ended = reply(&world, &only(&last), json!({"code": 200}));
    let silent = world.deliver(event("live"));
    let twice = step("b");
    let again = step("again");

    assert_eq!((sent(&first), told(&first)), (vec![], vec![Value::Null]));
    let resource = json!({"resource": format!("{BOB}/registration")});
    assert_eq!(outline(&only(&last)), request("unsubscribe", resource));
    assert_eq!(told(&ended), [Value::Null]);
    assert_eq!(told(&silent), [] as [Value; 0]);
    let unknown = json!({"rejected": format!("b doesn't subscribe onDisconnected for {BOB}")});
    assert_eq!(told(&twice), [unknown]);
    assert_eq!(only(&again).kind, "subscribe");
}

#[test]
fn one_subscription_serves_all_who_wait_for_the_same_address() {
    let (world, said) = waiting(&format!(
        "const other = factory.createRegistrationStatus('{BOB}', config.runtimeURL, url, bus);
         status.onLive('a', () => say('one')); other.onLive('a', () => say('two'));
         bus.addListener(url, (m) => m.type === 'event' && tell((m.body.first ? status : other).unsubscribeLive('a')));"
    ));
    let leave = |first: bool| {
        world.deliver(json!({"type": "event", "from": BOB, "to": ME, "body": {"first": first}}))
    };
    reply(&world, &only(&said), json!({"code": 200}));

    let both = world.deliver(event("live"));
    let one_leaves = leave(true);
    let one = world.deliver(event("live"));
    let last_leaves = leave(false);

    assert_eq!(told(&both), [json!("one"), json!("two")]);
    assert_eq!(sent(&one_leaves), []);
    assert_eq!(told(&one), [json!("two")]);
    assert_eq!(only(&last_leaves).kind, "unsubscribe");
}

#[test]
fn a_refused_subscription_is_told_and_may_be_tried_again() {
    let (world, said) = waiting(
        "const wait = () => tell(status.onLive('a', () => say('live')));
         wait(); bus.addListener(url, (m) => m.type === 'event' && wait());",
    );

    let refused = reply(
        &world,
        &only(&said),
        json!({"code": 403, "desc": "not yours"}),
    );
    let again = world.deliver(json!({"type": "event", "from": BOB, "to": ME}));
    let agreed = reply(&world, &only(&again), json!({"code": 200}));
    let live = world.deliver(event("live"));

    let reason = format!("Error subscribing {BOB}: 403 not yours");
    assert_eq!(told(&refused), [json!({"rejected": reason})]);
    assert_eq!(
        (told(&agreed), told(&live)),
        (vec![Value::Null], vec![json!("live")])
    );
}

// Before a restart somebody else subscribed in this component's name.
#[test]
fn what_was_subscribed_before_a_restart_can_be_unsubscribed() {
    let (_, said) = waiting("status.unsubscribeLive('a')");

    assert_eq!(only(&said).kind, "unsubscribe");
}

#[test]
fn one_callback_that_throws_does_not_keep_the_others_from_being_called() {
    let (world, said) = waiting(
        "status.onLive('a', () => { throw new Error('mine') }); status.onLive('b', () => say('b'));",
    );
    reply(&world, &only(&said), json!({"code": 200}));

    let live = world.deliver(event("live"));

    assert_eq!(told(&live).len(), 2);
    assert_eq!(told(&live)[1], json!("b"));
}

#[test]
fn a_check_asks_again_and_calls_back_by_the_answer() {
    for (found, status, lookup) in [
        ("hyperty://there.example/bob", "live", "/hyperty/url/"),
        ("comm://there.example/1", "disconnected", "/dataObject/url/"),
    ] {
        let key = if status == "live" { "hypertyID" } else { "url" };
        let (world, said) = using(&format!(
            "const discovery = factory.createDiscovery(url, config.runtimeURL, bus);
             discovery.{}DO('{found}').then((one) => {{
               one.onLive('a', () => say('is live')); one.onDisconnected('a', () => say('is disconnected'));
               bus.addListener(url, (m) => m.type === 'event' && tell(one.check()));
             }});",
            if status == "live" { "discoverHypertyPerURL" } else { "discoverDataObjectPerURL" }
        ));
        let record = json!({"code": 200, "value": {key: found, "status": status}});
        let subscribe = reply(&world, &only(&said), record.clone());
        reply(&world, &only(&subscribe), json!({"code": 200}));

        let asked = world.deliver(json!({"type": "event", "from": BOB, "to": ME}));
        let then = reply(&world, &only(&asked), record);

        assert_eq!(only(&asked).body["resource"], format!("{lookup}{found}"));
        assert_eq!(told(&then), [json!(format!("is {status}")), json!(status)]);
    }
}
