//! Links: what a peer may say in which phase, and what cuts it off.

use std::time::Duration;

use core_supervisor::event::{Confinement, Event};
use protocol::HostFrame;
use protocol::frame::{Level, Role};

use crate::story::{Heard, RUNTIME, Story};
use crate::{WITHIN, alice_and_bob};

#[test]
fn a_sandbox_whose_lock_is_not_seen_from_outside_gets_no_code() {
    let mut story = Story::new();
    story.greets = false;

    let (operator, from) = story.operator();
    story.send_as(
        operator,
        &from,
        "create",
        &format!("{RUNTIME}/ua"),
        r#"{"component":"x@a.example"}"#,
        WITHIN,
    );
    let (sandbox, link) = story
        .launched
        .iter()
        .map(|(s, l)| (*s, *l))
        .next_back()
        .unwrap();
    story.greet(link, Role::Sandbox);
    let seen = Confinement {
        no_new_privs: true,
        seccomp_filtered: false,
        threads: 1,
        own_namespaces: true,
        no_capabilities: true,
    };
    story.inspects_as = Some(seen);
    story.confine(link, Level::L3);

    assert!(story.killed.contains(&sandbox));
    let told = story.messages_on(operator);
    assert!(
        told[0].3.contains("no seccomp filter is in force"),
        "{told:?}"
    );
    assert!(
        !story
            .heard_on(link)
            .iter()
            .any(|heard| matches!(heard, Heard::Load { .. }))
    );
}

#[test]
fn a_sandbox_below_the_floor_gets_no_code() {
    let mut story = Story::new();
    story.greets = false;

    let (operator, from) = story.operator();
    story.send_as(
        operator,
        &from,
        "create",
        &format!("{RUNTIME}/ua"),
        r#"{"component":"x@a.example"}"#,
        WITHIN,
    );
    let (_, link) = story
        .launched
        .iter()
        .map(|(s, l)| (*s, *l))
        .next_back()
        .unwrap();
    story.greet(link, Role::Sandbox);
    story.confine(link, Level::L1);

    assert!(story.sides[&link].is_closed);
    assert!(
        story.messages_on(operator)[0]
            .3
            .contains("reached L1, the floor is L2")
    );
}

#[test]
fn frames_out_of_place_cut_the_link() {
    for frame in [
        HostFrame::Pong { token: 1 },
        HostFrame::Loaded {
            component: "hyperty://a.example/x",
        },
        HostFrame::Listen {
            component: "hyperty://a.example/x",
            address: "hyperty://b.example/x",
        },
    ] {
        let mut story = Story::new();
        let link = story.connect();
        story.says(link, &frame);
        assert!(story.sides[&link].is_closed, "{frame:?}");
    }
}

#[test]
fn a_second_hello_cuts_the_link() {
    let mut story = Story::new();
    let (link, _) = story.local(Role::Operator);

    story.greet(link, Role::Operator);

    assert!(story.sides[&link].is_closed);
}

#[test]
fn a_recorded_hello_opens_no_other_link() {
    let mut story = Story::new();
    let first = story.connect();
    let nonce = story.sides[&first].nonce;
    let second = story.connect();

    story.sides.get_mut(&second).unwrap().nonce = nonce;
    story.greet(second, Role::Operator);

    assert!(story.sides[&second].is_closed);
}

#[test]
fn a_local_process_cannot_pose_as_a_sandbox() {
    let mut story = Story::new();
    let link = story.connect();

    story.greet(link, Role::Sandbox);

    assert!(story.sides[&link].is_closed);
}

#[test]
fn half_a_frame_and_then_nothing_cuts_the_link() {
    let mut story = alice_and_bob();
    let link = story.link("alice@a.example");

    story.happens(Event::Received {
        link,
        bytes: &[0xB7, 0x06, 4],
    });
    story.wait(Duration::from_secs(11));

    assert!(story.sides[&link].is_closed);
}

#[test]
fn text_on_a_link_is_recognised_as_such() {
    let mut story = alice_and_bob();
    let link = story.link("alice@a.example");

    let consumed = story.happens(Event::Received {
        link,
        bytes: b"/home/alice",
    });

    assert_eq!(consumed, 11);
    assert!(story.sides[&link].is_closed);
}
