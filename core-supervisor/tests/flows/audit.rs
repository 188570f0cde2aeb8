//! The audit log: everything that has to be accounted for becomes an entry, and no flood fills it.

use core_supervisor::event::Exit;
use core_supervisor::limits::DENIALS_AUDITED_PER_SECOND_MAX;
use std::time::Duration;

use crate::story::{RUNTIME, Story};
use crate::{WITHIN, alice_and_bob};

fn whats(story: &Story) -> Vec<&str> {
    story
        .audited
        .iter()
        .map(|entry| entry.what.as_str())
        .collect()
}

#[test]
fn a_life_is_told_from_its_deployment_to_its_end() {
    let mut story = alice_and_bob();
    let alice = story.address("alice@a.example");

    story.crash("alice@a.example", Exit::Signal(11));

    assert_eq!(whats(&story), ["deployed", "deployed", "ended"]);
    let deployed = &story.audited[0];
    assert_eq!((&deployed.who, deployed.level.as_str()), (&alice, "L3"));
    assert!(deployed.digest.starts_with("sha256:"), "{deployed:?}");
    let ended = &story.audited[2];
    assert_eq!(ended.who, alice);
    assert!(ended.detail.contains("SIGSEGV"), "{ended:?}");
}

#[test]
fn a_denied_message_is_told_with_its_decision() {
    let mut story = alice_and_bob();
    let alice = story.address("alice@a.example");
    let policy = format!("{RUNTIME}/pep");

    story.send("alice@a.example", "execute", &policy, "{}", WITHIN);

    let denied = story.audited.last().unwrap();
    assert_eq!(denied.what, "denied");
    assert_eq!((&denied.who, &denied.whom), (&alice, &policy));
    assert!(denied.decision.starts_with('d'), "{denied:?}");
}

#[test]
fn a_forged_sender_is_told_by_its_real_name() {
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );
    let link = story.link("alice@a.example");

    story.send_as(link, &bob, "read", &bob, "{}", WITHIN);

    let denied = story.audited.last().unwrap();
    assert_eq!((&denied.who, &denied.whom), (&alice, &bob));
    assert!(
        denied.detail.contains("is not an address of the sender"),
        "{denied:?}"
    );
}

#[test]
fn a_flood_of_denials_is_counted_and_not_told_one_by_one() {
    let mut story = alice_and_bob();
    let policy = format!("{RUNTIME}/pep");

    for _ in 0..1000 {
        story.send("alice@a.example", "execute", &policy, "{}", WITHIN);
    }
    story.wait(Duration::from_secs(1));
    story.send("alice@a.example", "execute", &policy, "{}", WITHIN);

    let denied: Vec<_> = story
        .audited
        .iter()
        .filter(|entry| entry.what == "denied")
        .collect();
    let told = DENIALS_AUDITED_PER_SECOND_MAX as usize;
    assert_eq!(denied.len(), told + 1);
    assert_eq!(denied[told].left_out, 1000 - told as u64);
}

#[test]
fn a_broken_protocol_is_told_with_who_broke_it() {
    let mut story = alice_and_bob();
    let alice = story.address("alice@a.example");
    let link = story.link("alice@a.example");

    story.happens(core_supervisor::event::Event::Received {
        link,
        bytes: b"/home",
    });

    let fault = story
        .audited
        .iter()
        .find(|entry| entry.what == "fault")
        .unwrap();
    assert_eq!(fault.who, alice);
    assert!(fault.detail.contains("malformed frame"), "{fault:?}");
}

#[test]
fn a_grant_and_its_end_are_told_with_who_gave_it() {
    let mut story = alice_and_bob();
    let (_, operator) = story.operator();
    let grant = r#"{"component":"a.example/alice","host":"*.example.org","port":443,"protocol":"tcp","private":true,"count":2}"#;
    let revoke = r#"{"method":"revoke","component":"a.example/alice","host":"nas.lan"}"#;

    story.ask_operator("create", "connections", grant);
    story.ask_operator("delete", "connections", grant);
    story.ask_operator("execute", "connections", revoke);

    let entries: Vec<_> = story.audited.iter().skip(2).collect();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.what.as_str(), entry.detail.as_str()))
        .collect();
    let form = "*.example.org port 443, tcp, also private addresses, 2 at once";
    assert_eq!(
        told,
        [
            ("granted", form),
            ("withdrawn", form),
            ("revoked", "nas.lan any port")
        ]
    );
    for entry in entries {
        assert_eq!(
            (&entry.who, &entry.whom),
            (&operator, &"a.example/alice".to_owned())
        );
    }
}

#[test]
fn a_grant_that_is_not_given_is_not_told() {
    let mut story = alice_and_bob();

    story.ask_operator(
        "create",
        "connections",
        r#"{"component":"a.example/alice","host":"a b"}"#,
    );

    assert_eq!(whats(&story), ["deployed", "deployed"]);
}
