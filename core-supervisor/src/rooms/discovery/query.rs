//! What is asked, in the two forms that are published.

use protocol::Address;
use protocol::api::discovery::{Criteria, Query};

use crate::user::User;

/// What kind of thing is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Hyperty,
    Object,
}

/// By what it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    /// Whose it is.
    User(Wanted),
    /// Where it is.
    Url(Address),
    /// What it is called.
    Name(String),
    /// Who reports it.
    Reporter(Address),
    /// Whose it is, by a GUID.
    Guid(String),
    /// A text in the profile of whose it is.
    Profile(String),
    /// By its criteria alone.
    Criteria,
}

/// A user, or a mail address that may be part of the user's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Url(User),
    Email(String),
}

/// A question that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) kind: Kind,
    pub(super) by: By,
    pub(super) criteria: Criteria,
}

/// Why a question cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAsked(pub(super) &'static str);

impl Search {
    /// Reads `/<kind>/<selector>/<value>`; nothing when nobody could have such a value.
    pub(super) fn of_runtime(query: Query) -> Result<Option<Self>, NotAsked> {
        let mut parts = query.resource.trim_start_matches('/').splitn(3, '/');
        let (kind, selector) = (parts.next().unwrap_or_default(), parts.next());
        let value = parts.next().unwrap_or_default();
        let kind = match kind {
            "hyperty" => Kind::Hyperty,
            "" => return Err(NotAsked("`resource` is not `/<kind>/<selector>/<value>`")),
            // By the letter of the published service: all else is an object.
            _ => Kind::Object,
        };
        let criteria = query.criteria.unwrap_or_default();
        let by = match selector.unwrap_or_default() {
            "user" => user(value).map(By::User),
            "url" => value.parse().ok().map(By::Url),
            "name" => Some(By::Name(value.to_owned())),
            "reporter" => value.parse().ok().map(By::Reporter),
            "guid" => Some(By::Guid(value.to_owned())),
            "userprofile" => Some(By::Profile(value.to_lowercase())),
            "" if criteria == Criteria::default() => {
                return Err(NotAsked("a search by kind alone needs `criteria`"));
            }
            "" => Some(By::Criteria),
            _ => {
                return Err(NotAsked(
                    "the selector is none of user, url, name, reporter, guid, userprofile",
                ));
            }
        };
        Ok(by.map(|by| Self { kind, by, criteria }))
    }

    /// Reads what is asked of a domain's registry (spec messaging §11.2).
    pub(super) fn of_registry(query: Query) -> Result<Option<Self>, NotAsked> {
        const MAIL: &str = "/hyperty/idp-identifier/";
        let criteria = query.criteria.unwrap_or_default();
        let resource = query.resource.as_str();
        let (kind, by) = if let Some(reporter) = &criteria.reporter {
            (Kind::Object, reporter.parse().ok().map(By::Reporter))
        } else if resource.is_empty() {
            return Err(NotAsked("`resource` is missing"));
        } else if let Some(mail) = resource.strip_prefix(MAIL) {
            (Kind::Hyperty, user(mail).map(By::User))
        } else if resource.starts_with("user-guid://") {
            (Kind::Hyperty, Some(By::Guid(resource.to_owned())))
        } else if resource.starts_with("user://") {
            (Kind::Hyperty, user(resource).map(By::User))
        } else if resource.starts_with("hyperty://") {
            (Kind::Hyperty, resource.parse().ok().map(By::Url))
        } else if resource.contains("://") {
            (Kind::Object, resource.parse().ok().map(By::Url))
        } else {
            (Kind::Object, Some(By::Name(resource.to_owned())))
        };
        Ok(by.map(|by| Self { kind, by, criteria }))
    }
}

fn user(text: &str) -> Option<Wanted> {
    if text.contains("://") {
        return text.parse().ok().map(Wanted::Url);
    }
    // Read as an address, so that the case of its domain does not matter.
    let mail: Address = text.parse().ok()?;
    Some(Wanted::Email(mail.as_str().to_owned()))
}

impl Wanted {
    pub(super) fn is(&self, user: &User) -> bool {
        match self {
            Self::Url(wanted) => wanted == user,
            Self::Email(wanted) => user.email().eq_ignore_ascii_case(wanted),
        }
    }
}
