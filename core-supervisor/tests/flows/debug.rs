//! A component that is started stopped, for a debugger.

use std::time::Duration;

use core_supervisor::event::Exit;
use protocol::frame::Role;
use protocol::{Code, HostFrame};

use super::{WITHIN, alice_and_bob};
use crate::story::{RUNTIME, Story};

const DEBUG: &str = r#"{"method":"debug","resource":"bob"}"#;
const GO: &str = r#"{"method":"go","resource":"bob"}"#;

/// Bob is debugged, and his sandbox stops as a stopped process does: it loads nothing.
fn debugged() -> (Story, String) {
    let mut story = alice_and_bob();
    story.loads = false;
    let (code, view) = story.ask_operator("execute", "ua", DEBUG);
    assert_eq!(code, Code::OK, "{view}");
    (story, view)
}

fn state(story: &mut Story) -> String {
    story.ask_operator("read", "ua", r#"{"resource":"bob"}"#).1
}

#[test]
fn a_debugged_component_is_stopped_before_its_code_comes_and_its_asker_told() {
    let (mut story, view) = debugged();

    assert!(view.contains(r#""state":"paused""#), "{view}");
    assert_eq!(story.paused.len(), 1);
    assert!(state(&mut story).contains(r#""state":"paused""#));
}

#[test]
fn a_stopped_process_has_all_the_time_there_is() {
    let (mut story, _) = debugged();
    let killed = story.killed.len();
    let bob = story.address("bob@b.example");

    story.wait(Duration::from_hours(1));
    story.ask_operator("execute", "ua", GO);
    let link = story.last_link_of(&bob).unwrap();
    story.says(link, &HostFrame::Loaded { component: &bob });
    story.wait(Duration::from_hours(1));

    assert!(story.paused.is_empty());
    // Alice does not answer her heartbeat either, and nobody debugs her.
    let of_bob = state(&mut story);
    assert!(of_bob.contains(r#""state":"running""#), "{of_bob}");
    assert!(!story.killed[killed..].contains(&story.paused_last.unwrap()));
}

#[test]
fn what_ends_a_debugged_component_ends_its_being_debugged() {
    let (mut story, _) = debugged();
    let sandbox = story.paused_last.unwrap();
    story.loads = true;

    story.crash_sandbox(sandbox, Exit::Signal(9));
    story.wait(Duration::from_secs(1));

    let of_bob = state(&mut story);
    assert!(of_bob.contains(r#""state":"running""#), "{of_bob}");
    assert_eq!(story.ask_operator("execute", "ua", GO).0, Code::CONFLICT);
}

#[test]
fn only_the_operator_debugs() {
    let mut story = alice_and_bob();
    let (link, from) = story.local(Role::Application {
        name: "app",
        provider: "app.example",
        token: "",
    });

    story.send_as(
        link,
        &from,
        "execute",
        &format!("{RUNTIME}/ua"),
        DEBUG,
        WITHIN,
    );

    let told = story.messages_on(link);
    assert_eq!(told[0].2, 403, "{told:?}");
    assert!(story.paused.is_empty());
}
