//! What a person may write in place of an address.
//!
//! | written | is |
//! |---|---|
//! | `hyperty://acme.example/42` | that address |
//! | `/ua` | that room of the runtime |
//! | `echo` | the deployed component of that name |

use protocol::address::Address;
use protocol::api::user_agent::{self, Component, Select};

use crate::error::{Failure, Id};
use crate::session::Session;

/// The address that is meant.
pub(crate) fn resolve(session: &mut Session, written: &str) -> Result<String, Failure> {
    match classify(written)? {
        Written::Room(path) => Ok(session.room(path)),
        Written::Address(address) => Ok(address),
        Written::Name(name) => Ok(component(session, name)?.address),
    }
}

/// The address of the hyperty that is meant.
pub(crate) fn hyperty(session: &mut Session, written: &str) -> Result<String, Failure> {
    if written.starts_with('/') {
        let what = format!("`{written}` is a room of the runtime; it has no methods");
        return Err(Failure::new(Id::Usage, what)
            .fix("to ask it", format!("hyperty call {written} '{{…}}'")));
    }
    resolve(session, written)
}

/// The deployed component that is meant, by address or by name.
pub(crate) fn component(session: &mut Session, written: &str) -> Result<Component, Failure> {
    let select = Select {
        resource: written.to_owned(),
        ..Select::default()
    };
    session.ask(user_agent::PATH, "read", &select)
}

#[derive(Debug, PartialEq, Eq)]
enum Written<'a> {
    Room(&'a str),
    Address(String),
    Name(&'a str),
}

fn classify(written: &str) -> Result<Written<'_>, Failure> {
    if let Some(room) = written.strip_prefix('/') {
        return Ok(Written::Room(room));
    }
    if !written.contains([':', '@']) {
        return Ok(Written::Name(written));
    }
    match written.parse::<Address>() {
        Ok(_) => Ok(Written::Address(written.to_owned())),
        Err(error) => Err(
            Failure::new(Id::Usage, format!("`{written}` is no address: {error}"))
                .fix("to see addresses", "hyperty registry ls"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_addresses_and_names_are_told_apart() {
        assert_eq!(classify("/ua").unwrap(), Written::Room("ua"));
        assert_eq!(classify("echo").unwrap(), Written::Name("echo"));
        assert_eq!(
            classify("hyperty://acme.example/42").unwrap(),
            Written::Address("hyperty://acme.example/42".to_owned())
        );
    }

    #[test]
    fn what_is_neither_is_a_usage_error_that_says_why() {
        let failure = classify("hyperty://acme.example/../42").unwrap_err();

        assert_eq!(failure.exit(), crate::error::Exit::Usage);
        assert!(
            failure.what().contains("plain segments"),
            "{}",
            failure.what()
        );
    }
}
