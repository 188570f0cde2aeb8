//! Which addresses are public, and what the others are.
//!
//! Everything is refused that is not plainly an address of the global internet:
//! the table names what is not, and IPv6 outside of `2000::/3` is not either. An
//! address that carries another one in itself (mapped, compatible, translated,
//! tunnelled) is refused for that: what it leads to depends on machines in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Of the global internet.
    Public,
    /// Of this machine or network, by the word that tells which.
    Private(&'static str),
    /// Never a place to connect to, whatever is granted.
    Never(&'static str),
}

type Row4 = ([u8; 4], u32, fn(&'static str) -> Class, &'static str);
type Row6 = ([u16; 8], u32, fn(&'static str) -> Class, &'static str);

// RFC 6890 and its registry; the first row that fits counts.
const V4: &[Row4] = &[
    ([255, 255, 255, 255], 32, Class::Never, "broadcast"),
    ([0, 0, 0, 0], 8, Class::Never, "unspecified"),
    ([224, 0, 0, 0], 4, Class::Never, "multicast"),
    ([240, 0, 0, 0], 4, Class::Never, "reserved"),
    ([169, 254, 169, 254], 32, Class::Private, "metadata service"),
    ([169, 254, 170, 2], 32, Class::Private, "metadata service"),
    ([169, 254, 0, 0], 16, Class::Private, "link-local"),
    ([100, 100, 100, 200], 32, Class::Private, "metadata service"),
    ([168, 63, 129, 16], 32, Class::Private, "metadata service"),
    ([127, 0, 0, 0], 8, Class::Private, "loopback"),
    ([10, 0, 0, 0], 8, Class::Private, "private"),
    ([172, 16, 0, 0], 12, Class::Private, "private"),
    ([192, 168, 0, 0], 16, Class::Private, "private"),
    ([100, 64, 0, 0], 10, Class::Private, "carrier-grade NAT"),
    ([192, 0, 0, 0], 24, Class::Private, "protocol assignments"),
    ([192, 0, 2, 0], 24, Class::Private, "documentation"),
    ([198, 51, 100, 0], 24, Class::Private, "documentation"),
    ([203, 0, 113, 0], 24, Class::Private, "documentation"),
    ([198, 18, 0, 0], 15, Class::Private, "benchmarking"),
    ([192, 88, 99, 0], 24, Class::Private, "6to4 relay"),
];

#[rustfmt::skip] // a row a line
const V6: &[Row6] = &[
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, Class::Never, "unspecified"),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Class::Never, "multicast"),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, Class::Private, "loopback"),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, Class::Never, "IPv4-mapped"),
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, Class::Never, "IPv4-translated"),
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, Class::Never, "IPv4-compatible"),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, Class::Never, "NAT64"),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Class::Never, "local NAT64"),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Class::Never, "6to4"),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Class::Never, "Teredo"),
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, Class::Private, "metadata service"),
    ([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, Class::Private, "metadata service"),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Class::Private, "unique local"),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, Class::Private, "link-local"),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, Class::Private, "site-local"),
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64, Class::Never, "discard-only"),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Class::Private, "documentation"),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Class::Private, "documentation"),
    // All other assignments of IETF protocols: benchmarking, ORCHID, AMT, AS112.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Class::Private, "protocol assignments"),
];

/// What this address is.
pub(crate) fn of(ip: IpAddr) -> Class {
    match ip {
        IpAddr::V4(ip) => of_v4(ip),
        IpAddr::V6(ip) => of_v6(ip),
    }
}

fn of_v4(ip: Ipv4Addr) -> Class {
    let number = u32::from(ip);
    let fits = |(net, bits, ..): &&Row4| {
        let differs = number ^ u32::from(Ipv4Addr::from(*net));
        differs.checked_shr(32 - bits).unwrap_or(0) == 0
    };
    let row = V4.iter().find(fits);
    row.map_or(Class::Public, |(.., class, word)| class(word))
}

fn of_v6(ip: Ipv6Addr) -> Class {
    let number = u128::from(ip);
    let fits = |(net, bits, ..): &&Row6| {
        let differs = number ^ u128::from(Ipv6Addr::from(*net));
        differs.checked_shr(128 - bits).unwrap_or(0) == 0
    };
    match V6.iter().find(fits) {
        Some((.., class, word)) => class(word),
        None if number >> 125 == 0b001 => Class::Public,
        None => Class::Never("unassigned"),
    }
}

/// Why this address may not be dialled; `None` when it may.
pub(crate) fn refusal(ip: IpAddr, allow_private: bool) -> Option<&'static str> {
    match of(ip) {
        Class::Public => None,
        Class::Private(_) if allow_private => None,
        Class::Private(word) | Class::Never(word) => Some(word),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, class: Class) {
        assert_eq!(of(text.parse().unwrap()), class, "{text}");
    }

    #[test]
    fn each_class_has_its_first_and_its_last_address_and_not_the_next() {
        let private = |word| Class::Private(word);
        let never = |word| Class::Never(word);
        for (text, class) in [
            ("9.255.255.255", Class::Public),
            ("10.0.0.0", private("private")),
            ("10.255.255.255", private("private")),
            ("11.0.0.0", Class::Public),
            ("100.63.255.255", Class::Public),
            ("100.64.0.0", private("carrier-grade NAT")),
            ("100.100.100.200", private("metadata service")),
            ("100.127.255.255", private("carrier-grade NAT")),
            ("100.128.0.0", Class::Public),
            ("126.255.255.255", Class::Public),
            ("127.0.0.1", private("loopback")),
            ("127.255.255.255", private("loopback")),
            ("128.0.0.0", Class::Public),
            ("169.253.255.255", Class::Public),
            ("169.254.0.0", private("link-local")),
            ("169.254.169.254", private("metadata service")),
            ("169.255.0.0", Class::Public),
            ("172.15.255.255", Class::Public),
            ("172.16.0.0", private("private")),
            ("172.31.255.255", private("private")),
            ("172.32.0.0", Class::Public),
            ("192.0.2.255", private("documentation")),
            ("192.167.255.255", Class::Public),
            ("192.168.0.0", private("private")),
            ("192.169.0.0", Class::Public),
            ("198.17.255.255", Class::Public),
            ("198.18.0.0", private("benchmarking")),
            ("198.19.255.255", private("benchmarking")),
            ("198.20.0.0", Class::Public),
            ("0.0.0.0", never("unspecified")),
            ("0.255.255.255", never("unspecified")),
            ("1.0.0.0", Class::Public),
            ("223.255.255.255", Class::Public),
            ("224.0.0.0", never("multicast")),
            ("239.255.255.255", never("multicast")),
            ("240.0.0.0", never("reserved")),
            ("255.255.255.255", never("broadcast")),
            ("::", never("unspecified")),
            ("::1", private("loopback")),
            ("::7f00:1", never("IPv4-compatible")),
            ("::ffff:8.8.8.8", never("IPv4-mapped")),
            ("::ffff:0:8.8.8.8", never("IPv4-translated")),
            ("64:ff9b::a00:1", never("NAT64")),
            ("64:ff9b:1::a00:1", never("local NAT64")),
            ("64:ff9b:2::1", never("unassigned")),
            ("100::1", never("discard-only")),
            ("2001::1", never("Teredo")),
            ("2001:1ff::1", private("protocol assignments")),
            ("2001:200::1", Class::Public),
            ("2001:db8::1", private("documentation")),
            ("2001:db9::1", Class::Public),
            ("2002:a00:1::", never("6to4")),
            ("2003::1", Class::Public),
            ("3fff:fff::1", private("documentation")),
            ("3fff:1000::1", Class::Public),
            ("4000::1", never("unassigned")),
            ("fc00::1", private("unique local")),
            ("fd00:ec2::254", private("metadata service")),
            ("fd00:ec2::255", private("unique local")),
            ("fe00::1", never("unassigned")),
            ("fe80::1", private("link-local")),
            ("fec0::1", private("site-local")),
            ("ff02::1", never("multicast")),
        ] {
            check(text, class);
        }
    }

    // The standard library's own notion, for what it has one of.
    fn is_local(ip: Ipv4Addr) -> bool {
        ip.is_loopback()
            || ip.is_private()
            || ip.is_link_local()
            || ip.is_multicast()
            || ip.is_broadcast()
            || ip.is_documentation()
            || ip.is_unspecified()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

        #[test]
        fn what_is_local_to_the_library_is_never_public(bits: u32) {
            let ip = Ipv4Addr::from(bits);
            prop_assert!(!is_local(ip) || of_v4(ip) != Class::Public);
        }

        #[test]
        fn no_address_that_carries_another_is_ever_dialled(bits: u32) {
            let [a, b] = [(bits >> 16) as u16, (bits & 0xffff) as u16];
            for carrier in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, a, b),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, a, b),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, a, b),
                Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, a, b, 0, 0, a, b),
            ] {
                prop_assert!(refusal(IpAddr::V6(carrier), true).is_some(), "{}", carrier);
            }
        }

        #[test]
        fn whatever_is_public_is_global_unicast(bits: u128) {
            let ip = Ipv6Addr::from(bits);
            prop_assert!(of_v6(ip) != Class::Public || bits >> 125 == 1);
        }

        #[test]
        fn a_grant_for_private_addresses_only_ever_adds(bits: u32) {
            let ip = IpAddr::V4(Ipv4Addr::from(bits));
            prop_assert!(refusal(ip, false).is_some() || refusal(ip, true).is_none());
        }
    }
}
