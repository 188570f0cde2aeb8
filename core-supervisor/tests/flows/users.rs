//! For whom components act: their processes, their addresses, what `ps` shows.

use core_supervisor::store::Table;
use protocol::Code;
use protocol::frame::Role;
use serde_json::Value;

use crate::WITHIN;
use crate::story::{RUNTIME, Story, USER};

const ANN: &str = "user://idp.example/ann";

fn component(story: &mut Story, address: &str) -> Value {
    let body = format!(r#"{{"resource":"{address}"}}"#);
    let (code, answer) = story.ask_operator("read", "ua", &body);
    assert_eq!(code, Code::OK, "{answer}");
    serde_json::from_str::<Value>(&answer).unwrap()["value"].clone()
}

#[test]
fn components_of_two_users_never_share_a_sandbox_or_an_address() {
    let mut story = Story::new();

    let (ann, ann_link) = story.deploy_for("ann's", "chat@a.example", "ann@idp.example");
    let (bob, bob_link) = story.deploy_for("bob's", "chat@a.example", "user://idp.example/bob");
    let (again, again_link) = story.deploy_for("ann's clock", "clock@a.example", ANN);

    assert_ne!(ann_link, bob_link);
    assert_eq!(ann_link, again_link);
    assert_ne!(ann, bob);
    assert_ne!(ann, again);
}

#[test]
fn a_component_acts_for_the_runtimes_user_unless_it_is_deployed_for_another() {
    let mut story = Story::new();

    let (own, _) = story.deploy("alice@a.example");
    let (anns, _) = story.deploy_for("ann's", "chat@a.example", "ann@idp.example");

    assert_eq!(component(&mut story, &own)["user"], USER);
    assert_eq!(component(&mut story, &anns)["user"], ANN);
}

#[test]
fn a_deployment_for_what_is_no_user_is_refused_with_what_to_say() {
    let mut story = Story::new();

    let wish = r#"{"component":"chat@a.example","user":"hyperty://a.example/1"}"#;
    let (code, answer) = story.ask_operator("create", "ua", wish);

    assert_eq!(code, Code::BAD_REQUEST);
    assert!(
        answer.contains("say `user://idp/name` or `name@idp`"),
        "{answer}"
    );
    assert!(story.launched.is_empty());
}

#[test]
fn an_application_deploys_for_nobody_but_the_runtimes_user() {
    let mut story = Story::new();
    let role = Role::Application {
        provider: "a.example",
        name: "desk",
        token: "",
    };
    let (link, from) = story.local(role);
    let mut code = |user: &str| {
        let wish = format!(r#"{{"component":"chat@a.example","user":"{user}"}}"#);
        let ua = format!("{RUNTIME}/ua");
        story.send_as(link, &from, "create", &ua, &wish, WITHIN);
        story.messages_on(link).pop().unwrap().2
    };

    assert_eq!((code(USER), code(ANN)), (200, 403));
}

// messaging A.1 case 13
#[test]
fn a_component_gets_its_address_again_after_it_was_removed_and_after_a_restart() {
    let mut story = Story::new();
    let (first, _) = story.deploy("alice@a.example");
    story.ask_operator("delete", "ua", r#"{"resource":"alice"}"#);

    let (second, _) = story.deploy("alice@a.example");
    let (third, _) = story.restarted().deploy("alice@a.example");

    assert_eq!(first, second);
    assert_eq!(first, third);
}

#[test]
fn a_second_one_of_the_same_name_and_user_gets_an_address_of_its_own() {
    let mut story = Story::new();

    let (first, _) = story.deploy("alice@a.example");
    let (second, _) = story.deploy("alice@a.example");

    assert_ne!(first, second);
    let mut after = story.restarted();
    assert_eq!(after.deploy("alice@a.example").0, first);
}

#[test]
fn two_components_whose_published_keys_would_collide_have_two_addresses() {
    let mut story = Story::new();
    let (one, _) = story.deploy_for("one", "ab@c.example", ANN);
    story.ask_operator("delete", "ua", r#"{"resource":"ab"}"#);

    let (other, _) = story.deploy_for("other", "a@bc.example", ANN);

    assert_ne!(one, other);
    let keys: Vec<_> = story
        .kept
        .keys()
        .map(|(table, key)| (*table, key.as_str()))
        .collect();
    assert_eq!(
        keys,
        [
            (
                Table::Addresses,
                r#"["bc.example","hyperty","a","user://idp.example/ann"]"#
            ),
            (
                Table::Addresses,
                r#"["c.example","hyperty","ab","user://idp.example/ann"]"#
            ),
        ]
    );
}

#[test]
fn what_was_kept_in_a_form_that_nobody_reads_any_more_does_no_harm() {
    let mut story = Story::new();
    let key = |text: &str| (Table::Addresses, text.to_owned());
    story
        .kept
        .insert(key("not json"), b"[\"hyperty://a.example/1\"]".to_vec());
    story
        .kept
        .insert(key("[]"), b"[\"hyperty://a.example/2\"]".to_vec());
    story.kept.insert(key(r#"["a.example"]"#), b"{".to_vec());
    story
        .kept
        .insert(key(r#"["b.example"]"#), b"[\"no address\"]".to_vec());

    let (address, _) = story.restarted().deploy("alice@a.example");

    assert!(address.starts_with("hyperty://a.example/"), "{address}");
}

/// What acts for Ann may be read, and nothing else of another provider.
const ANNS: &str = r#"
@id("asks-proxies") @why("the test says so")
permit (principal is Hyperty, action == Action::"read", resource is IdpProxy)
when { resource has user && resource.user == "user://idp.example/ann" };
"#;

#[test]
fn what_was_decided_about_a_user_is_decided_anew_for_another() {
    let mut story = Story::new();
    story.core_rules(crate::story::rules(ANNS));
    story.deploy("alice@a.example");
    let ask = |story: &mut Story| {
        let proxy = "domain-idp://p.example";
        story.send("alice@a.example", "read", proxy, "{}", WITHIN);
        story.messages("alice@a.example")
    };
    story.deploy_for("ann's", "idp-proxy/login@p.example", ANN);
    // Twice: the second is answered from what is remembered.
    let for_ann = (ask(&mut story), ask(&mut story));
    let asked = story.messages("ann's").len();

    story.ask_operator("delete", "ua", r#"{"resource":"login"}"#);
    story.deploy_for("bob's", "idp-proxy/login@p.example", "bob@idp.example");
    let for_bob = ask(&mut story);

    assert_eq!((for_ann, asked), ((Vec::new(), Vec::new()), 2));
    assert_eq!(for_bob.last().unwrap().2, 403, "{for_bob:?}");
    assert!(for_bob.last().unwrap().3.contains("no rule permits"));
    assert_eq!(story.messages("bob's").len(), 0);
}
