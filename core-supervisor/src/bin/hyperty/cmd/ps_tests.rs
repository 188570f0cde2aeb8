//! Fixed deployments, and how they are listed.

use std::collections::BTreeMap;

use protocol::api::capabilities::Met;

use super::*;

/// A running component, for the tests of every command.
pub(crate) fn component(name: &str, provider: &str) -> Component {
    Component {
        address: format!("hyperty://{provider}/{name}"),
        name: name.to_owned(),
        provider: provider.to_owned(),
        user: "user://idp.example/ann".to_owned(),
        kind: ComponentKind::Hyperty,
        engine: Engine::Script,
        state: "running".to_owned(),
        reason: String::new(),
        level: Some(Level::L3),
        pid: Some(4242),
        sandbox: Some(3),
        restarts: 0,
        next_try_ms: None,
        session: String::new(),
        session_desc: String::new(),
        session_ms: None,
        running_ms: Some(125_000),
        sent: 12,
        received: 9,
        refused: 0,
        digest: "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
            .to_owned(),
        source: format!("/srv/{provider}/.well-known/hyperty/{name}.hy.json"),
        signer: "unsigned".to_owned(),
        version: String::new(),
        package: String::new(),
        waits: String::new(),
        limits: Vec::new(),
        constraints: BTreeMap::from([
            ("browser".to_owned(), Met::Here),
            ("camera".to_owned(), Met::RefusedInUse),
        ]),
    }
}

fn listing() -> Listing {
    let stub = Component {
        kind: ComponentKind::ProtoStub,
        engine: Engine::Native,
        level: Some(Level::L2),
        address: "hyperty-runtime://here.example/r1/protostub/acme.example".to_owned(),
        ..component("loopback", "acme.example")
    };
    let crashed = Component {
        state: "waiting".to_owned(),
        reason: "killed: made the system call `ptrace`, which is never legitimate".to_owned(),
        level: None,
        pid: None,
        sandbox: None,
        session: String::new(),
        session_desc: String::new(),
        session_ms: None,
        running_ms: None,
        restarts: 4,
        next_try_ms: Some(1_600),
        refused: 31,
        ..component("es\u{1b}[2Jcapee", "mallory.example")
    };
    let naked = Component {
        level: Some(Level::L0),
        ..component("dev", "localhost")
    };
    let components = vec![component("echo", "acme.example"), stub, crashed, naked];
    Listing { components }
}

#[test]
fn the_listing_is_a_table_and_tells_why_something_does_not_run() {
    insta::assert_snapshot!(table(&listing(), false, Style::PLAIN));
}

#[test]
fn the_wide_listing_has_addresses_and_digests() {
    insta::assert_snapshot!(table(&listing(), true, Style::PLAIN));
}

#[test]
fn users_are_shown_as_soon_as_there_are_several() {
    let mut listing = listing();
    listing.components[1].user = "user://idp.example/bob".to_owned();

    let text = table(&listing, false, Style::PLAIN);

    assert!(text.contains("user://idp.example/bob"), "{text}");
}

#[test]
fn a_narrow_terminal_gets_a_narrow_table() {
    let narrow = Style {
        unicode: true,
        width: Some(80),
        colour: false,
    };

    insta::assert_snapshot!(table(&listing(), true, narrow));
}

#[test]
fn the_state_is_coloured_on_a_terminal() {
    let colourful = Style {
        colour: true,
        ..Style::PLAIN
    };
    let components = vec![component("echo", "acme.example")];

    let text = table(&Listing { components }, false, colourful);

    assert!(text.contains("\u{1b}[32mrunning\u{1b}[0m"), "{text}");
}

#[test]
fn the_json_form_has_a_schema_and_whole_ids() {
    let components = vec![component("echo", "acme.example")];

    let json = crate::output::document("hyperty.ps/1", &Listing { components }, true).unwrap();

    insta::assert_snapshot!(json);
}

#[test]
fn an_empty_runtime_says_what_to_do() {
    let text = table(&Listing::default(), false, Style::PLAIN);

    assert_eq!(
        text,
        "Nothing is deployed. To deploy: hyperty deploy NAME --catalogue DIR\n"
    );
}
