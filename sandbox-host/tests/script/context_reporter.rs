//! ContextReporter: spec services §2.11.

use serde_json::json;

use super::context::{SCHEMA, observer, reporter, requests, resumed};
use super::services::{DO, REPORTER, RT, only, run, serve, told};
use super::world::{ME, World, sent};

#[test]
fn a_context_is_created_for_everybody_and_with_a_short_registration() {
    let cases = [
        ("", json!({"name": "myContext"})),
        (", 'mine'", json!({"name": "mine"})),
        (
            ", 'mine', 'slack://ann', 'context://here.example/1'",
            json!({"name": "mine", "reporter": "slack://ann", "resource": "context://here.example/1"}),
        ),
    ];

    for (more, members) in cases {
        let world = reporter();
        let call = format!(
            "context.create('id', {{values: []}}, ['availability_context']{more})
            .then((made) => say([made.url, context.contexts.id === made]))"
        );
        let said = serve(&world, run(&world, &call), |_| None);
        let creation = &requests(&said, "create", "/sm")[0].body;
        let value = &creation["value"];
        assert_eq!(
            (&creation["schema"], &creation["store"]),
            (&json!(SCHEMA), &json!(true))
        );
        assert_eq!(
            (&value["expires"], &value["resources"]),
            (&json!(30), &json!(["availability_context"]))
        );
        for (name, member) in members.as_object().unwrap() {
            assert_eq!(&value[name], member, "{more}");
        }
        assert_eq!(told(&said), [json!([DO, true])]);
    }
}

#[test]
fn everybody_may_observe_and_leave() {
    let world = reporter();
    serve(
        &world,
        run(&world, "context.create('id', {values: []}, [])"),
        |_| None,
    );
    let asks = |kind: &str| {
        let body = json!({"type": kind, "from": "hyperty://there.example/bob", "to": DO});
        world.deliver(json!({"id": 50, "type": "forward", "from": DO, "to": ME, "body": body}))
    };

    let joins = asks("subscribe");
    let leaves = asks("unsubscribe");

    assert_eq!(only(&joins).body["code"], 200);
    assert_eq!((sent(&leaves), told(&leaves)), (vec![], vec![]));
}

#[test]
fn new_values_are_an_update_and_an_event() {
    let world = reporter();
    serve(
        &world,
        run(&world, "context.create('id', {values: []}, [])"),
        |_| None,
    );

    let said = run(
        &world,
        "context.addEventListener('id-context-update', (values) => say(values));
        context.setContext('id', [{value: 'busy'}])",
    );
    let unknown = run(
        &world,
        "try { context.setContext('other', []) } catch (e) { say(e.message) }",
    );

    assert_eq!(
        (&only(&said).body["attribute"], &only(&said).body["value"]),
        (&json!("values"), &json!([{"value": "busy"}]))
    );
    assert_eq!(told(&said), [json!([{"value": "busy"}])]);
    assert_eq!(
        told(&unknown),
        [json!("no context `other` was created or resumed")]
    );
}

#[test]
fn contexts_are_resumed_and_known_by_their_names() {
    let world = reporter();

    let said = run(
        &world,
        "context.start().then((contexts) => { say(Object.keys(contexts)); context.setContext('myAvailability', [{value: 'busy'}]) })",
    );
    let said = serve(&world, said, resumed("create"));

    let resume = &requests(&said, "create", "/sm")[0].body;
    assert_eq!(
        (&resume["resume"], &resume["store"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(told(&said), [json!([DO])]);
    let update = sent(&said)
        .into_iter()
        .find(|m| m.kind == "update")
        .unwrap();
    assert_eq!(update.body["value"], json!([{"value": "busy"}]));
}

#[test]
fn without_contexts_there_is_nothing_to_resume() {
    for world in [reporter(), observer()] {
        let none = serve(&world, run(&world, "tell(context.start())"), |_| None);
        let failed = serve(&world, run(&world, "tell(context.start())"), |request| {
            request
                .to
                .ends_with("/sm")
                .then(|| json!({"code": 500, "desc": "full"}))
        });
        assert_eq!(told(&none), [json!(false)]);
        assert_eq!(told(&failed).last(), Some(&json!(false)));
    }
}

#[test]
fn notifications_and_the_end_are_acknowledged_also_where_nobody_defined_what_to_do() {
    let invitation = json!({"id": 71, "type": "create", "from": "comm://x.example/1/subscription", "to": ME, "body": {"source": REPORTER, "schema": "s"}});
    let close = json!({"id": 72, "type": "execute", "from": format!("{RT}/registry"), "to": ME, "body": {"method": "close"}});
    let plain = reporter();
    let extended = reporter();
    run(
        &extended,
        "context.onNotification = (event) => { say(event.url); event.ack(201) };
        context.setStatus = (id, status) => { say(status); throw new Error('mine') }",
    );

    let codes = |world: &World| {
        [invitation.clone(), close.clone()].map(|message| {
            let said = world.deliver(message);
            (
                only(&said).body["code"].clone(),
                told(&said).first().cloned(),
            )
        })
    };

    assert_eq!(codes(&plain), [(json!(200), None), (json!(200), None)]);
    let told_of = |text: &str| Some(json!(text));
    assert_eq!(
        codes(&extended),
        [
            (json!(201), told_of("comm://x.example/1")),
            (json!(200), told_of("unavailable"))
        ]
    );
}
