//! Runtimes that share a domain through real NATS servers: real supervisors, real
//! locked stubs.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::NatsServer;
use hyperty_tests::harness::nats::{DOMAIN, Place, reachable};
use hyperty_tests::harness::{Catalogue, TempDir, eventually, hyperty, script};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

const GAUGE: &str = "example.org/hyperty/Gauge";
const EAR: &str = "example.org/hyperty/Ear";

// Says in its log what it is told, and answers what it is asked.
const HEARS: &str = "bus.addListener(url, (m) => {
    if (m.type === 'update') console.log('heard ' + m.body.n);
    if (m.type === 'read') bus.postMessage({ id: m.id, type: 'response', from: url, to: m.from,
        body: { code: 200, value: 'here' } });
    if (m.type === 'execute') {
        for (let n = m.body.first; n < m.body.last; n += 1)
            bus.postMessage({ type: 'update', from: url, to: m.body.to, body: { n } });
        bus.postMessage({ type: 'read', from: url, to: m.body.to, body: {} });
        bus.postMessage({ id: m.id, type: 'response', from: url, to: m.from, body: { code: 200 } });
    }
});";

fn catalogue() -> Catalogue {
    Catalogue::new()
        .program(DOMAIN, "Gauge", "gauge", &json!({}))
        .script(DOMAIN, "Ear", &script(HEARS))
}

/// Has a gauge ask another one, and counts the answers.
fn asks(place: &Place, from: &Component, to: &Component, order: &Value) -> usize {
    let mut order = order.clone();
    order["peer"] = json!(to.address);
    let answer = place
        .runtime
        .operator()
        .ask("execute", &from.address, &order);
    assert_eq!(answer.code, 200, "{answer:?}\n{}", place.runtime.log());
    let numbers = answer.value()["nanoseconds"].as_array();
    numbers.map(Vec::len).unwrap_or_default()
}

/// Whether a component is answered by one of another runtime.
fn reaches(place: &Place, to: &Component) -> bool {
    place
        .runtime
        .operator()
        .ask("read", &to.address, &json!({}))
        .code
        == 200
}

// What runs in one runtime is known in its domain a moment later.
fn known(in_domain: &Place, what: &Component) {
    eventually("its domain knows it", || reaches(in_domain, what));
}

#[test]
fn components_of_two_runtimes_talk_through_a_server() {
    let Some(program) = reachable() else {
        return;
    };
    let servers = [NatsServer::start(&program, "")];
    let (a, b) = (
        Place::start(catalogue(), &servers),
        Place::start(catalogue(), &servers),
    );
    let (gauge_a, gauge_b) = (a.runtime.deploy(GAUGE), b.runtime.deploy(GAUGE));
    known(&a, &gauge_b);
    known(&b, &gauge_a);

    let one_by_one = asks(&a, &gauge_a, &gauge_b, &json!({ "samples": 20 }));
    let at_once = asks(
        &a,
        &gauge_a,
        &gauge_b,
        &json!({ "samples": 500, "depth": 64 }),
    );

    assert_eq!((one_by_one, at_once), (20, 1));
    asks(
        &a,
        &gauge_a,
        &gauge_b,
        &json!({ "samples": 5, "check": true, "bytes": 100_000 }),
    );
    let stub = a.runtime.component(&a.stub.address);
    assert_ne!(stub.pid, a.runtime.component(&gauge_a.address).pid);
}

#[test]
fn what_is_told_to_a_killed_runtime_waits_until_it_is_back() {
    let Some(program) = reachable() else {
        return;
    };
    let servers = [NatsServer::start(&program, "")];
    let (a, b) = (
        Place::start(catalogue(), &servers),
        Place::start(catalogue(), &servers),
    );
    let (ear_a, ear_b) = (a.runtime.deploy(EAR), b.runtime.deploy(EAR));
    known(&a, &ear_b);
    let tell = |first: u32, last: u32| {
        let order = json!({ "to": ear_b.address, "first": first, "last": last });
        let told = a.runtime.operator().ask("execute", &ear_a.address, &order);
        assert_eq!(told.code, 200, "{told:?}");
    };
    tell(0, 3);
    eventually("what is told is heard", || {
        b.runtime.log_says(&ear_b, "heard 2")
    });

    let home = b.runtime.killed();
    tell(3, 6);
    // The runtime's address is in its directories, and so is its component's.
    let b = Place::again(catalogue(), home, &servers);
    let back = b.runtime.deploy(EAR);

    assert_eq!(back.address, ear_b.address);
    tell(6, 7);
    eventually("what came later is heard as well", || {
        b.runtime.log_says(&back, "heard 6")
    });
}

#[test]
fn a_killed_stub_is_back_and_its_domain_with_it() {
    let Some(program) = reachable() else {
        return;
    };
    let servers = [NatsServer::start(&program, "")];
    let (a, b) = (
        Place::start(catalogue(), &servers),
        Place::start(catalogue(), &servers),
    );
    let ear_b = b.runtime.deploy(EAR);
    let gauge = a.runtime.deploy(GAUGE);
    known(&a, &ear_b);

    a.runtime.process_of(&a.stub).kill();
    b.runtime.process_of(&b.stub).kill();

    eventually("the other runtime is reached again", || reaches(&a, &ear_b));
    assert_eq!(asks(&a, &gauge, &ear_b, &json!({ "samples": 3 })), 3);
}

#[test]
fn a_server_of_three_is_killed_in_mid_traffic_and_every_request_is_answered() {
    let Some(program) = reachable() else {
        return;
    };
    let mut servers = NatsServer::cluster(&program, 3, "");
    let (a, b) = (
        Place::start(catalogue(), &servers),
        Place::start(catalogue(), &servers),
    );
    let (gauge_a, gauge_b) = (a.runtime.deploy(GAUGE), b.runtime.deploy(GAUGE));
    known(&a, &gauge_b);
    known(&b, &gauge_a);

    let order = json!({ "samples": 2000, "depth": 16 });
    let answered = std::thread::scope(|scope| {
        let asking = scope.spawn(|| asks(&a, &gauge_a, &gauge_b, &order));
        let used = servers
            .iter()
            .position(|server| a.said(&format!("connected to {}", server.url())));
        servers[used.unwrap_or_default()].kill();
        asking.join().unwrap()
    });

    assert_eq!(answered, 1, "all answers came");
    eventually("the domain is whole again", || {
        let order = json!({ "samples": 1, "peer": gauge_b.address });
        a.runtime
            .operator()
            .ask("execute", &gauge_a.address, &order)
            .code
            == 200
    });
}

#[test]
fn a_cluster_that_refuses_the_credentials_is_told_of_and_every_message_is_answered() {
    let Some(program) = reachable() else {
        return;
    };
    let servers = [NatsServer::start(
        &program,
        "authorization { token: \"right\" }",
    )];
    let wrong = json!({ "token": "wrong" });
    let a = Place::deaf(catalogue(), TempDir::new(), &servers, &wrong);

    eventually("the refusal is told", || a.said("Authorization Violation"));
    let to = format!("domain://registry.{DOMAIN}");
    let body = json!({ "resource": format!("hyperty://{DOMAIN}/x") });
    let answer = a.runtime.operator().ask("read", &to, &body);

    assert!([408, 503].contains(&answer.code), "{answer:?}");
    assert!(!a.said("wrong"), "the secret is in the log");
}

#[test]
fn the_demo_of_two_runtimes_proves_what_it_says_and_leaves_nothing() {
    let Some(_) = reachable() else { return };
    let home = TempDir::new();
    let environment = [("HOME", home.path()), ("TMPDIR", home.path())];

    let outcome = hyperty(&["demo", "two-runtimes"], environment).succeeded();

    let said = |text: &str| assert!(outcome.stdout.contains(text), "no `{text}`: {outcome:#?}");
    said("hears ann: hello Bob");
    said("nothing was lost, nothing came twice");
    said("processes none is left");
    let left = std::fs::read_dir(home.path()).unwrap().count();
    assert_eq!(left, 0, "files were left behind");
}
