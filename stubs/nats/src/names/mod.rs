//! Addresses as tokens, and every subject, stream and table that is used.
//!
//! A token is a word of a subject: letters, digits, `-`, `_` and `=`. An address
//! is one token, so that one `*` of a permission or a filter stands for any
//! address, and no address can reach into another word.

mod token;

pub use token::{ADDRESS_TOKEN_BYTES_MAX, NotToken, RUNTIME_TOKEN_BYTES_MAX};

use protocol::Address;

/// The first word of every subject, unless the configuration has another.
pub const PREFIX: &str = "hy";

/// The subjects of one domain, seen from one runtime.
#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
    runtime: String,
}

impl Names {
    /// The names for a runtime, by its address `hyperty-runtime://<domain>/<id>`.
    pub fn new(prefix: &str, runtime: &Address) -> Result<Self, NotToken> {
        let is_word = |word: &str| {
            let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            !word.is_empty() && word.len() <= 32 && word.bytes().all(is_letter)
        };
        if !is_word(prefix) {
            return Err(NotToken::Prefix(prefix.to_owned()));
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            runtime: runtime_token(runtime)?,
        })
    }

    /// The own runtime's token.
    pub fn runtime(&self) -> &str {
        &self.runtime
    }

    /// Where a message for the runtime `to` is published.
    pub fn to(&self, to: &str) -> String {
        format!("{}.to.{to}.{}", self.prefix, self.runtime)
    }

    /// What is subscribed for messages that come in.
    pub fn inbox(&self) -> String {
        format!("{}.to.{}.*", self.prefix, self.runtime)
    }

    /// Where the runtime `to` answers the request `number`.
    pub fn answer_from(&self, to: &str, number: u64) -> String {
        format!("{}.re.{}.{to}.{number}", self.prefix, self.runtime)
    }

    /// What is subscribed for answers, of runtimes and of the cluster.
    pub fn answers(&self) -> String {
        format!("{}.re.{}.>", self.prefix, self.runtime)
    }

    /// Where the cluster itself answers the request `number`.
    pub fn cluster_answer(&self, number: u64) -> String {
        format!("{}.re.{}.js.{number}", self.prefix, self.runtime)
    }

    /// Whether `reply` is where the runtime `of` may expect our answer.
    ///
    /// Anything else would let a peer have us publish where it may not itself.
    pub fn may_answer(&self, reply: &str, of: &str) -> bool {
        let words = reply
            .strip_prefix(&self.prefix)
            .and_then(|rest| rest.strip_prefix(".re."))
            .and_then(|rest| rest.strip_prefix(of))
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|rest| rest.strip_prefix(self.runtime.as_str()))
            .and_then(|rest| rest.strip_prefix('.'));
        words.is_some_and(|number| number.parse::<u64>().is_ok())
    }

    /// What a subject that came in says.
    pub fn read<'a>(&self, subject: &'a str) -> Came<'a> {
        let rest = subject.strip_prefix(&self.prefix);
        let rest = rest
            .and_then(|rest| rest.strip_prefix('.'))
            .unwrap_or_default();
        let mut words = rest.split('.');
        let (kind, to) = (words.next(), words.next());
        let (from, number) = (words.next(), words.next());
        let is_own = to == Some(self.runtime.as_str()) && words.next().is_none();
        match (kind, from, number) {
            (Some("to"), Some(from), None) if is_own => Came::Message { from },
            (Some("mail"), Some(from), None) if is_own => Came::Mail { from },
            (Some("re"), Some(from), Some(number)) if is_own => match number.parse() {
                Ok(number) if from == "js" => Came::ClusterAnswer { number },
                Ok(number) => Came::Answer { from, number },
                Err(_) => Came::Other,
            },
            _ => Came::Other,
        }
    }

    /// Where a message is stored until the runtime `to` takes it.
    pub fn mail_to(&self, to: &str) -> String {
        format!("{}.mail.{to}.{}", self.prefix, self.runtime)
    }

    /// What of the stored messages is ours.
    pub fn mail(&self) -> String {
        format!("{}.mail.{}.*", self.prefix, self.runtime)
    }

    /// The stream that stores messages, and the subjects it takes.
    pub fn mail_stream(&self) -> (String, String) {
        (
            format!("{}-mail", self.prefix),
            format!("{}.mail.*.*", self.prefix),
        )
    }

    /// The table of who has and who hears which address.
    pub fn book(&self) -> String {
        format!("{}-book", self.prefix)
    }

    /// The table of the domain registry.
    pub fn registry(&self) -> String {
        format!("{}-registry", self.prefix)
    }
}

/// What a subject says about its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came<'a> {
    /// A message of the runtime with this token.
    Message {
        /// Its token; the server has checked that it is the publisher's.
        from: &'a str,
    },
    /// The same, from the store.
    Mail {
        /// Its token.
        from: &'a str,
    },
    /// An answer of another runtime.
    Answer {
        /// Its token.
        from: &'a str,
        /// Our number of the request.
        number: u64,
    },
    /// An answer of the cluster.
    ClusterAnswer {
        /// Our number of the request.
        number: u64,
    },
    /// Nothing that we asked for.
    Other,
}

/// The token of an address, in its canonical spelling.
pub fn address_token(address: &Address) -> Result<String, NotToken> {
    token::escape(address.as_str(), ADDRESS_TOKEN_BYTES_MAX)
}

/// The address that has this token.
pub fn address_of(token: &str) -> Option<Address> {
    let address: Address = token::unescape(token)?.parse().ok()?;
    // Two tokens never name one address: only the canonical spelling counts.
    (address_token(&address).ok()? == token).then_some(address)
}

/// The token of any other text that is part of a key: users, names of objects.
pub fn text_token(text: &str) -> Result<String, NotToken> {
    if text.is_empty() {
        return Ok(token::EMPTY.to_owned());
    }
    token::escape(text, ADDRESS_TOKEN_BYTES_MAX)
}

/// The token of the runtime that an address is, or is part of.
///
/// `hyperty-runtime://<domain>/<id>/…`: what follows the id is not part of it.
/// Stubs have addresses of the same scheme and belong to no runtime by their name.
pub fn runtime_token(address: &Address) -> Result<String, NotToken> {
    let not_runtime = || NotToken::NotRuntime(address.as_str().to_owned());
    let id = address
        .path()
        .split('/')
        .nth(1)
        .filter(|_| address.is_runtime());
    let id = id.filter(|id| !matches!(*id, "" | "protostub" | "p2prequester"));
    let name = format!("{}/{}", address.domain(), id.ok_or_else(not_runtime)?);
    token::escape(&name, RUNTIME_TOKEN_BYTES_MAX)
}
