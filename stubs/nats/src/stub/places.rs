//! What kind of place an address is, and which address owns it.

use protocol::Address;

/// Where a message has to go, by its address alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// To a part of the domain's message node, which is this stub.
    Node(Part),
    /// To the domain's registry, which is this stub as well.
    Registry,
    /// To a runtime that the address itself names, by its token.
    Runtime(String),
    /// To whoever has the base address.
    Owner(Address),
    /// To everybody who hears it, and perhaps to whoever has the base address.
    Channel {
        channel: Address,
        base: Address,
        kind: Channel,
    },
    /// To another domain, which this stub does not speak for.
    Elsewhere,
}

/// The parts of a message node (spec messaging §7.2, §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Subscriptions,
    Allocation(&'static str),
    Unknown,
}

/// What is told on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// Of an object's reporter to its observers.
    Changes,
    /// Of any participant to all others, the reporter among them.
    Children,
    /// Of the registry.
    Registration,
}

/// Finds out what kind of place `to` is for the stub of `domain`.
pub(super) fn place(to: &Address, domain: &str) -> Place {
    if to.scheme() == "domain" || (to.scheme() == "global" && to.domain() == "registry") {
        return back_end(to, domain);
    }
    if !is_of(to, domain) {
        return Place::Elsewhere;
    }
    if let Ok(token) = crate::names::runtime_token(to) {
        return Place::Runtime(token);
    }
    let base = base(to);
    let kind = to.as_str().strip_prefix(base.as_str()).unwrap_or_default();
    let mut segments = kind.split('/').skip(1);
    let kind = match segments.next() {
        Some("changes") => Channel::Changes,
        Some("children") => Channel::Children,
        Some("registration") => Channel::Registration,
        _ => return Place::Owner(base),
    };
    match channel(&base, kind) {
        Some(channel) => Place::Channel {
            channel,
            base,
            kind,
        },
        None => Place::Owner(base),
    }
}

/// The channel of that kind of what `base` names.
pub(super) fn channel(base: &Address, kind: Channel) -> Option<Address> {
    let segment = match kind {
        Channel::Changes => "changes",
        Channel::Children => "children",
        Channel::Registration => "registration",
    };
    base.join(segment).ok()
}

/// Whether an address is the domain's or below it.
pub(super) fn is_of(address: &Address, domain: &str) -> bool {
    let rest = address.domain().strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The address that is claimed: what is below it belongs to whoever has it.
///
/// `comm://d/1/children/x` → `comm://d/1`; of a stub, `hyperty-runtime://d/protostub/1`.
pub(super) fn base(address: &Address) -> Address {
    let depth = if address.is_runtime() { 2 } else { 1 };
    let mut base = address.clone();
    while base.path().split('/').skip(1).count() > depth {
        match base.parent() {
            Some(parent) => base = parent,
            None => break,
        }
    }
    base
}

fn back_end(to: &Address, domain: &str) -> Place {
    if to.scheme() == "global" {
        return Place::Registry;
    }
    let of = |label: &str| {
        let rest = to.domain().strip_prefix(label);
        rest.and_then(|rest| rest.strip_prefix('.')) == Some(domain)
    };
    if of("registry") {
        return Place::Registry;
    }
    if !of("msg-node") {
        return Place::Elsewhere;
    }
    Place::Node(match to.path() {
        "/sm" => Part::Subscriptions,
        "/address-allocation" | "/object-address-allocation" => Part::Allocation("resource"),
        "/hyperty-address-allocation" => Part::Allocation("hyperty"),
        _ => Part::Unknown,
    })
}
