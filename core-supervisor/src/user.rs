//! For whom a component acts: the user's address, and what follows from it.
//!
//! | written | means |
//! |---|---|
//! | `user://idp.example/ann` | itself; her mail address is `ann@idp.example` |
//! | `ann@idp.example` | `user://idp.example/ann` |
//! | `user://google.com/ann@b.example` | itself; her mail address is `ann@b.example` |
//!
//! Spec services §3.2. The field has three meanings of "GUID"; here it is a digest
//! of the user's address, so that it is the same on every machine of the user.

use std::fmt;
use std::str::FromStr;

use protocol::Address;
use protocol::address::BadAddress;
use sha2::{Digest, Sha256};

/// The scheme of users' addresses.
const SCHEME: &str = "user";

/// A user, by the address that an identity provider has for them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User(Address);

/// Why a text names no user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUser {
    /// It is no address at all.
    // Escaped: what was refused may be a terminal's control character.
    #[error("`{}` is no user: {bad}; say `user://idp/name` or `name@idp`", text.escape_default())]
    Bad {
        /// What was said.
        text: String,
        /// What is wrong with it.
        bad: BadAddress,
    },
    /// It is an address of something else.
    #[error("`{0}` is no user; say `user://idp/name` or `name@idp`")]
    Other(Address),
}

impl FromStr for User {
    type Err = NotUser;

    fn from_str(text: &str) -> Result<Self, NotUser> {
        let bad = |bad| NotUser::Bad {
            text: text.to_owned(),
            bad,
        };
        let address: Address = text.parse().map_err(bad)?;
        let mailbox = address.as_str().split_once('@');
        match (address.scheme(), mailbox) {
            (SCHEME, _) if address.path().matches('/').count() == 1 => Ok(Self(address)),
            ("", Some((name, idp))) => Ok(Self(
                format!("{SCHEME}://{idp}/{name}").parse().map_err(bad)?,
            )),
            _ => Err(NotUser::Other(address)),
        }
    }
}

impl User {
    /// `user://idp/name`.
    pub const fn url(&self) -> &Address {
        &self.0
    }

    /// What stands behind the domain: `ann`, or `ann@b.example`.
    pub fn identifier(&self) -> &str {
        self.0.path().trim_start_matches('/')
    }

    /// The name without a mail domain.
    pub fn name(&self) -> &str {
        let identifier = self.identifier();
        identifier
            .split_once('@')
            .map_or(identifier, |(name, _)| name)
    }

    /// The mail address by which the field finds users.
    pub fn email(&self) -> String {
        match self.identifier() {
            identifier if identifier.contains('@') => identifier.to_owned(),
            identifier => format!("{identifier}@{}", self.0.domain()),
        }
    }

    /// `user-guid://` and the hex SHA-256 of the user's address.
    pub fn guid(&self) -> String {
        use fmt::Write as _;
        let mut guid = "user-guid://".to_owned();
        for byte in Sha256::digest(self.0.as_str()) {
            let _ = write!(guid, "{byte:02x}");
        }
        guid
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, url: &str, name: &str, email: &str) {
        let user: User = text.parse().unwrap();

        assert_eq!(user.url().as_str(), url);
        assert_eq!((user.name(), user.email().as_str()), (name, email));
    }

    #[test]
    fn a_user_is_an_address_or_a_mail_address() {
        check(
            "user://Idp.example/Ann",
            "user://idp.example/Ann",
            "Ann",
            "Ann@idp.example",
        );
        check(
            "ann@idp.example",
            "user://idp.example/ann",
            "ann",
            "ann@idp.example",
        );
        check(
            "user://google.com/ann@b.example",
            "user://google.com/ann@b.example",
            "ann",
            "ann@b.example",
        );
    }

    #[test]
    fn what_names_no_user_is_refused_with_what_to_say() {
        for text in [
            "hyperty://a.example/1",
            "user://idp.example",
            "user://idp.example/a/b",
            "idp.example",
            "sip:ann@idp.example",
            "",
            "ann\u{1b}[2J@idp.example",
        ] {
            let error = text.parse::<User>().unwrap_err().to_string();

            assert!(
                error.ends_with("say `user://idp/name` or `name@idp`"),
                "{error}"
            );
            assert!(!error.contains('\u{1b}'), "{error}");
        }
    }

    #[test]
    fn the_guid_is_the_digest_of_the_address() {
        let user: User = "ann@idp.example".parse().unwrap();

        assert_eq!(
            user.guid(),
            "user-guid://61992162c979246641ff80d8c71bd6007566e64d7adf928d5a4cfb95f9a01803"
        );
    }
}
