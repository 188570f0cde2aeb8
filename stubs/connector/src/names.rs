//! Names → addresses, by the machine's name servers and its hosts file.
//!
//! Both are texts that the core sends: this process opens no file. Answers are
//! remembered for as long as they say, within bounds; what does not exist as well,
//! so that one asker of many names asks each name server once for each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RecordType;
use hickory_resolver::system_conf::parse_resolv_conf;
use hickory_resolver::{Hosts, TokioResolver};
use protocol::Code;
use protocol::api::connections::Names as Told;
use tokio::time::timeout;

/// Answers that are remembered, those that say "no" included. About a megabyte.
const REMEMBERED_MAX: u64 = 2048;

/// How long a "no" is remembered at least, and at most.
const NEGATIVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// How long a "yes" is remembered at most: a machine moves between networks.
const POSITIVE_MAX: Duration = Duration::from_mins(10);

/// How long the addresses of one family wait for those of the other (RFC 8305 §3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// Addresses of one name that are tried.
pub(crate) const ADDRESSES_MAX: usize = 8;

/// Why a name has no address.
pub(crate) type Unresolved = (Code, String);

/// Asks about names.
#[derive(Clone)]
pub(crate) struct Names(Option<Arc<TokioResolver>>);

impl Names {
    /// Nothing is known yet.
    pub(crate) const fn unknown() -> Self {
        Self(None)
    }

    /// As the machine's files, or the operator, say.
    pub(crate) fn of(told: &Told) -> Self {
        let (config, options) = configuration(told);
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let Ok(mut resolver) = builder.with_options(options).build() else {
            return Self(None);
        };
        let mut hosts = Hosts::default();
        // A line that cannot be read is left out, as the C library does.
        let _ = hosts.read_hosts_conf(told.hosts.as_bytes());
        resolver.set_hosts(Arc::new(hosts));
        Self(Some(Arc::new(resolver)))
    }

    /// The addresses of a name, those of IPv6 first.
    pub(crate) async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, Unresolved> {
        if name == "localhost" || name.ends_with(".localhost") {
            // RFC 6761 §6.3: never a question to others.
            return Ok(vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]);
        }
        let Some(resolver) = &self.0 else {
            let reason = "this machine has no name servers";
            return Err((Code::UNAVAILABLE, reason.to_owned()));
        };
        // A name with a dot is looked up as it stands: appended search domains would
        // make it another name than the one that was granted.
        let full = if name.contains('.') {
            format!("{name}.")
        } else {
            name.to_owned()
        };
        let (v6, v4) = both(
            ask(resolver, &full, RecordType::AAAA),
            ask(resolver, &full, RecordType::A),
        )
        .await;
        merge(name, v6, v4)
    }
}

type Answer = Result<Vec<IpAddr>, NetError>;

async fn ask(resolver: &TokioResolver, name: &str, kind: RecordType) -> Answer {
    let lookup = resolver.lookup(name, kind).await?;
    let addresses = lookup
        .answers()
        .iter()
        .filter_map(|record| record.data.ip_addr());
    Ok(addresses.take(ADDRESSES_MAX).collect())
}

// Both, but the one with addresses does not wait long for the other.
async fn both(
    v6: impl Future<Output = Answer>,
    v4: impl Future<Output = Answer>,
) -> (Option<Answer>, Option<Answer>) {
    tokio::pin!(v6, v4);
    tokio::select! {
        first = &mut v6 => {
            let second = rest(&first, v4).await;
            (Some(first), second)
        }
        first = &mut v4 => {
            let second = rest(&first, v6).await;
            (second, Some(first))
        }
    }
}

async fn rest(first: &Answer, other: impl Future<Output = Answer>) -> Option<Answer> {
    match first {
        Ok(addresses) if !addresses.is_empty() => timeout(RESOLUTION_DELAY, other).await.ok(),
        _ => Some(other.await),
    }
}

fn merge(name: &str, v6: Option<Answer>, v4: Option<Answer>) -> Result<Vec<IpAddr>, Unresolved> {
    let mut addresses = Vec::new();
    let mut failure = None;
    for answer in [v6, v4].into_iter().flatten() {
        match answer {
            Ok(some) => addresses.extend(some),
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => {}
            Err(error) => failure = Some(error),
        }
    }
    if !addresses.is_empty() {
        return Ok(addresses);
    }
    Err(match failure {
        None => (Code::NOT_FOUND, format!("no host is named `{name}`")),
        Some(error) => {
            let reason = format!("the name servers do not answer for `{name}`: {error}");
            (Code::UNAVAILABLE, reason)
        }
    })
}

fn configuration(told: &Told) -> (ResolverConfig, ResolverOpts) {
    // Without a usable file the C library asks this machine.
    let fallback = || {
        let here = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
        let config = ResolverConfig::from_name_servers(vec![here]);
        (config, ResolverOpts::default())
    };
    let (mut config, mut options) =
        parse_resolv_conf(&told.resolv_conf).unwrap_or_else(|_| fallback());
    if let Ok(server) = told.resolver.parse::<SocketAddr>() {
        let mut one = NameServerConfig::udp_and_tcp(server.ip());
        for connection in &mut one.connections {
            connection.port = server.port();
        }
        config = ResolverConfig::from_name_servers(vec![one]);
    }
    options.use_hosts_file = ResolveHosts::Never; // it is set by hand
    options.cache_size = REMEMBERED_MAX;
    options.negative_min_ttl = Some(NEGATIVE.0);
    options.negative_max_ttl = Some(NEGATIVE.1);
    options.positive_max_ttl = Some(POSITIVE_MAX);
    options.timeout = options.timeout.min(Duration::from_secs(5));
    options.attempts = options.attempts.min(3);
    (config, options)
}
