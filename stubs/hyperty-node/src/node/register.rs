//! # Registration — `domain://registry.<domain>`
//!
//! Answers:  create, update, delete, read (spec §6.2–§6.4, §6.8, §11.2)
//! Tells:    `<url>/registration` of each change of a status (spec §8.4)
//! Holds:    a runtime registers what it may speak for, and changes what it registered

use protocol::{Address, Code};
use serde::Deserialize;
use serde_json::Value;

use super::Node;
use super::registry::query::{Criteria, Query};
use super::registry::record::Record;
use super::routes::base;
use crate::answer::{Answer, status_event};
use crate::envelope::Envelope;
use crate::event::LinkId;
use crate::limits::{RECORD_BYTES_MAX, RECORDS_MAX, RECORDS_PER_RUNTIME_MAX};
use crate::rows::{Row, Table};

type Done = Result<(Vec<Row>, Answer), Answer>;

#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(default)]
    value: Value,
    resource: Option<String>,
    attribute: Option<String>,
    criteria: Option<Criteria>,
}

impl Node {
    pub(super) fn register(&mut self, link: LinkId, runtime: &Address, asked: &Envelope<'_>) {
        let body: Body = match asked.body::<Option<Body>>() {
            Ok(body) => body.unwrap_or_default(),
            Err(error) => {
                let answer = Answer::refused(Code::BAD_REQUEST, format!("`body`: {error}"));
                return self.send(link, answer.to(asked));
            }
        };
        // The published connector takes either case (spec §1.3).
        let done = match asked.kind.to_ascii_lowercase().as_str() {
            "create" => self.create(link, runtime, body),
            "update" => self.update(runtime, &body),
            "delete" => self.delete(runtime, &body),
            "read" => Ok((Vec::new(), self.read(body))),
            kind => Err(refused(
                Code::NOT_ALLOWED,
                format!(
                    "the registry does not understand `{kind}`: say create, read, update or delete"
                ),
            )),
        };
        match done {
            Ok((rows, answer)) => self.keep_and_answer(link, asked, rows, &answer),
            Err(refusal) => self.send(link, refusal.to(asked)),
        }
    }

    fn create(&mut self, link: LinkId, runtime: &Address, body: Body) -> Done {
        let Value::Object(members) = body.value else {
            return Err(bad("`value` holds the registration"));
        };
        let url = url_of(members.get("url").and_then(Value::as_str))?;
        self.claim(runtime, &url)
            .map_err(|(code, why)| refused(code, why))?;
        let before = self.registry.get(&url);
        if before.is_none() {
            if self.registry.owned(runtime).count() >= RECORDS_PER_RUNTIME_MAX {
                let why = format!("a runtime has {RECORDS_PER_RUNTIME_MAX} registrations at most");
                return Err(refused(Code::BUSY, why));
            }
            if self.registry.len() >= RECORDS_MAX {
                return Err(refused(Code::BUSY, "the registry is full".to_owned()));
            }
        }
        let pass = self
            .links
            .get(&link)
            .and_then(|link| link.pass.name.clone());
        let record =
            Record::new(&url, runtime, pass, &members, self.now).map_err(|why| bad(&why))?;
        let is_new = before.is_none();
        let rows = self.put_record(&url, record)?;
        let rows = rows
            .into_iter()
            .map(|row| if is_new { row.if_new() } else { row });
        Ok((rows.collect(), Answer::ok()))
    }

    fn update(&mut self, runtime: &Address, body: &Body) -> Done {
        let url = resource(body.resource.as_deref())?;
        let mut record = self.owned_record(runtime, &url)?.clone();
        match (&body.value, body.attribute.as_deref()) {
            (Value::Object(members), _) => {
                record.merge(members, self.now).map_err(|why| bad(&why))?;
            }
            // How published runtimes unregister (spec §6.3).
            (Value::String(status), Some("status")) => record.set_status(status, self.now),
            (Value::Null, _) => record.set_status("live", self.now),
            _ => return Err(bad("`value` holds what is to be changed")),
        }
        Ok((self.put_record(&url, record)?, Answer::ok()))
    }

    fn delete(&mut self, runtime: &Address, body: &Body) -> Done {
        let named = body.value.get("url").and_then(Value::as_str);
        let by_name = body.value.get("name").and_then(Value::as_str);
        let url = match (named.or(body.resource.as_deref()), by_name) {
            (Some(url), _) => resource(Some(url))?,
            (None, Some(name)) => self
                .registry
                .named(name)
                .find(|url| self.registry.owner(url) == Some(runtime))
                .cloned()
                .ok_or_else(not_found)?,
            (None, None) => return Err(bad("`value.url` says what is to be removed")),
        };
        self.owned_record(runtime, &url)?;
        Ok((self.drop_record(&url), Answer::ok()))
    }

    fn read(&self, body: Body) -> Answer {
        let criteria = body.criteria.unwrap_or_default();
        let Some(resource) = body.resource.or_else(|| criteria.reporter.clone()) else {
            return bad("`resource` says what is looked for");
        };
        let found = self.registry.find(&Query::new(&resource, &criteria));
        match found {
            None => not_found(),
            Some(found) if found.is_live => Answer::ok().with("value", found.value),
            // There, but nobody answers: what the published registry calls this.
            Some(found) => {
                Answer::refused(Code::TIMEOUT, "Temporarily Unavailable").with("value", found.value)
            }
        }
    }

    fn owned_record(&self, runtime: &Address, url: &Address) -> Result<&Record, Answer> {
        match self.registry.get(url) {
            Some(record) if record.owner == *runtime => Ok(record),
            Some(_) => {
                let why = format!("`{url}` is registered by another runtime");
                Err(refused(Code::FORBIDDEN, why))
            }
            None => Err(not_found()),
        }
    }

    fn put_record(&mut self, url: &Address, record: Record) -> Result<Vec<Row>, Answer> {
        let row = Row::put(Table::Record, url.as_str(), &record.row());
        let bytes = row.value.as_ref().map_or(0, String::len);
        if bytes > RECORD_BYTES_MAX {
            let why = format!("a registration has {RECORD_BYTES_MAX} bytes at most, this {bytes}");
            return Err(refused(Code::TOO_LARGE, why));
        }
        let before = self.registry.get(url).map(|record| record.status.clone());
        let status = record.status.clone();
        let runtime = record.owner.clone();
        self.registry.put(url.clone(), record);
        if before.is_none() && self.is_here(&runtime) {
            self.follow(&base(url));
        }
        if before.as_ref() != Some(&status) {
            self.tell_status(url, &status);
        }
        Ok(vec![row])
    }

    fn drop_record(&mut self, url: &Address) -> Vec<Row> {
        let Some(record) = self.registry.remove(url) else {
            return Vec::new();
        };
        if self.is_here(&record.owner) {
            self.unfollow(&base(url));
        }
        if record.status != "disconnected" {
            self.tell_status(url, "disconnected");
        }
        vec![Row::remove(Table::Record, url.as_str())]
    }

    /// Marks the registrations of a runtime that has left.
    pub(super) fn disconnect_records(&mut self, runtime: &Address) -> Vec<Row> {
        let urls: Vec<_> = self.registry.owned(runtime).cloned().collect();
        let mut rows = Vec::new();
        for url in urls {
            rows.extend(self.disconnect_record(&url));
        }
        rows
    }

    fn disconnect_record(&mut self, url: &Address) -> Vec<Row> {
        let Some(mut record) = self.registry.get(url).cloned() else {
            return Vec::new();
        };
        if record.status == "disconnected" {
            return Vec::new();
        }
        record.set_status("disconnected", self.now);
        self.put_record(url, record).unwrap_or_default()
    }

    /// Disconnects what was not kept alive, and removes what stayed so.
    pub(super) fn expire(&mut self) {
        let mut rows = Vec::new();
        for url in self.registry.overdue(self.now) {
            let Some(record) = self.registry.get(&url) else {
                continue;
            };
            let (owner, is_over) = (record.owner.clone(), record.status == "disconnected");
            if !self.looks_after(&owner) {
                continue;
            }
            rows.extend(if is_over {
                self.drop_record(&url)
            } else {
                self.disconnect_record(&url)
            });
        }
        self.keep(rows);
    }

    /// Takes a row of the store or of another node.
    pub(super) fn learn_record(&mut self, row: &Row) {
        let Ok(url) = row.key.parse::<Address>() else {
            return;
        };
        let before = self.registry.remove(&url);
        if let Some(before) = before.filter(|before| self.is_here(&before.owner)) {
            self.unfollow(&base(&url));
            drop(before);
        }
        if let Some(record) = row.read().and_then(|row| Record::of(&url, row)) {
            if self.is_here(&record.owner) {
                self.follow(&base(&url));
            }
            self.registry.put(url, record);
        }
    }

    // Everywhere: who listens may be at any node.
    fn tell_status(&mut self, url: &Address, status: &str) {
        let event = status_event(&self.settings.domain, &url.published(), status);
        if let Ok(channel) = url.join("registration") {
            self.give(&channel, &event);
        }
    }
}

fn url_of(text: Option<&str>) -> Result<Address, Answer> {
    let text = text.ok_or_else(|| bad("`value.url` says what is registered"))?;
    let url: Address = text
        .parse()
        .map_err(|why| bad(&format!("`{text}`: {why}")))?;
    if base(&url) == url && !url.path().is_empty() {
        return Ok(url);
    }
    let why = format!("`{url}` is not the address of a hyperty or an object");
    Err(bad(&why))
}

// With what published runtimes put before it when they unregister (spec §6.3).
fn resource(text: Option<&str>) -> Result<Address, Answer> {
    let text = text.ok_or_else(|| bad("`resource` says what is meant"))?;
    let text = text.strip_prefix("/hyperty/").unwrap_or(text);
    url_of(Some(text))
}

fn refused(code: Code, why: String) -> Answer {
    Answer::refused(code, why)
}

fn bad(why: &str) -> Answer {
    refused(Code::BAD_REQUEST, why.to_owned())
}

fn not_found() -> Answer {
    refused(Code::NOT_FOUND, "Not Found".to_owned())
}
