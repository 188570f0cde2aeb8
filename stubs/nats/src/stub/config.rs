//! What the descriptor, or `hyperty up --node`, says about the cluster.

use protocol::Address;
use serde::Deserialize;

use crate::client::{BadServer, Servers};
use crate::credentials::{BadCredentials, Credentials};
use crate::names::{Names, NotToken, PREFIX};

/// The members of the configuration; those of other components are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    #[serde(default)]
    servers: Vec<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    credentials: Option<Who>,
    #[serde(default)]
    domain: Option<String>,
    #[serde(default)]
    prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Who {
    File(String),
    Parts(Parts),
}

// Never printed: it holds what nobody else may know.
impl std::fmt::Debug for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parts {
    jwt: Option<String>,
    seed: Option<String>,
    user: Option<String>,
    password: Option<String>,
    token: Option<String>,
}

/// What the stub needs to know.
#[derive(Debug)]
pub(super) struct Config {
    /// The domain that it speaks for.
    pub(super) domain: String,
    /// The servers of its cluster.
    pub(super) servers: Servers,
    /// Who this runtime is to them.
    pub(super) credentials: Credentials,
    /// Its subjects.
    pub(super) names: Names,
}

/// Why the stub cannot start.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadConfig {
    #[error("the configuration is not what `stub-nats` needs: {0}")]
    Json(serde_json::Error),
    #[error("configuration: {0}")]
    Server(#[from] BadServer),
    #[error("configuration: {0}")]
    Credentials(#[from] BadCredentials),
    #[error("configuration: {0}")]
    Names(#[from] NotToken),
    #[error("`{0}` is not a domain")]
    Domain(String),
    #[error(
        "`credentials` has members that do not belong together: give a `.creds` file's text, or `jwt` and `seed`, or `seed`, or `user` and `password`, or `token`"
    )]
    Who,
}

/// Reads the configuration of the stub at `address` in `runtime`.
pub(super) fn read(text: &str, address: &str, runtime: &str) -> Result<Config, BadConfig> {
    let text: Text =
        serde_json::from_str(if text.is_empty() { "{}" } else { text }).map_err(BadConfig::Json)?;
    let not_domain = |text: &str| BadConfig::Domain(text.to_owned());
    let own: Option<Address> = address.parse().ok();
    let domain = text
        .domain
        .or_else(|| own.map(|own| own.domain().to_owned()));
    let domain = domain.unwrap_or_default().to_ascii_lowercase();
    let is_domain = format!("domain://{domain}").parse::<Address>().is_ok();
    if !is_domain {
        return Err(not_domain(&domain));
    }
    let runtime: Address = runtime.parse().map_err(|_| not_domain(runtime))?;
    let mut servers = text.servers;
    servers.extend(text.url);
    Ok(Config {
        domain,
        servers: Servers::new(&servers)?,
        credentials: who(text.credentials)?,
        names: Names::new(text.prefix.as_deref().unwrap_or(PREFIX), &runtime)?,
    })
}

fn who(who: Option<Who>) -> Result<Credentials, BadConfig> {
    let parts = match who {
        None => return Ok(Credentials::None),
        Some(Who::File(text)) => return Ok(Credentials::from_file(&text)?),
        Some(Who::Parts(parts)) => parts,
    };
    let Parts {
        jwt,
        seed,
        user,
        password,
        token,
    } = parts;
    match (jwt, seed, user, password, token) {
        (Some(jwt), Some(seed), None, None, None) => Ok(Credentials::from_parts(&jwt, &seed)?),
        (None, Some(seed), None, None, None) => Ok(Credentials::from_seed(&seed)?),
        (None, None, Some(user), Some(password), None) => {
            Ok(Credentials::Password { user, password })
        }
        (None, None, None, None, Some(token)) => Ok(Credentials::Token(token)),
        _ => Err(BadConfig::Who),
    }
}
