//! The shape that a schema demands of an object's data: JSON Schema, draft 4, with
//! `const` and truth values as schemas from the later drafts.
//!
//! Our own reader, because a schema is foreign and the core must not wait for it:
//! every check counts its steps and ends at a bound, references lead nowhere
//! outside, and expressions are matched in linear time (README). A change is
//! checked along its path: what lies beside it was checked when it came.

mod check;
mod read;
#[cfg(test)]
mod tests;

pub(crate) use read::SCHEMA_BYTES_MAX;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

/// What is done with data that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// It is refused: what a schema that says nothing means.
    Reject,
    /// The reporter's log says so.
    Warn,
    /// Nothing: the schema is documentation.
    Off,
}

/// A schema, read.
#[derive(Debug)]
pub(crate) struct Shape {
    nodes: Vec<Node>,
    pub(crate) strictness: Strictness,
}

/// Where a subschema stands in `Shape::nodes`.
type At = usize;

/// One subschema.
#[derive(Debug, Default)]
struct Node {
    /// Nothing fits: `false`.
    is_never: bool,
    reference: Option<At>,
    /// One bit for each type, in the order of `check::TYPES`.
    types: Option<u8>,
    values: Option<Vec<Value>>,
    minimum: Option<(f64, bool)>,
    maximum: Option<(f64, bool)>,
    multiple_of: Option<f64>,
    length: Span,
    pattern: Option<Regex>,
    items: Option<At>,
    each: Vec<At>,
    additional_items: Option<At>,
    count: Span,
    is_unique: bool,
    properties: BTreeMap<String, At>,
    patterns: Vec<(Regex, At)>,
    additional: Option<At>,
    required: Vec<String>,
    members: Span,
    dependencies: Vec<(String, Vec<String>, Option<At>)>,
    all: Vec<At>,
    any: Vec<At>,
    one: Vec<At>,
    not: Option<At>,
}

/// At least and at most so many.
#[derive(Debug, Default, Clone, Copy)]
struct Span {
    least: Option<u64>,
    most: Option<u64>,
}

impl Shape {
    /// Reads a schema's text; why it cannot be used, if it cannot.
    pub(crate) fn read(text: &[u8]) -> Result<Self, String> {
        read::read(text)
    }

    /// Whether data fits; with `path`, whether it still does after a change there.
    ///
    /// What does not fit, and where, in one sentence.
    pub(crate) fn check(&self, data: &Value, path: Option<&[String]>) -> Result<(), String> {
        check::check(self, data, path)
    }
}
