//! Functions that go along with a call, and their calls as they come.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use protocol::api::rpc::Changed;
use protocol::client::rpc::{Callback, Returned};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Args, show};
use crate::Context;
use crate::cmd::{Outcome, logs};
use crate::error::{Failure, Id};
use crate::output::{Tone, clean, time};
use crate::session::{NextCall, Session};

/// The name of a function that was not written.
const UNNAMED: &str = "callback";

/// The functions of one call, by the names that the reader gave them.
#[derive(Debug, Default)]
pub(super) struct Functions {
    by_name: BTreeMap<String, Callback>,
}

#[derive(Debug, Serialize)]
struct Item<'a> {
    at: String,
    callback: &'a str,
    args: &'a [Value],
}

impl Functions {
    /// Puts a function wherever `"$name"` stands; behind the arguments when it stands nowhere.
    pub(super) fn replace(
        &mut self,
        session: &mut Session,
        address: &str,
        mut arguments: Vec<Value>,
    ) -> Result<Vec<Value>, Failure> {
        let mut wanted = Vec::new();
        for value in &arguments {
            collect(value, &mut wanted);
        }
        if wanted.is_empty() {
            arguments.push(Value::String(format!("${UNNAMED}")));
            wanted.push(UNNAMED.to_owned());
        }
        for name in wanted {
            let callback = session.callback(address, &name)?;
            self.by_name.entry(name).or_insert(callback);
        }
        Ok(arguments.iter().map(|value| self.placed(value)).collect())
    }

    fn placed(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => function_name(text)
                .and_then(|name| self.by_name.get(name))
                .map_or_else(|| value.clone(), Callback::to_value),
            Value::Array(items) => items.iter().map(|item| self.placed(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), self.placed(member)))
                .collect(),
            plain => plain.clone(),
        }
    }

    fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        let found = self
            .by_name
            .iter()
            .find(|(_, callback)| callback.id() == id);
        found.map_or(id, |(name, _)| name)
    }
}

fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let name = function_name(text).map(str::to_owned);
            names.extend(name.filter(|name| !names.contains(name)));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(members) => members.values().for_each(|member| collect(member, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn function_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(is_letter)).then_some(name)
}

/// Prints each call until the count, the time, the hyperty or the supervisor ends.
pub(super) fn run(
    session: &mut Session,
    functions: &Functions,
    returned: &Returned,
    args: &Args,
    context: &Context,
) -> Outcome {
    let deadline = args.length.map(|length| Instant::now() + length);
    let mut so_far = 0;
    while args.count.is_none_or(|count| so_far < count) {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            break;
        }
        match session.next_call(left.unwrap_or(logs::PATIENCE))? {
            NextCall::Called(called) => {
                so_far += 1;
                let name = functions.name_of(&called.callback);
                let item = Item {
                    at: time::rfc3339(time::now_us()),
                    callback: name,
                    args: &called.args,
                };
                context.out.item("hyperty.callback/1", &item, |style| {
                    let name = style.paint(Tone::Name, &clean(name));
                    format!("{name} {}\n", show::line(&called.args))
                })?;
            }
            NextCall::Changed(changed) => {
                so_far += 1;
                show_change(session, returned, &changed, context)?;
            }
            NextCall::Nothing => {}
            NextCall::Over(reason) => {
                return Err(
                    Failure::new(Id::Failed, format!("`{}` ended: {reason}", args.to))
                        .fix("to see why", format!("hyperty logs {}", args.to)),
                );
            }
            NextCall::End => return Ok(()),
        }
    }
    if so_far == 0 && args.count != Some(0) {
        return Err(Failure::new(
            Id::TimedOut,
            "no function was called in that time",
        ));
    }
    Ok(())
}

// The changes, or all the data when there were too many of them.
fn show_change(
    session: &mut Session,
    returned: &Returned,
    changed: &Changed,
    context: &Context,
) -> Outcome {
    let found = returned
        .references
        .iter()
        .find(|one| one.id() == changed.reference);
    let Some(reference) = found else {
        return Ok(());
    };
    let (what, content) = if changed.behind {
        ("data", session.snapshot(reference)?.data)
    } else {
        ("changes", json!(changed.deltas))
    };
    let object = reference.lent().name.as_str();
    let item = json!({ "at": time::rfc3339(time::now_us()), "object": object, what: content });
    context.out.item("hyperty.change/1", &item, |style| {
        let object = style.paint(Tone::Name, &clean(object));
        format!("{object} {what} {}\n", clean(&content.to_string()))
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_by_texts_with_a_dollar() {
        let mut names = Vec::new();
        collect(
            &json!([1, "$tick", {"a": ["$done", "$tick"], "b": "$5 a day", "c": "$"}]),
            &mut names,
        );

        assert_eq!(names, ["tick", "done"]);
    }
}
