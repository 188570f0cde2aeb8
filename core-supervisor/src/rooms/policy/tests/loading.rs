//! What makes files a set of rules, and what is said when they are none.

use super::super::limits::{FILES_MAX, RULE_BYTES_MAX, RULE_DEPTH_MAX, RULE_LINKS_MAX, RULES_MAX};
use super::*;

fn rule(condition: &str) -> String {
    format!(
        "@id(\"r\")\n@why(\"w\")\npermit (principal, action in Action::\"message\", resource)\n\
         when {{ {condition} }};\n"
    )
}

#[track_caller]
fn refused(text: &str, place: &str, message: &str) {
    let problems = problems(text);
    let found = problems
        .iter()
        .any(|line| line.starts_with(&format!("mine.cedar:{place}: ")) && line.contains(message));
    assert!(found, "{problems:#?}");
}

#[test]
fn no_files_permit_nothing() {
    let set = compile(&[]).unwrap();

    assert_eq!(
        verdict(&set, &operator(), "read", &room("pep")),
        Verdict::NotPermitted
    );
}

// PO-04: what is not understood is said, never "does not match".
#[test]
fn a_slip_of_the_pen_is_an_error_with_its_place() {
    refused(&rule("principal.providr == \"a\""), "4:8", "`providr`");
    refused(&rule("principal.provider == \"a\""), "4:8", "provider");
    refused(&rule("context.minuet > 3"), "4:8", "minuet");
    refused(&rule("context.body.secret == \"a\""), "4:8", "secret");
    refused(
        &rule("principal is Hyprty"),
        "4:21",
        "did you mean `Hyperty`",
    );
    refused(&rule("principal.path =~ \"a\""), "4:24", "invalid token");
    refused(&rule("context.minute == \"noon\""), "4:8", "");
    refused(&rule("context.minute >"), "4:25", "");
    refused(&rule("principal.address && true"), "4:8", "");
    refused(
        "permit (principal, action == Action::\"raed\", resource);",
        "1:1",
        "no proper name",
    );
    let named = "@id(\"a\") @why(\"b\")\npermit (principal, action == Action::\"raed\", resource);";
    refused(named, "2:30", "did you mean");
    refused(
        "@id(\"a\") @why(\"b\") permit (principal, action, resource)",
        "1:56",
        "",
    );
    refused("allow (principal, action, resource);", "1:1", "");
    refused("\"", "1:1", "");
}

#[test]
fn a_user_is_written_as_users_are_compared() {
    let either = |user: &str| rule(&format!("principal has user && {user}"));

    assert!(
        compile(&[file(&either(
            r#"principal.user == "user://idp.example/ann""#
        ))])
        .is_ok()
    );
    refused(&rule(r#"principal.user == "user://a/b""#), "4:8", "user");
    refused(&either(r#"principal.usr == "user://a/b""#), "4:30", "`usr`");
    let mail = either(r#"(principal.user == "ann@idp.example")"#);
    refused(&mail, "1:1", "(write `user://idp.example/ann`)");
    let set = either(r#"["user://a.b/c", "user://A.b/c"].contains(principal.user)"#);
    refused(&set, "1:1", "(write `user://a.b/c`)");
    let unless = either(r#"!("ann" == principal.user)"#);
    refused(&unless, "1:1", "`ann` is no user");
    let remote = rule("principal is Remote && principal.user == \"user://a.b/c\"");
    refused(&remote, "4:31", "user");
}

#[test]
fn a_rule_has_a_name_and_a_reason() {
    let scope = "permit (principal, action, resource);";

    refused(&format!("@why(\"w\") {scope}"), "1:1", "no proper name");
    refused(
        &format!("@id(\"\") @why(\"w\") {scope}"),
        "1:1",
        "no proper name",
    );
    refused(
        &format!("@id(\"a b\") @why(\"w\") {scope}"),
        "1:1",
        "no proper name",
    );
    refused(
        &format!("// first\n\n  @id(\"a\") {scope}"),
        "3:3",
        "does not say why",
    );
    refused(
        &format!("@id(\"a\") @why(\" \") {scope}"),
        "1:1",
        "does not say why",
    );
    let twice = format!("@id(\"a\") @why(\"w\") {scope}\n@id(\"a\") @why(\"w\") {scope}");
    refused(
        &twice,
        "2:1",
        "a second rule with the name `a` (the first is at mine.cedar:1",
    );
}

#[test]
fn a_name_is_unique_across_files() {
    let text = r#"@id("answer") @why("again") permit (principal, action, resource);"#;
    let mut files = shipped();
    files.push(file(text));

    let problems = compile(&files).unwrap_err().problems;

    assert_eq!(problems[0].place, "mine.cedar:1:1");
    assert!(
        problems[0]
            .help
            .contains("policies/message/20-rooms.cedar:")
    );
}

#[test]
fn a_rule_that_can_never_apply_is_an_error() {
    refused(&rule("false"), "1:1", "");
    refused(
        &rule("principal is Hyperty && principal is Room"),
        "1:1",
        "",
    );
    let scope = "@id(\"a\") @why(\"w\")\npermit (principal, action == Action::\"deploy\", resource is Room);";
    refused(scope, "1:1", "");
    let unknown_room =
        "@id(\"a\") @why(\"w\")\nforbid (principal, action, resource == Room::\"peep\");";
    refused(unknown_room, "1:1", "there is no room `peep`");
    let capital =
        "@id(\"a\") @why(\"w\") forbid (principal in Provider::\"Bob.example\", action, resource);";
    refused(capital, "1:1", "write `bob.example`");
    let alias = "@id(\"a\") @why(\"w\") forbid (principal == Remote::\"runtime://d/1/\", action, resource);";
    refused(alias, "1:1", "write `hyperty-runtime://d/1`");
    refused(
        &rule("principal == Operator::\"root\""),
        "1:1",
        "there is no operator",
    );
}

#[test]
fn what_looks_like_something_else_is_an_error() {
    let deceiving = rule("principal.path == \"a\u{202e}b\"");
    refused(
        &deceiving,
        "4:26",
        "`\"a\\u{202e}b\"` contains BIDI control",
    );
}

#[test]
fn templates_are_no_rules() {
    let text = "@id(\"a\") @why(\"w\")\npermit (principal == ?principal, action, resource);";

    assert!(problems(text)[0].starts_with("mine.cedar:"));
}

#[test]
fn every_problem_of_every_file_is_told() {
    let text = format!("permit;\n{}forbid (;\n", rule("true"));

    let lines = problems(&text);

    assert!(
        lines.iter().any(|line| line.starts_with("mine.cedar:1:")),
        "{lines:#?}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("mine.cedar:6:")),
        "{lines:#?}"
    );
}

#[test]
fn problems_come_in_the_order_of_their_lines() {
    let wrong = |n| {
        let kind = if n % 2 == 0 { "Hyperty" } else { "Remote" };
        format!(
            "@id(\"r{n}\")@why(\"w\")permit(principal is {kind},action,resource)when{{context.x}};"
        )
    };
    let text: Vec<String> = (1..=12).map(wrong).collect();

    let lines = problems(&text.join("\n"));

    let numbers = lines
        .iter()
        .map(|line| line.split(':').nth(1).unwrap().parse().unwrap());
    assert_eq!(
        numbers.collect::<Vec<usize>>(),
        (1..=12).collect::<Vec<usize>>()
    );
}

#[test]
fn the_place_of_a_rule_counts_lines_and_characters() {
    let text =
        "// “ä” ; ( \"\n@id(\"r\") @why(\"; // ä\")\npermit (principal, action, resource);\n\n";
    let set = only(text);
    assert_eq!(set.in_force().rules[0].place, "mine.cedar:2");
    assert_eq!(set.in_force().rules[0].why, "; // ä");

    let crooked = "/* ä */ permit (principal, action, resource);";
    refused(crooked, "1:4", "invalid token");
}

// PO-05: limits while compiling, not while deciding.
#[test]
fn rules_without_measure_are_refused() {
    let numbered = |count: usize| -> String {
        let one = |n| format!("@id(\"r{n}\")@why(\"w\")permit(principal,action,resource);\n");
        (0..count).map(one).collect()
    };
    assert!(problems(&numbered(RULES_MAX + 1))[0].contains("at most 20000 are read"));

    let deep = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert!(compile(&[file(&rule(&deep(RULE_DEPTH_MAX - 1)))]).is_ok());
    refused(
        &rule(&deep(RULE_DEPTH_MAX)),
        "1:1",
        "brackets in each other",
    );
    refused(&rule(&deep(10_000)), "1:1", "");

    let chain = |links: usize| vec!["principal.path == \"a\""; links + 1].join(" || ");
    assert!(compile(&[file(&rule(&chain(RULE_LINKS_MAX)))]).is_ok());
    refused(&rule(&chain(RULE_LINKS_MAX + 1)), "1:1", "operators");
    refused(&rule(&chain(10_000)), "1:1", "longer than");
    let nested = "if true then true else ".repeat(RULE_LINKS_MAX + 1);
    refused(&rule(&format!("{nested} true")), "1:1", "operators");
    refused(
        &rule(&format!("{}true", "!".repeat(RULE_LINKS_MAX + 1))),
        "1:1",
        "operators",
    );
    refused(
        &rule(&format!("context{} == 1", ".a".repeat(9))),
        "1:1",
        "dots in a row",
    );

    let long = format!("principal.path == \"{}\"", "a".repeat(RULE_BYTES_MAX));
    refused(&rule(&long), "1:1", "longer than");
    let many: Vec<PolicyFile> = (0..=FILES_MAX).map(|_| file("")).collect();
    assert!(compile(&many).is_err());
}

#[test]
fn a_set_that_does_not_compile_changes_nothing() {
    let mut policy = Policy::new(by_default());

    assert!(compile(&[file("nonsense")]).is_err());
    assert_eq!((policy.version(), policy.in_force().version), (1, 1));

    assert_eq!(policy.install(with("")), 2);
    assert_eq!(policy.in_force().version, 2);
    assert_eq!(policy.in_force().files.last().unwrap(), "mine.cedar");
}
