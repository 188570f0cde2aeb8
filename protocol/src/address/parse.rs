//! Text → canonical address.
//!
//! Every form ends in [`Draft::finish`], so that what all addresses hold is
//! checked in one place.

use super::{Address, BadAddress, RUNTIME_ALIAS, RUNTIME_SCHEME};
use crate::limits::ADDRESS_BYTES_MAX;

/// The scheme of a message node's own services, the only one without a domain.
const MESSAGE_NODE: &str = "mn";

/// Schemes that are always written `scheme://domain/…`, without a user.
///
/// Rules and routes look at the domain of these. Another form of them would have
/// a second reading: published parsers take `a` for the domain of `hyperty://a@b/1`,
/// and browsers take `https:/d` for `https://d`. Object schemes are not listed:
/// nobody knows them all, and the registry has their owners.
const HIERARCHICAL: [&str; 11] = [
    "domain",
    "domain-idp",
    "global",
    "http",
    "https",
    "hyperty",
    "hyperty-catalogue",
    RUNTIME_SCHEME,
    "user",
    "user-guid",
    "wss",
];

impl std::str::FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        check_characters(text)?;
        if let Some((scheme, rest)) = text.split_once("://") {
            return hierarchical(scheme, rest);
        }
        match text.split_once(':') {
            Some((scheme, path)) if path.starts_with('/') => rootless(scheme, path),
            Some((scheme, rest)) => mailbox(&canonical_scheme(scheme)?, rest),
            None if text.contains('@') => mailbox("", text),
            None => Draft::new("", "").domain(text)?.finish(""),
        }
    }
}

fn check_characters(text: &str) -> Result<(), BadAddress> {
    if text.is_empty() {
        return Err(BadAddress::Empty);
    }
    if text.len() > ADDRESS_BYTES_MAX {
        return Err(BadAddress::TooLong(text.len()));
    }
    // Percent escapes, queries and fragments give one thing several spellings;
    // a comma, quotes and angle brackets break published parsers and terminals.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@+=!$&*()".contains(c);
    match text.chars().find(|&c| !is_plain(c)) {
        Some(c) => Err(BadAddress::Character(c)),
        None => Ok(()),
    }
}

// `hyperty://example.org/42`, `slack://user@slack.com`
fn hierarchical(scheme: &str, rest: &str) -> Result<Address, BadAddress> {
    let scheme = canonical_scheme(scheme)?;
    if scheme == MESSAGE_NODE {
        return Err(BadAddress::Form(scheme, ":/…"));
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let draft = Draft::new(&scheme, "://");
    match authority.rsplit_once('@') {
        Some(_) if is_hierarchical(&scheme) => Err(BadAddress::Form(scheme, "://domain/…")),
        Some((user, domain)) => draft.user(user)?.domain(domain)?.finish(path),
        None => draft.domain(authority)?.finish(path),
    }
}

// `mn:/session`
fn rootless(scheme: &str, path: &str) -> Result<Address, BadAddress> {
    let scheme = canonical_scheme(scheme)?;
    if scheme != MESSAGE_NODE {
        return Err(BadAddress::Form(scheme, "://…"));
    }
    if path == "/" {
        return Err(BadAddress::Path(path.to_owned()));
    }
    Draft::new(&scheme, ":").finish(path)
}

// `sip:alice@example.org`, `alice@gmail.com`, `tel:123`
fn mailbox(scheme: &str, rest: &str) -> Result<Address, BadAddress> {
    if is_hierarchical(scheme) || scheme == MESSAGE_NODE {
        return Err(BadAddress::Form(scheme.to_owned(), "://domain/…"));
    }
    let colon = if scheme.is_empty() { "" } else { ":" };
    let draft = Draft::new(scheme, colon);
    match rest.rsplit_once('@') {
        Some((user, domain)) => draft.user(user)?.domain(domain)?.finish(""),
        None if scheme == "tel" => draft.number(rest)?.finish(""),
        // Else `example.org:443` would be an address of the scheme `example.org`.
        None => Err(BadAddress::Form(scheme.to_owned(), ":user@domain")),
    }
}

/// An address on its way to its canonical form, written from left to right.
struct Draft {
    text: String,
    scheme_end: usize,
    domain_start: usize,
}

impl Draft {
    fn new(scheme: &str, separator: &str) -> Self {
        let text = format!("{scheme}{separator}");
        Self {
            scheme_end: scheme.len(),
            domain_start: text.len(),
            text,
        }
    }

    // Kept as it is written: the case of a user's name belongs to its domain.
    fn user(mut self, user: &str) -> Result<Self, BadAddress> {
        if user.is_empty() || user.contains(['@', '/', ':']) {
            return Err(BadAddress::User(user.to_owned()));
        }
        self.text.push_str(user);
        self.text.push('@');
        self.domain_start = self.text.len();
        Ok(self)
    }

    fn domain(mut self, domain: &str) -> Result<Self, BadAddress> {
        if domain.len() > 253 || !domain.split('.').all(is_label) {
            return Err(BadAddress::Domain(domain.to_owned()));
        }
        self.text.push_str(domain);
        if let Some(domain) = self.text.get_mut(self.domain_start..) {
            domain.make_ascii_lowercase();
        }
        Ok(self)
    }

    // Published parsers take a telephone number for the domain, so it stands there.
    fn number(mut self, number: &str) -> Result<Self, BadAddress> {
        let digits = number.strip_prefix('+').unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(BadAddress::Domain(number.to_owned()));
        }
        self.text.push_str(number);
        Ok(self)
    }

    fn finish(mut self, path: &str) -> Result<Address, BadAddress> {
        let domain_end = self.text.len();
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = path.split('/').skip(1);
        if segments.any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(BadAddress::Path(path.to_owned()));
        }
        self.text.push_str(path);
        // Again: the canonical scheme may be longer than the one that was written.
        if self.text.len() > ADDRESS_BYTES_MAX {
            return Err(BadAddress::TooLong(self.text.len()));
        }
        Ok(Address {
            text: self.text,
            scheme_end: self.scheme_end,
            domain_start: self.domain_start,
            domain_end,
        })
    }
}

// `walletData` is spelled with a capital in every published schema; all other
// schemes are lower case (spec messaging §2.5).
fn canonical_scheme(scheme: &str) -> Result<String, BadAddress> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let is_word = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    if !is_word || !scheme.chars().all(is_letter) {
        return Err(BadAddress::Scheme(scheme.to_owned()));
    }
    let lower = scheme.to_ascii_lowercase();
    Ok(match lower.as_str() {
        RUNTIME_ALIAS => RUNTIME_SCHEME.to_owned(),
        "walletdata" => "walletData".to_owned(),
        _ => lower,
    })
}

fn is_hierarchical(scheme: &str) -> bool {
    HIERARCHICAL.contains(&scheme)
}

fn is_label(label: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !label.is_empty()
        && label.len() <= 63
        && label.chars().all(is_letter)
        && !label.starts_with('-')
        && !label.ends_with('-')
}
