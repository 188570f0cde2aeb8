//! What a component asks for, by its descriptor, and what a newer one asks for beyond it.
//!
//! An update that asks for more waits until somebody has seen what: what was agreed to
//! is the older one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::limits::RIGHTS_MAX;

/// What is asked for, as people read it; and of what can be counted, how much.
pub type Rights = BTreeMap<String, u64>;

/// Lines that tell what has grown.
pub type Grown = Vec<String>;

/// As many as there may be.
const UNBOUNDED: u64 = u64::MAX;

/// What stands in front of the name of a limit.
const LIMIT: &str = "the limit ";

/// What a descriptor asks for.
pub fn asked(descriptor: &[u8]) -> Rights {
    let descriptor: Value = serde_json::from_slice(descriptor).unwrap_or_default();
    let mut rights = Rights::new();
    let language = descriptor.get("language").and_then(Value::as_str);
    if language.is_some_and(|language| language.eq_ignore_ascii_case("native")) {
        rights.insert(
            "the sandbox profile `native`: a program of its own".to_owned(),
            1,
        );
    }
    for place in list(&descriptor, "network") {
        let (right, count) = network(&place);
        let known = rights.entry(right).or_default();
        *known = known.saturating_add(count);
    }
    let limits = unpacked(descriptor.get("limits"));
    for (name, number) in limits.as_object().into_iter().flatten() {
        let number = number.as_u64().unwrap_or(UNBOUNDED);
        rights.insert(format!("{LIMIT}`{}`", name.escape_default()), number);
    }
    let constraints = unpacked(descriptor.get("constraints"));
    for (name, value) in constraints.as_object().into_iter().flatten() {
        if *value == Value::Bool(true) {
            rights.insert(format!("a runtime with `{}`", name.escape_default()), 1);
        }
    }
    if unpacked(descriptor.get("interworking")) == Value::Bool(true) {
        rights.insert("speaking for addresses of a foreign network".to_owned(), 1);
    }
    let policies = unpacked(descriptor.get("policies"));
    for (name, rule) in policies.as_object().into_iter().flatten() {
        // Which rules are the wider ones cannot be told: another text is another rule.
        let digest = blake3::hash(rule.to_string().as_bytes()).to_hex();
        let short: String = digest.chars().take(12).collect();
        rights.insert(
            format!("its own rule `{}` ({short})", name.escape_default()),
            1,
        );
    }
    while rights.len() > RIGHTS_MAX {
        rights.pop_last();
        rights.insert(format!("more than {RIGHTS_MAX} rights"), UNBOUNDED);
    }
    rights
}

/// What the newer rights have beyond the older ones.
///
/// What is usual is the runtime's to say: a limit that only one of them names may have
/// grown, and is told.
pub fn grown(older: &Rights, newer: &Rights) -> Grown {
    let told = |(right, count): (&String, &u64)| match older.get(right) {
        Some(had) if had >= count => None,
        Some(had) if right.starts_with(LIMIT) => {
            Some(format!("{right}: {}, {} before", many(*count), many(*had)))
        }
        None if right.starts_with(LIMIT) => {
            Some(format!("{right}: {}, what is usual before", many(*count)))
        }
        Some(had) if had >= count => None,
        Some(had) => Some(format!(
            "{right}: {} at once, {} before",
            many(*count),
            many(*had)
        )),
        None => Some(right.clone()),
    };
    let let_go = |(right, had): (&String, &u64)| {
        let is_gone = right.starts_with(LIMIT) && !newer.contains_key(right);
        is_gone.then(|| format!("{right}: what is usual, {} before", many(*had)))
    };
    let grown = newer.iter().filter_map(told);
    grown.chain(older.iter().filter_map(let_go)).collect()
}

// No number means as many as a component may have.
fn network(place: &Value) -> (String, u64) {
    let member = |name: &str| place.get(name).map(plain).filter(|text| !text.is_empty());
    let or = |name: &str, other: &str| member(name).unwrap_or_else(|| other.to_owned());
    let private = match place.get("private") {
        Some(Value::Bool(true)) => ", also at addresses that are not public",
        _ => "",
    };
    let (host, port, protocol) = (or("host", "*"), or("port", "any"), or("protocol", "tcp"));
    let count = place
        .get("count")
        .and_then(Value::as_u64)
        .filter(|count| *count > 0);
    let right = format!("the network: {host} port {port} {protocol}{private}");
    (right, count.unwrap_or(UNBOUNDED))
}

fn many(count: u64) -> String {
    if count == UNBOUNDED {
        "any number".to_owned()
    } else {
        count.to_string()
    }
}

fn list(descriptor: &Value, member: &str) -> Vec<Value> {
    match unpacked(descriptor.get(member)) {
        Value::Array(members) => members,
        _ => Vec::new(),
    }
}

// Older catalogues give members as JSON text.
fn unpacked(value: Option<&Value>) -> Value {
    match value {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(other) => other.clone(),
        None => Value::Null,
    }
}

fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars()
        .take(256)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(older: &str, newer: &str) -> Grown {
        grown(&asked(older.as_bytes()), &asked(newer.as_bytes()))
    }

    #[test]
    fn only_what_is_new_has_grown() {
        let older = r#"{"network":[{"host":"a.example","port":443,"count":2}],"constraints":{"mic":false}}"#;
        let newer = r#"{"network":[{"host":"a.example","port":443,"count":3},
            {"host":"*","port":25,"private":true}],"constraints":"{\"mic\":true}",
            "language":"native","interworking":true,"policies":{"mine":"permit"}}"#;

        assert_eq!(
            diff(older, newer),
            [
                "a runtime with `mic`",
                "its own rule `mine` (6615fec67066)",
                "speaking for addresses of a foreign network",
                "the network: * port 25 tcp, also at addresses that are not public",
                "the network: a.example port 443 tcp: 3 at once, 2 before",
                "the sandbox profile `native`: a program of its own",
            ]
        );
        assert_eq!(diff(newer, older), [""; 0]);
    }

    #[test]
    fn a_limit_grows_by_its_number_and_by_going_where_the_usual_may_be_more() {
        let older = r#"{"limits":{"memory":20000000,"pending":10}}"#;
        let newer = r#"{"limits":{"memory":30000000,"sockets":4}}"#;

        assert_eq!(
            diff(older, newer),
            [
                "the limit `memory`: 30000000, 20000000 before",
                "the limit `sockets`: 4, what is usual before",
                "the limit `pending`: what is usual, 10 before",
            ]
        );
        assert_eq!(diff(older, older), [""; 0]);
    }

    #[test]
    fn without_a_number_it_is_any_number() {
        let some = r#"{"network":[{"host":"a.example","count":2}]}"#;
        let any = r#"{"network":[{"host":"a.example"}]}"#;

        assert_eq!(
            diff(some, any),
            ["the network: a.example port any tcp: any number at once, 2 before"]
        );
        assert_eq!(diff(any, some), [""; 0]);
    }

    #[test]
    fn endless_rights_are_cut_and_still_grow() {
        let hosts: Vec<String> = (0..2 * RIGHTS_MAX)
            .map(|host| format!(r#"{{"host":"h{host}.example"}}"#))
            .collect();
        let many = format!(r#"{{"network":[{}]}}"#, hosts.join(","));

        assert!(asked(many.as_bytes()).len() <= RIGHTS_MAX);
        assert!(!diff("{}", &many).is_empty());
    }
}
