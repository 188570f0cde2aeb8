//! Every address form of the field, one canonical spelling each (spec messaging §2).
//!
//! | form | example | canonical |
//! |---|---|---|
//! | `scheme://domain[/path]` | `hyperty://Example.org/42/` | `hyperty://example.org/42` |
//! | runtime, either name | `runtime://d/rt/sm` | `hyperty-runtime://d/rt/sm` |
//! | message-node internal | `mn:/session` | `mn:/session` |
//! | `scheme:user@domain` | `sip:Alice@Example.org` | `sip:Alice@example.org` |
//! | mail | `alice@Gmail.com` | `alice@gmail.com` |
//! | bare domain | `Google.com` | `google.com` |
//!
//! | telephone | `tel:+351123` | `tel:+351123` |
//!
//! The canonical form is a fixed point. What has two readings is refused, not
//! repaired: dot segments, `//` in the path, percent escapes, control and
//! non-ASCII characters, queries, fragments, ports, and the field's own schemes
//! in another form than theirs (`hyperty:/d/1`, `hyperty://a@d/1`, `mn://session`).
//!
//! ```
//! use protocol::Address;
//!
//! # fn main() -> Result<(), protocol::address::BadAddress> {
//! let runtime: Address = "runtime://Example.org/r-1/".parse()?;
//! assert_eq!(runtime.as_str(), "hyperty-runtime://example.org/r-1");
//! assert_eq!(runtime.published(), "runtime://example.org/r-1");
//!
//! let room = runtime.join("registry")?;
//! assert!(room.is_within(&runtime));
//! assert_eq!(room.parent(), Some(runtime));
//! # Ok(())
//! # }
//! ```

mod parse;

use std::fmt;

use crate::limits::ADDRESS_BYTES_MAX;

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Nothing at all.
    #[error("an address is empty")]
    Empty,
    /// Longer than an address may be.
    #[error("an address of {0} bytes is longer than {ADDRESS_BYTES_MAX}")]
    TooLong(usize),
    /// A character that has no place in an address.
    // Escaped: what was refused may be a terminal's control character.
    #[error("`{}` is not allowed in an address", .0.escape_default())]
    Character(char),
    /// The scheme is not a word of letters, digits, `+`, `-` and `.`.
    #[error("`{0}` is not a scheme")]
    Scheme(String),
    /// The scheme has another form than this.
    #[error("an address of the scheme `{0}` is written `{0}{1}`")]
    Form(String, &'static str),
    /// What stands before the `@` is empty, or is no plain name.
    #[error("`{0}` is not a user's name")]
    User(String),
    /// The domain has empty, overlong or malformed labels.
    #[error("`{0}` is not a domain")]
    Domain(String),
    /// The path has a dot segment or an empty segment.
    #[error("`{0}` is not a path of plain segments")]
    Path(String),
}

/// An address in canonical form.
///
/// Compared, hashed and ordered by its text. Parse it with [`str::parse`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: String,
    // Byte positions in `text`; the scheme of a bare domain is empty.
    scheme_end: usize,
    domain_start: usize,
    domain_end: usize,
}

/// The scheme under which runtimes are printed.
pub const RUNTIME_SCHEME: &str = "hyperty-runtime";

/// The scheme under which published components know runtimes.
pub const RUNTIME_ALIAS: &str = "runtime";

impl Address {
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme, e.g. `hyperty`; empty for bare domains and mail addresses.
    pub fn scheme(&self) -> &str {
        self.text.get(..self.scheme_end).unwrap_or_default()
    }

    /// The domain, e.g. `example.org`; empty for `mn:/…`.
    pub fn domain(&self) -> &str {
        self.text
            .get(self.domain_start..self.domain_end)
            .unwrap_or_default()
    }

    /// The domain that it belongs to: of a domain's own service the domain, e.g. `example.org`
    /// for `domain://msg-node.example.org/sm`; else [`Self::domain`] (spec messaging §6.5).
    pub fn served_domain(&self) -> &str {
        let domain = self.domain();
        if self.scheme() != "domain" {
            return domain;
        }
        let services = ["msg-node.", "registry."];
        let rest = services.iter().find_map(|label| domain.strip_prefix(label));
        rest.unwrap_or(domain)
    }

    /// What follows the domain, with its leading slash, or empty.
    pub fn path(&self) -> &str {
        self.text.get(self.domain_end..).unwrap_or_default()
    }

    /// Whether this is `other`, or lies below it at a segment boundary.
    ///
    /// `hyperty://d/1/sub` is below `hyperty://d/1`; `hyperty://d/12` is not.
    pub fn is_within(&self, other: &Self) -> bool {
        match self.text.strip_prefix(other.as_str()) {
            Some("") => true,
            Some(rest) => rest.starts_with('/'),
            None => false,
        }
    }

    /// The address one segment up, as long as that still names something.
    ///
    /// The address of a whole domain is nobody's: `hyperty://d/1` has no parent.
    pub fn parent(&self) -> Option<Self> {
        let cut = self.text.rfind('/').filter(|&at| at > self.domain_end)?;
        let mut parent = self.clone();
        parent.text.truncate(cut);
        Some(parent)
    }

    /// The address with `/segment` appended; several segments may come at once.
    pub fn join(&self, segment: &str) -> Result<Self, BadAddress> {
        if segment.is_empty() {
            return Err(BadAddress::Path(segment.to_owned()));
        }
        format!("{}/{segment}", self.text).parse()
    }

    /// Whether it names a runtime or something below one.
    pub fn is_runtime(&self) -> bool {
        self.scheme() == RUNTIME_SCHEME
    }

    /// The spelling that published components are given: `runtime://…` for runtimes.
    pub fn published(&self) -> String {
        match self.text.strip_prefix(RUNTIME_SCHEME) {
            Some(rest) if self.is_runtime() => format!("{RUNTIME_ALIAS}{rest}"),
            _ => self.text.clone(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
