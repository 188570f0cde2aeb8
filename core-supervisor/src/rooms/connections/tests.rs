//! Grants as tables: what is written, what is dialled, what covers it.

use protocol::dial::Transport;

use super::*;
use crate::place::checked;
use protocol::api::connections::Grant;

const CHAT: &str = "a.example/Chat";

fn pattern(host: &str, port: u16) -> Pattern {
    Pattern {
        host: host.to_owned(),
        port,
        protocol: Transport::Tcp,
        private: false,
        count: 0,
    }
}

fn grant(host: &str, port: u16) -> Grant {
    Grant {
        component: CHAT.to_owned(),
        pattern: pattern(host, port),
    }
}

fn place(host: &str, port: u16) -> Place {
    Place::read(host, port, Transport::Tcp).unwrap()
}

#[track_caller]
fn covers(written: &str, host: &str, expected: bool) {
    let asked = [pattern(written, 443)];
    let covered = Grants::default().cover(CHAT, &asked, &place(host, 443));
    assert_eq!(covered.is_some(), expected, "`{written}` and `{host}`");
}

#[test]
fn a_star_stands_for_what_is_below_and_not_for_the_name_itself() {
    covers("example.org", "example.org", true);
    covers("example.org", "EXAMPLE.org.", true);
    covers("example.org", "a.example.org", false);
    covers("*.example.org", "a.example.org", true);
    covers("*.example.org", "a.b.example.org", true);
    covers("*.example.org", "example.org", false);
    covers("*.example.org", "badexample.org", false);
    covers("*.example.org", "a.example.org.evil.net", false);
    covers("*", "anything.at.all", true);
    covers("192.0.2.1", "192.0.2.1", true);
    covers("2001:db8::1", "2001:DB8:0::1", true);
}

#[test]
fn port_and_kind_are_part_of_a_grant() {
    let any = [pattern("h.example", 0)];
    let one = [pattern("h.example", 443)];
    let grants = Grants::default();
    let udp = Place::read("h.example", 443, Transport::Udp).unwrap();

    assert!(grants.cover(CHAT, &any, &place("h.example", 1)).is_some());
    assert!(grants.cover(CHAT, &one, &place("h.example", 443)).is_some());
    assert!(grants.cover(CHAT, &one, &place("h.example", 444)).is_none());
    assert!(grants.cover(CHAT, &one, &udp).is_none());
}

#[test]
fn a_node_named_at_the_start_is_its_stubs_until_it_is_revoked() {
    let mut grants = Grants::with_nodes(vec![grant("127.0.0.1", 4222)]);
    let source = |grants: &Grants, port| {
        let covered = grants.cover(CHAT, &[], &place("127.0.0.1", port));
        covered.map(|covered| covered.source)
    };

    assert_eq!(source(&grants, 4222), Some(Source::Node));
    assert_eq!(source(&grants, 4223), None);
    assert_eq!(grants.remove(&grant("127.0.0.1", 4222)), []);
    let kept = grants.add(Source::Revoked, grant("127.0.0.1", 4222));
    assert_eq!(kept.unwrap().len(), 1);
    assert_eq!(source(&grants, 4222), Some(Source::Revoked));
    let taken_back = grants.remove(&grant("127.0.0.1", 4222));
    assert_eq!(taken_back.len(), 1);
    assert_eq!(source(&grants, 4222), Some(Source::Node));
}

#[test]
fn the_operator_comes_before_the_descriptor_and_what_is_revoked_before_both() {
    let asked = [pattern("h.example", 443)];
    let mut grants = Grants::default();
    let source = |grants: &Grants, host: &str| {
        let covered = grants.cover(CHAT, &asked, &place(host, 443));
        covered.map(|covered| covered.source)
    };

    assert_eq!(source(&grants, "h.example"), Some(Source::Descriptor));
    assert_eq!(source(&grants, "other.example"), None);
    grants.add(Source::Operator, grant("*", 443)).unwrap();
    assert_eq!(source(&grants, "h.example"), Some(Source::Operator));
    assert_eq!(source(&grants, "other.example"), Some(Source::Operator));
    grants.add(Source::Revoked, grant("h.example", 0)).unwrap();
    assert_eq!(source(&grants, "h.example"), Some(Source::Revoked));
    assert_eq!(source(&grants, "other.example"), Some(Source::Operator));
}

#[test]
fn a_grant_takes_back_what_was_revoked_of_it() {
    let mut grants = Grants::default();
    grants.add(Source::Revoked, grant("*", 0)).unwrap();

    let changes = grants
        .add(Source::Operator, grant("h.example", 443))
        .unwrap();

    assert_eq!(changes.len(), 2, "one is taken out, one is put in");
    let covered = grants.cover(CHAT, &[], &place("h.example", 443)).unwrap();
    assert_eq!(covered.source, Source::Operator);
}

#[test]
fn what_is_kept_comes_back_and_what_is_removed_does_not() {
    let mut grants = Grants::default();
    let mut kept = grants
        .add(Source::Operator, grant("h.example", 443))
        .unwrap();
    kept.extend(
        grants
            .add(Source::Revoked, grant("bad.example", 0))
            .unwrap(),
    );
    let mut again = Grants::default();
    for change in kept {
        again.restore(&crate::store::Record {
            table: change.table,
            key: change.key,
            value: change.value.unwrap(),
        });
    }

    assert_eq!(again.of(CHAT), grants.of(CHAT));
    assert_eq!(again.remove(&grant("h.example", 443)).len(), 1);
    assert_eq!(again.remove(&grant("h.example", 443)), []);
    assert_eq!(again.of(CHAT).len(), 1);
}

#[test]
fn there_are_no_more_grants_than_there_may_be() {
    use crate::limits::GRANTS_PER_COMPONENT_MAX;

    let mut grants = Grants::default();
    for port in 1..=u16::try_from(GRANTS_PER_COMPONENT_MAX).unwrap() {
        grants
            .add(Source::Operator, grant("h.example", port))
            .unwrap();
    }

    assert!(grants.add(Source::Operator, grant("one.more", 1)).is_err());
    // The same again is no other.
    assert!(grants.add(Source::Operator, grant("h.example", 1)).is_ok());
}

#[test]
fn a_place_is_written_in_one_way_for_rules() {
    let address = |host: &str, private: bool| {
        let place = place(host, 443).with_private(private);
        place.address().unwrap().as_str().to_owned()
    };

    assert_eq!(address("Example.ORG.", false), "tcp://example.org/443");
    assert_eq!(address("nas.lan", true), "tcp://nas.lan/443/private");
    assert_eq!(address("192.0.2.1", false), "tcp://192.0.2.1/443");
    assert_eq!(
        address("2001:db8::1", false),
        "tcp://2001-db8-0-0-0-0-0-1.ip6/443"
    );
}

#[test]
fn what_no_host_can_be_is_refused() {
    let read = |host: &str, port| Place::read(host, port, Transport::Tcp);

    for bad in [
        "",
        "a b",
        "a/b",
        "a@b",
        "a..b",
        "[::1]",
        "fe80::1%1",
        "a\0b",
    ] {
        assert!(read(bad, 1).is_err(), "{bad:?}");
    }
    assert!(read("h.example", 0).is_err());
    assert!(Place::read("0.0.0.0", 0, Transport::Listen).is_ok());
    assert!(read(&"a".repeat(254), 1).is_err());
}

#[test]
fn a_pattern_is_checked_like_a_host() {
    let host = |host: &str| checked(pattern(host, 0)).map(|pattern| pattern.host);

    assert_eq!(host("*.Example.ORG"), Ok("*.example.org".to_owned()));
    assert_eq!(host("*"), Ok("*".to_owned()));
    assert_eq!(host("2001:DB8::1"), Ok("2001:db8::1".to_owned()));
    for bad in [
        "",
        "*.",
        "**",
        "*.*.example",
        "a.*.example",
        "*.127.0.0.1",
        "a b",
    ] {
        assert!(host(bad).is_err(), "{bad:?}");
    }
}
