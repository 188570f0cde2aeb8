//! The policy engine (`/pep`): why a message was refused, and the rules in force.
//!
//! `read` [`Why`] → `value`: [`Explanation`]; `read` `{}` → `value`: [`InForce`];
//! `execute` [`Method`] → `value`: [`InForce`] for `reload` and `show`.
//! A reload that fails leaves the old rules in force and answers 400 with [`Problems`].

use serde::{Deserialize, Serialize};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "pep";

/// Which decision to explain: by id, or what would be decided now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Why {
    /// A decision id such as `d-3-17`.
    pub decision: String,
    /// Else the sender's address,
    pub from: String,
    /// the receiver's, or a host as `https://HOST:PORT`, `tcp://HOST:PORT`,
    pub to: String,
    /// and, for a message, its type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A method of the policy engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// `reload` or `show`.
    pub method: String,
}

/// How a question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A rule permits it and none forbids it.
    Permitted,
    /// A rule forbids it.
    Forbidden,
    /// No rule permits it.
    NotPermitted,
    /// A rule could not be evaluated, which counts as a refusal.
    Error,
}

/// One rule, where it stands and why it exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its `@id`.
    pub id: String,
    /// `file:line` of its first line.
    pub place: String,
    /// `permit` or `forbid`.
    pub effect: String,
    /// Its `@why`.
    pub why: String,
}

/// One decision, explained by the evaluation that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Its id.
    pub decision: String,
    /// How it came out.
    pub verdict: Verdict,
    /// The sender's address.
    pub from: String,
    /// The receiver's address.
    pub to: String,
    /// The message type, or `listen`, `deploy`, `reach`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The rules that made it so.
    pub rules: Vec<Rule>,
    /// The attributes that were looked at: `principal`, `resource`, `context`.
    pub attributes: serde_json::Value,
    /// What evaluation errors said.
    #[serde(default)]
    pub errors: Vec<String>,
    /// The smallest rule that would change the outcome, as Cedar text.
    #[serde(default)]
    pub remedy: String,
    /// The version of the rules it was made by.
    pub version: u64,
    /// Whether it may be reused for the same sender, receiver and type.
    pub cached: bool,
}

/// The rules in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// Raised by every successful reload.
    pub version: u64,
    /// The files they came from.
    pub files: Vec<String>,
    /// The rules, in order of file and line.
    pub rules: Vec<Rule>,
}

/// What is wrong with a policy file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// In order of file and line.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `file:line:column`.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do, or empty.
    #[serde(default)]
    pub help: String,
}
