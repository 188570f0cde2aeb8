//! An application brings its own runtime and uses it as a component of its own provider.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hyperty_tests::harness::{
    Application, Catalogue, Operator, TempDir, children_of, eventually, running,
};
use protocol::frame::Role;
use serde_json::{Value, json};

const fn role<'a>(provider: &'a str, token: &'a str) -> Role<'a> {
    Role::Application {
        provider,
        name: "second",
        token,
    }
}

fn text<'a>(ready: &'a Value, name: &str) -> &'a str {
    ready[name].as_str().unwrap()
}

#[test]
fn an_application_deploys_calls_is_called_back_and_listens() {
    let (catalogue, home) = (Catalogue::fixture("app"), TempDir::new());

    let application = Application::start(&catalogue, &home);

    assert_eq!(application.tells("deployed")["state"], "running");
    assert_eq!(application.tells("answered"), 200);
    assert_eq!(application.tells("called"), 42);
    assert!(application.tells("called-back")[0].as_u64().unwrap() > 0);
    assert_eq!(application.tells("listening"), 200);
    assert!(application.tells("heard")["ticks"].as_u64().unwrap() > 0);
}

#[test]
fn the_ready_line_says_how_to_connect() {
    let (catalogue, home) = (Catalogue::fixture("app"), TempDir::new());

    let application = Application::start(&catalogue, &home);
    let spawned = application.tells("spawned");
    let ready = application.tells("ready");

    assert_eq!((&ready["ready"], &ready["pid"]), (&json!(true), &spawned));
    assert!(!text(&ready, "build").is_empty());
    assert!(text(&ready, "token").len() >= 32, "{ready}");
    assert!(Path::new(text(&ready, "endpoint")).exists());
}

#[test]
fn the_endpoint_is_for_its_user_only() {
    let (catalogue, home) = (Catalogue::fixture("app"), TempDir::new());

    let application = Application::start(&catalogue, &home);
    let ready = application.tells("ready");

    let endpoint = Path::new(text(&ready, "endpoint"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(endpoint), 0o600);
    assert_eq!(mode(endpoint.parent().unwrap()), 0o700);
}

#[test]
fn the_token_is_no_argument_and_in_no_environment() {
    let (catalogue, home) = (Catalogue::fixture("app"), TempDir::new());

    let application = Application::start(&catalogue, &home);
    let ready = application.tells("ready");
    application.tells("deployed");

    let token = text(&ready, "token");
    for process in children_of(application.process().pid) {
        assert!(!process.arguments().join(" ").contains(token));
        assert!(!process.environment().unwrap_or_default().contains(token));
    }
}

#[test]
fn an_application_without_the_token_is_refused() {
    let (catalogue, home) = (Catalogue::fixture("app"), TempDir::new());
    let application = Application::start(&catalogue, &home);
    let ready = application.tells("ready");
    let endpoint = Path::new(text(&ready, "endpoint"));

    let wrong = Operator::connect_as(endpoint, role("app.example", "not the token"));
    let right = Operator::connect_as(endpoint, role("app.example", text(&ready, "token")));

    assert!(wrong.is_err());
    assert!(right.is_ok(), "{right:?}");
}

#[test]
fn an_application_may_not_do_what_is_the_operators() {
    let (catalogue, home) = (Catalogue::fixture("app"), TempDir::new());
    let application = Application::start(&catalogue, &home);
    let ready = application.tells("ready");
    let endpoint = Path::new(text(&ready, "endpoint"));
    let second =
        Operator::connect_as(endpoint, role("app.example", text(&ready, "token"))).unwrap();
    let stranger = json!({ "catalogue": catalogue.path(), "provider": "other.example", "component": "hyperty/Clock" });

    let codes = [
        second
            .ask_room("execute", "pep", &json!({ "method": "reload" }))
            .code,
        second
            .ask_room("execute", "sandboxes", &json!({ "method": "shutdown" }))
            .code,
        second.ask_room("subscribe", "bus", &json!({})).code,
        second.ask_room("read", "sandboxes", &json!({})).code,
    ];

    assert_eq!(codes, [403; 4]);
    let deployed = second.ask_room("create", "ua", &stranger).code;
    assert!((400..500).contains(&deployed), "{deployed}");
}

#[test]
fn the_end_of_the_application_is_the_end_of_everything() {
    let (catalogue, home) = (Catalogue::fixture("app"), TempDir::new());
    let mut application = Application::start(&catalogue, &home);
    application.tells("heard");
    let all = children_of(application.process().pid);
    assert!(all.len() >= 3, "{all:?}");

    application.kill();

    eventually("nothing of it runs", || running(&all).is_empty());
}
