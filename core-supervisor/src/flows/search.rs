//! A search that is not answered here goes to the registry of a domain.
//!
//! discovery (not here, or not only here) → abroad → asked … → found → answered
//!
//! What a registry answers is a stranger's word: it is read as records or refused,
//! and nothing of it is taken over but what has the form of one.

use protocol::api::discovery::{self, Criteria, Query};
use protocol::{Address, Code, MessageKind};
use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::enrol;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve_discovery::{NOT_FOUND, nothing_body};
use crate::flows::sync::ask::{self, Answer, Purpose, Words};
use crate::ids::LinkId;
use crate::limits::FOUND_BYTES_MAX;
use crate::rooms::user_agent::Asker;

/// Who searches, for what, and what was found here.
#[derive(Debug)]
pub(crate) struct Search {
    asker: Asker,
    domain: String,
    is_single: bool,
    here: Vec<Value>,
}

/// What a registry is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    /// `resource` of the question.
    pub(crate) resource: String,
    /// `criteria`, if any.
    pub(crate) criteria: Option<Value>,
    /// Whether one record is wanted, and not a map of them.
    pub(crate) is_single: bool,
}

impl Question {
    /// The question to a registry that a search becomes (spec messaging §8.1); nothing
    /// when registries cannot be asked that.
    pub(crate) fn of(query: &Query) -> Option<Self> {
        let mut parts = query.resource.trim_start_matches('/').splitn(3, '/');
        let (kind, selector) = (parts.next()?, parts.next()?);
        let value = parts.next().filter(|value| !value.is_empty())?;
        let lists = lists(query.criteria.as_ref());
        let with = |resource: String, criteria: Map<String, Value>, is_single| {
            let criteria = (!criteria.is_empty()).then_some(Value::Object(criteria));
            Some(Self {
                resource,
                criteria,
                is_single,
            })
        };
        match (kind, selector) {
            ("hyperty", "user") if value.starts_with("user://") => {
                with(value.to_owned(), lists, false)
            }
            ("hyperty", "user") => with(format!("/hyperty/idp-identifier/{value}"), lists, false),
            ("hyperty", "guid") => with(guid(value), lists, false),
            (_, "url") => with(value.to_owned(), Map::new(), true),
            (_, "name") => with(value.to_owned(), lists, false),
            (_, "reporter") => {
                let mut criteria = lists;
                criteria.insert("reporter".to_owned(), value.into());
                with("/comm".to_owned(), criteria, false)
            }
            // A profile is nobody's key, and objects by user need the user's hyperties.
            _ => None,
        }
    }

    fn body(&self) -> Value {
        match &self.criteria {
            Some(criteria) => json!({"resource": self.resource, "criteria": criteria}),
            None => json!({"resource": self.resource}),
        }
    }
}

/// Asks the registry of a domain; `found` follows, once, unless this is refused.
pub(crate) fn abroad(
    core: &mut Core,
    asker: Asker,
    domain: &str,
    (question, here): (&Question, Vec<Value>),
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let charged = asker.link;
    let search = Search {
        asker,
        domain: domain.to_owned(),
        is_single: question.is_single,
        here,
    };
    put(
        core,
        domain,
        question,
        (charged, Purpose::Search(Box::new(search))),
        now,
        out,
    )
}

/// The registry has answered, or nobody will.
pub(crate) fn found(core: &mut Core, search: Search, answer: &Answer, now: Now, out: &mut Actions) {
    let (code, body) = match records(answer, &search) {
        Ok(records) if records.is_empty() && search.here.is_empty() => {
            (Code::NOT_FOUND, nothing_body(Code::NOT_FOUND, NOT_FOUND))
        }
        Ok(records) => {
            for record in &records {
                core.rooms.discovery.far.keep(record, now.mono);
            }
            (
                Code::OK,
                respond::valued(&merged(search.here, records, search.is_single)),
            )
        }
        Err(_) if !search.here.is_empty() => (
            Code::OK,
            respond::valued(&merged(search.here, Vec::new(), search.is_single)),
        ),
        Err(refusal) => (refusal.code, nothing_body(refusal.code, &refusal.reason)),
    };
    respond::later_with(core, &search.asker, code, &body, out);
}

/// Somebody elsewhere is not where its record says: the record is dropped, and asked
/// for once more.
pub(crate) fn heal(core: &mut Core, url: &str, asker: LinkId, now: Now, out: &mut Actions) {
    let Some(is_second) = core.rooms.discovery.far.drop(url) else {
        return;
    };
    let domain = url
        .parse::<Address>()
        .ok()
        .and_then(|url| enrol::domain_for(core, &url));
    let (Some(domain), false) = (domain, is_second) else {
        return;
    };
    let question = Question {
        resource: url.to_owned(),
        criteria: None,
        is_single: true,
    };
    // It is nobody's question: where it cannot be asked, the next search asks.
    let purpose = Purpose::Heal(domain.clone());
    let _ = put(core, &domain, &question, (asker, purpose), now, out);
}

/// The registry says again how it stands.
pub(crate) fn healed(core: &mut Core, domain: &str, answer: &Answer, now: Now) {
    let search = Search {
        asker: Asker {
            link: LinkId(0),
            owner: crate::ids::OwnerId::Local(LinkId(0)),
            from: String::new(),
            to: String::new(),
            id: 0,
        },
        domain: domain.to_owned(),
        is_single: true,
        here: Vec::new(),
    };
    for record in records(answer, &search).unwrap_or_default() {
        core.rooms.discovery.far.keep_again(&record, now.mono);
    }
}

fn put(
    core: &mut Core,
    domain: &str,
    question: &Question,
    purpose: (LinkId, Purpose),
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let to = enrol::registry_of(domain);
    let to = to.ok_or_else(|| Refusal::bad_request(format!("`{domain}` is no domain")))?;
    let from = core.published_room(discovery::PATH) + "/";
    let body = question.body();
    let words = Words {
        kind: MessageKind::Read,
        from: &from,
        to: &to,
        body: &body,
    };
    ask::ask(core, words, purpose, now, out)
}

// 200 and a value, or 404; 408 with a value is that of what is disconnected, which
// published nodes make a 500 of (spec messaging §1.5).
fn records(answer: &Answer, search: &Search) -> Result<Vec<Value>, Refusal> {
    let value = answer.body.get("value").filter(|value| !value.is_null());
    let says = |what: &str| {
        let reason = format!("the registry of `{}` {what}", search.domain);
        Err(Refusal::new(Code::FAILED, "registry", reason))
    };
    match (answer.code, value) {
        (Code::NOT_FOUND, _) => Ok(Vec::new()),
        (Code::OK | Code::TIMEOUT | Code::FAILED, Some(value)) => {
            match read(value, search.is_single) {
                Some(records) => Ok(records),
                None => says("answers what is no record: the search has no result"),
            }
        }
        (Code::OK, None) => says("answers 200 without a value: the search has no result"),
        (code, _) => says(&format!("answers {code}: {}", answer.reason())),
    }
}

fn read(value: &Value, is_single: bool) -> Option<Vec<Value>> {
    let records: Vec<&Value> = match value {
        Value::Object(_) if is_single => vec![value],
        Value::Object(map) => map.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => return None,
    };
    let mut bytes = 0;
    let mut read = Vec::new();
    for record in records {
        address_of(record)?;
        bytes += record.to_string().len();
        if bytes <= FOUND_BYTES_MAX {
            read.push(record.clone());
        }
    }
    Some(read)
}

/// The address that a record is about; nothing when it is none.
pub(crate) fn address_of(record: &Value) -> Option<Address> {
    let url = record.get("hypertyID").or_else(|| record.get("url"))?;
    url.as_str()?.parse().ok()
}

// What is here is known better here.
fn merged(here: Vec<Value>, far: Vec<Value>, is_single: bool) -> Value {
    let mut all = here;
    for record in far {
        let address = address_of(&record);
        if all.iter().all(|known| address_of(known) != address) {
            all.push(record);
        }
    }
    if is_single {
        return all.into_iter().next().unwrap_or_default();
    }
    Value::Array(all)
}

fn lists(criteria: Option<&Criteria>) -> Map<String, Value> {
    let mut lists = Map::new();
    let Some(criteria) = criteria else {
        return lists;
    };
    let named = [
        ("dataSchemes", &criteria.data_schemes),
        ("resources", &criteria.resources),
    ];
    for (name, list) in named {
        if let Some(list) = list.as_ref().filter(|list| !list.is_empty()) {
            lists.insert(name.to_owned(), json!(list));
        }
    }
    lists
}

fn guid(value: &str) -> String {
    if value.starts_with("user-guid://") {
        value.to_owned()
    } else {
        format!("user-guid://{value}")
    }
}
