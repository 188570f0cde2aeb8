//! Rules that look at the body or the clock, and answers that are not kept.

use super::super::body::expected_members;
use super::*;

const ALICE: &str = "alice.example";
const BOB: &str = "bob.example";
const MINUTE: u64 = 60_000_000;

fn ask(set: &PolicySet, body: Option<&str>, wall_us: u64) -> Ruling {
    let (from, to) = (hyperty(ALICE), hyperty(BOB));
    let question = Question {
        body: body.map(str::as_bytes),
        wall_us,
        ..question(&from, "execute", &to)
    };
    set.decide(&question)
}

#[test]
fn a_rule_about_the_body_sees_what_the_schema_names() {
    let set = with(
        r#"@id("play") @why("music only")
        permit (principal in Provider::"alice.example", action == Action::"execute", resource)
        when { context.body has method && context.body.method == "play" };"#,
    );
    let deep = "[".repeat(100_000);
    let verdict = |body| ask(&set, body, 0).explanation.verdict;

    assert!(set.reads_body());
    assert_eq!(
        verdict(Some(r#"{"method": "play", "x": {}}"#)),
        Verdict::Permitted
    );
    assert_eq!(
        verdict(Some(r#"{"\u006dethod": "play"}"#)),
        Verdict::Permitted
    );
    assert_eq!(
        verdict(Some(r#"{"method": "stop"}"#)),
        Verdict::NotPermitted
    );
    assert_eq!(
        verdict(Some(r#"{"x": {"method": "play"}}"#)),
        Verdict::NotPermitted
    );
    assert_eq!(verdict(Some("")), Verdict::NotPermitted);
    assert_eq!(verdict(Some("\"text\"")), Verdict::NotPermitted);
    assert_eq!(verdict(Some("[[1], null, 1.5]")), Verdict::NotPermitted);
    // What can be read in two ways, or not at all, is an error, and that refuses.
    assert_eq!(
        verdict(Some(r#"{"method": "play", "method": "stop"}"#)),
        Verdict::Error
    );
    assert_eq!(verdict(Some(r#"{"method": ["play"]}"#)), Verdict::Error);
    assert_eq!(verdict(Some(r#"{"method": "play""#)), Verdict::Error);
    assert_eq!(verdict(Some(&deep)), Verdict::Error);
    assert_eq!(verdict(None), Verdict::Error);
    let ruling = ask(&set, Some(r#"{"method": "play", "x": 1}"#), 0);
    assert_eq!(ruling.reuse, Reuse::Never);
    assert_eq!(
        ruling.explanation.attributes["context"]["body"]["method"],
        "play"
    );
}

#[test]
fn an_answer_is_not_kept_only_where_a_rule_looks() {
    let set = with(
        r#"@id("office") @why("calls in the day")
        permit (principal in Provider::"alice.example", action == Action::"execute", resource)
        when { context.minute >= 480 && context.minute < 1080 && context.weekday <= 5 };"#,
    );
    let (alice, bob) = (hyperty(ALICE), hyperty(BOB));
    let reuse = |from, word, to| set.decide(&question(from, word, to)).reuse;

    assert_eq!(
        ask(&set, None, 479 * MINUTE).explanation.verdict,
        Verdict::NotPermitted
    );
    assert_eq!(
        ask(&set, None, 480 * MINUTE).explanation.verdict,
        Verdict::Permitted
    );
    assert_eq!(
        ask(&set, None, 1079 * MINUTE).explanation.verdict,
        Verdict::Permitted
    );
    assert_eq!(
        ask(&set, None, 1080 * MINUTE).explanation.verdict,
        Verdict::NotPermitted
    );
    // 1970-01-03 was a Saturday.
    assert!(!ask(&set, None, (2 * 1440 + 600) * MINUTE).permit);
    assert_eq!(reuse(&alice, "execute", &bob), Reuse::Never);
    assert_eq!(reuse(&alice, "read", &bob), Reuse::Version);
    assert_eq!(reuse(&bob, "execute", &alice), Reuse::Version);
    assert!(set.reads_clock() && !set.reads_body());
}

// PO-08: a window that has closed does not open again unseen.
#[test]
fn a_clock_that_is_set_back_is_told() {
    let mut policy = Policy::new(with(
        r#"@id("day") @why("w") permit (principal, action == Action::"execute", resource)
        when { context.date == 19700101 };"#,
    ));
    let (from, to) = (hyperty(ALICE), hyperty(BOB));
    let mut ask = |wall_us| {
        let question = Question {
            wall_us,
            ..question(&from, "execute", &to)
        };
        let decided = policy.decide(&question);
        policy.explain(decided.id).unwrap()
    };

    assert!(ask(1439 * MINUTE).errors.is_empty());
    assert_eq!(ask(1440 * MINUTE).verdict, Verdict::NotPermitted);
    let reopened = ask(1380 * MINUTE);

    assert_eq!(reopened.verdict, Verdict::Permitted);
    assert!(
        reopened.errors[0].contains("set back by 3600 s"),
        "{reopened:?}"
    );
}

// Cedar skips a rule that ends in an error: a `forbid` would be gone.
#[test]
fn a_forbid_that_fails_refuses() {
    let set = only(
        r#"@id("all") @why("w") permit (principal, action, resource);
        @id("broken") @why("w") forbid (principal, action == Action::"execute", resource)
        when { context.minute * 9223372036854775807 > 0 };"#,
    );

    let ruling = ask(&set, None, 2 * MINUTE);

    assert_eq!(ruling.explanation.verdict, Verdict::Error);
    assert_eq!(ruling.explanation.rules[0].id, "broken");
    assert!(ruling.explanation.errors[0].contains("overflow"));
    assert_eq!(
        ruling.explanation.remedy,
        "// correct `broken` at mine.cedar:2"
    );
    assert!(!ruling.permit);
    assert!(ask(&set, None, MINUTE).explanation.verdict == Verdict::Forbidden);
}

#[test]
fn a_message_called_deploy_deploys_nothing() {
    let set = only(
        r#"@id("d") @why("w") permit (principal, action == Action::"deploy", resource);
        @id("l") @why("w") permit (principal, action == Action::"listen", resource);
        @id("o") @why("w") permit (principal, action == Action::"other", resource)
        when { context.type == "READ" };"#,
    );
    let (alice, bob) = (hyperty(ALICE), hyperty(BOB));

    assert_eq!(verdict(&set, &alice, "DEPLOY", &bob), Verdict::Permitted);
    assert_eq!(verdict(&set, &alice, "LISTEN", &bob), Verdict::Permitted);
    assert_eq!(verdict(&set, &alice, "READ", &bob), Verdict::Permitted);
    for word in [
        "deploy", "listen", "message", "request", "other", "Read", "read", "",
    ] {
        assert_eq!(
            verdict(&set, &alice, word, &bob),
            Verdict::NotPermitted,
            "{word}"
        );
    }
}

#[test]
fn the_schema_and_the_reader_name_the_same_members() {
    let text = super::super::shipped::SCHEMA;
    let block = text
        .split("type Body = {")
        .nth(1)
        .unwrap()
        .split("};")
        .next()
        .unwrap();
    let lines = block
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','));
    let named: Vec<(&str, &str)> = lines.map(|line| line.split_once("?: ").unwrap()).collect();

    assert_eq!(named, expected_members());
}

#[test]
fn level_and_digest_are_asked_for_only_when_known() {
    let set = only(
        r#"@id("strong") @why("w") permit (principal is Hyperty, action, resource)
        when { principal has level && principal.level >= 3 };
        @id("known") @why("w") permit (principal is Hyperty, action, resource)
        when { principal has digest && principal.digest == "sha256:aa" };"#,
    );
    let with = |level, digest: &str| {
        let from = Someone {
            level,
            digest: digest.to_owned(),
            ..hyperty(ALICE)
        };
        verdict(&set, &from, "read", &room("registry"))
    };

    assert_eq!(with(Some(Level::L3), ""), Verdict::Permitted);
    assert_eq!(with(Some(Level::L2), ""), Verdict::NotPermitted);
    assert_eq!(with(None, ""), Verdict::NotPermitted);
    assert_eq!(with(None, "sha256:aa"), Verdict::Permitted);
    assert_eq!(with(None, "sha256:ab"), Verdict::NotPermitted);
}

#[test]
fn a_rule_by_user_holds_for_whoever_acts_for_them() {
    let set = only(
        r#"@id("ann") @why("ann's components may ask") permit (principal, action == Action::"read", resource)
        when { principal has user && principal.user == "user://idp.example/ann" };
        @id("eve") @why("eve is asked nothing") forbid (principal, action, resource)
        when { resource has user && resource.user == "user://idp.example/eve" };"#,
    );
    let of = |user: &str, who: Someone| Someone {
        user: user.to_owned(),
        ..who
    };
    let (ann, bob, eve) = (
        "user://idp.example/ann",
        "user://idp.example/bob",
        "user://idp.example/eve",
    );
    let ask = |from: &str, to: &str| {
        let (from, to) = (of(from, hyperty(ALICE)), of(to, hyperty(BOB)));
        check(&set, &from, "read", &to)
    };

    assert_eq!(ask(ann, bob).verdict, Verdict::Permitted);
    assert_eq!(ask(bob, ann).verdict, Verdict::NotPermitted);
    assert_eq!(ask("", bob).verdict, Verdict::NotPermitted);
    let forbidden = ask(ann, eve);
    assert_eq!(forbidden.verdict, Verdict::Forbidden);
    assert_eq!(forbidden.rules[0].id, "eve");
    assert_eq!(forbidden.attributes["principal"]["user"], ann);
    assert_eq!(forbidden.attributes["resource"]["user"], eve);
    // What is elsewhere, and a room, act for nobody that is known here.
    let app = of(ann, application(ALICE));
    let far = of(ann, remote("hyperty://far.example/1"));
    assert_eq!(
        verdict(&set, &app, "read", &room("pep")),
        Verdict::Permitted
    );
    assert_eq!(
        verdict(&set, &far, "read", &room("pep")),
        Verdict::NotPermitted
    );
}
