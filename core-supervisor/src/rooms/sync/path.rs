//! Where in an object a change is: a list of keys, and how peers write it.

use protocol::api::sync::{Delta, Step};

use super::Bad;
use super::limits::DEPTH_MAX;

/// Keys that scripts would take for the prototype of an object.
const PROTOTYPE: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// The keys of a change: those of `path`, or those that `attribute` stands for.
pub(super) fn of(delta: &Delta) -> Result<Vec<String>, Bad> {
    let keys = match &delta.path {
        Some(path) => path.iter().map(key).collect(),
        None => parse(&delta.attribute),
    };
    if keys.is_empty() || keys.len() > DEPTH_MAX {
        return Err(Bad::Malformed(format!(
            "a change has a path of 1 to {DEPTH_MAX} keys, this one has {}",
            keys.len()
        )));
    }
    match keys.iter().find(|key| PROTOTYPE.contains(&key.as_str())) {
        Some(key) => Err(Bad::Malformed(format!(
            "`{key}` is not a key that a change may name"
        ))),
        None => Ok(keys),
    }
}

/// The keys of a published `attribute` (spec services §1.6).
///
/// Dots separate keys, except in a URL: that is one key, up to `.identity`.
fn parse(attribute: &str) -> Vec<String> {
    let split = |text: &str| -> Vec<String> { text.split('.').map(str::to_owned).collect() };
    let Some(colon) = attribute.find("://") else {
        return if attribute.is_empty() {
            Vec::new()
        } else {
            split(attribute)
        };
    };
    let (before, _) = attribute.split_at(colon);
    let start = before.rfind('.').map_or(0, |dot| dot + 1);
    let (head, url) = attribute.split_at(start);
    let mut keys = split(head);
    match url.split_once(".identity") {
        Some((url, rest)) if rest.is_empty() || rest.starts_with('.') => {
            keys.push(url.to_owned());
            keys.push("identity".to_owned());
            keys.extend(split(rest));
        }
        _ => keys.push(url.to_owned()),
    }
    keys.retain(|key| !key.is_empty());
    keys
}

fn key(step: &Step) -> String {
    match step {
        Step::Index(index) => index.to_string(),
        Step::Key(key) => key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(attribute: &str, expected: &[&str]) {
        assert_eq!(parse(attribute), expected);
    }

    // services §8.2, the vectors of the path parser
    #[test]
    fn an_attribute_is_split_at_its_dots_but_not_within_a_url() {
        check("a.b.c", &["a", "b", "c"]);
        check(
            "participants.user://g.com/x",
            &["participants", "user://g.com/x"],
        );
        check(
            "participants.user://g.com/x.identity.userProfile.name",
            &[
                "participants",
                "user://g.com/x",
                "identity",
                "userProfile",
                "name",
            ],
        );
        check(
            "participants.user://g.com/x.status",
            &["participants", "user://g.com/x.status"],
        );
        check("", &[]);
    }

    #[test]
    fn the_way_to_a_prototype_is_no_path() {
        let delta = |attribute: &str| Delta {
            attribute: attribute.to_owned(),
            ..Delta::default()
        };

        assert!(of(&delta("a.__proto__.b")).is_err());
        assert!(of(&delta("constructor")).is_err());
        assert!(of(&delta("a.constructors")).is_ok());
    }
}
