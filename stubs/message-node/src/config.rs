//! What the descriptor's `configuration` says.

use protocol::Address;
use serde::Deserialize;

use crate::dialect::Dialect;

/// Why a stub cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BadConfig {
    /// Not what is expected.
    #[error("`configuration` of the descriptor: {0}")]
    Json(#[from] serde_json::Error),
    /// A URL of another kind.
    #[error("`configuration.url` is `{0}`: it begins with `wss://` or `ws://`")]
    Url(String),
    /// A dialect nobody speaks.
    #[error("`configuration.dialect` is `{0}`: say `vertx` or `nodejs`, or leave it out")]
    Dialect(String),
    /// No runtime.
    #[error("the runtime's address is `{0}`")]
    Runtime(String),
}

#[derive(Debug, Deserialize)]
struct Written {
    url: String,
    #[serde(default)]
    urls: Vec<String>,
    domain: Option<String>,
    token: Option<String>,
    dialect: Option<String>,
}

/// How the node is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where: `wss://host:port/ws`; several are nodes of one domain, met in turn.
    pub urls: Vec<String>,
    /// The domain of the node; that of what is subscribed when it is not said.
    pub domain: Option<String>,
    /// The access token, when the node asks for one.
    pub token: Option<String>,
    /// What it speaks.
    pub dialect: Dialect,
    /// The runtime, in the spelling that nodes know.
    pub runtime: String,
}

impl Config {
    /// Reads it; `runtime` is the address of the runtime.
    pub fn read(text: &str, runtime: &str) -> Result<Self, BadConfig> {
        let written: Written = serde_json::from_str(text)?;
        let urls = if written.urls.is_empty() {
            vec![written.url.clone()]
        } else {
            written.urls
        };
        let is_socket = |url: &&String| url.starts_with("wss://") || url.starts_with("ws://");
        if let Some(other) = urls.iter().find(|url| !is_socket(url)) {
            return Err(BadConfig::Url(other.clone()));
        }
        let dialect = match written.dialect.as_deref() {
            Some("vertx") => Dialect::Vertx,
            Some("nodejs") => Dialect::Nodejs,
            Some(other) => return Err(BadConfig::Dialect(other.to_owned())),
            None if written.url.contains("/socket.io") => Dialect::Nodejs,
            None => Dialect::Vertx,
        };
        let address: Result<Address, _> = runtime.parse();
        let address = address.map_err(|_| BadConfig::Runtime(runtime.to_owned()))?;
        Ok(Self {
            urls,
            domain: written.domain,
            token: written.token,
            dialect,
            runtime: address.published(),
        })
    }
}
