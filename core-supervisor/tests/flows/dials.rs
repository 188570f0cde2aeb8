//! The network: who may dial, and what becomes of it whatever happens meanwhile.

use std::time::Duration;

use core_supervisor::event::Exit;
use core_supervisor::ids::LinkId;
use protocol::api::connections::Listing;
use protocol::dial::{Dial, Transport};
use protocol::{Code, HostFrame};

use crate::story::{Heard, Story, rules};

pub(crate) const BROWSER: &str = "browser@a.example";
pub(crate) const PLAIN: &str = "plain@b.example";

/// A story with one who asks for the network and one who does not.
pub(crate) fn story() -> Story {
    let mut story = Story::new();
    story.deploy(BROWSER);
    story.deploy(PLAIN);
    story
}

pub(crate) fn dial_with(
    story: &mut Story,
    name: &str,
    request: u64,
    place: (&str, u16, Transport),
) {
    let (component, link) = story.components[name].clone();
    let (host, port, transport) = place;
    story.says(
        link,
        &HostFrame::Dial(Dial {
            component: &component,
            request,
            host,
            port,
            transport,
            wait_ms: 1_000,
        }),
    );
}

pub(crate) fn dial(story: &mut Story, name: &str, request: u64, host: &str, port: u16) {
    dial_with(story, name, request, (host, port, Transport::Tcp));
}

/// What a component heard about sockets; the rest is forgotten.
pub(crate) fn told(story: &mut Story, name: &str) -> Vec<(&'static str, u64, u64)> {
    let link = story.link(name);
    told_on(story, link)
}

pub(crate) fn told_on(story: &mut Story, link: LinkId) -> Vec<(&'static str, u64, u64)> {
    let heard = story.heard_on(link).into_iter();
    let about = heard.filter_map(|heard| match heard {
        Heard::Network(what, a, b) => Some((what, a, b)),
        _ => None,
    });
    about.collect()
}

/// The connector's link, and the job that it was told of last.
pub(crate) fn connector(story: &mut Story) -> LinkId {
    let mut sides = story.sides.iter().rev();
    let is_it = |side: &crate::story::Side| side.profile == "connector" && !side.is_closed;
    *sides.find(|(_, side)| is_it(side)).expect("a connector").0
}

pub(crate) fn job(story: &mut Story) -> u64 {
    let link = connector(story);
    let told = told_on(story, link);
    let mut connects = told.iter().filter(|(what, ..)| *what == "connect");
    connects.next_back().expect("a job").1
}

pub(crate) fn connects(story: &mut Story, job: u64) {
    let link = connector(story);
    let peer = "192.0.2.1:443";
    story.says(link, &HostFrame::Connected { job, peer });
}

/// Whether the connector was told last that private addresses may be dialled.
fn may_be_private(story: &mut Story) -> bool {
    let link = connector(story);
    let told = told_on(story, link);
    let mut connects = told.iter().filter(|(what, ..)| *what == "connect");
    connects.next_back().expect("a job").2 == 1
}

/// Everything that was decided about the network.
fn explained(story: &mut Story) -> String {
    let ids = 1..40;
    let why = ids.map(|id| format!(r#"{{"decision":"d-1-{id}"}}"#));
    let all: Vec<_> = why
        .map(|why| story.ask_operator("read", "pep", &why).1)
        .filter(|told| told.contains(r#""type":"connect""#))
        .collect();
    all.concat()
}

/// A browser with one open socket, and its number.
pub(crate) fn open(story: &mut Story) -> u64 {
    dial(story, BROWSER, 1, "a.example.org", 443);
    let job = job(story);
    connects(story, job);
    let told = told(story, BROWSER);
    let [("socket", 1, socket)] = told[..] else {
        panic!("{told:?}");
    };
    socket
}

fn listing(story: &mut Story) -> Listing {
    let (code, body) = story.ask_operator("read", "connections", "{}");
    assert_eq!(code, Code::OK);
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    serde_json::from_value(value["value"].clone()).unwrap()
}

#[test]
fn what_the_descriptor_asks_for_is_dialled_and_handed_over() {
    let mut story = story();

    let socket = open(&mut story);

    assert!(story.wires.open.contains(&socket));
    let shown = listing(&mut story);
    assert_eq!(shown.sockets.len(), 1);
    assert_eq!(shown.sockets[0].host, "a.example.org");
    assert_eq!(shown.connector, "running");
}

#[test]
fn nobody_starts_a_connector_before_somebody_may_dial() {
    let mut story = story();

    dial(&mut story, PLAIN, 1, "a.example.org", 443);

    assert_eq!(told(&mut story, PLAIN), [("not dialled", 1, 403)]);
    assert!(!story.sides.values().any(|side| side.profile == "connector"));
}

#[test]
fn what_the_descriptor_does_not_ask_for_is_refused_with_a_decision_that_explains() {
    let mut story = story();

    dial(&mut story, BROWSER, 1, "evil.example", 443);

    assert_eq!(told(&mut story, BROWSER), [("not dialled", 1, 403)]);
    let body = explained(&mut story);
    assert!(body.contains("tcp://evil.example/443"), "{body}");
    assert!(body.contains(r#""grant":"none""#), "{body}");
}

#[test]
fn private_addresses_are_for_the_operator_to_grant() {
    let mut story = story();

    // The descriptor asks for private addresses, and gets the public ones of that name.
    dial(&mut story, BROWSER, 1, "nas.lan", 445);
    assert!(!may_be_private(&mut story));
    let grant = r#"{"component":"a.example/browser","host":"nas.lan","port":445,"private":true}"#;
    assert_eq!(
        story.ask_operator("create", "connections", grant).0,
        Code::OK
    );
    dial(&mut story, BROWSER, 2, "nas.lan", 445);

    assert!(may_be_private(&mut story));
    assert_eq!(told(&mut story, BROWSER), []);
}

#[test]
fn listening_is_for_the_operator_to_grant() {
    let mut story = story();
    let place = ("0.0.0.0", 8080, Transport::Listen);

    dial_with(&mut story, BROWSER, 1, place);
    assert_eq!(told(&mut story, BROWSER), [("not dialled", 1, 403)]);
    let grant =
        r#"{"component":"a.example/browser","host":"0.0.0.0","port":8080,"protocol":"listen"}"#;
    assert_eq!(
        story.ask_operator("create", "connections", grant).0,
        Code::OK
    );
    dial_with(&mut story, BROWSER, 2, place);
    let job = job(&mut story);
    let link = connector(&mut story);
    let local = "0.0.0.0:8080";
    story.says(link, &HostFrame::Bound { job, local });
    let peer = "192.0.2.9:1";
    story.says(link, &HostFrame::Accepted { job, peer });

    let told = told(&mut story, BROWSER);
    let [("bound", 2, listener), ("accepted", by, socket)] = told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(by, listener);
    assert!(story.wires.open.contains(&socket));
}

#[test]
fn a_closed_listener_is_closed_at_the_connector_and_takes_no_more_callers() {
    let mut story = story();
    let grant =
        r#"{"component":"a.example/browser","host":"0.0.0.0","port":8080,"protocol":"listen"}"#;
    story.ask_operator("create", "connections", grant);
    dial_with(&mut story, BROWSER, 1, ("0.0.0.0", 8080, Transport::Listen));
    let job = job(&mut story);
    let link = connector(&mut story);
    let local = "0.0.0.0:8080";
    story.says(link, &HostFrame::Bound { job, local });
    let told_browser = told(&mut story, BROWSER);
    let socket = told_browser[0].2;

    let browser = story.link(BROWSER);
    story.says(browser, &HostFrame::Hangup { socket });
    assert_eq!(told_on(&mut story, link), [("disconnect", job, 0)]);
    let peer = "192.0.2.9:1";
    story.says(link, &HostFrame::Accepted { job, peer });

    assert_eq!(story.wires.unwanted, 1);
    assert_eq!(told(&mut story, BROWSER), []);
}

#[test]
fn revoking_shuts_what_is_open_and_refuses_what_comes() {
    let mut story = story();
    let socket = open(&mut story);

    let revoke = r#"{"method":"revoke","component":"browser"}"#;
    let (code, body) = story.ask_operator("execute", "connections", revoke);

    assert_eq!(code, Code::OK);
    assert!(body.contains(r#""closed":1"#), "{body}");
    assert_eq!(told(&mut story, BROWSER), [("hungup", socket, 0)]);
    assert!(story.wires.open.is_empty());
    dial(&mut story, BROWSER, 2, "a.example.org", 443);
    assert_eq!(told(&mut story, BROWSER), [("not dialled", 2, 403)]);
}

#[test]
fn a_rule_that_forbids_shuts_what_is_open() {
    let mut story = story();
    let socket = open(&mut story);

    story.core_rules(rules(
        r#"@id("offline") @why("the story says so")
           forbid (principal, action == Action::"connect", resource is Host)
           when { resource.host like "*.example.org" };"#,
    ));

    assert_eq!(told(&mut story, BROWSER), [("hungup", socket, 0)]);
    assert!(story.wires.open.is_empty());
}

#[test]
fn what_the_operator_says_outlives_the_supervisor() {
    let mut story = story();
    let grant = r#"{"component":"b.example/plain","host":"h.example","port":1}"#;
    story.ask_operator("create", "connections", grant);

    let mut next = story.restarted();
    next.deploy(PLAIN);
    dial(&mut next, PLAIN, 1, "h.example", 1);

    job(&mut next);
}

#[test]
fn a_connector_that_dies_in_the_middle_leaves_nobody_waiting() {
    let mut story = story();
    dial(&mut story, BROWSER, 1, "a.example.org", 443);
    dial(&mut story, BROWSER, 2, "b.example.org", 443);
    let link = connector(&mut story);
    let sandbox = story.sides[&link].sandbox.unwrap();

    story.crash_sandbox(sandbox, Exit::Signal(11));

    let both = [("not dialled", 1, 503), ("not dialled", 2, 503)];
    assert_eq!(told(&mut story, BROWSER), both);
    // It rests, and says so at once; then it is started again.
    dial(&mut story, BROWSER, 3, "a.example.org", 443);
    assert_eq!(told(&mut story, BROWSER), [("not dialled", 3, 503)]);
    story.wait(Duration::from_secs(1));
    dial(&mut story, BROWSER, 4, "a.example.org", 443);
    let job = job(&mut story);
    connects(&mut story, job);
    assert!(matches!(told(&mut story, BROWSER)[..], [("socket", 4, _)]));
}

#[test]
fn a_socket_outlives_the_connector_that_made_it() {
    let mut story = story();
    let socket = open(&mut story);
    let link = connector(&mut story);
    let sandbox = story.sides[&link].sandbox.unwrap();

    story.crash_sandbox(sandbox, Exit::Signal(9));

    assert_eq!(told(&mut story, BROWSER), []);
    assert!(story.wires.open.contains(&socket));
}

#[test]
fn a_connector_that_cannot_be_started_is_told_with_the_reason() {
    let mut story = story();
    story.wires.unreadable = Some("no such file".to_owned());

    dial(&mut story, BROWSER, 1, "a.example.org", 443);

    assert_eq!(told(&mut story, BROWSER), [("not dialled", 1, 503)]);
}

#[test]
fn a_dial_without_an_answer_ends_in_time_and_its_socket_is_not_wanted_any_more() {
    let mut story = story();
    dial(&mut story, BROWSER, 1, "a.example.org", 443);
    let job = job(&mut story);

    story.wait(Duration::from_secs(2));
    assert_eq!(told(&mut story, BROWSER), [("not dialled", 1, 408)]);
    connects(&mut story, job);

    assert_eq!(told(&mut story, BROWSER), []);
    assert_eq!(story.wires.unwanted, 1);
}

#[test]
fn an_asker_that_dies_leaves_no_socket_and_no_job() {
    let mut story = story();
    open(&mut story);
    dial(&mut story, BROWSER, 2, "b.example.org", 443);
    let job = job(&mut story);

    story.crash(BROWSER, Exit::Signal(9));

    assert!(story.wires.open.is_empty());
    let link = connector(&mut story);
    assert_eq!(told_on(&mut story, link), [("disconnect", job, 0)]);
    connects(&mut story, job);
    assert_eq!(story.wires.unwanted, 1);
}

#[test]
fn a_removed_component_has_no_socket_left() {
    let mut story = story();
    open(&mut story);

    story.ask_operator("delete", "ua", r#"{"resource":"browser"}"#);

    assert!(story.wires.open.is_empty());
    assert_eq!(listing(&mut story).sockets, []);
}

#[test]
fn a_frame_of_the_connector_without_its_socket_is_no_connection() {
    let mut story = story();
    story.wires.fails = true;
    dial(&mut story, BROWSER, 1, "a.example.org", 443);
    let job = job(&mut story);

    connects(&mut story, job);

    assert_eq!(told(&mut story, BROWSER), [("not dialled", 1, 503)]);
    assert_eq!(listing(&mut story).sockets, []);
}

#[test]
fn a_hangup_makes_room_and_only_for_whoever_has_the_socket() {
    let mut story = story();
    let socket = open(&mut story);
    let (browser, plain) = (story.link(BROWSER), story.link(PLAIN));

    story.says(plain, &HostFrame::Hangup { socket });
    assert!(story.wires.open.contains(&socket));
    story.says(browser, &HostFrame::Hangup { socket });

    assert!(story.wires.open.is_empty());
}
