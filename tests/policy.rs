//! The rules decide, say why, and are replaced as a whole or not at all.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Answer, Catalogue, Runtime, eventually};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

const ALLOW: &str = "@id(\"asker-reads\")\n@why(\"the test says so\")\npermit (\n  \
    principal is Hyperty in Provider::\"a.example\",\n  action == Action::\"read\",\n  \
    resource is Hyperty in Provider::\"b.example\"\n);\n";

const FORBID: &str = "@id(\"no-reading\")\n@why(\"not any more\")\nforbid (\n  \
    principal is Hyperty in Provider::\"a.example\",\n  action == Action::\"read\",\n  \
    resource is Hyperty in Provider::\"b.example\"\n);\n";

/// Two strangers, and the rules of a test.
struct Strangers {
    runtime: Runtime,
    to: Component,
}

impl Strangers {
    fn meet(catalogue: Catalogue) -> Self {
        let catalogue = catalogue
            .puppet("a.example", "Asker", &json!({ "act": "ask" }))
            .puppet("b.example", "Echo", &json!({ "act": "echo" }));
        let runtime = Runtime::with(catalogue).start();
        runtime.watch();
        let to = runtime.deploy("b.example/hyperty/Echo");
        Self { runtime, to }
    }

    /// A fresh stranger asks; the number of the answer it got.
    fn ask(&self) -> u16 {
        let peer = json!({ "peer": self.to.address });
        let asker = self.runtime.deploy_with("a.example/hyperty/Asker", &peer);
        eventually("it has its answer", || {
            self.runtime.log_says(&asker, "answer")
        });
        let lines = self.runtime.log_lines();
        let line = lines
            .iter()
            .find(|it| it.component == asker.address && it.text.starts_with("answer"));
        line.unwrap()
            .text
            .split(' ')
            .nth(1)
            .unwrap()
            .trim_end_matches(':')
            .parse()
            .unwrap()
    }

    fn write(&self, name: &str, rules: &str) {
        let folder = self.runtime.catalogue().path().join("policy.d");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), rules).unwrap();
    }

    fn reload(&self) -> Answer {
        self.runtime
            .operator()
            .ask_room("execute", "pep", &json!({ "method": "reload" }))
    }

    fn why(&self, question: &Value) -> Value {
        let answer = self.runtime.operator().ask_room("read", "pep", question);
        assert_eq!(answer.code, 200, "{answer:?}");
        answer.value().clone()
    }

    fn version(&self) -> u64 {
        self.why(&json!({}))["version"].as_u64().unwrap()
    }
}

fn empty() -> Catalogue {
    Catalogue::new().rules("00-empty.cedar", "// Nothing is permitted here.\n")
}

#[test]
fn strangers_may_not_talk_and_the_decision_can_be_explained() {
    let strangers = Strangers::meet(empty());

    assert_eq!(strangers.ask(), 403);

    let denied =
        |it: &protocol::api::bus::TapEntry| it.verdict != "permit" && !it.decision.is_empty();
    eventually("the tap shows it", || {
        strangers.runtime.traffic().iter().any(denied)
    });
    let entry = strangers
        .runtime
        .traffic()
        .into_iter()
        .find(denied)
        .unwrap();
    let why = strangers.why(&json!({ "decision": entry.decision }));
    assert_eq!(why["verdict"], "not-permitted");
    assert_eq!(why["to"], json!(strangers.to.address));
    assert_eq!(why["type"], "read");
    assert!(
        why["remedy"].as_str().unwrap().contains("permit"),
        "{why:#}"
    );
}

#[test]
fn a_rule_permits_what_it_names_and_nothing_else() {
    let strangers = Strangers::meet(Catalogue::new().rules("10-test.cedar", ALLOW));

    assert_eq!(strangers.ask(), 200);

    let question = |kind: &str| json!({ "from": "hyperty://a.example/x", "to": strangers.to.address, "type": kind });
    let other = strangers
        .runtime
        .operator()
        .ask_room("read", "pep", &question("update"));
    assert_ne!(other.value()["verdict"], "permitted", "{other:?}");
}

#[test]
fn new_rules_hold_as_soon_as_they_are_reloaded() {
    let strangers = Strangers::meet(empty());
    assert_eq!(strangers.ask(), 403);

    strangers.write("10-test.cedar", ALLOW);
    let reloaded = strangers.reload();

    assert_eq!(reloaded.code, 200, "{reloaded:?}");
    assert_eq!(strangers.ask(), 200);
}

#[test]
fn a_rule_that_forbids_wins_and_is_named_with_its_place() {
    let catalogue = Catalogue::new()
        .rules("10-test.cedar", ALLOW)
        .rules("20-test.cedar", FORBID);
    let strangers = Strangers::meet(catalogue);

    assert_eq!(strangers.ask(), 403);

    let denied = |it: &protocol::api::bus::TapEntry| it.rule.contains("20-test.cedar");
    eventually("the rule's file is named", || {
        strangers.runtime.traffic().iter().any(denied)
    });
    let entry = strangers
        .runtime
        .traffic()
        .into_iter()
        .find(denied)
        .unwrap();
    let why = strangers.why(&json!({ "decision": entry.decision }));
    assert_eq!(why["verdict"], "forbidden");
    assert_eq!(why["rules"][0]["id"], "no-reading");
    assert_eq!(why["rules"][0]["why"], "not any more");
}

#[test]
fn a_policy_file_with_an_error_leaves_the_old_rules_in_force() {
    let strangers = Strangers::meet(Catalogue::new().rules("10-test.cedar", ALLOW));
    let before = strangers.version();

    strangers.write(
        "20-broken.cedar",
        "permit (principal, action, resource) when { nonsense };\n",
    );
    let reloaded = strangers.reload();

    assert_eq!(reloaded.code, 400, "{reloaded:?}");
    assert!(
        reloaded.body.to_string().contains("20-broken.cedar:1"),
        "{reloaded:?}"
    );
    assert_eq!((strangers.version(), strangers.ask()), (before, 200));
}

#[test]
fn a_rule_with_an_unknown_attribute_is_an_error_not_a_rule_that_never_matches() {
    let strangers = Strangers::meet(Catalogue::new().rules("10-test.cedar", ALLOW));

    let typo = "@id(\"typo\")\n@why(\"a typo\")\nforbid (principal, action == Action::\"read\", \
                resource is Hyperty) when { resource.provder == \"b.example\" };\n";
    strangers.write("20-typo.cedar", typo);
    let reloaded = strangers.reload();

    assert_eq!(reloaded.code, 400, "{reloaded:?}");
    assert!(
        reloaded.body.to_string().contains("provder"),
        "{reloaded:?}"
    );
}

#[test]
fn a_supervisor_does_not_start_with_rules_that_do_not_compile() {
    let catalogue = Catalogue::new().rules("10-broken.cedar", "permit (principal, action\n");

    let (status, log) = Runtime::with(catalogue)
        .try_start()
        .expect_err("it started");

    assert_ne!(status.code(), Some(0));
    assert!(log.contains("10-broken.cedar:"), "{log}");
}

#[test]
fn a_component_cannot_change_the_rules() {
    let catalogue =
        Catalogue::new()
            .permissive()
            .puppet("a.example", "Asker", &json!({ "act": "ask" }));
    let runtime = Runtime::with(catalogue).start();
    runtime.watch();
    let pep = format!("{}/pep", runtime.operator().runtime());

    let asker = runtime.deploy_with("a.example/hyperty/Asker", &json!({ "peer": pep }));

    eventually("it is refused", || runtime.log_says(&asker, "answer 403"));
}
