//! Access tokens of the domain: a file with one line for each.
//!
//! ```text
//! # name    SHA-256 of the token    runtime or -    expires (seconds since 1970) or -
//! alice     9f86d081…               -               1795521599
//! ```
//!
//! The tokens themselves are shown once and kept nowhere. They have 256 random bits, so
//! that a plain digest is as good as a slow one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Address;

use crate::event::Pass;
use crate::names::{digest, hex};

/// What every token begins with, so that scanners of leaked secrets know it.
const PREFIX: &str = "hn1_";

/// A name, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Why a token is no good, or the file is not.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not in the file.
    #[error("the access token is not known here: it was taken back, or belongs to another domain")]
    Unknown,
    /// Too old.
    #[error("the access token `{0}` has expired: ask for a new one")]
    Expired(String),
    /// The file.
    #[error("cannot {doing} the tokens `{path}`: {source}")]
    File {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of it.
    #[error("`{path}`, line {line}: {why}")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A name.
    #[error(
        "`{0}` is not a name for a token: letters, digits, `.`, `_`, `@` and `-`, at most {NAME_BYTES_MAX}"
    )]
    Name(String),
    /// A name that is taken.
    #[error("there is a token `{0}` already: revoke it first, or choose another name")]
    Taken(String),
    /// A name that is not there.
    #[error("there is no token `{0}`")]
    Missing(String),
    /// No randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its name, for people and logs.
    pub name: String,
    /// The only runtime it may be used for.
    pub runtime: Option<Address>,
    /// Seconds since 1970.
    pub expires: Option<u64>,
    digest: String,
}

/// The tokens of a file, which may be read again while the node runs.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    // By digest: looked up, never compared byte by byte.
    tokens: RwLock<BTreeMap<String, Token>>,
}

impl Tokens {
    /// Reads a file; one that is not there has no tokens in it.
    pub fn open(path: &Path) -> Result<Self, TokenError> {
        let tokens = RwLock::new(by_digest(read(path)?));
        let path = path.to_owned();
        Ok(Self { path, tokens })
    }

    /// Reads it again; the names that are there no more.
    pub fn reload(&self) -> Result<Vec<String>, TokenError> {
        let fresh = by_digest(read(&self.path)?);
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        let gone = tokens
            .iter()
            .filter(|(digest, _)| !fresh.contains_key(*digest));
        let gone = gone.map(|(_, token)| token.name.clone()).collect();
        *tokens = fresh;
        Ok(gone)
    }

    /// What a token permits.
    pub fn verify(&self, token: &str) -> Result<Pass, TokenError> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let known = tokens.get(&digest(token)).ok_or(TokenError::Unknown)?;
        if known.expires.is_some_and(|expires| expires <= unix_s()) {
            return Err(TokenError::Expired(known.name.clone()));
        }
        Ok(Pass {
            name: Some(known.name.clone()),
            runtime: known.runtime.clone(),
        })
    }

    /// What the file has, in the order of their names.
    pub fn list(&self) -> Vec<Token> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<_> = tokens.values().cloned().collect();
        list.sort_by(|one, other| one.name.cmp(&other.name));
        list
    }
}

/// Adds a token to a file, and tells it: nobody can tell it again.
pub fn issue(
    path: &Path,
    name: &str,
    runtime: Option<Address>,
    expires: Option<u64>,
) -> Result<String, TokenError> {
    check_name(name)?;
    let mut tokens = read(path)?;
    if tokens.iter().any(|token| token.name == name) {
        return Err(TokenError::Taken(name.to_owned()));
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| TokenError::Random(error.to_string()))?;
    let text = format!("{PREFIX}{}", hex(&secret));
    tokens.push(Token {
        name: name.to_owned(),
        runtime,
        expires,
        digest: digest(&text),
    });
    write(path, &tokens)?;
    Ok(text)
}

/// Takes a token out of a file.
pub fn revoke(path: &Path, name: &str) -> Result<(), TokenError> {
    let mut tokens = read(path)?;
    let before = tokens.len();
    tokens.retain(|token| token.name != name);
    if tokens.len() == before {
        return Err(TokenError::Missing(name.to_owned()));
    }
    write(path, &tokens)
}

fn by_digest(tokens: Vec<Token>) -> BTreeMap<String, Token> {
    let keyed = tokens
        .into_iter()
        .map(|token| (token.digest.clone(), token));
    keyed.collect()
}

fn read(path: &Path) -> Result<Vec<Token>, TokenError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(failed("read", path, source)),
    };
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let tokens = lines.map(|(number, line)| {
        parse(line).map_err(|why| TokenError::Line {
            path: path.to_owned(),
            line: number + 1,
            why,
        })
    });
    tokens.collect()
}

fn parse(line: &str) -> Result<Token, String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [name, digest, runtime, expires] = words.as_slice() else {
        return Err("not `name digest runtime expires`; write `-` for what is not given".into());
    };
    if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("the digest has 64 hexadecimal digits".into());
    }
    let given = |word: &str| (word != "-").then(|| word.to_owned());
    let runtime = given(runtime).map(|text| text.parse()).transpose();
    let expires = given(expires).map(|text| text.parse()).transpose();
    Ok(Token {
        name: (*name).to_owned(),
        digest: digest.to_ascii_lowercase(),
        runtime: runtime.map_err(|error| format!("{error}"))?,
        expires: expires.map_err(|_| "the expiry is a number of seconds since 1970")?,
    })
}

// Beside it and then in its place: a node that reads it sees the old or the new one.
fn write(path: &Path, tokens: &[Token]) -> Result<(), TokenError> {
    let beside = path.with_extension("new");
    let written = || -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&beside)?;
        writeln!(
            file,
            "# name, SHA-256 of the token, runtime or -, expiry or -"
        )?;
        for token in tokens {
            let runtime = token.runtime.as_ref().map_or("-", Address::as_str);
            let expires = token
                .expires
                .map_or_else(|| "-".to_owned(), |at| at.to_string());
            writeln!(file, "{} {} {runtime} {expires}", token.name, token.digest)?;
        }
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    written().map_err(|source| failed("write", path, source))
}

fn check_name(name: &str) -> Result<(), TokenError> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
    let is_good = !name.is_empty() && name != "-" && name.len() <= NAME_BYTES_MAX;
    if is_good && name.bytes().all(is_letter) {
        return Ok(());
    }
    Err(TokenError::Name(name.to_owned()))
}

/// Seconds since 1970.
pub fn unix_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_secs())
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> TokenError {
    let path = path.to_owned();
    TokenError::File {
        doing,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_until_it_is_taken_back() {
        let path = std::env::temp_dir().join(format!("hyperty-tokens-{}", std::process::id()));
        let runtime: Address = "runtime://d.org/r".parse().unwrap();

        let alice = issue(&path, "alice", None, None).unwrap();
        let bob = issue(&path, "bob", Some(runtime.clone()), None).unwrap();
        let old = issue(&path, "old", None, Some(1)).unwrap();
        let twice = issue(&path, "bob", None, None).unwrap_err().to_string();
        let tokens = Tokens::open(&path).unwrap();
        let passes = [tokens.verify(&alice), tokens.verify(&bob)].map(Result::unwrap);
        let refused = [tokens.verify("hn1_0"), tokens.verify(&old)].map(|no| no.unwrap_err());
        revoke(&path, "alice").unwrap();
        let gone = tokens.reload().unwrap();
        let after = tokens.verify(&alice);
        fs::remove_file(&path).unwrap();

        assert_eq!(passes[0].name.as_deref(), Some("alice"));
        assert_eq!(passes[1].runtime, Some(runtime));
        assert!(matches!(
            refused,
            [TokenError::Unknown, TokenError::Expired(_)]
        ));
        assert!(twice.contains("revoke it first"), "{twice}");
        assert_eq!((gone, after.is_err()), (vec!["alice".to_owned()], true));
    }
}
