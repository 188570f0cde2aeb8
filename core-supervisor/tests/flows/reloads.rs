//! A component gets new code and keeps its address, or keeps its old code.

use core_supervisor::event::Exit;
use core_supervisor::rooms::catalogue::{PackageFailure, PackageRead};
use protocol::frame::{LoadFailed, LoadStage};
use protocol::{Code, HostFrame, Reply};

use crate::story::{Heard, RUNTIME, Story};
use crate::{WITHIN, alice_and_bob};

const RELOAD_BOB: &str = r#"{"method":"reload","resource":"bob"}"#;

#[expect(clippy::unnecessary_wraps, reason = "the story may also fail to read")]
fn newer(mut read: PackageRead) -> Result<PackageRead, PackageFailure> {
    "sha256:newer".clone_into(&mut read.digest);
    Ok(read)
}

/// Asks for bob's reload and leaves the loading to the test.
fn reload_begun(story: &mut Story) {
    story.edit = newer;
    story.loads = false;
    let (operator, from) = story.operator();
    let to = format!("{RUNTIME}/ua");
    let patient = Reply::Within(60_000);
    story.send_as(operator, &from, "execute", &to, RELOAD_BOB, patient);
}

fn bob_fails_to_load(story: &mut Story) {
    let bob = story.address("bob@b.example");
    let link = story.link("bob@b.example");
    let failed = LoadFailed {
        component: &bob,
        stage: LoadStage::Parse,
        reason: "unexpected token",
        place: "bob.hy.js:3",
        stack: "",
    };
    story.says(link, &HostFrame::LoadFailed(failed));
}

fn bob_loads(story: &mut Story) {
    let bob = story.address("bob@b.example");
    let link = story.link("bob@b.example");
    story.says(link, &HostFrame::Loaded { component: &bob });
}

fn bob_is(story: &mut Story) -> String {
    story.ask_operator("read", "ua", r#"{"resource":"bob"}"#).1
}

fn told(story: &mut Story) -> (u16, String) {
    let (operator, _) = story.operator();
    let told = story.messages_on(operator);
    let (_, _, code, body) = told.first().expect("the asker is told");
    (*code, body.clone())
}

#[test]
fn a_reloaded_script_keeps_its_address_and_its_sandbox() {
    let mut story = alice_and_bob();
    let (bob, link) = (story.address("bob@b.example"), story.link("bob@b.example"));
    story.edit = newer;

    let (code, view) = story.ask_operator("execute", "ua", RELOAD_BOB);
    let heard = story.heard_on(link);

    assert_eq!(code, Code::OK, "{view}");
    assert!(view.contains("sha256:newer"), "{view}");
    let component = bob.clone();
    assert_eq!(
        heard,
        [
            Heard::Unload { component },
            Heard::Load {
                component: bob.clone()
            }
        ]
    );
    story.send("alice@a.example", "read", &bob, "{}", WITHIN);
    assert_eq!(story.messages_on(link).len(), 1);
}

#[test]
fn a_reloaded_program_gets_a_process_of_its_own_at_the_same_address() {
    let mut story = Story::new();
    let (before, old) = story.deploy("native/tool@a.example");
    story.edit = newer;

    let reload = r#"{"method":"reload","resource":"tool"}"#;
    let (code, view) = story.ask_operator("execute", "ua", reload);
    let now = story.link_of(&before).expect("it runs at its address");

    assert_eq!(code, Code::OK, "{view}");
    assert!(view.contains(&before) && view.contains("running"), "{view}");
    assert!(story.sides[&old].is_closed);
    assert_ne!(now, old);
}

#[test]
fn what_the_old_code_listened_to_is_not_the_new_ones() {
    let mut story = alice_and_bob();
    let (bob, link) = (story.address("bob@b.example"), story.link("bob@b.example"));
    let alice = story.address("alice@a.example");
    let news = format!("{alice}/news");
    story.says(
        link,
        &HostFrame::Listen {
            component: &bob,
            address: &news,
        },
    );
    story.heard_on(link);
    story.send("alice@a.example", "update", &news, "{}", Reply::Unwanted);
    let before = story.messages_on(link).len();
    story.edit = newer;

    story.ask_operator("execute", "ua", RELOAD_BOB);
    story.heard_on(link);
    story.send("alice@a.example", "update", &news, "{}", Reply::Unwanted);

    assert_eq!((before, story.messages_on(link).len()), (1, 0));
}

#[test]
fn a_package_that_cannot_be_read_leaves_the_old_code_running() {
    let mut story = alice_and_bob();
    story.edit = |_| {
        Err(PackageFailure {
            code: Code::NOT_FOUND,
            reason: "no such file".to_owned(),
            elsewhere: None,
        })
    };

    let (code, body) = story.ask_operator("execute", "ua", RELOAD_BOB);
    let heard = story.heard("bob@b.example");

    assert_eq!(code, Code::NOT_FOUND);
    assert!(body.contains("cannot reload: no such file"), "{body}");
    assert_eq!(heard, []);
    assert!(bob_is(&mut story).contains("running"));
}

#[test]
fn code_that_does_not_load_gives_way_to_the_old_code() {
    let mut story = alice_and_bob();
    reload_begun(&mut story);

    bob_fails_to_load(&mut story);
    bob_loads(&mut story);

    let (code, body) = told(&mut story);
    assert_eq!(code, 500);
    assert!(body.contains("the old code goes on"), "{body}");
    assert!(body.contains("unexpected token at bob.hy.js:3"), "{body}");
    let bob = bob_is(&mut story);
    assert!(
        bob.contains("running") && bob.contains("sha256:00"),
        "{bob}"
    );
}

#[test]
fn code_that_kills_its_sandbox_gives_way_to_the_old_code() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");
    reload_begun(&mut story);
    story.loads = true;

    story.crash("bob@b.example", Exit::Signal(9));

    let (code, body) = told(&mut story);
    assert_eq!(code, 500);
    assert!(body.contains("the old code goes on"), "{body}");
    assert!(story.link_of(&bob).is_some());
    let bob = bob_is(&mut story);
    assert!(
        bob.contains("running") && bob.contains("sha256:00"),
        "{bob}"
    );
}

#[test]
fn another_component_is_not_taken_for_a_newer_one() {
    let mut story = alice_and_bob();
    story.edit = |mut read| {
        read.descriptor.provider = "c.example".to_owned();
        Ok(read)
    };

    let (code, body) = story.ask_operator("execute", "ua", RELOAD_BOB);

    assert_eq!(code, Code::CONFLICT);
    assert!(body.contains("its provider has changed"), "{body}");
    assert!(bob_is(&mut story).contains("sha256:00"));
}

#[test]
fn a_second_reload_waits_for_the_first() {
    let mut story = alice_and_bob();
    reload_begun(&mut story);

    let (code, body) = story.ask_operator("execute", "ua", RELOAD_BOB);

    assert_eq!(code, Code::CONFLICT);
    assert!(body.contains("try again when it runs"), "{body}");
}

#[test]
fn a_stop_in_the_middle_of_a_reload_ends_it_with_the_old_code() {
    let mut story = alice_and_bob();
    reload_begun(&mut story);

    let stop = r#"{"method":"stop","resource":"bob"}"#;
    let (operator, from) = story.operator();
    story.send_as(
        operator,
        &from,
        "execute",
        &format!("{RUNTIME}/ua"),
        stop,
        WITHIN,
    );

    let (code, body) = told(&mut story);
    assert_eq!(code, 409, "{body}");
    let bob = bob_is(&mut story);
    assert!(
        bob.contains("stopped") && bob.contains("sha256:00"),
        "{bob}"
    );
}

#[test]
fn what_waited_for_the_old_code_is_answered_when_it_goes() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");
    story.send("alice@a.example", "read", &bob, "{}", WITHIN);
    story.edit = newer;

    story.ask_operator("execute", "ua", RELOAD_BOB);

    assert_eq!(story.messages("alice@a.example")[0].2, 503);
}
