//! Ports for servers that have to be told theirs.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

const FIRST: u16 = 10_000;

/// A port on loopback that nobody listens at now.
///
/// It lies below those which the kernel deals out by itself: one of these may become
/// the near end of somebody's connection at any moment, and a client that tries one
/// again and again while its server is away can reach itself.
///
/// # Panics
///
/// When every port is taken.
pub fn free_port() -> u16 {
    let dealt = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let dealt = dealt.unwrap_or_default();
    let dealt = dealt
        .split_whitespace()
        .next()
        .and_then(|first| first.parse().ok());
    let count = dealt.unwrap_or(32_768_u16).saturating_sub(FIRST).max(1);
    let chance = RandomState::new().hash_one(std::process::id());
    let start = u16::try_from(chance % u64::from(count)).expect("it is less than a u16");
    let mut ports = (0..count).map(|step| FIRST + (start + step) % count);
    let free = ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.expect("a port is free")
}
