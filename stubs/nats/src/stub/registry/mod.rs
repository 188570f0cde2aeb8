//! The domain registry: who is there, by address, user and name (spec messaging
//! §6, §11.1, §11.2), in a table of the cluster.
//!
//! | key | says |
//! |---|---|
//! | `h.<address>.<user>.<guid>.<runtime>` | a hyperty |
//! | `o.<address>.<reporter>.<name>.<runtime>` | a data object |
//!
//! What is searched for stands in the key, so that the cluster searches. A record
//! counts only if the runtime that wrote it has the address.

mod record;
mod search;

use std::rc::Rc;

use protocol::{Address, Code, MessageKind};
use serde_json::{Map, Value, json};

use self::record::{has, seconds, shown, time};
use self::search::Search;
use super::answer::{Answer, members};
use super::book::Book;
use super::limits::REGISTRATION_STAYS;
use super::places::{base, is_of};
use crate::client::{Api, Entry, JetStream, Table};
use crate::names::{address_token, text_token};

/// Records of one answer; more make it longer than a message.
const FOUND_MAX: usize = 500;

/// The length of one record: what a hyperty of the field has, ten times over.
const RECORD_BYTES_MAX: usize = 16 * 1024;

/// The registry.
#[derive(Debug, Clone)]
pub(super) struct Registry {
    table: Table,
    book: Book,
    runtime: Rc<str>,
    domain: Rc<str>,
}

/// What a question to the registry came to.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) answer: Answer,
    /// A status that those who hear of it have to be told: address and status.
    pub(super) news: Option<(Address, String)>,
}

impl From<Answer> for Registered {
    fn from(answer: Answer) -> Self {
        Self { answer, news: None }
    }
}

impl Registry {
    pub(super) fn new(api: &Api, book: Book, domain: &str) -> Self {
        let names = api.names();
        Self {
            table: Table::new(JetStream::new(api.clone()), names.registry()),
            book,
            runtime: names.runtime().into(),
            domain: domain.into(),
        }
    }

    pub(super) const fn table(&self) -> &Table {
        &self.table
    }

    /// Answers one question.
    pub(super) async fn answer(self, kind: String, body: Vec<u8>) -> Registered {
        let body = match members(&body) {
            Ok(body) => body,
            Err(refusal) => return refusal.into(),
        };
        let done = match MessageKind::parse(&kind) {
            MessageKind::Create => self.create(&body).await,
            MessageKind::Update => self.update(&body).await,
            MessageKind::Delete => self.delete(&body).await,
            MessageKind::Read => self.read(&body).await.map(Into::into),
            kind => Err(Answer::refusal(
                Code::NOT_ALLOWED,
                &format!(
                    "the registry of `{}` does not understand `{kind}`",
                    self.domain
                ),
            )),
        };
        done.unwrap_or_else(Into::into)
    }

    async fn create(&self, body: &Map<String, Value>) -> Result<Registered, Answer> {
        let value = body.get("value").and_then(Value::as_object);
        let value = value.ok_or_else(|| bad("`value` is not an object"))?;
        let address = self.own(value.get("url"), "value.url").await?;
        let mut record = value.clone();
        let now = seconds();
        let old = self.mine(&address).await?;
        let since = old
            .as_ref()
            .and_then(|(_, old)| old.get("startingTime").cloned());
        record.insert(
            "startingTime".to_owned(),
            since.unwrap_or_else(|| time(now).into()),
        );
        let status = record
            .entry("status")
            .or_insert_with(|| "live".into())
            .clone();
        let key = self.key(&address, &record)?;
        if let Some((entry, _)) = &old
            && entry.key != key
        {
            // Another user or name: the old record would be found beside the new one.
            self.table.delete(&entry.key).await?;
        }
        self.write(&key, record, now).await?;
        let before = old.and_then(|(_, old)| old.get("status").cloned());
        Ok(told(address, before.as_ref(), &status))
    }

    async fn update(&self, body: &Map<String, Value>) -> Result<Registered, Answer> {
        let address = self.own(body.get("resource"), "resource").await?;
        let Some((entry, mut record)) = self.mine(&address).await? else {
            return Err(Answer::refusal(Code::NOT_FOUND, "Not Found"));
        };
        let before = record.get("status").cloned();
        match body.get("value") {
            Some(Value::Object(changes)) => record.extend(changes.clone()),
            // `attribute` and its value, as hyperties are unregistered by old runtimes.
            Some(value) if body.contains_key("attribute") => {
                let attribute = body.get("attribute").and_then(Value::as_str);
                record.insert(attribute.unwrap_or_default().to_owned(), value.clone());
            }
            _ => {
                record.insert("status".to_owned(), "live".into());
            }
        }
        let status = record.get("status").cloned().unwrap_or_default();
        self.write(&entry.key, record, seconds()).await?;
        Ok(told(address, before.as_ref(), &status))
    }

    async fn delete(&self, body: &Map<String, Value>) -> Result<Registered, Answer> {
        let value = body.get("value").and_then(Value::as_object);
        let url = value.and_then(|value| value.get("url"));
        let address = self
            .own(url.or_else(|| body.get("resource")), "value.url")
            .await?;
        let Some((entry, _)) = self.mine(&address).await? else {
            return Err(Answer::refusal(Code::NOT_FOUND, "Not Found"));
        };
        self.table.delete(&entry.key).await?;
        Ok(Registered {
            answer: Answer::done(),
            news: Some((address, "disconnected".to_owned())),
        })
    }

    async fn read(&self, body: &Map<String, Value>) -> Result<Answer, Answer> {
        let resource = body.get("resource").and_then(Value::as_str);
        let resource = resource.ok_or_else(|| bad("`resource` is missing"))?;
        let criteria = body.get("criteria").and_then(Value::as_object);
        let search = Search::of(resource, criteria)?;
        let mut found = self.search(&search).await?;
        if let Some(criteria) = criteria {
            found.retain(|record| has(record, criteria, "resources"));
            found.retain(|record| has(record, criteria, "dataSchemes"));
        }
        let is_live = |record: &Map<String, Value>| record.get("status") == Some(&"live".into());
        let code = match found.iter().any(is_live) {
            _ if found.is_empty() => return Err(Answer::refusal(Code::NOT_FOUND, "Not Found")),
            true => Code::OK,
            false => Code::TIMEOUT,
        };
        let value = if search.is_single {
            found
                .into_iter()
                .next()
                .map(Value::Object)
                .unwrap_or_default()
        } else {
            let name = |record: &Map<String, Value>| {
                let url = record.get("hypertyID").or_else(|| record.get("url"));
                url.and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let named = found
                .into_iter()
                .map(|record| (name(&record), record.into()));
            Value::Object(named.collect())
        };
        Ok(if code == Code::OK {
            Answer::value(&value)
        } else {
            let reason = "Temporarily Unavailable";
            Answer::with(
                code,
                json!({ "value": value, "desc": reason, "description": reason }),
            )
        })
    }

    async fn search(&self, search: &Search) -> Result<Vec<Map<String, Value>>, Answer> {
        let now = seconds();
        let mut found = Vec::new();
        for pattern in &search.patterns {
            for entry in self.table.find(pattern).await?.iter().take(FOUND_MAX) {
                if let Some(record) = self.trusted(entry).await? {
                    found.push(shown(entry, record, now));
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    // A runtime can write a record of somebody else's address, under its own name.
    async fn trusted(&self, entry: &Entry) -> Result<Option<Map<String, Value>>, Answer> {
        let mut words = entry.key.split('.');
        let (address, writer) = (words.nth(1), words.next_back());
        let address = address.and_then(crate::names::address_of);
        let (Some(address), Some(writer)) = (address, writer) else {
            return Ok(None);
        };
        let owner = self.book.owner(&base(&address)).await?;
        if owner.as_deref() != Some(writer) {
            return Ok(None);
        }
        match serde_json::from_slice(&entry.value) {
            Ok(Value::Object(record)) => Ok(Some(record)),
            _ => Ok(None),
        }
    }

    // The address that is registered, which this runtime must have.
    async fn own(&self, text: Option<&Value>, member: &str) -> Result<Address, Answer> {
        let text = text.and_then(Value::as_str);
        let text = text.ok_or_else(|| bad(&format!("`{member}` is not an address")))?;
        let text = text.strip_prefix("/hyperty/").unwrap_or(text);
        let address: Address = text
            .parse()
            .map_err(|error| bad(&format!("`{text}`: {error}")))?;
        if !is_of(&address, &self.domain) {
            return Err(bad(&format!("`{address}` is not of `{}`", self.domain)));
        }
        self.book.claim(&base(&address)).await?;
        Ok(address)
    }

    async fn mine(&self, address: &Address) -> Result<Option<(Entry, Map<String, Value>)>, Answer> {
        let word = address_token(address).map_err(|error| bad(&error.to_string()))?;
        for kind in ["h", "o"] {
            let pattern = format!("{kind}.{word}.*.*.{}", self.runtime);
            let found = self.table.find(&pattern).await?.into_iter().next();
            if let Some(entry) = found
                && let Ok(Value::Object(record)) = serde_json::from_slice(&entry.value)
            {
                return Ok(Some((entry, record)));
            }
        }
        Ok(None)
    }

    fn key(&self, address: &Address, record: &Map<String, Value>) -> Result<String, Answer> {
        let text = |member: &str| {
            record
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (kind, first, second) = if is_hyperty(address) {
            ("h", identifier(text("user")), text("guid"))
        } else {
            ("o", text("reporter").to_owned(), text("name"))
        };
        let word = |text: &str| text_token(text).map_err(|error| bad(&error.to_string()));
        let address = address_token(address).map_err(|error| bad(&error.to_string()))?;
        Ok(format!(
            "{kind}.{address}.{}.{}.{}",
            word(&first)?,
            word(second)?,
            self.runtime
        ))
    }

    async fn write(
        &self,
        key: &str,
        mut record: Map<String, Value>,
        now: u64,
    ) -> Result<(), Answer> {
        record.insert("lastModified".to_owned(), time(now).into());
        record.insert("modified".to_owned(), now.into());
        let most = REGISTRATION_STAYS.as_secs();
        let expires = record
            .get("expires")
            .and_then(Value::as_u64)
            .unwrap_or(most);
        record.insert("expires".to_owned(), expires.clamp(1, most).into());
        let text = Value::Object(record).to_string();
        if text.len() > RECORD_BYTES_MAX {
            let reason = format!(
                "the record has {} bytes, at most {RECORD_BYTES_MAX}",
                text.len()
            );
            return Err(Answer::refusal(Code::TOO_LARGE, &reason));
        }
        self.table.put(key, text.as_bytes()).await?;
        Ok(())
    }
}

fn is_hyperty(address: &Address) -> bool {
    matches!(address.scheme(), "hyperty" | "user" | "user-guid") || address.is_runtime()
}

// What users are found by: the e-mail address at the end of their URL (spec §6.2), or
// the one that runtimes register for a URL without one.
fn identifier(user: &str) -> String {
    let last = user.rsplit('/').next().unwrap_or(user);
    let parts = user
        .strip_prefix("user://")
        .and_then(|user| user.split_once('/'));
    match parts {
        Some((domain, name)) if !name.contains(['@', '/']) => format!("{name}@{domain}"),
        _ => last.to_owned(),
    }
}

fn told(address: Address, before: Option<&Value>, status: &Value) -> Registered {
    let is_new = before != Some(status);
    let status = status.as_str().unwrap_or_default().to_owned();
    Registered {
        answer: Answer::done(),
        news: is_new.then_some((address, status)),
    }
}

fn bad(reason: &str) -> Answer {
    Answer::refusal(Code::BAD_REQUEST, reason)
}
