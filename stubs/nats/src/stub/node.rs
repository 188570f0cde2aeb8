//! What a message node does for its runtimes: bring messages, give addresses
//! (spec messaging §7.2, §10.2).

use protocol::{Address, Code, MessageKind};
use serde_json::{Map, Value, json};

use super::answer::{Answer, members};
use super::book::Book;
use super::limits::RESOURCES_MAX;
use super::places::{self, Part, Place};

/// One question to the node.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) part: Part,
    pub(super) kind: String,
    pub(super) body: Vec<u8>,
    pub(super) domain: String,
}

impl Question {
    pub(super) async fn answer(self, book: &Book) -> Answer {
        let members = match members(&self.body) {
            Ok(members) => members,
            Err(refusal) => return refusal,
        };
        let kind = MessageKind::parse(&self.kind);
        let answer = match (self.part, kind) {
            (Part::Subscriptions, MessageKind::Subscribe) => self.subscribe(&members, book).await,
            (Part::Subscriptions, MessageKind::Unsubscribe) => {
                self.unsubscribe(&members, book).await
            }
            (Part::Allocation(scheme), MessageKind::Create) => {
                self.allocate(&members, scheme, book).await
            }
            (Part::Allocation(_), MessageKind::Delete) => self.release(&members, book).await,
            _ => Err(Answer::refusal(
                Code::NOT_ALLOWED,
                &format!(
                    "the message node of `{}` does not understand `{kind}` here",
                    self.domain
                ),
            )),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    async fn subscribe(&self, body: &Map<String, Value>, book: &Book) -> Result<Answer, Answer> {
        for text in resources(body, "subscribe")? {
            match self.place(text)? {
                Place::Channel { channel, .. } => book.hear(&channel).await?,
                Place::Owner(base) => book.claim(&base).await?,
                // What is below a runtime comes to it without asking.
                Place::Runtime(_) | Place::Node(_) | Place::Registry | Place::Elsewhere => {}
            }
        }
        Ok(Answer::done())
    }

    async fn unsubscribe(&self, body: &Map<String, Value>, book: &Book) -> Result<Answer, Answer> {
        for text in resources(body, "unsubscribe")? {
            match self.place(text)? {
                Place::Channel { channel, .. } => book.ignore(&channel).await?,
                Place::Owner(base) => book.release(&base).await?,
                Place::Runtime(_) | Place::Node(_) | Place::Registry | Place::Elsewhere => {}
            }
        }
        Ok(Answer::done())
    }

    async fn allocate(
        &self,
        body: &Map<String, Value>,
        scheme: &str,
        book: &Book,
    ) -> Result<Answer, Answer> {
        let bad = |reason: &str| Answer::refusal(Code::BAD_REQUEST, reason);
        let value = body.get("value").and_then(Value::as_object).unwrap_or(body);
        let number = value.get("number").map_or(Some(1), Value::as_u64);
        let number = number.filter(|n| (1..=RESOURCES_MAX as u64).contains(n));
        let number = number.ok_or_else(|| bad("`number` must be 1 to 100"))?;
        let scheme = body.get("scheme").and_then(Value::as_str).unwrap_or(scheme);
        let key = value.get("allocationKey").and_then(Value::as_str);
        let mut fresh = Vec::new();
        for _ in 0..number {
            let address = format!("{scheme}://{}/{}", self.domain, uuid());
            let address: Address = address
                .parse()
                .map_err(|_| bad("`scheme` is not a scheme"))?;
            fresh.push(address.as_str().to_owned());
        }
        let given = match key.filter(|key| !key.is_empty()) {
            Some(key) => book.block(key, fresh).await?,
            None => fresh,
        };
        for text in &given {
            if let Ok(Place::Owner(base)) = self.place(text) {
                book.claim(&base).await?;
            }
        }
        Ok(Answer::value(&json!({ "allocated": given })))
    }

    async fn release(&self, body: &Map<String, Value>, book: &Book) -> Result<Answer, Answer> {
        let mut released: Vec<String> = strings(body.get("childrenResources"));
        match body.get("resource").and_then(Value::as_str) {
            Some(key) if !key.contains("://") => released.extend(book.unblock(key).await?),
            Some(address) => released.push(address.to_owned()),
            None => {}
        }
        for text in released.iter().take(RESOURCES_MAX) {
            // Published runtimes also send names of children, which are nobody's.
            if let Ok(Place::Owner(base)) = self.place(text) {
                book.release(&base).await?;
            }
        }
        Ok(Answer::done())
    }

    fn place(&self, text: &str) -> Result<Place, Answer> {
        let bad = |reason: String| Answer::refusal(Code::BAD_REQUEST, &reason);
        let address: Address = text
            .parse()
            .map_err(|error| bad(format!("`{text}`: {error}")))?;
        match places::place(&address, &self.domain) {
            Place::Elsewhere => Err(bad(format!("`{address}` is not of `{}`", self.domain))),
            place => Ok(place),
        }
    }
}

// Node.js message nodes have another name for it; both at once have no meaning.
fn resources<'a>(body: &'a Map<String, Value>, other: &str) -> Result<Vec<&'a str>, Answer> {
    let bad = |reason: String| Answer::refusal(Code::BAD_REQUEST, &reason);
    let ((Some(named), None) | (None, Some(named))) = (body.get("resources"), body.get(other))
    else {
        let reason = format!("exactly one of `resources` and `{other}` is needed");
        return Err(bad(reason));
    };
    let all = named.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
    if texts.is_empty() || texts.len() != all.len() || texts.len() > RESOURCES_MAX {
        return Err(bad(format!(
            "`resources` must be 1 to {RESOURCES_MAX} addresses"
        )));
    }
    Ok(texts)
}

pub(super) fn strings(value: Option<&Value>) -> Vec<String> {
    let all = value.and_then(Value::as_array).map(Vec::as_slice);
    let texts = all.unwrap_or_default().iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

// Version 4, as RFC 9562 writes it.
fn uuid() -> String {
    let (high, low) = (random(), random());
    let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
    let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

// Without randomness from the kernel nothing in this process is safe.
fn random() -> u64 {
    match getrandom::u64() {
        Ok(number) => number,
        Err(_) => std::process::abort(),
    }
}
