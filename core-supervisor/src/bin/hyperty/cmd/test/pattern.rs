//! Whether a message looks as it should, and what it tells.
//!
//! | in a pattern | matches |
//! |---|---|
//! | an object | one that has at least these members |
//! | an array | one of the same length, item by item |
//! | `"$name"` | what `name` stands for; the first time, anything, which it stands for from then on |
//! | `"$_"` | anything |
//! | `"$$text"` | the text `$text` |
//! | anything else | the same |

use std::collections::BTreeMap;

use serde_json::Value;

/// What names stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Bindings(BTreeMap<String, Value>);

/// A place where a message does not look as it should.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(super) struct Difference {
    /// Members and items from the top: `body.value.0`.
    pub(super) path: String,
    /// What should be there, with names replaced by what they stand for.
    pub(super) wanted: Value,
    /// What is there, if anything is.
    pub(super) was: Option<Value>,
}

impl Bindings {
    /// Lets a name stand for a value.
    pub(super) fn bind(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// A value with each name replaced by what it stands for; the name that stands
    /// for nothing.
    pub(super) fn fill(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => match name_of(text) {
                Some(name) => self.0.get(name).cloned().ok_or_else(|| name.to_owned())?,
                None => Value::String(self.text(text)),
            },
            Value::Array(items) => {
                let items = items.iter().map(|item| self.fill(item));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, member)| Ok((name.clone(), self.fill(member)?)));
                Value::Object(members.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    /// A text with the names in it replaced; one that stands for nothing stays.
    pub(super) fn text(&self, text: &str) -> String {
        let Some((before, rest)) = text.split_once('$') else {
            return text.to_owned();
        };
        if let Some(rest) = rest.strip_prefix('$') {
            return format!("{before}${}", self.text(rest));
        }
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let value = match self.0.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => format!("${name}"),
        };
        format!("{before}{value}{}", self.text(rest))
    }

    /// Whether a value looks as the pattern says; if so, new names stand for what
    /// was found. Otherwise every difference, and nothing is learned.
    pub(super) fn learn(&mut self, pattern: &Value, value: &Value) -> Result<(), Vec<Difference>> {
        let mut learned = self.clone();
        let mut differences = Vec::new();
        learned.compare(pattern, Some(value), "", &mut differences);
        if differences.is_empty() {
            *self = learned;
            return Ok(());
        }
        Err(differences)
    }

    fn compare(
        &mut self,
        pattern: &Value,
        value: Option<&Value>,
        path: &str,
        differences: &mut Vec<Difference>,
    ) {
        let below = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        match (pattern, value) {
            (Value::String(text), Some(found)) if name_of(text).is_some() => {
                let name = name_of(text).unwrap_or_default();
                let known = self.0.get(name).filter(|_| name != "_");
                match known {
                    Some(known) if known != found => {
                        differences.push(difference(path, known, value));
                    }
                    Some(_) => {}
                    None => self.bind(name, found.clone()),
                }
            }
            (Value::String(text), Some(Value::String(found))) if self.text(text) == *found => {}
            (Value::Object(wanted), Some(Value::Object(found))) => {
                for (name, wanted) in wanted {
                    self.compare(wanted, found.get(name), &below(name), differences);
                }
            }
            (Value::Array(wanted), Some(Value::Array(found))) if wanted.len() == found.len() => {
                for (at, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                    self.compare(wanted, Some(found), &below(&at.to_string()), differences);
                }
            }
            (wanted, Some(found)) if is_same(wanted, found) => {}
            (wanted, value) => {
                let shown = self.fill(wanted).unwrap_or_else(|_| wanted.clone());
                differences.push(difference(path, &shown, value));
            }
        }
    }
}

fn difference(path: &str, wanted: &Value, was: Option<&Value>) -> Difference {
    Difference {
        path: path.to_owned(),
        wanted: wanted.clone(),
        was: was.cloned(),
    }
}

// 1 and 1.0 are the same to JavaScript.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

fn name_of(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    (!name.is_empty() && name.chars().all(is_word)).then_some(name)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_are_not_asked_for_do_not_matter() {
        let mut names = Bindings::default();
        let message =
            json!({"type": "read", "body": {"code": 200, "value": [1, {"x": 2, "y": 3}]}});

        assert_eq!(names.learn(&json!({}), &message), Ok(()));
        let pattern = json!({"body": {"value": [1.0, {"x": 2}]}});
        assert_eq!(names.learn(&pattern, &message), Ok(()));
    }

    #[test]
    fn every_difference_has_its_path() {
        let mut names = Bindings::default();
        let message = json!({"type": "read", "body": {"value": [1, 2]}});

        let told = names.learn(
            &json!({"type": "create", "body": {"value": [1, 3], "code": 200}}),
            &message,
        );

        let told = told.unwrap_err();
        let was: BTreeMap<_, _> = told.iter().map(|told| (&*told.path, &told.was)).collect();
        let wanted = [
            ("body.code", &None),
            ("body.value.1", &Some(json!(2))),
            ("type", &Some(json!("read"))),
        ];
        assert_eq!(was, BTreeMap::from(wanted));
    }

    #[test]
    fn a_name_stands_for_what_it_was_found_as_and_is_learned_only_with_a_match() {
        let mut names = Bindings::default();
        names.bind("friend", json!("hyperty://a.example/1"));

        assert!(
            names
                .learn(&json!({"id": "$n", "x": 1}), &json!({"id": 7}))
                .is_err()
        );
        assert_eq!(names.fill(&json!("$n")), Err("n".to_owned()));
        assert!(
            names
                .learn(
                    &json!({"id": "$n", "to": "$friend"}),
                    &json!({"id": 7, "to": "hyperty://a.example/1"})
                )
                .is_ok()
        );
        assert!(names.learn(&json!("$n"), &json!(8)).is_err());
        assert!(names.learn(&json!("$_"), &json!(8)).is_ok());
        assert_eq!(
            names.fill(&json!({"a": ["$n", "$$n"]})),
            Ok(json!({"a": [7, "$n"]}))
        );
    }

    #[test]
    fn names_inside_a_text_are_replaced() {
        let mut names = Bindings::default();
        names.bind("friend", json!("ann"));
        names.bind("n", json!(3));

        assert_eq!(
            names.text("$friend/$n costs $$5, $other"),
            "ann/3 costs $5, $other"
        );
        assert!(
            names
                .learn(&json!("$friend/api"), &json!("ann/api"))
                .is_ok()
        );
    }
}
