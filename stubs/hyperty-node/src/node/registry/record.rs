//! One registration: what its runtime said, and since when.

use protocol::Address;
use serde_json::{Map, Value, json};

use crate::limits::{EXPIRES_S, EXPIRES_S_MAX};
use crate::rows::RecordRow;

/// What is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something that acts for a user.
    Hyperty,
    /// Data that somebody reports.
    Object,
}

/// What readers are shown, of either kind; other members are not kept, as in the
/// published registry.
const MEMBERS: [&str; 12] = [
    "user",
    "guid",
    "descriptor",
    "name",
    "schema",
    "reporter",
    "resources",
    "dataSchemes",
    "runtime",
    "p2pHandler",
    "p2pRequester",
    "preAuthorised",
];

/// Schemes of those that act for users (spec messaging §11.2).
const HYPERTY_SCHEMES: [&str; 4] = ["hyperty", "hyperty-runtime", "user", "user-guid"];

/// One registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    /// The runtime that may change it.
    pub(crate) owner: Address,
    pub(crate) status: String,
    /// The access token that it was made with.
    pub(crate) pass: Option<String>,
    started: u64,
    modified: u64,
    expires: u64,
    members: Map<String, Value>,
}

impl Record {
    /// A new one, at `now` in milliseconds.
    pub(crate) fn new(
        url: &Address,
        owner: &Address,
        pass: Option<String>,
        said: &Map<String, Value>,
        now: u64,
    ) -> Result<Self, String> {
        let mut record = Self {
            kind: kind_of(url),
            owner: owner.clone(),
            status: "live".to_owned(),
            pass,
            started: now,
            modified: now,
            expires: EXPIRES_S,
            members: Map::new(),
        };
        record.merge(said, now)?;
        let runtime = Value::String(owner.published());
        record.members.entry("runtime").or_insert(runtime);
        for list in ["resources", "dataSchemes"] {
            record.members.entry(list).or_insert_with(|| json!([]));
        }
        Ok(record)
    }

    /// What a store kept.
    pub(crate) fn of(url: &Address, row: RecordRow) -> Option<Self> {
        Some(Self {
            kind: kind_of(url),
            owner: row.owner.parse().ok()?,
            status: row.status,
            pass: row.pass,
            started: row.started,
            modified: row.modified,
            expires: row.expires,
            members: row.members,
        })
    }

    /// What a store keeps.
    pub(crate) fn row(&self) -> RecordRow {
        RecordRow {
            owner: self.owner.to_string(),
            pass: self.pass.clone(),
            started: self.started,
            modified: self.modified,
            expires: self.expires,
            status: self.status.clone(),
            members: self.members.clone(),
        }
    }

    /// Takes over what its owner says, and counts as alive.
    pub(crate) fn merge(&mut self, said: &Map<String, Value>, now: u64) -> Result<(), String> {
        check(said)?;
        for name in MEMBERS {
            if let Some(value) = said.get(name).filter(|value| !value.is_null()) {
                self.members.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(expires) = said.get("expires").and_then(seconds) {
            self.expires = expires.clamp(1, EXPIRES_S_MAX);
        }
        let status = said.get("status").and_then(Value::as_str);
        self.set_status(status.unwrap_or("live"), now);
        Ok(())
    }

    /// Says how it is, and that somebody said so now.
    pub(crate) fn set_status(&mut self, status: &str, now: u64) {
        status.clone_into(&mut self.status);
        self.modified = now;
    }

    /// When it must have been heard of again, in milliseconds.
    pub(crate) const fn deadline(&self) -> u64 {
        self.modified.saturating_add(self.expires * 1000)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.status != "disconnected"
    }

    /// Where it stands in the index.
    pub(crate) fn keys(&self) -> Vec<String> {
        let text = |name: &str| self.members.get(name).and_then(Value::as_str);
        let mut keys = Vec::new();
        keys.extend(text("user").map(|user| format!("user {}", mail(user))));
        keys.extend(text("guid").map(|guid| format!("guid {guid}")));
        keys.extend(text("name").map(|name| format!("name {name}")));
        keys.extend(text("reporter").map(|reporter| format!("reporter {reporter}")));
        keys
    }

    /// Whether a list of it has all of these.
    pub(crate) fn has_all(&self, list: &str, wanted: &[String]) -> bool {
        let listed = self.members.get(list).and_then(Value::as_array);
        let has = |wanted: &String| {
            let mut listed = listed.into_iter().flatten();
            listed.any(|value| value.as_str() == Some(wanted))
        };
        wanted.iter().all(has)
    }

    /// What a reader is told (spec messaging §6.8).
    pub(crate) fn show(&self, url: &Address) -> Value {
        let mut shown = self.members.clone();
        let url = Value::String(url.published());
        match self.kind {
            Kind::Hyperty => {
                shown.insert("hypertyID".to_owned(), url);
                if let Some(user) = shown.remove("user") {
                    shown.insert("userID".to_owned(), user);
                }
            }
            Kind::Object => {
                shown.insert("url".to_owned(), url);
            }
        }
        shown.insert("status".to_owned(), self.status.clone().into());
        shown.insert("expires".to_owned(), self.expires.into());
        shown.insert("startingTime".to_owned(), timestamp(self.started).into());
        shown.insert("lastModified".to_owned(), timestamp(self.modified).into());
        Value::Object(shown)
    }
}

/// The mail address under which a user is looked for: the last part of
/// `user://google.com/a@gmail.com` (spec messaging §11.1), and of `user://gmail.com/a`
/// what runtimes register for it, `a@gmail.com`.
pub(crate) fn mail(user: &str) -> String {
    let last = user.rsplit('/').next().unwrap_or(user);
    let parts = user
        .strip_prefix("user://")
        .and_then(|user| user.split_once('/'));
    match parts {
        Some((domain, name)) if !name.contains(['@', '/']) => format!("{name}@{domain}"),
        _ => last.to_owned(),
    }
}

fn kind_of(url: &Address) -> Kind {
    if HYPERTY_SCHEMES.contains(&url.scheme()) {
        Kind::Hyperty
    } else {
        Kind::Object
    }
}

// Lists of text where lists belong, text elsewhere: what is shown to others must not
// break them.
fn check(said: &Map<String, Value>) -> Result<(), String> {
    for name in MEMBERS {
        let Some(value) = said.get(name).filter(|value| !value.is_null()) else {
            continue;
        };
        let is_good = match name {
            "resources" | "dataSchemes" | "preAuthorised" => {
                let list = value.as_array();
                list.is_some_and(|list| list.iter().all(Value::is_string))
            }
            _ => value.is_string(),
        };
        if !is_good {
            return Err(format!("`value.{name}` has another type than it should"));
        }
    }
    let status = said.get("status").filter(|status| !status.is_null());
    if status.is_some_and(|status| !status.is_string()) {
        return Err("`value.status` is a word".to_owned());
    }
    Ok(())
}

fn seconds(value: &Value) -> Option<u64> {
    let text = value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or(text)
}

/// `yyyy-MM-dd'T'HH:mm:ss'Z'`, from milliseconds since 1970.
fn timestamp(ms: u64) -> String {
    let (days, seconds) = (ms / 86_400_000, ms / 1000 % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

// Days since 1970 as a date of the Gregorian calendar, counted in years that begin
// with March, so that the leap day is the last one (after Howard Hinnant).
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as u64;
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_published_registry_writes_them() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_827_696_000), "2000-02-29T12:34:56Z");
        assert_eq!(timestamp(1_795_521_599_000), "2026-11-24T11:59:59Z");
    }
}
