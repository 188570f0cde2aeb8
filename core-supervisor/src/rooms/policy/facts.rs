//! What is known about a question, as Cedar's entities and context.
//!
//! Only what a rule in question looks at is gathered: the clock and the body
//! stay out otherwise, and a rule that were to look at them all the same would
//! end in an error, which refuses.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use serde_json::Value;

use super::body;
use super::clock;
use super::deed;
use super::question::{Act, Party, PartyKind, Question};
use super::reads::Reads;

/// A member of the context, as it was when the question was decided.
pub(super) type Looked = Vec<(&'static str, Value)>;

/// A question in Cedar's terms.
pub(super) struct Facts {
    pub(super) request: Request,
    pub(super) entities: Entities,
    /// The context, for the explanation.
    pub(super) looked: Looked,
}

/// The types of entities, parsed once for a set.
#[derive(Debug)]
pub(super) struct Types {
    kinds: HashMap<PartyKind, EntityTypeName>,
    provider: EntityTypeName,
    action: EntityTypeName,
}

impl Types {
    pub(super) fn new() -> Result<Self, String> {
        let name = |text: &str| -> Result<EntityTypeName, String> {
            text.parse().map_err(|e| format!("type `{text}`: {e}"))
        };
        let kinds = PartyKind::ALL.iter();
        let kinds = kinds.map(|&kind| Ok((kind, name(kind.as_str())?)));
        Ok(Self {
            kinds: kinds.collect::<Result<_, String>>()?,
            provider: name("Provider")?,
            action: name("Action")?,
        })
    }

    fn uid(&self, party: &Party<'_>) -> Result<EntityUid, String> {
        let kind = self.kinds.get(&party.kind);
        let kind = kind.ok_or("a kind of party has no type")?;
        Ok(uid(kind, id(party)))
    }
}

/// The id of a party's entity: a room's place, or the address.
pub(super) fn id<'a>(party: &'a Party<'_>) -> &'a str {
    match party.kind {
        PartyKind::Room => name(party),
        PartyKind::Operator => "operator",
        _ => party.address.as_str(),
    }
}

/// The name of a party: a room's first segment below the runtime, or the owner's name.
///
/// Rooms are told by their address alone, so that rules about `/pep` hold for
/// everything below it as well.
pub(super) fn name<'a>(party: &'a Party<'_>) -> &'a str {
    match party.kind {
        // The registry of a domain that is here.
        PartyKind::Room if party.address.scheme() == "domain" => "discovery",
        // "/<runtime>/<room>/…", or the runtime itself.
        PartyKind::Room => party.address.path().split('/').nth(2).unwrap_or("runtime"),
        _ => party.name,
    }
}

/// What is known of a host besides its address.
pub(super) struct HostFacts<'a> {
    pub(super) name: &'a str,
    pub(super) port: u16,
    pub(super) private: bool,
}

impl<'a> HostFacts<'a> {
    /// Of a party that is a host: its address is `<protocol>://<host>/<port>[/private]`.
    pub(super) fn of(party: &'a Party<'_>) -> Option<Self> {
        if party.kind != PartyKind::Host {
            return None;
        }
        let mut path = party.address.path().split('/').skip(1);
        Some(Self {
            name: party.name,
            port: path.next().and_then(|port| port.parse().ok()).unwrap_or(0),
            private: path.next() == Some("private"),
        })
    }
}

/// Gathers what the rules in question look at.
pub(super) fn gather(
    types: &Types,
    question: &Question<'_>,
    reads: Reads,
) -> Result<Facts, String> {
    let principal = entity(types, &question.from)?;
    let resource = entity(types, &question.to)?;
    let action = action(types, question);
    let looked = look(question, reads)?;
    let request = Request::new(
        principal.uid(),
        action.uid(),
        resource.uid(),
        context(&looked)?,
        None,
    )
    .map_err(|e| format!("cannot put the question: {e}"))?;
    // The same party on both sides is one entity, and a set of entities holds it once.
    let resource = (resource.uid() != principal.uid()).then_some(resource);
    let entities = [Some(principal), resource, Some(action)];
    let entities = Entities::from_entities(entities.into_iter().flatten(), None)
        .map_err(|e| format!("cannot describe the parties: {e}"))?;
    Ok(Facts {
        request,
        entities,
        looked,
    })
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn entity(types: &Types, party: &Party<'_>) -> Result<Entity, String> {
    // Two absent providers would be equal, and pass for the same party.
    if party.kind.has_provider() && party.provider.is_empty() {
        return Err(format!("`{}` has no provider", party.address));
    }
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let mut attributes = HashMap::from([
        ("address".to_owned(), text(party.address.as_str())),
        ("scheme".to_owned(), text(party.address.scheme())),
        ("domain".to_owned(), text(party.address.served_domain())),
        ("path".to_owned(), text(party.address.path())),
    ]);
    let mut parents = HashSet::new();
    if party.kind.has_provider() {
        attributes.insert("provider".to_owned(), text(party.provider));
        parents.insert(uid(&types.provider, party.provider));
    }
    if party.kind.has_name() {
        attributes.insert("name".to_owned(), text(name(party)));
    }
    if let Some(user) = party.acts_for() {
        attributes.insert("user".to_owned(), text(user));
    }
    if let Some(host) = HostFacts::of(party) {
        attributes.insert("host".to_owned(), text(host.name));
        attributes.insert("protocol".to_owned(), text(party.address.scheme()));
        let port = RestrictedExpression::new_long(i64::from(host.port));
        attributes.insert("port".to_owned(), port);
        let private = RestrictedExpression::new_bool(host.private);
        attributes.insert("private".to_owned(), private);
    }
    if let Some(level) = party.level.filter(|_| party.kind.is_component()) {
        let level = RestrictedExpression::new_long(level as i64);
        attributes.insert("level".to_owned(), level);
    }
    if party.kind.is_component() && !party.digest.is_empty() {
        attributes.insert("digest".to_owned(), text(party.digest));
    }
    Entity::new(types.uid(party)?, attributes, parents)
        .map_err(|e| format!("cannot describe `{}`: {e}", party.address))
}

fn action(types: &Types, question: &Question<'_>) -> Entity {
    let index = deed::index(question.act);
    let groups = deed::groups(index).iter();
    let parents = groups.map(|&group| uid(&types.action, group)).collect();
    Entity::new_no_attrs(uid(&types.action, deed::name(question.act)), parents)
}

fn look(question: &Question<'_>, reads: Reads) -> Result<Looked, String> {
    let mut looked = vec![("type", Value::from(question.act.word()))];
    if reads.clock {
        let moment = clock::Moment::of(question.wall_us);
        looked.push(("minute", moment.minute.into()));
        looked.push(("weekday", moment.weekday.into()));
        looked.push(("date", moment.date.into()));
    }
    // A moment, such as `listen`, has no relation in the schema.
    if reads.relation && matches!(question.act, Act::Message(_)) {
        looked.push(("relation", question.relation.as_str().into()));
    }
    if let Some(grant) = question.act.grant() {
        looked.push(("grant", grant.into()));
    }
    if reads.body && matches!(question.act, Act::Message(_)) {
        let bytes = question.body;
        let bytes = bytes.ok_or("a rule looks at the body, and none was given")?;
        looked.push(("body", body::members(bytes)?));
    }
    Ok(looked)
}

fn context(looked: &Looked) -> Result<Context, String> {
    let pairs = looked.iter();
    let pairs = pairs.map(|(name, value)| ((*name).to_owned(), expression(value)));
    Context::from_pairs(pairs).map_err(|e| format!("cannot describe the message: {e}"))
}

// Every value here was built by `look` or `body::members`: texts, whole numbers,
// truth values, lists of texts, and one record of these.
fn expression(value: &Value) -> RestrictedExpression {
    match value {
        Value::Bool(is) => RestrictedExpression::new_bool(*is),
        Value::Number(number) => RestrictedExpression::new_long(number.as_i64().unwrap_or(-1)),
        Value::String(text) => RestrictedExpression::new_string(text.clone()),
        Value::Array(members) => RestrictedExpression::new_set(members.iter().map(expression)),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.clone(), expression(value)));
            RestrictedExpression::new_record(members)
                .unwrap_or_else(|_| RestrictedExpression::new_string(String::new()))
        }
        Value::Null => RestrictedExpression::new_string(String::new()),
    }
}
