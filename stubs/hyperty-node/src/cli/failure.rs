//! What went wrong, and what to do about it.

use std::io::{self, Write};

use hyperty_node::shell::tokens::TokenError;
use serde_json::json;

/// The exit status: 1 failed or refused, 2 wrongly used, 3 not found.
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const NOT_FOUND: u8 = 3;

/// A failure of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: u8,
    what: String,
    fixes: Vec<(&'static str, String)>,
}

impl Failure {
    /// It was tried, and failed.
    pub(super) fn failed(what: impl Into<String>) -> Self {
        Self {
            exit: FAILED,
            what: what.into(),
            fixes: Vec::new(),
        }
    }

    /// It was not tried.
    pub(super) fn usage(what: impl Into<String>) -> Self {
        Self {
            exit: USAGE,
            ..Self::failed(what)
        }
    }

    /// The output cannot be written.
    pub(super) fn output(error: &io::Error) -> Self {
        Self::failed(format!("cannot write the output: {error}"))
    }

    /// Adds what to do about it.
    #[must_use]
    pub(super) fn fix(mut self, aim: &'static str, what: impl Into<String>) -> Self {
        self.fixes.push((aim, what.into()));
        self
    }

    pub(crate) const fn exit(&self) -> u8 {
        self.exit
    }

    pub(crate) fn print(&self, is_json: bool) {
        let text = if is_json {
            let fixes: Vec<_> = self
                .fixes
                .iter()
                .map(|(aim, what)| json!({"aim": aim, "what": what}))
                .collect();
            let document = json!({
                "schema": "hyperty.error/1", "exit": self.exit, "what": self.what, "fixes": fixes,
            });
            format!("{document}\n")
        } else {
            let fixes = self
                .fixes
                .iter()
                .map(|(aim, what)| format!("  {aim}:  {what}\n"));
            format!("error: {}\n{}", self.what, fixes.collect::<String>())
        };
        // Nobody can be told when stderr is gone.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        let exit = match error {
            TokenError::Missing(_) => NOT_FOUND,
            TokenError::Name(_) => USAGE,
            _ => FAILED,
        };
        Self {
            exit,
            ..Self::failed(error.to_string())
        }
    }
}
