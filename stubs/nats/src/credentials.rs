//! Who a runtime is to the cluster, and the proof of it.
//!
//! The seed never leaves the process: what is proven with it is a nonce that the
//! server chose for this connection.

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;

/// The length of a credentials file or of one of its parts.
///
/// A user's JWT with a hundred permissions takes 10 KiB.
pub const CREDENTIALS_BYTES_MAX: usize = 32 * 1024;

/// How a runtime shows who it is.
#[derive(Clone)]
pub enum Credentials {
    /// Not at all: for a server that lets everybody in.
    None,
    /// A JWT of the account, and the key that it was made for.
    Jwt {
        /// The token, as the account signed it.
        jwt: String,
        /// The user's key.
        key: KeyPairBox,
    },
    /// A key that the server's own configuration knows.
    Key(KeyPairBox),
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that the server's own configuration knows.
    Token(String),
}

/// A user's key; prints its public half only.
#[derive(Clone)]
pub struct KeyPairBox(std::rc::Rc<KeyPair>);

/// Why credentials cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCredentials {
    /// Too long for what they are said to be.
    #[error("the credentials are longer than {CREDENTIALS_BYTES_MAX} bytes")]
    Long,
    /// No block of this kind.
    #[error("the credentials have no `{0}`: give the whole text of a `.creds` file")]
    Missing(&'static str),
    /// The seed is not one.
    #[error("the seed of the credentials is not a user's seed (`SU…`)")]
    Seed,
    /// The server wants a proof, and there is nothing to prove.
    #[error("the server asks for a signature, and these credentials have no key")]
    NoKey,
    /// The server sent no nonce to sign.
    #[error(
        "the server sent no nonce, so nothing can be proven to it: does it ask for credentials?"
    )]
    NoNonce,
}

/// What `CONNECT` says about who connects.
#[derive(Debug, Default, serde::Serialize)]
pub struct Proof {
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nkey: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sig: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<String>,
}

impl Credentials {
    /// From the text of a `.creds` file: a JWT block and a seed block.
    pub fn from_file(text: &str) -> Result<Self, BadCredentials> {
        if text.len() > CREDENTIALS_BYTES_MAX {
            return Err(BadCredentials::Long);
        }
        let jwt = block(text, "NATS USER JWT").ok_or(BadCredentials::Missing("NATS USER JWT"))?;
        let seed =
            block(text, "USER NKEY SEED").ok_or(BadCredentials::Missing("USER NKEY SEED"))?;
        Self::from_parts(jwt, seed)
    }

    /// From a JWT and the seed of the key that it was made for.
    pub fn from_parts(jwt: &str, seed: &str) -> Result<Self, BadCredentials> {
        if jwt.len() > CREDENTIALS_BYTES_MAX {
            return Err(BadCredentials::Long);
        }
        Ok(Self::Jwt {
            jwt: jwt.trim().to_owned(),
            key: KeyPairBox::from_seed(seed)?,
        })
    }

    /// From a seed alone.
    pub fn from_seed(seed: &str) -> Result<Self, BadCredentials> {
        KeyPairBox::from_seed(seed).map(Self::Key)
    }

    /// What is said to a server that chose this nonce.
    pub fn prove(&self, nonce: Option<&str>) -> Result<Proof, BadCredentials> {
        let mut proof = Proof::default();
        match self {
            Self::None => {}
            Self::Jwt { jwt, key } => {
                proof.jwt = Some(jwt.clone());
                proof.sig = Some(key.sign(nonce)?);
            }
            Self::Key(key) => {
                proof.nkey = Some(key.0.public_key());
                proof.sig = Some(key.sign(nonce)?);
            }
            Self::Password { user, password } => {
                (proof.user, proof.pass) = (Some(user.clone()), Some(password.clone()));
            }
            Self::Token(token) => proof.auth_token = Some(token.clone()),
        }
        Ok(proof)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Jwt { .. } => "Jwt(…)",
            Self::Key(_) => "Key(…)",
            Self::Password { .. } => "Password(…)",
            Self::Token(_) => "Token(…)",
        })
    }
}

impl KeyPairBox {
    fn from_seed(seed: &str) -> Result<Self, BadCredentials> {
        let seed = seed.trim();
        let pair = KeyPair::from_seed(seed).map_err(|_| BadCredentials::Seed)?;
        if !seed.starts_with("SU") {
            return Err(BadCredentials::Seed);
        }
        Ok(Self(std::rc::Rc::new(pair)))
    }

    fn sign(&self, nonce: Option<&str>) -> Result<String, BadCredentials> {
        let nonce = nonce.ok_or(BadCredentials::NoNonce)?;
        let signature = self.0.sign(nonce.as_bytes());
        let signature = signature.map_err(|_| BadCredentials::NoKey)?;
        Ok(BASE64URL_NOPAD.encode(&signature))
    }
}

// What stands between `-----BEGIN <name>-----` and the next line of dashes.
fn block<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("BEGIN {name}"))?;
    let (_, rest) = rest.split_once('\n')?;
    let (inner, _) = rest.split_once("---")?;
    Some(inner.trim()).filter(|inner| !inner.is_empty())
}
