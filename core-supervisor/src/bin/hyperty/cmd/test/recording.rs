//! A recording as a test: what peers said is said again, and what the component
//! said is expected.
//!
//! JSON Lines: what `hyperty tap --json --bodies` prints. Before them `hyperty record`
//! writes a line that says whose traffic it is; without, it is found out (`whose.rs`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::plan::{Peer, Plan, Reply, Step, Test};

/// The schema of the first line.
pub(crate) const SCHEMA: &str = "hyperty.recording/1";

/// Members that are other each time.
const IGNORED: [&str; 2] = ["body.lastModified", "body.identity"];

/// Whose traffic it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Head {
    /// [`SCHEMA`].
    pub(crate) schema: String,
    /// `hyperty/NAME`.
    pub(crate) component: String,
    /// Its provider.
    pub(crate) provider: String,
    /// The address it had.
    pub(crate) address: String,
    /// The runtime's address.
    pub(crate) runtime: String,
    /// Members that need not be the same, as paths: `body.value.time`.
    #[serde(default)]
    pub(crate) ignore: Vec<String>,
}

/// What is read of a line.
#[derive(Debug, Deserialize)]
struct Line {
    from: String,
    to: String,
    #[serde(rename = "type")]
    kind: String,
    id: u64,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    body: Option<Value>,
}

/// The test that a recording is; `whose` is asked when it has no first line.
pub(super) fn plan(
    text: &str,
    whose: impl FnOnce() -> Result<Head, String>,
) -> Result<Plan, String> {
    let mut lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .peekable();
    let (_, first) = lines.peek().ok_or("it is empty")?;
    let head = if is_head(first) {
        let (at, first) = lines.next().unwrap_or_default();
        serde_json::from_str(first).map_err(|bad| format!("line {}: {bad}", at + 1))?
    } else {
        whose()?
    };
    let mut tape = Tape::new(&head);
    for (at, line) in lines {
        let line: Line =
            serde_json::from_str(line).map_err(|bad| format!("line {}: {bad}", at + 1))?;
        tape.add(&line);
    }
    Ok(Plan {
        component: head.component.clone(),
        provider: head.provider.clone(),
        peers: tape.peers,
        tests: vec![Test {
            name: "it behaves as recorded".to_owned(),
            when: tape.steps,
            ..Test::default()
        }],
        ..Plan::default()
    })
}

fn is_head(line: &str) -> bool {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    line.get("schema").is_some_and(|schema| schema == SCHEMA)
}

struct Tape<'a> {
    head: &'a Head,
    peers: BTreeMap<String, Peer>,
    names: BTreeMap<String, String>,
    // Requests of the component that are not answered yet, by sender and number.
    asked: BTreeSet<(String, u64)>,
    steps: Vec<Step>,
}

impl<'a> Tape<'a> {
    fn new(head: &'a Head) -> Self {
        Self {
            head,
            peers: BTreeMap::new(),
            names: BTreeMap::new(),
            asked: BTreeSet::new(),
            steps: Vec::new(),
        }
    }

    // What went to or came from the runtime happens by itself again, and what was
    // refused was never heard.
    fn add(&mut self, line: &Line) {
        let is_runtimes = |address: &str| is_below(address, &self.head.runtime);
        let is_its = |address: &str| is_below(address, &self.head.address);
        if line.verdict == "deny" || is_runtimes(&line.from) || is_runtimes(&line.to) {
            return;
        }
        if is_its(&line.from) && !is_its(&line.to) {
            self.expect(line);
        } else if is_its(&line.to) && !is_its(&line.from) {
            self.say(line);
        }
    }

    fn expect(&mut self, line: &Line) {
        let mut wanted = self.message(line);
        if line.kind != "response" {
            let name = said_name(line.id);
            wanted.insert("as".to_owned(), json!(name));
            self.asked.insert((line.to.clone(), line.id));
        }
        for path in IGNORED
            .iter()
            .copied()
            .chain(self.head.ignore.iter().map(String::as_str))
        {
            forget(&mut wanted, path);
        }
        self.steps.push(Step::Expect(Value::Object(wanted)));
    }

    fn say(&mut self, line: &Line) {
        if line.kind == "response" && self.asked.contains(&(line.from.clone(), line.id)) {
            let body = line.body.clone().unwrap_or_default();
            let to = said_name(line.id);
            let body = self.with_names(&body);
            self.steps.push(Step::Answer(Reply { to, body }));
            return;
        }
        let mut said = self.message(line);
        said.insert("id".to_owned(), json!(line.id));
        self.steps.push(Step::Send(Value::Object(said)));
    }

    fn message(&mut self, line: &Line) -> Map<String, Value> {
        let mut message = Map::new();
        for (member, address) in [("from", &line.from), ("to", &line.to)] {
            let named = self.named(address);
            message.insert(member.to_owned(), json!(named));
        }
        message.insert("type".to_owned(), json!(line.kind));
        // A response is known by the number of its request.
        if line.kind == "response" {
            message.insert("id".to_owned(), json!(line.id));
        }
        // Text is a body that was cut, or not JSON.
        if let Some(body) = line.body.as_ref().filter(|body| !body.is_string()) {
            let body = self.with_names(body);
            message.insert("body".to_owned(), body);
        }
        message
    }

    // Addresses of the component and of the runtime are others next time.
    fn named(&mut self, address: &str) -> String {
        let below = |base: &str, name: &str| {
            let rest = address.get(base.len()..).unwrap_or_default();
            format!("${name}{rest}")
        };
        if is_below(address, &self.head.address) {
            return below(&self.head.address, "component");
        }
        if is_below(address, &self.head.runtime) {
            return below(&self.head.runtime, "runtime");
        }
        let number = self.names.len() + 1;
        let name = self.names.entry(address.to_owned());
        let name = name.or_insert_with(|| format!("peer{number}")).clone();
        let peer = Peer::Silent(address.to_owned());
        self.peers.entry(name.clone()).or_insert(peer);
        format!("${name}")
    }

    fn with_names(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if text == "(redacted)" => json!("$_"),
            Value::String(text) => {
                let text = text.replace('$', "$$");
                let text = text.replace(&self.head.address, "$component");
                Value::String(text.replace(&self.head.runtime, "$runtime"))
            }
            Value::Array(items) => items.iter().map(|item| self.with_names(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), self.with_names(member)))
                .collect(),
            other => other.clone(),
        }
    }
}

fn said_name(id: u64) -> String {
    format!("said{id}")
}

fn is_below(address: &str, base: &str) -> bool {
    let rest = address.strip_prefix(base);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn forget(message: &mut Map<String, Value>, path: &str) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if rest.is_empty() {
        message.remove(first);
    } else if let Some(Value::Object(inner)) = message.get_mut(first) {
        forget(inner, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"schema":"hyperty.recording/1","component":"hyperty/Echo","provider":"echo.example",
"address":"hyperty://echo.example/1","runtime":"hyperty-runtime://h/r","ignore":["body.time"]}"#;

    fn planned(text: &str) -> Result<Plan, String> {
        plan(text, || Err("nobody says whose traffic it is".to_owned()))
    }

    fn steps(lines: &[&str]) -> Vec<Step> {
        let text = [&[HEAD.replace('\n', "").as_str()], lines]
            .concat()
            .join("\n");
        planned(&text).unwrap().tests.remove(0).when
    }

    #[test]
    fn what_peers_said_is_sent_and_what_the_component_said_is_expected() {
        let steps = steps(&[
            r#"{"from":"hyperty://a.example/1","to":"hyperty://echo.example/1","type":"read","id":4,"verdict":"permit","body":{"x":1}}"#,
            r#"{"from":"hyperty://echo.example/1","to":"hyperty://a.example/1","type":"response","id":4,"verdict":"permit","body":{"code":200,"time":5,"me":"hyperty://echo.example/1/x"}}"#,
        ]);

        assert_eq!(
            steps,
            [
                Step::Send(
                    json!({"from": "$peer1", "to": "$component", "type": "read", "id": 4, "body": {"x": 1}})
                ),
                Step::Expect(
                    json!({"from": "$component", "to": "$peer1", "type": "response", "id": 4,
                "body": {"code": 200, "me": "$component/x"}})
                ),
            ]
        );
    }

    #[test]
    fn an_answer_goes_to_the_request_that_was_seen() {
        let steps = steps(&[
            r#"{"from":"hyperty://echo.example/1","to":"hyperty://a.example/1","type":"read","id":9,"body":{"token":"(redacted)"}}"#,
            r#"{"from":"hyperty://a.example/1","to":"hyperty://echo.example/1","type":"response","id":9,"body":{"code":200}}"#,
        ]);

        assert_eq!(
            steps[0],
            Step::Expect(json!({"from": "$component", "to": "$peer1", "type": "read",
            "as": "said9", "body": {"token": "$_"}}))
        );
        assert_eq!(
            steps[1],
            Step::Answer(Reply {
                to: "said9".to_owned(),
                body: json!({"code": 200})
            })
        );
    }

    #[test]
    fn what_the_runtime_does_by_itself_and_what_was_refused_is_left_out() {
        let steps = steps(&[
            r#"{"from":"hyperty://echo.example/1","to":"hyperty-runtime://h/r/registry","type":"read","id":1}"#,
            r#"{"from":"hyperty://a.example/1","to":"hyperty://echo.example/1","type":"read","id":2,"verdict":"deny"}"#,
        ]);

        assert_eq!(steps, []);
    }

    #[test]
    fn a_recording_without_its_head_says_what_is_missing() {
        assert!(planned("").unwrap_err().contains("empty"));
        assert!(
            planned(r#"{"from":"a"}"#)
                .unwrap_err()
                .contains("whose traffic")
        );
        let broken = format!("{}\n{{", HEAD.replace('\n', ""));
        assert!(planned(&broken).unwrap_err().starts_with("line 2"));
    }
}
