//! What must hold of every question: the answer, its explanation, and Cedar itself agree.

use cedar_policy::{Authorizer, Decision, Policy as CedarPolicy, PolicyId, PolicySet as CedarSet};
use proptest::prelude::*;
use protocol::{Code, MessageKind};

use super::super::facts::{Types, gather};
use super::super::limits::{REFUSALS_KEPT_MAX, VERSIONS_KEPT_MAX};
use super::super::reads::Reads;
use super::*;

/// Rules in every form that decides where a rule is filed.
const POOL: [&str; 21] = [
    "permit (principal, action, resource);",
    "forbid (principal is Hyperty, action == Action::\"read\", resource is Room);",
    "permit (principal in Provider::\"alice.example\", action, resource);",
    "permit (principal is Hyperty in Provider::\"bob.example\", action in Action::\"request\", resource);",
    "permit (principal == Hyperty::\"hyperty://alice.example/1\", action, resource);",
    "forbid (principal, action in [Action::\"create\", Action::\"listen\"], resource == Room::\"registry\");",
    "permit (principal, action, resource) when { principal is Hyperty || principal is ProtoStub };",
    "permit (principal, action, resource) when { principal has provider && principal.provider == \"alice.example\" };",
    "permit (principal, action, resource) when { resource has name && [\"Chat\", \"registry\"].contains(resource.name) };",
    "forbid (principal, action, resource) when { resource.domain == \"bob.example\" || resource.domain == \"rt\" };",
    "permit (principal, action, resource) unless { principal.scheme == \"hyperty\" };",
    "forbid (principal, action, resource) when { context.minute * 9223372036854775807 > 0 && principal.scheme == \"app\" };",
    "forbid (principal, action, resource) when { principal.scheme == \"app\" && context.minute * 9223372036854775807 > 0 };",
    "permit (principal, action in Action::\"message\", resource) when { context.body has code && context.body.code > 1 };",
    "permit (principal, action, resource) when { principal == resource };",
    "permit (principal, action, resource) when { \"hyperty\" == principal.scheme && resource.path like \"/1*\" };",
    "forbid (principal, action, resource) when { principal has level && principal.level < 2 };",
    "permit (principal, action, resource) when { resource == Room::\"ua\" || resource == Room::\"registry\" };",
    "permit (principal, action, resource) when { principal has user && principal.user == \"user://i.example/ann\" };",
    "forbid (principal, action, resource) when { resource has user && [\"user://i.example/bob\", \"user://i.example/eve\"].contains(resource.user) };",
    "permit (principal, action, resource) when { principal has user && resource has user && principal.user == resource.user };",
];

fn someone_any() -> impl Strategy<Value = Someone> {
    let provider = prop::sample::select(vec!["alice.example", "bob.example", "carol.example"]);
    let level = prop::option::of(prop::sample::select(vec![Level::L1, Level::L2, Level::L3]));
    (0..9_u8, provider, level).prop_map(|(kind, provider, level)| {
        let mut someone = match kind {
            0 | 1 => hyperty(provider),
            2 => stub(provider),
            3 => idp_proxy(provider),
            4 => application(provider),
            5 => operator(),
            6 => room("registry"),
            7 => room("pep"),
            _ => remote(&format!("hyperty://{provider}/1")),
        };
        // An address has one user, whoever asks; some have one where nobody should look.
        let user = match (provider, kind) {
            ("alice.example", _) => "user://i.example/ann",
            ("bob.example", 0..=3) => "user://i.example/bob",
            _ => "",
        };
        someone.user = user.to_owned();
        someone.level = level.filter(|_| someone.kind.is_component());
        someone
    })
}

fn word_any() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "create", "read", "update", "response", "event", "execute", "READ", "LISTEN", "DEPLOY",
    ])
}

fn rules_any() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(POOL.to_vec(), 0..=POOL.len()).prop_map(|rules| {
        let numbered = rules.iter().enumerate();
        numbered
            .map(|(n, rule)| format!("@id(\"r{n}\")\n@why(\"w\")\n{rule}"))
            .collect()
    })
}

fn whole_set(rules: &[String]) -> CedarSet {
    let numbered = rules.iter().enumerate();
    let parsed = numbered
        .map(|(n, text)| CedarPolicy::parse(Some(PolicyId::new(n.to_string())), text).unwrap());
    CedarSet::from_policies(parsed).unwrap()
}

/// The answer of Cedar's own authorizer over the whole set, errors refusing.
fn by_cedar(set: &CedarSet, question: &Question<'_>) -> bool {
    let all = Reads {
        relation: true,
        clock: true,
        body: !matches!(question.act, Act::Listen | Act::Deploy | Act::Reach),
    };
    let facts = gather(&Types::new().unwrap(), question, all).unwrap();
    let answer = Authorizer::new().is_authorized(&facts.request, set, &facts.entities);
    answer.decision() == Decision::Allow && answer.diagnostics().errors().next().is_none()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None, // a failing case is printed; nothing is left in the tree
        ..ProptestConfig::default()
    })]

    // Filing rules in drawers must not change a single answer.
    #[test]
    fn filed_rules_answer_as_the_whole_set_does(
        rules in rules_any(),
        parties in prop::collection::vec((someone_any(), word_any(), someone_any()), 24),
        code in 0..4_i64,
        wall_us in 0..10 * 60_000_000_u64,
    ) {
        let set = only(&rules.join("\n"));
        let whole = whole_set(&rules);
        let body = format!("{{\"code\": {code}}}");
        for (from, word, to) in &parties {
            let question = Question {
                body: Some(body.as_bytes()),
                wall_us,
                ..question(from, word, to)
            };

            let permit = set.decide(&question).permit;

            prop_assert_eq!(permit, by_cedar(&whole, &question), "{:?}", question);
        }
    }

    #[test]
    fn an_explanation_agrees_with_its_decision(
        rules in rules_any(),
        parties in prop::collection::vec((someone_any(), word_any(), someone_any()), 24),
    ) {
        let set = only(&rules.join("\n"));
        let mut policy = Policy::new(set.clone());
        for (from, word, to) in &parties {
        let question = Question { body: Some(b"{}"), ..question(from, word, to) };

        let decided = policy.decide(&question);
        let explanation = policy.explain(decided.id).unwrap();

        prop_assert_eq!(explanation.verdict == Verdict::Permitted, decided.permit);
        prop_assert_eq!(&explanation.decision, &decided.id.to_string());
        prop_assert_eq!(explanation.version, 1);
        prop_assert_eq!(explanation.cached, decided.reuse == Reuse::Version);
        let again = set.decide(&question).explanation;
        prop_assert_eq!(&again.rules, &explanation.rules);
        prop_assert_eq!(&again.remedy, &explanation.remedy);
        // Nothing is permitted without a rule that permits it.
        let effects: Vec<&str> =
            explanation.rules.iter().map(|rule| rule.effect.as_str()).collect();
        match explanation.verdict {
            Verdict::Permitted => {
                prop_assert!(!effects.is_empty());
                prop_assert!(effects.iter().all(|&effect| effect == "permit"));
            }
            Verdict::Forbidden => {
                prop_assert!(!effects.is_empty());
                prop_assert!(effects.iter().all(|&effect| effect == "forbid"));
            }
            Verdict::NotPermitted => prop_assert!(effects.is_empty()),
            Verdict::Error => prop_assert!(!explanation.errors.is_empty()),
        }
        }
    }

    // A suggestion that does not help is worse than none.
    #[test]
    fn what_is_suggested_permits_this_and_no_stranger(
        from in someone_any(),
        word in word_any(),
        to in someone_any(),
    ) {
        let explanation = check(&by_default(), &from, word, &to);
        prop_assume!(explanation.verdict == Verdict::NotPermitted);

        // Nobody is ever asked these; no rule about them can be loaded.
        let impossible = matches!(
            (word, from.kind, to.kind),
            ("DEPLOY", PartyKind::Remote | PartyKind::Room, _)
                | ("LISTEN", PartyKind::Room, _)
                | ("DEPLOY", _, PartyKind::Application | PartyKind::Operator
                    | PartyKind::Room | PartyKind::Remote)
        );
        prop_assume!(!impossible);
        let widened = only(&explanation.remedy);

        prop_assert_eq!(verdict(&widened, &from, word, &to), Verdict::Permitted);
        let stranger = hyperty("mallory.example");
        prop_assert_ne!(verdict(&widened, &stranger, word, &to), Verdict::Permitted);
        prop_assert_ne!(verdict(&widened, &from, "forward", &stranger), Verdict::Permitted);
    }
}

#[test]
fn what_is_forbidden_names_the_rule_to_narrow() {
    let rule = r#"@id("quiet") @why("w") forbid (principal, action, resource is Hyperty)"#;
    let set = with(&format!("{rule};"));
    let (from, to) = (hyperty("alice.example"), hyperty("alice.example"));

    let explanation = check(&set, &from, "read", &to);

    assert_eq!(explanation.verdict, Verdict::Forbidden);
    assert!(
        explanation
            .remedy
            .starts_with("// add to `quiet` at mine.cedar:1:\nunless {")
    );
    let unless = explanation.remedy.lines().nth(1).unwrap();
    let narrowed = with(&format!("{rule} {unless};"));
    assert_eq!(verdict(&narrowed, &from, "read", &to), Verdict::Permitted);
    assert_eq!(verdict(&narrowed, &from, "create", &to), Verdict::Forbidden);
}

// PO-09: nothing decided by older rules counts any more, but it can still be explained.
#[test]
fn decisions_are_remembered_for_a_while() {
    let mut policy = Policy::new(by_default());
    let (alice, bob) = (hyperty("alice.example"), hyperty("bob.example"));
    let first = policy.decide(&question(&alice, "read", &bob)).id;
    let permit = policy.decide(&question(&alice, "read", &alice)).id;

    assert_eq!((first.to_string().as_str(), permit.number), ("d-1-1", 2));
    policy.install(with(
        r#"@id("open") @why("w") permit (principal, action, resource is Hyperty);"#,
    ));
    assert_eq!(
        policy.explain(first).unwrap().verdict,
        Verdict::NotPermitted
    );
    let now = policy.decide(&question(&alice, "read", &bob));
    assert!(now.permit);
    assert_eq!(now.id.to_string(), "d-2-3");

    for _ in 0..=REFUSALS_KEPT_MAX {
        policy.decide(&question(&bob, "read", &room("pep")));
    }
    assert!(policy.explain(first).is_none());
    assert!(policy.explain(permit).is_some());
    for _ in 0..VERSIONS_KEPT_MAX {
        policy.install(by_default());
    }
    assert!(policy.explain(permit).is_none());
}

#[test]
fn the_room_understands_what_the_operator_asks() {
    let parse = |kind, body: &str| PepRequest::parse(kind, body.as_bytes());
    let code = |kind, body| parse(kind, body).unwrap_err().code;
    let id = DecisionId {
        version: 1,
        number: 17,
    };

    assert_eq!(parse(MessageKind::Read, "{}"), Ok(PepRequest::Show));
    assert_eq!(parse(MessageKind::Read, ""), Ok(PepRequest::Show));
    assert_eq!(
        parse(MessageKind::Execute, r#"{"method":"show"}"#),
        Ok(PepRequest::Show)
    );
    assert_eq!(
        parse(MessageKind::Execute, r#"{"method":"reload"}"#),
        Ok(PepRequest::Reload)
    );
    assert_eq!(
        parse(MessageKind::Read, r#"{"decision":"d-1-17"}"#),
        Ok(PepRequest::Why(id))
    );
    let would = parse(MessageKind::Read, r#"{"from":"a","to":"b","type":"read"}"#);
    assert!(matches!(would, Ok(PepRequest::WouldDecide { .. })));
    assert_eq!(
        code(MessageKind::Read, r#"{"decision":"d-+1-1"}"#),
        Code::BAD_REQUEST
    );
    assert_eq!(
        code(MessageKind::Read, r#"{"decision":"1"}"#),
        Code::BAD_REQUEST
    );
    assert_eq!(
        code(MessageKind::Read, r#"{"from":"a"}"#),
        Code::BAD_REQUEST
    );
    assert_eq!(code(MessageKind::Read, "{"), Code::BAD_REQUEST);
    assert_eq!(
        code(MessageKind::Execute, r#"{"method":"addPolicy"}"#),
        Code::BAD_REQUEST
    );
    assert_eq!(code(MessageKind::Execute, "{}"), Code::BAD_REQUEST);
    assert_eq!(code(MessageKind::Create, "{}"), Code::NOT_ALLOWED);
}
