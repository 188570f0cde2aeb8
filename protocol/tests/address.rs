//! Every address form of the field (spec messaging §2), and every alias that is refused.

#![allow(clippy::unwrap_used)] // in helpers of the tests

use proptest::prelude::*;
use protocol::Address;
use protocol::address::BadAddress;
use protocol::limits::ADDRESS_BYTES_MAX;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Checks scheme, domain and path of a text that is its own canonical form.
#[track_caller]
fn parts(text: &str, scheme: &str, domain: &str, path: &str) {
    let address: Address = text.parse().unwrap();
    assert_eq!(address.as_str(), text);
    let found = (address.scheme(), address.domain(), address.path());
    assert_eq!(found, (scheme, domain, path));
}

#[track_caller]
fn canonical(text: &str, expected: &str) {
    let address: Address = text.parse().unwrap();
    assert_eq!(address.as_str(), expected);
    assert_eq!(address, expected.parse().unwrap());
}

#[track_caller]
fn refused(text: &str) -> BadAddress {
    text.parse::<Address>().unwrap_err()
}

#[test]
fn hierarchical_addresses_have_scheme_domain_and_path() {
    parts("hyperty://sp.sp/8456", "hyperty", "sp.sp", "/8456");
    parts("hyperty://a/b", "hyperty", "a", "/b");
    parts("comm://d.d/1/children", "comm", "d.d", "/1/children");
    parts("domain://registry.d.d", "domain", "registry.d.d", "");
    parts("domain-idp://google.com", "domain-idp", "google.com", "");
    parts("domain://msg-node.d/sm", "domain", "msg-node.d", "/sm");
    parts("global://registry", "global", "registry", "");
    parts("user-guid://0a1b2c", "user-guid", "0a1b2c", "");
    parts("sharing-cities-dsm", "", "sharing-cities-dsm", "");
}

#[test]
fn a_guid_is_a_path_like_any_other() {
    let guid = "/b23e3d2a-1f5c-0c4d-aaaa-0123456789ab";
    let text = format!("hyperty-runtime://ua.pt{guid}");
    parts(&text, "hyperty-runtime", "ua.pt", guid);
    parts(
        "domain-idp://google.com/stub/0-1-2",
        "domain-idp",
        "google.com",
        "/stub/0-1-2",
    );
    parts(
        "https://ua.pt/.well-known/hyperty/Hello.hy.json",
        "https",
        "ua.pt",
        "/.well-known/hyperty/Hello.hy.json",
    );
}

#[test]
fn a_user_may_stand_in_the_path_or_before_the_domain() {
    parts(
        "user://google.com/a@gmail.com",
        "user",
        "google.com",
        "/a@gmail.com",
    );
    parts("slack://user@slack.com", "slack", "slack.com", "");
    parts("fitness://a@google.com", "fitness", "google.com", "");
    parts("sip:Alice@example.com", "sip", "example.com", "");
    parts("alice@gmail.com", "", "gmail.com", "");
}

#[test]
fn the_forms_without_a_domain() {
    parts("mn:/session", "mn", "", "/session");
    parts("mn:/a/b", "mn", "", "/a/b");
    parts("tel:123", "tel", "123", "");
    parts("tel:+351123", "tel", "+351123", "");
    parts("google.com", "", "google.com", "");
}

#[test]
fn one_address_has_one_canonical_form() {
    canonical("runtime://d/rt-1/sm", "hyperty-runtime://d/rt-1/sm");
    canonical("Runtime://D/rt-1/", "hyperty-runtime://d/rt-1");
    canonical("HYPERTY://Example.ORG/Ab", "hyperty://example.org/Ab");
    canonical("global://registry/", "global://registry");
    canonical("comm://d/1/children/", "comm://d/1/children");
    canonical("WALLETDATA://d/1", "walletData://d/1");
    canonical("walletData://d/1", "walletData://d/1");
    canonical("Slack://User@Slack.com", "slack://User@slack.com");
    canonical("SIP:Alice@Example.com", "sip:Alice@example.com");
    canonical("Alice@Gmail.COM", "Alice@gmail.com");
    canonical("Google.com", "google.com");
    canonical("MN:/session/", "mn:/session");
}

#[test]
fn what_would_have_two_readings_is_refused() {
    for path in [
        ".",
        "..",
        "a/../b",
        "a/.",
        "a//b",
        "/a",
        "a%2Fb",
        "%2e%2e",
        "a?q",
        "a#f",
        "a b",
        "a\\b",
        "a\nb",
        "a\0",
        "a,b",
        "ä",
        "a\u{200b}",
        "a;b",
        "a'b",
        "a\"b",
        "<a>",
    ] {
        refused(&format!("hyperty://d.d/{path}"));
    }
    for domain in [
        "",
        ".",
        "d.",
        ".d",
        "d..d",
        "-d",
        "d-",
        "d:443",
        "d:80",
        "ex%61mple",
        "exämple",
        "[::1]",
        "d d",
        "*",
        "a@d",
        "a:b@d",
        "@d",
    ] {
        refused(&format!("hyperty://{domain}/1"));
    }
    for text in [
        "",
        "*",
        ":",
        "://",
        ":d.d",
        "://d/1",
        ":alice@d.d",
        ":/session",
        "1a://d/1",
        "a_b://d/1",
        "hy perty://d/1",
        "mn:/",
        "mn:",
        "mn:session",
        "mn://session",
        "hyperty:/d/1",
        "hyperty:d",
        "hyperty:a@d",
        "runtime:/d/1",
        "runtime:d",
        "https:/d",
        "d.d/1",
        "d.d:443",
        "@d.d",
        "a@",
        "a@@d",
        "a@b@d.d",
        "a/b@d.d",
        "sip:a:pw@d.d",
        "sip:a@d.d/x",
        "slack://@slack.com",
        "slack://a@b@slack.com",
        "tel:",
        "tel:+",
        "tel:1-2",
        "tel:++1",
        "data://user@",
    ] {
        refused(text);
    }
}

#[test]
fn punycode_is_the_only_spelling_of_an_international_domain() {
    canonical(
        "hyperty://XN--exmple-cua.org/1",
        "hyperty://xn--exmple-cua.org/1",
    );
    refused("hyperty://exämple.org/1");
}

#[test]
fn an_address_is_at_most_so_long_in_either_form() {
    let exact = |scheme: &str| {
        let front = format!("{scheme}://d/");
        format!("{front}{}", "a".repeat(ADDRESS_BYTES_MAX - front.len()))
    };

    assert!(exact("hyperty").parse::<Address>().is_ok());
    let longer = format!("{}a", exact("hyperty"));
    assert_eq!(refused(&longer), BadAddress::TooLong(ADDRESS_BYTES_MAX + 1));
    // `runtime` becomes `hyperty-runtime`, eight more.
    assert_eq!(
        refused(&exact("runtime")),
        BadAddress::TooLong(ADDRESS_BYTES_MAX + 8)
    );
    refused(&format!("hyperty://d/{}", "a".repeat(64 * 1024)));
}

#[test]
fn a_domain_is_made_of_labels_of_bounded_length() {
    let label = "a".repeat(63);
    assert!(format!("hyperty://{label}/1").parse::<Address>().is_ok());
    refused(&format!("hyperty://{label}a/1"));

    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert!(longest.parse::<Address>().is_ok());
    refused(&format!("{longest}a"));
}

#[test]
fn a_refusal_does_not_repeat_control_characters() {
    assert_eq!(
        refused("hyperty://d/\u{1b}[31m").to_string(),
        r"`\u{1b}` is not allowed in an address"
    );
}

#[test]
fn a_refusal_says_how_the_scheme_is_written() {
    assert_eq!(
        refused("hyperty:/d/1").to_string(),
        "an address of the scheme `hyperty` is written `hyperty://…`"
    );
    assert_eq!(
        refused("mn://session").to_string(),
        "an address of the scheme `mn` is written `mn:/…`"
    );
}

#[test]
fn within_ends_at_a_segment() {
    let one = address("hyperty://d/1");

    assert!(one.is_within(&one));
    assert!(address("hyperty://d/1/sub/x").is_within(&one));
    assert!(!address("hyperty://d/12").is_within(&one));
    assert!(!address("hyperty://d").is_within(&one));
    assert!(!address("comm://d/1").is_within(&one));
    assert!(!address("hyperty://d.d/1").is_within(&address("hyperty://d")));
    assert!(address("runtime://d/rt-1/sm").is_within(&address("hyperty-runtime://d/rt-1")));
    assert!(!address("runtime://d/rt-12/sm").is_within(&address("runtime://d/rt-1")));
}

#[test]
fn the_parent_is_one_segment_up_and_never_a_whole_domain() {
    let parent = |text: &str| address(text).parent().map(|parent| parent.to_string());

    assert_eq!(
        parent("hyperty://d/1/a/b").as_deref(),
        Some("hyperty://d/1/a")
    );
    assert_eq!(parent("hyperty://d/1/a").as_deref(), Some("hyperty://d/1"));
    assert_eq!(parent("hyperty://d/1"), None);
    assert_eq!(parent("hyperty://d"), None);
    assert_eq!(parent("mn:/a/b").as_deref(), Some("mn:/a"));
    assert_eq!(parent("mn:/a"), None);
    assert_eq!(parent("alice@gmail.com"), None);
    assert_eq!(parent("google.com"), None);
}

#[test]
fn join_appends_plain_segments_only() {
    let runtime = address("runtime://d/rt-1");
    let joined = |segment: &str| runtime.join(segment).map(|joined| joined.to_string());

    assert_eq!(joined("sm"), Ok("hyperty-runtime://d/rt-1/sm".to_owned()));
    assert_eq!(
        joined("p2phandler/1"),
        Ok("hyperty-runtime://d/rt-1/p2phandler/1".to_owned())
    );
    for bad in ["", "/", "..", ".", "a//b", "/a", "a?b", "a b"] {
        assert!(joined(bad).is_err(), "{bad:?}");
    }
    assert!(address("alice@gmail.com").join("x").is_err());
    assert!(address("google.com").join("x").is_err());
}

#[test]
fn only_runtimes_are_published_under_another_name() {
    let published = |text: &str| address(text).published();

    assert_eq!(published("hyperty-runtime://d/r/sm"), "runtime://d/r/sm");
    assert_eq!(published("runtime://d/r"), "runtime://d/r");
    assert_eq!(
        published("hyperty-runtimes://d/r"),
        "hyperty-runtimes://d/r"
    );
    assert_eq!(published("hyperty://d/r"), "hyperty://d/r");
    assert_eq!(published("alice@gmail.com"), "alice@gmail.com");
}

#[test]
fn only_the_runtime_scheme_is_a_runtime() {
    assert!(address("runtime://d/r").is_runtime());
    assert!(address("hyperty-runtime://d/r").is_runtime());
    assert!(!address("hyperty://d/r").is_runtime());
    assert!(!address("hyperty-catalogue://d/r").is_runtime());
}

/// Texts that are addresses often, and strange ones.
fn texts() -> impl Strategy<Value = String> {
    let scheme = prop_oneof![
        Just("hyperty"),
        Just("Runtime"),
        Just("hyperty-runtime"),
        Just("walletDATA"),
        Just("mn"),
        Just("sip"),
        Just("tel"),
        Just("slack"),
        Just(""),
    ];
    let separator = prop_oneof![Just("://"), Just(":/"), Just(":"), Just("")];
    let user = prop_oneof![Just(String::new()), "[a-zA-Z.+]{0,5}@"];
    let domain = prop_oneof!["[a-zA-Z0-9.-]{0,12}", "[0-9+]{1,5}"];
    let path = prop_oneof![
        Just(String::new()),
        "(/[a-zA-Z0-9.@-]{0,4}){0,4}",
        "[ -~]{0,6}",
        (1000..1020_usize).prop_map(|length| format!("/{}", "a".repeat(length))),
    ];
    (scheme, separator, user, domain, path).prop_map(|(scheme, separator, user, domain, path)| {
        format!("{scheme}{separator}{user}{domain}{path}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn the_canonical_form_is_a_fixed_point(text in texts()) {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert!(address.as_str().len() <= ADDRESS_BYTES_MAX);
            prop_assert_eq!(address.as_str().parse::<Address>(), Ok(address.clone()));
            prop_assert_eq!(address.published().parse::<Address>(), Ok(address));
        }
    }

    #[test]
    fn arbitrary_text_is_survived(text in "\\PC{0,60}") {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert_eq!(address.as_str().parse::<Address>(), Ok(address));
        }
    }

    #[test]
    fn the_parts_make_the_whole(text in texts()) {
        if let Ok(address) = text.parse::<Address>() {
            let (scheme, domain, path) = (address.scheme(), address.domain(), address.path());
            prop_assert!(address.as_str().starts_with(scheme));
            prop_assert!(address.as_str().ends_with(&[domain, path].concat()));
            prop_assert!(!domain.contains(['/', '@', ':']));
        }
    }

    #[test]
    fn a_parent_is_an_address_that_contains_its_child(text in texts()) {
        if let Some((child, parent)) = text.parse::<Address>().ok().and_then(|child| {
            let parent = child.parent()?;
            Some((child, parent))
        }) {
            prop_assert!(child.is_within(&parent));
            prop_assert!(!parent.is_within(&child));
            prop_assert_eq!(parent.as_str().parse::<Address>(), Ok(parent));
        }
    }

    #[test]
    fn a_joined_address_is_below(text in texts(), segment in "[ -~]{0,6}") {
        if let Ok(address) = text.parse::<Address>()
            && let Ok(joined) = address.join(&segment)
        {
            prop_assert!(joined.is_within(&address));
            prop_assert!(!address.is_within(&joined));
            prop_assert_eq!(joined.domain(), address.domain());
        }
    }
}
