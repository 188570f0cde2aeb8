//! What holds when the user has said nothing yet.

use std::collections::BTreeSet;

use super::*;

const HERE: &str = "alice.example";
const STRANGER: &str = "bob.example";

/// A rule, and a question that it alone decides.
type Case = (&'static str, Someone, &'static str, Someone);

/// One case for each rule about data objects.
fn cases_of_objects() -> Vec<Case> {
    vec![
        (
            "component-asks-addresses",
            hyperty(HERE),
            "create",
            room("address-allocation"),
        ),
        ("component-uses-sync", hyperty(HERE), "create", room("sm")),
        ("component-keeps", stub(HERE), "update", room("storage")),
        (
            "observer-takes-part",
            hyperty(STRANGER),
            "OBSERVER execute",
            hyperty(HERE),
        ),
        (
            "remote-reports",
            remote("comm://bob.example/1"),
            "REPORTER update",
            remote("comm://bob.example/1/changes"),
        ),
        (
            "remote-observes",
            remote("hyperty-runtime://bob.example/1/sm"),
            "subscribe",
            someone(
                PartyKind::Room,
                "comm://alice.example/1/subscription",
                "",
                "",
            ),
        ),
    ]
}

/// One case for each rule about the network.
fn cases_of_the_network() -> Vec<Case> {
    let public = || host("tcp://h.example/443");
    vec![
        ("network-as-described", hyperty(HERE), "CONNECT", public()),
        (
            "network-as-granted",
            stub(HERE),
            "BIND granted",
            host("listen://h.example/443"),
        ),
        (
            "network-of-nodes",
            stub(HERE),
            "CONNECT named",
            host("tcp://127.0.0.1/4222/private"),
        ),
        (
            "guard-revoked",
            idp_proxy(HERE),
            "CONNECT revoked",
            public(),
        ),
    ]
}

#[test]
fn a_descriptor_alone_opens_no_private_address_and_no_listener() {
    let set = by_default();
    let private = host("tcp://h.example/443/private");
    let listener = host("listen://h.example/443");
    let of = |word, to| verdict(&set, &hyperty(HERE), word, to);

    assert_eq!(of("CONNECT", &private), Verdict::NotPermitted);
    assert_eq!(of("BIND", &listener), Verdict::NotPermitted);
    assert_eq!(of("CONNECT granted", &private), Verdict::Permitted);
    assert_eq!(of("BIND granted", &listener), Verdict::Permitted);
}

/// One case for each rule about applications.
fn cases_of_applications() -> Vec<Case> {
    vec![
        (
            "application-deploys-its-own",
            application(HERE),
            "DEPLOY",
            hyperty(HERE),
        ),
        (
            "application-asks-user-agent",
            application(HERE),
            "create",
            room("ua"),
        ),
        (
            "application-reads-rooms",
            application(HERE),
            "read",
            room("catalogue"),
        ),
        (
            "application-asks-addresses",
            application(HERE),
            "delete",
            room("address-allocation"),
        ),
        (
            "application-calls-its-own",
            application(HERE),
            "execute",
            hyperty(HERE),
        ),
        (
            "application-hears-its-own",
            hyperty(HERE),
            "event",
            application(HERE),
        ),
    ]
}

/// One case for each rule, in which that rule alone decides.
fn cases() -> Vec<Case> {
    let mut cases = cases_of_objects();
    cases.extend(cases_of_applications());
    cases.extend([
        ("guard-control", hyperty(HERE), "execute", room("pep")),
        ("guard-user-agent", hyperty(HERE), "create", room("ua")),
        ("guard-deploy", hyperty(HERE), "DEPLOY", hyperty(HERE)),
        ("operator-control", operator(), "execute", room("pep")),
        (
            "component-calls-operator-back",
            hyperty(HERE),
            "execute",
            operators_api(),
        ),
        ("room-speaks", room("bus"), "update", operator()),
        ("answer", hyperty(HERE), "response", hyperty(STRANGER)),
        (
            "component-reads-registry",
            stub(HERE),
            "read",
            room("registry"),
        ),
        ("finds-others", hyperty(HERE), "read", room("discovery")),
        (
            "hears-registrations",
            application(HERE),
            "subscribe",
            room("subscriptions"),
        ),
        ("hears-status", hyperty(HERE), "LISTEN", room("status")),
        ("same-provider", hyperty(HERE), "LISTEN", stub(HERE)),
        (
            "stub-to-its-domain",
            stub(HERE),
            "create",
            remote("domain://alice.example"),
        ),
        (
            "domain-tells-of-registrations",
            remote("domain://registry.bob.example"),
            "update",
            remote("hyperty://bob.example/1/registration"),
        ),
        (
            "reaches-domains",
            hyperty(HERE),
            "REACH",
            remote("hyperty://bob.example/1"),
        ),
        (
            "domain-to-its-stub",
            remote("domain://alice.example"),
            "event",
            idp_proxy(HERE),
        ),
        (
            "hyperty-to-its-domain",
            hyperty(HERE),
            "read",
            remote("hyperty://alice.example/9"),
        ),
        (
            "domain-to-its-hyperty",
            remote("hyperty://alice.example/9"),
            "read",
            hyperty(HERE),
        ),
        (
            "idp-proxy-to-its-domain",
            idp_proxy(HERE),
            "read",
            remote("alice.example"),
        ),
    ]);
    cases.extend(cases_of_the_network());
    cases
}

#[test]
fn every_shipped_rule_has_a_case_in_which_it_decides() {
    let set = by_default();
    let effect = |id: &str| {
        let rules = set.in_force().rules;
        rules.into_iter().find(|rule| rule.id == id).unwrap().effect
    };

    for (rule, from, word, to) in cases() {
        let explanation = check(&set, &from, word, &to);

        let deciding: Vec<&str> = explanation
            .rules
            .iter()
            .map(|rule| rule.id.as_str())
            .collect();
        assert_eq!(deciding, [rule]);
        let permits = explanation.verdict == Verdict::Permitted;
        assert_eq!(permits, effect(rule) == "permit", "{rule}");
    }
    let tried: BTreeSet<String> = cases().iter().map(|case| case.0.to_owned()).collect();
    let there: BTreeSet<String> = set
        .in_force()
        .rules
        .into_iter()
        .map(|rule| rule.id)
        .collect();
    assert_eq!(tried, there);
}

fn operators_api() -> Someone {
    someone(
        PartyKind::Operator,
        "hyperty-runtime://rt/1/operator/7/api",
        "",
        "",
    )
}

// services §7.3: the API of a hyperty is an address below it, for its own applications.
#[test]
fn an_application_calls_its_own_providers_hyperties_and_is_called_back() {
    let set = by_default();
    let api = |of: Someone, address: &str| Someone {
        address: address.parse().unwrap(),
        ..of
    };
    let hyperty_of =
        |provider: &str| api(hyperty(provider), &format!("hyperty://{provider}/1/api"));
    let application_of =
        |provider: &str| api(application(provider), &format!("app://{provider}/1/api"));

    let may = |from: &Someone, word, to: &Someone| verdict(&set, from, word, to);
    for word in ["execute", "event"] {
        assert_eq!(
            may(&application(HERE), word, &hyperty_of(HERE)),
            Verdict::Permitted
        );
        assert_eq!(
            may(&hyperty_of(HERE), word, &application_of(HERE)),
            Verdict::Permitted
        );
        assert_eq!(
            may(&application(HERE), word, &hyperty_of(STRANGER)),
            Verdict::NotPermitted
        );
        assert_eq!(
            may(&hyperty_of(STRANGER), word, &application_of(HERE)),
            Verdict::NotPermitted
        );
        assert_eq!(
            may(&hyperty(HERE), word, &hyperty_of(STRANGER)),
            Verdict::NotPermitted
        );
        assert_eq!(
            may(&hyperty(HERE), word, &operators_api()),
            Verdict::Permitted
        );
    }
    assert_eq!(
        may(&hyperty(HERE), "update", &operators_api()),
        Verdict::NotPermitted
    );
    assert_eq!(
        may(&application(HERE), "execute", &operators_api()),
        Verdict::NotPermitted
    );
}

#[test]
fn strangers_have_nothing_to_say_to_each_other() {
    let set = by_default();
    let words = [
        "create",
        "read",
        "update",
        "delete",
        "subscribe",
        "unsubscribe",
        "forward",
        "execute",
        "event",
        "READ",
        "anything",
        "LISTEN",
    ];
    let pairs = [
        (hyperty(HERE), hyperty(STRANGER)),
        (hyperty(HERE), stub(STRANGER)),
        (stub(HERE), hyperty(STRANGER)),
        (stub(HERE), remote("hyperty://bob.example/1")),
        (remote("hyperty://bob.example/1"), hyperty(HERE)),
        (remote("hyperty://sub.alice.example/1"), hyperty(HERE)),
        (remote("hyperty://bob.example/1"), room("registry")),
        (idp_proxy(HERE), hyperty(STRANGER)),
        (application(HERE), hyperty(STRANGER)),
        (hyperty(HERE), application(STRANGER)),
        (hyperty(HERE), operator()),
        (application(HERE), application(STRANGER)),
    ];

    for (from, to) in &pairs {
        for word in words {
            assert_eq!(
                verdict(&set, from, word, to),
                Verdict::NotPermitted,
                "{from:?} {word} {to:?}"
            );
        }
    }
}

#[test]
fn components_do_not_reach_the_control_of_the_runtime() {
    let set = by_default();

    for path in ["pep", "ua", "sandboxes", "bus", "catalogue", "pep/below"] {
        for word in ["create", "read", "update", "execute", "subscribe", "LISTEN"] {
            for from in [
                hyperty(HERE),
                stub(HERE),
                idp_proxy(HERE),
                remote("a://alice.example"),
            ] {
                let verdict = verdict(&set, &from, word, &room(path));
                assert_ne!(verdict, Verdict::Permitted, "{from:?} {word} {path}");
            }
        }
    }
    assert_eq!(
        verdict(&set, &hyperty(HERE), "delete", &room("registry")),
        Verdict::NotPermitted
    );
    let foreign = check(&set, &application(HERE), "DEPLOY", &hyperty(STRANGER));
    assert_eq!(foreign.verdict, Verdict::NotPermitted);
    assert_eq!(
        verdict(&set, &application(HERE), "read", &room("pep")),
        Verdict::Forbidden
    );
}

// PO-01: the reference lets any component change the rules.
#[test]
fn the_most_generous_rule_does_not_give_the_runtime_away() {
    let set = with(r#"@id("all") @why("careless") permit (principal, action, resource);"#);

    assert_eq!(
        verdict(&set, &hyperty(HERE), "execute", &hyperty(STRANGER)),
        Verdict::Permitted
    );
    for path in ["pep", "sandboxes", "bus", "ua", "pep/anything"] {
        for word in ["execute", "create", "read", "event", "addPolicy", "LISTEN"] {
            let verdict = verdict(&set, &hyperty(HERE), word, &room(path));
            assert_eq!(verdict, Verdict::Forbidden, "{word} {path}");
        }
    }
    assert_eq!(
        verdict(&set, &stub(HERE), "DEPLOY", &hyperty(HERE)),
        Verdict::Forbidden
    );
    assert_eq!(
        verdict(&set, &operator(), "execute", &room("pep")),
        Verdict::Permitted
    );
}

#[test]
fn a_rule_of_the_user_opens_one_way_and_the_answer_comes_back() {
    let set = with(
        r#"@id("mine") @why("they are friends")
        permit (
          principal is Hyperty in Provider::"alice.example",
          action in Action::"message",
          resource is Hyperty in Provider::"bob.example"
        );"#,
    );
    let (here, there) = (hyperty(HERE), hyperty(STRANGER));

    assert_eq!(
        verdict(&set, &here, "subscribe", &there),
        Verdict::Permitted
    );
    assert_eq!(verdict(&set, &there, "response", &here), Verdict::Permitted);
    assert_eq!(
        verdict(&set, &there, "subscribe", &here),
        Verdict::NotPermitted
    );
    assert_eq!(
        verdict(&set, &here, "LISTEN", &there),
        Verdict::NotPermitted
    );
    assert_eq!(
        verdict(&set, &stub(HERE), "subscribe", &there),
        Verdict::NotPermitted
    );
}

// PO-07: what is not known never makes two parties the same.
#[test]
fn a_component_without_a_provider_is_refused_everywhere() {
    let set = by_default();
    let nobody = Someone {
        provider: String::new(),
        ..hyperty(HERE)
    };

    let explanation = check(&set, &nobody, "read", &nobody);

    assert_eq!(explanation.verdict, Verdict::Error);
    assert!(explanation.errors[0].contains("has no provider"));
}

#[test]
fn the_services_of_a_domain_are_the_domain_and_those_of_another_are_not() {
    let set = by_default();
    let verdict = |from: &Someone, word: &str, to: &str| {
        let explanation = check(&set, from, word, &remote(to));
        (
            explanation.verdict,
            explanation.rules.first().map(|rule| rule.id.clone()),
        )
    };
    let ours = [
        "domain://msg-node.alice.example/sm",
        "domain://msg-node.alice.example/address-allocation",
        "domain://registry.alice.example",
    ];
    let theirs = [
        "domain://msg-node.bob.example/sm",
        "domain://registry.bob.example",
        // Names that only look like it.
        "domain://msg-node.alice.example.bob.example/sm",
        "hyperty://msg-node.alice.example/1",
    ];

    for to in ours {
        let said = verdict(&hyperty(HERE), "subscribe", to);
        assert_eq!(
            said,
            (Verdict::Permitted, Some("hyperty-to-its-domain".to_owned())),
            "{to}"
        );
        let said = verdict(&stub(HERE), "LISTEN", to);
        assert_eq!(
            said,
            (Verdict::Permitted, Some("stub-to-its-domain".to_owned())),
            "{to}"
        );
    }
    for to in theirs {
        assert_ne!(
            verdict(&hyperty(HERE), "subscribe", to).0,
            Verdict::Permitted,
            "{to}"
        );
    }
}
