//! Two users talk: conversations across sandboxes, and what is left of them after crashes.
//!
//! The hyperties are this project's own, in the shape of the published SimpleChat and
//! GroupChatManager, each minified into one file (`fixtures/social`).

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::social::{ANN, BOB, again, runtime};
use hyperty_tests::harness::{Member, Runtime, eventually};
use serde_json::{Value, json};

const CAROL: &str = "carol@idp.example";

const CHAT: &str = "social.example/hyperty/Chat";
const GROUP: &str = "social.example/hyperty/GroupChat";

/// Both have the hyperty, and Ann has created a conversation that Bob has joined.
fn talking<'runtime>(
    runtime: &'runtime Runtime,
    hyperty: &str,
) -> (Member<'runtime>, Member<'runtime>, Value) {
    let ann = Member::deploy(runtime, hyperty, ANN);
    let bob = Member::deploy(runtime, hyperty, BOB);
    let whom = match hyperty {
        CHAT => json!(bob.address()),
        _ => user(BOB),
    };
    let url = ann.call("create", &json!(["talk", [whom]]));
    bob.hears(&json!(["invited", url]));
    bob.call("join", &json!([url]));
    see_each_other(&[&ann, &bob], &url);
    (ann, bob, url)
}

/// How a group names somebody: by who they are.
fn user(email: &str) -> Value {
    let (name, idp) = email.split_once('@').unwrap();
    json!({ "user": format!("user://{idp}/{name}"), "domain": "social.example" })
}

/// Waits until these see these as the participants.
#[track_caller]
fn see_each_other(members: &[&Member<'_>], url: &Value) {
    let mut addresses: Vec<_> = members.iter().map(|member| member.address()).collect();
    addresses.sort_unstable();
    for member in members {
        member.comes_to("participants", &json!([url]), &json!(addresses));
    }
}

/// Each says something, and both have all of it.
#[track_caller]
fn exchange(ann: &Member<'_>, bob: &Member<'_>, url: &Value, before: &[&str], words: [&str; 2]) {
    ann.call("send", &json!([url, words[0]]));
    bob.call("send", &json!([url, words[1]]));
    let mut all = [before, &words].concat();
    all.sort_unstable();
    ann.comes_to("messages", &json!([url]), &json!(all));
    bob.comes_to("messages", &json!([url]), &json!(all));
}

#[test]
fn two_users_in_sandboxes_of_their_own_create_join_talk_and_end_a_conversation() {
    let runtime = runtime();
    let (ann, bob, url) = talking(&runtime, CHAT);

    assert_ne!(ann.component().pid, bob.component().pid);
    ann.hears(&json!(["answered", bob.address(), 200]));
    ann.hears(&json!(["added", bob.address()]));
    exchange(&ann, &bob, &url, &[], ["hello Bob", "hello Ann"]);
    bob.call("typing", &json!([url]));
    ann.hears(&json!(["typing"]));
    ann.call("close", &json!([url]));

    bob.hears(&json!(["closed", url]));
    assert_eq!(ann.call("conversations", &json!([])), json!([]));
    bob.comes_to("conversations", &json!([]), &json!([]));
    assert!(bob.try_call("join", &json!([url])).is_err());
}

#[test]
fn who_leaves_a_conversation_is_no_participant_and_hears_nothing_any_more() {
    let runtime = runtime();
    let (ann, bob, url) = talking(&runtime, CHAT);

    bob.call("close", &json!([url]));
    ann.comes_to("participants", &json!([url]), &json!([ann.address()]));
    ann.call("send", &json!([url, "alone"]));

    ann.hears(&json!(["removed"]));
    assert_eq!(bob.call("conversations", &json!([])), json!([]));
}

#[test]
fn an_observer_that_was_killed_takes_the_conversation_up_again() {
    observer_is_killed(CHAT);
}

#[test]
fn an_observer_of_a_group_that_was_killed_takes_the_conversation_up_again() {
    observer_is_killed(GROUP);
}

#[track_caller]
fn observer_is_killed(hyperty: &str) {
    let runtime = runtime();
    let (ann, bob, url) = talking(&runtime, hyperty);
    exchange(&ann, &bob, &url, &[], ["one", "two"]);

    bob.kill();
    ann.call("send", &json!([url, "while you were away"]));
    let resumed = bob.call("resume", &json!([]));

    assert_eq!(resumed, json!([url]));
    see_each_other(&[&ann, &bob], &url);
    exchange(
        &ann,
        &bob,
        &url,
        &["one", "two", "while you were away"],
        ["three", "four"],
    );
}

#[test]
fn a_reporter_that_was_killed_takes_the_conversation_up_again() {
    reporter_is_killed(CHAT);
}

#[test]
fn a_reporter_of_a_group_that_was_killed_takes_the_conversation_up_again() {
    reporter_is_killed(GROUP);
}

#[track_caller]
fn reporter_is_killed(hyperty: &str) {
    let runtime = runtime();
    let (ann, bob, url) = talking(&runtime, hyperty);
    exchange(&ann, &bob, &url, &[], ["one", "two"]);

    ann.kill();
    bob.call("send", &json!([url, "are you there?"]));
    let resumed = ann.call("resume", &json!([]));

    assert_eq!(resumed, json!([url]));
    see_each_other(&[&ann, &bob], &url);
    exchange(
        &ann,
        &bob,
        &url,
        &["are you there?", "one", "two"],
        ["three", "four"],
    );
}

#[test]
fn a_conversation_outlives_the_supervisor() {
    supervisor_is_killed(CHAT);
}

#[test]
fn a_conversation_of_a_group_outlives_the_supervisor() {
    supervisor_is_killed(GROUP);
}

#[track_caller]
fn supervisor_is_killed(hyperty: &str) {
    let runtime = runtime();
    let (ann, bob, url) = talking(&runtime, hyperty);
    exchange(&ann, &bob, &url, &[], ["one", "two"]);
    runtime.keeps(r#""content":"one""#);
    runtime.keeps(r#""content":"two""#);
    let addresses = [ann.address().to_owned(), bob.address().to_owned()];

    let runtime = again(runtime.killed());
    let ann = Member::deploy(&runtime, hyperty, ANN);
    let bob = Member::deploy(&runtime, hyperty, BOB);
    let resumed = [&ann, &bob].map(|member| member.call("resume", &json!([])));

    assert_eq!(
        [ann.address(), bob.address()],
        addresses.each_ref().map(String::as_str)
    );
    assert_eq!(resumed, [json!([url]), json!([url])]);
    see_each_other(&[&ann, &bob], &url);
    exchange(&ann, &bob, &url, &["one", "two"], ["three", "four"]);
}

#[test]
fn users_are_found_by_who_they_are_and_added_and_removed() {
    let runtime = runtime();
    let (ann, bob, url) = talking(&runtime, GROUP);
    let carol = Member::deploy(&runtime, GROUP, CAROL);

    bob.call("add", &json!([url, [user(CAROL)]]));
    carol.hears(&json!(["invited", url]));
    carol.call("join", &json!([url]));
    see_each_other(&[&ann, &bob, &carol], &url);
    carol.call("send", &json!([url, "hello"]));
    bob.comes_to("messages", &json!([url]), &json!(["hello"]));
    bob.call("remove", &json!([url, carol.address()]));

    carol.hears(&json!(["closed", url]));
    see_each_other(&[&ann, &bob], &url);
    ann.call("send", &json!([url, "she has gone"]));
    bob.comes_to("messages", &json!([url]), &json!(["hello", "she has gone"]));
    assert!(carol.try_call("messages", &json!([url])).is_err());
}

#[test]
fn who_is_away_is_invited_when_they_are_back() {
    let runtime = runtime();
    let ann = Member::deploy(&runtime, GROUP, ANN);
    let bob = Member::deploy(&runtime, GROUP, BOB);
    // Each end makes the pause before the next start longer.
    bob.kill();
    bob.kill();
    bob.kill();
    runtime.process_of(bob.component()).kill();
    eventually("Bob is away", || {
        runtime.component(bob.address()).next_try_ms.is_some()
    });

    let url = ann.call("create", &json!(["talk", [user(BOB)]]));
    bob.hears(&json!(["invited", url]));
    bob.call("join", &json!([url]));

    see_each_other(&[&ann, &bob], &url);
}
