//! What a test file says.
//!
//! ```json
//! { "component": "hyperty/Echo",
//!   "peers": { "friend": "hyperty://friend.example/1" },
//!   "tests": [ { "name": "it answers",
//!       "when": [ { "send": { "type": "read", "from": "$friend", "body": {} } } ],
//!       "then": [ { "expect": { "type": "response", "to": "$friend", "body": { "code": 200 } } } ] } ] }
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use protocol::address::Address;
use serde::Deserialize;
use serde_json::Value;

use super::whose::Whose;
use crate::error::{Failure, Id};

/// Bytes of a test file: a recording of an afternoon, and a bound for what is parsed.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Steps of one test: more would not be read by anybody.
const STEPS_MAX: usize = 10_000;

/// Domains of peers: each takes a sandbox.
const DOMAINS_MAX: usize = 8;

/// A test file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// `hyperty/NAME`, `protocolstub/NAME`, `idp-proxy/NAME`, or `NAME`.
    pub(super) component: String,
    /// Its provider, when the catalogue has several that offer it.
    #[serde(default)]
    pub(super) provider: String,
    /// For whom it acts.
    #[serde(default)]
    pub(super) user: Option<String>,
    /// Members for its configuration.
    #[serde(default)]
    pub(super) configuration: Option<Value>,
    /// Who speaks to it: by the name that stands for the address.
    #[serde(default)]
    pub(super) peers: BTreeMap<String, Peer>,
    /// How long to wait for what is expected: `500ms`, `5s`.
    #[serde(default)]
    pub(super) timeout: Option<String>,
    /// Whether a message that nothing expects is a failure.
    #[serde(default)]
    pub(super) strict: bool,
    /// One after the other, each with a fresh component.
    pub(super) tests: Vec<Test>,
}

/// Who speaks to the component.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Peer {
    /// Says what the steps say.
    Silent(String),
    /// Answers by itself as well.
    Scripted(Scripted),
}

/// A peer that answers by itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scripted {
    /// Its address.
    pub(super) address: String,
    /// The first whose `to` matches answers.
    pub(super) answers: Vec<Answer>,
}

/// What a peer answers to a message that looks so.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// Part of the message.
    pub(super) to: Value,
    /// The body of the answer.
    pub(super) with: Value,
}

/// One test.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    /// A sentence.
    pub(super) name: String,
    /// What is so before.
    #[serde(default)]
    pub(super) given: Vec<Step>,
    /// What happens.
    #[serde(default)]
    pub(super) when: Vec<Step>,
    /// What must come of it.
    #[serde(default)]
    pub(super) then: Vec<Step>,
}

/// One step. The same are allowed in `given`, `when` and `then`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Step {
    /// A peer sends this; `to` is the component when absent.
    Send(Value),
    /// The component sends something with these members to a peer.
    Expect(Value),
    /// A peer answers what an `expect` with this `as` has seen.
    Answer(Reply),
    /// The component sends nothing of the kind for so long.
    Nothing(Nothing),
    /// The component logs a line with this text.
    Log(String),
}

/// An answer to something expected before.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    /// The `as` of the `expect`.
    pub(super) to: String,
    /// The body.
    pub(super) body: Value,
}

/// What must not be seen.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {
    /// Part of the message; `{}` is any.
    pub(super) like: Value,
    /// For so long: `200ms`.
    #[serde(rename = "for")]
    pub(super) length: String,
}

impl Peer {
    /// Its address.
    pub(super) fn address(&self) -> &str {
        match self {
            Self::Silent(address) => address,
            Self::Scripted(scripted) => &scripted.address,
        }
    }

    /// What it answers by itself.
    pub(super) fn answers(&self) -> &[Answer] {
        match self {
            Self::Silent(_) => &[],
            Self::Scripted(scripted) => &scripted.answers,
        }
    }
}

impl Test {
    /// Its steps in order, each with the part it stands in.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&'static str, &Step)> {
        let parts = [
            ("given", &self.given),
            ("when", &self.when),
            ("then", &self.then),
        ];
        parts
            .into_iter()
            .flat_map(|(part, steps)| steps.iter().map(move |step| (part, step)))
    }
}

impl Plan {
    /// Reads a file; one that ends in `.jsonl` is a recording, of a component of the catalogue.
    pub(super) fn read(file: &Path, whose: &Whose, catalogue: &Path) -> Result<Self, Failure> {
        let bad = |why: String| {
            Failure::new(
                Id::Usage,
                format!("`{}` is no test file: {why}", file.display()),
            )
            .fix(
                "to see one",
                "hyperty new hyperty Echo; cat Echo/Echo.test.json",
            )
        };
        let length = fs::metadata(file).map(|found| found.len());
        match length {
            Err(error) => {
                let what = format!("cannot read `{}`: {error}", file.display());
                return Err(Failure::new(Id::NotFound, what));
            }
            Ok(bytes) if bytes > FILE_BYTES_MAX => return Err(bad("it is too long".to_owned())),
            Ok(_) => {}
        }
        let text = fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
        let is_recording = file.extension().is_some_and(|ending| ending == "jsonl");
        let plan = if is_recording {
            super::recording::plan(&text, || whose.head(&text, catalogue)).map_err(bad)?
        } else {
            serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?
        };
        plan.check().map_err(bad)?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), String> {
        if self.tests.is_empty() {
            return Err("it has no tests".to_owned());
        }
        for (name, peer) in &self.peers {
            let address: Result<Address, _> = peer.address().parse();
            address.map_err(|bad| format!("the peer `{name}`: {bad}"))?;
            if matches!(name.as_str(), "component" | "runtime" | "_") {
                return Err(format!("`{name}` cannot be the name of a peer"));
            }
        }
        if self.domains().len() > DOMAINS_MAX {
            return Err(format!("its peers are of more than {DOMAINS_MAX} domains"));
        }
        let long = self
            .tests
            .iter()
            .find(|test| test.steps().count() > STEPS_MAX);
        match long {
            Some(test) => Err(format!("`{}` has more than {STEPS_MAX} steps", test.name)),
            None => Ok(()),
        }
    }

    /// The domains of its peers.
    pub(super) fn domains(&self) -> Vec<String> {
        let addresses = self
            .peers
            .values()
            .filter_map(|peer| peer.address().parse().ok());
        let mut domains: Vec<_> = addresses
            .map(|address: Address| address.domain().to_owned())
            .collect();
        domains.sort();
        domains.dedup();
        domains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Plan, Failure> {
        let scratch = crate::scratch::Scratch::new("test").unwrap();
        let file = scratch.path().join("x.test.json");
        fs::write(&file, text).unwrap();
        Plan::read(&file, &Whose::default(), scratch.path())
    }

    #[test]
    fn a_file_is_read_with_its_peers_and_steps() {
        let text = r#"{"component":"Echo","peers":{"a":"hyperty://a.example/1",
            "b":{"address":"hyperty://b.example/1","answers":[{"to":{"type":"read"},"with":{"code":200}}]}},
            "tests":[{"name":"n","given":[{"log":"x"}],"when":[{"send":{"type":"read"}}],
            "then":[{"expect":{"as":"ask"}},{"answer":{"to":"ask","body":{}}},{"nothing":{"like":{},"for":"1ms"}}]}]}"#;

        let plan = read(text).unwrap();

        assert_eq!(plan.domains(), ["a.example", "b.example"]);
        assert_eq!(plan.peers["b"].answers().len(), 1);
        let parts: Vec<_> = plan.tests[0].steps().map(|(part, _)| part).collect();
        assert_eq!(parts, ["given", "when", "then", "then", "then"]);
    }

    #[test]
    fn what_is_no_test_file_says_where_and_why() {
        let why = |text: &str| read(text).unwrap_err().what().to_owned();

        assert!(why("{").contains("at line 1"), "{}", why("{"));
        assert!(why(r#"{"component":"x","tests":[]}"#).contains("no tests"));
        assert!(why(r#"{"component":"x","test":[]}"#).contains("unknown field `test`"));
        let peer = r#"{"component":"x","peers":{"component":"hyperty://a.example/1"},"tests":[{"name":"n"}]}"#;
        assert!(why(peer).contains("cannot be the name"));
        let step = r#"{"component":"x","tests":[{"name":"n","then":[{"expects":{}}]}]}"#;
        assert!(
            why(step).contains("unknown variant `expects`"),
            "{}",
            why(step)
        );
    }
}
