//! Conversations.

use hyperty_tests::harness::social::{ANN, BOB};
use hyperty_tests::harness::{Between, Member, Pair, eventually};
use serde_json::{Value, json};

use super::{DOMAIN, social};

const GROUP: &str = "social.example/hyperty/GroupChat";

over_each_node! {
    two_users_find_each_other_and_talk,
    who_leaves_hears_no_more_and_the_end_of_a_conversation_is_told,
    a_conversation_goes_on_after_the_invited_runtime_was_killed,
    a_conversation_goes_on_after_the_inviting_runtime_was_killed,
    a_conversation_goes_on_after_each_stub_was_killed,
    a_conversation_goes_on_after_the_node_was_killed,
}

between_machines! {
    two_users_find_each_other_and_talk,
    a_conversation_goes_on_after_the_invited_runtime_was_killed,
    a_conversation_goes_on_after_each_stub_was_killed,
}

/// Ann in the one runtime has created a conversation, Bob in the other has joined.
#[track_caller]
fn talking(pair: &Pair) -> (Member<'_>, Member<'_>, Value) {
    let ann = Member::deploy(&pair.one, GROUP, ANN);
    let bob = Member::deploy(&pair.other, GROUP, BOB);
    let query = json!({ "resource": format!("/hyperty/user/{BOB}") });
    eventually("the registry knows Bob", || {
        let found = pair.one.operator().ask_room("read", "discovery", &query);
        found.value()[0]["hypertyID"] == bob.address()
    });
    let whom = json!({ "user": "user://idp.example/bob", "domain": DOMAIN });
    let url = ann.call("create", &json!(["talk", [whom]]));
    bob.hears(&json!(["invited", url]));
    bob.call("join", &json!([url]));
    see_each_other(&ann, &bob, &url);
    (ann, bob, url)
}

#[track_caller]
fn see_each_other(ann: &Member<'_>, bob: &Member<'_>, url: &Value) {
    let mut both = [ann.address(), bob.address()];
    both.sort_unstable();
    ann.comes_to("participants", &json!([url]), &json!(both));
    bob.comes_to("participants", &json!([url]), &json!(both));
}

/// Each says something, and both have all of it.
#[track_caller]
fn exchange(ann: &Member<'_>, bob: &Member<'_>, url: &Value, before: &[&str], words: [&str; 2]) {
    ann.call("send", &json!([url, words[0]]));
    bob.call("send", &json!([url, words[1]]));
    have(ann, bob, url, &[before, &words].concat());
}

/// Both have all of these messages and no other, and heard none of them twice.
#[track_caller]
fn have(ann: &Member<'_>, bob: &Member<'_>, url: &Value, words: &[&str]) {
    let mut all = words.to_vec();
    all.sort_unstable();
    for member in [ann, bob] {
        member.comes_to("messages", &json!([url]), &json!(all));
        let news = member.call("news", &json!([]));
        let said = news.as_array().unwrap().iter();
        let mut said: Vec<_> = said.filter(|news| news[0] == "message").collect();
        let count = said.len();
        said.sort_by_key(ToString::to_string);
        said.dedup();
        assert_eq!(said.len(), count, "something was heard twice: {news}");
    }
}

fn two_users_find_each_other_and_talk(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann, bob, url) = talking(&pair);

    exchange(&ann, &bob, &url, &[], ["hello", "hi"]);

    ann.hears(&json!(["answered", bob.address(), 200]));
    let explained = pair.one.hyperty(&["resolve", "--explain", bob.address()]);
    assert!(explained.stdout.contains("running, live"), "{explained:?}");
}

fn who_leaves_hears_no_more_and_the_end_of_a_conversation_is_told(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann, bob, first) = talking(&pair);
    let whom = json!({ "user": "user://idp.example/bob", "domain": DOMAIN });
    let second = ann.call("create", &json!(["again", [whom]]));
    bob.hears(&json!(["invited", second]));
    bob.call("join", &json!([second]));
    see_each_other(&ann, &bob, &second);

    bob.call("close", &json!([first]));
    ann.comes_to("participants", &json!([first]), &json!([ann.address()]));
    ann.call("send", &json!([first, "alone"]));
    ann.call("close", &json!([second]));

    bob.hears(&json!(["closed", second]));
    bob.comes_to("conversations", &json!([]), &json!([]));
    assert!(bob.try_call("join", &json!([second])).is_err());
}

fn a_conversation_goes_on_after_the_invited_runtime_was_killed(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann_is, bob_is, url) = begun(&pair);
    pair.other.keeps(r#""content":"two""#);

    let pair = pair.with_other_killed(|one| {
        let ann = Member::at(one, &ann_is);
        ann.call("send", &json!([url, "while you were away"]));
    });
    let ann = Member::at(&pair.one, &ann_is);
    let bob = Member::deploy(&pair.other, GROUP, BOB);
    let resumed = bob.call("resume", &json!([]));

    assert_eq!((bob.address(), resumed), (&bob_is[..], json!([url])));
    see_each_other(&ann, &bob, &url);
    let before = ["one", "two", "while you were away"];
    have(&ann, &bob, &url, &before);
    exchange(&ann, &bob, &url, &before, ["three", "four"]);
}

fn a_conversation_goes_on_after_the_inviting_runtime_was_killed(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann_is, bob_is, url) = begun(&pair);
    pair.one.keeps(r#""content":"two""#);

    let pair = pair.with_one_killed(|_| {});
    let ann = Member::deploy(&pair.one, GROUP, ANN);
    let resumed = ann.call("resume", &json!([]));
    let bob = Member::at(&pair.other, &bob_is);

    assert_eq!((ann.address(), resumed), (&ann_is[..], json!([url])));
    see_each_other(&ann, &bob, &url);
    exchange(&ann, &bob, &url, &["one", "two"], ["three", "four"]);
}

fn a_conversation_goes_on_after_each_stub_was_killed(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann, bob, url) = talking(&pair);
    exchange(&ann, &bob, &url, &[], ["one", "two"]);

    Pair::kill_stub_of(&pair.one);
    exchange(&ann, &bob, &url, &["one", "two"], ["three", "four"]);
    Pair::kill_stub_of(&pair.other);

    let before = ["one", "two", "three", "four"];
    exchange(&ann, &bob, &url, &before, ["five", "six"]);
}

fn a_conversation_goes_on_after_the_node_was_killed(between: Between) {
    let Some(mut pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann_is, bob_is, url) = begun(&pair);

    pair.kill_node(|pair| {
        Member::at(&pair.one, &ann_is).call("send", &json!([url, "is it dark?"]));
    });

    let (ann, bob) = (
        Member::at(&pair.one, &ann_is),
        Member::at(&pair.other, &bob_is),
    );
    let before = ["one", "two", "is it dark?"];
    have(&ann, &bob, &url, &before);
    exchange(&ann, &bob, &url, &before, ["three", "four"]);
}

/// A conversation in which each has said something; the addresses of both, and its own.
#[track_caller]
fn begun(pair: &Pair) -> (String, String, Value) {
    let (ann, bob, url) = talking(pair);
    exchange(&ann, &bob, &url, &[], ["one", "two"]);
    (ann.address().to_owned(), bob.address().to_owned(), url)
}
