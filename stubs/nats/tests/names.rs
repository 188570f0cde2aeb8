//! Addresses as tokens: one for each, and back.

#![allow(clippy::expect_used)]

use proptest::prelude::*;
use protocol::Address;
use stub_nats::names::{
    ADDRESS_TOKEN_BYTES_MAX, Came, Names, NotToken, address_of, address_token, runtime_token,
    text_token,
};

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn names(id: &str) -> Names {
    Names::new(
        "hy",
        &address(&format!("hyperty-runtime://example.org/{id}")),
    )
    .expect("names")
}

#[test]
fn every_form_of_address_has_a_token_and_comes_back() {
    let check = |text: &str, token: &str| {
        let address = address(text);
        assert_eq!(address_token(&address).as_deref(), Ok(token));
        assert_eq!(address_of(token), Some(address));
    };

    check("hyperty://example.org/42", "hyperty=c__example=dorg_42");
    check(
        "comm://example.org/1/children/x",
        "comm=c__example=dorg_1_children_x",
    );
    check("sip:Alice@example.org", "sip=cAlice=aexample=dorg");
    check("alice@gmail.com", "alice=agmail=dcom");
    check("google.com", "google=dcom");
    check("tel:+351123", "tel=c=x2b351123");
    check("mn:/session", "mn=c_session");
    check(
        "user://google.com/a_b@gmail.com",
        "user=c__google=dcom_a=ub=agmail=dcom",
    );
    check("hyperty://example.org/a=b", "hyperty=c__example=dorg_a==b");
}

#[test]
fn another_spelling_of_a_token_is_none() {
    for token in [
        "",
        "=",
        "=z",
        "=x2",
        "=x41",
        "=X2b",
        "a.b",
        "a*",
        "hyperty=c__A_1",
        "_",
        ">",
    ] {
        assert_eq!(address_of(token), None, "{token}");
    }
    assert_eq!(text_token("").as_deref(), Ok("=e"));
}

#[test]
fn an_address_that_is_too_long_is_refused() {
    let fits = format!("hyperty://d.example/{}", "a".repeat(1000));
    let dots = format!("hyperty://d.example/{}", ".".repeat(1000) + "a");

    assert!(address_token(&address(&fits)).is_ok());
    let refused = address_token(&address(&dots)).expect_err("too long");
    assert!(
        matches!(refused, NotToken::Long(_, 2023, ADDRESS_TOKEN_BYTES_MAX)),
        "{refused}"
    );
}

#[test]
fn a_runtime_is_the_domain_and_one_segment() {
    let check = |text: &str, token: Option<&str>| {
        assert_eq!(
            runtime_token(&address(text)).ok().as_deref(),
            token,
            "{text}"
        );
    };

    check(
        "hyperty-runtime://example.org/r-1",
        Some("example=dorg_r-1"),
    );
    check("runtime://example.org/r-1/sm", Some("example=dorg_r-1"));
    check("hyperty-runtime://example.org/protostub/7", None);
    check("hyperty-runtime://example.org", None);
    check("hyperty://example.org/r-1", None);
}

#[test]
fn only_the_own_subjects_are_understood() {
    let a = names("a");
    let b = names("b");
    let from_b = b.to(a.runtime());

    assert_eq!(a.read(&from_b), Came::Message { from: b.runtime() });
    assert_eq!(
        a.read(&b.mail_to(a.runtime())),
        Came::Mail { from: b.runtime() }
    );
    assert_eq!(b.read(&from_b), Came::Other);
    let at = a.answer_from(b.runtime(), 7);
    assert_eq!(
        a.read(&at),
        Came::Answer {
            from: b.runtime(),
            number: 7
        }
    );
    assert_eq!(
        a.read(&a.cluster_answer(8)),
        Came::ClusterAnswer { number: 8 }
    );
    assert_eq!(a.read("$JS.API.INFO"), Came::Other);
    assert_eq!(a.read("hy.to.example=dorg_a.b.c"), Came::Other);
}

#[test]
fn an_answer_goes_to_whoever_asked_and_nowhere_else() {
    let a = names("a");
    let b = names("b");
    let at = a.answer_from(b.runtime(), 7);

    assert!(b.may_answer(&at, a.runtime()));
    let elsewhere = [
        "$JS.API.STREAM.DELETE.KV_hy-book",
        "hy.re.example=dorg_c.example=dorg_b.7",
        "hy.re.example=dorg_a.example=dorg_b.7.8",
        "hy.re.example=dorg_a.example=dorg_b.x",
        "hy.re.example=dorg_a.example=dorg_a.7",
        "hy.re.example=dorg_ax.example=dorg_b.7",
    ];
    for reply in elsewhere {
        assert!(!b.may_answer(reply, a.runtime()), "{reply}");
    }
}

#[test]
fn a_prefix_is_one_word() {
    let runtime = address("hyperty-runtime://example.org/a");
    for prefix in ["", "a.b", "a b", "*", "$JS", &"a".repeat(33)] {
        assert!(Names::new(prefix, &runtime).is_err(), "{prefix}");
    }
    assert!(Names::new("acme-1", &runtime).is_ok());
}

fn any_address() -> impl Strategy<Value = Address> {
    let segment = "[A-Za-z0-9._~:@+=!$&*()-]{1,12}";
    let hierarchical = (
        "[a-z][a-z0-9+.-]{0,8}",
        "[a-z0-9]{1,8}(\\.[a-z]{2,4}){0,2}",
        proptest::collection::vec(segment, 0..4),
    )
        .prop_map(|(scheme, domain, path)| format!("{scheme}://{domain}/{}", path.join("/")));
    let mailbox = (
        "[a-z]{2,5}",
        "[A-Za-z0-9._+-]{1,9}",
        "[a-z]{1,6}\\.[a-z]{2,3}",
    )
        .prop_map(|(scheme, user, domain)| format!("{scheme}:{user}@{domain}"));
    prop_oneof![hierarchical, mailbox, "[a-z]{1,8}\\.[a-z]{2,3}"]
        .prop_filter_map("an address", |text| text.parse().ok())
}

proptest! {
    #[test]
    fn tokens_are_one_word_and_come_back(address in any_address()) {
        let token = address_token(&address).expect("a token");
        prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b)));
        prop_assert_eq!(address_of(&token), Some(address));
    }

    #[test]
    fn different_addresses_have_different_tokens(a in any_address(), b in any_address()) {
        let same = address_token(&a) == address_token(&b);
        prop_assert_eq!(same, a == b);
    }

    #[test]
    fn any_text_has_one_token(a in ".{0,40}", b in ".{0,40}") {
        let (one, two) = (text_token(&a).expect("a token"), text_token(&b).expect("a token"));
        prop_assert_eq!(one == two, a == b);
    }

    #[test]
    fn what_is_no_token_is_no_address(text in "[a-z=_.x0-9]{0,30}") {
        if let Some(address) = address_of(&text) {
            prop_assert_eq!(address_token(&address), Ok(text));
        }
    }
}
