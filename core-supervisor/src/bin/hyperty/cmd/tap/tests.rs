//! Fixed traffic, and how it is shown.

use super::*;
use crate::cmd::ps::tests::component;
use crate::names::Names;
use crate::output::Style;

fn entry(verdict: &str, decision: &str, rule: &str) -> TapEntry {
    TapEntry {
        at_us: 1_795_252_894_123_456,
        from: "hyperty://acme.example/echo".to_owned(),
        to: "hyperty://family.example/board/chat".to_owned(),
        kind: "subscribe".to_owned(),
        id: 7,
        bytes: 120,
        verdict: verdict.to_owned(),
        decision: decision.to_owned(),
        rule: rule.to_owned(),
        latency_us: None,
        body: None,
    }
}

fn names() -> Names {
    let mut names = Names::new("hyperty-runtime://here.example/r1", "");
    names.learn(&[
        component("echo", "acme.example"),
        component("board", "family.example"),
    ]);
    names
}

fn show(style: Style) -> String {
    let answered = TapEntry {
        kind: "response".to_owned(),
        latency_us: Some(1_240),
        body: Some(r#"{"code":200,"value":{"accessToken":"abc","n":1}}"#.to_owned()),
        ..entry(
            "permit",
            "d-1-8",
            "policies/message/20-rooms.cedar:9 answer",
        )
    };
    let entries = [
        entry("permit", "d-1-7", "/etc/hyperty/policy.d/30-user.cedar:14"),
        answered,
        entry("deny", "d-1-9", "no rule permits it"),
        entry(
            "forged-from",
            "",
            "hyperty://acme.example/echo is not its own address",
        ),
    ];
    let view = View::new(style, 0);
    let lines = entries
        .iter()
        .map(|entry| view.line(entry, Some(&names()), style));
    view.head(style) + &lines.collect::<String>()
}

#[test]
fn the_live_view_shows_who_whom_type_decision_and_latency() {
    insta::assert_snapshot!(show(Style::PLAIN));
}

#[test]
fn the_live_view_fits_a_terminal_of_a_hundred_columns() {
    let shown = show(Style {
        unicode: true,
        width: Some(100),
        colour: false,
    });

    assert!(
        shown
            .lines()
            .filter(|line| !line.contains('{'))
            .all(|line| line.chars().count() <= 100)
    );
    insta::assert_snapshot!(shown);
}

#[test]
fn a_line_for_programs_has_whole_addresses_and_no_secret() {
    let entry = TapEntry {
        body: Some(r#"{"password":"hunter2"}"#.to_owned()),
        latency_us: Some(38),
        ..entry("deny", "d-1-9", "no rule permits it")
    };

    let json = crate::output::document("hyperty.tap/1", &item(&entry), false).unwrap();

    insta::assert_snapshot!(json);
}
