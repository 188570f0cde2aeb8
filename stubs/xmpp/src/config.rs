//! What the descriptor's configuration says.

use std::fmt;

use protocol::Address;

use crate::stanza::is_bare;

/// How the connection is secured; there is none that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte (XEP-0368), usually at port 5223.
    Direct,
    /// Agreed on in clear (RFC 6120 §5), usually at port 5222.
    StartTls,
}

/// The account, and where its server is.
#[derive(Clone)]
pub struct Config {
    /// The host that is dialled; its certificate must be for [`Self::domain`].
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// The account's name: what stands before the `@`.
    pub user: String,
    /// Its domain.
    pub domain: String,
    /// Its password.
    pub password: String,
    /// Who hears users that nobody here has written to; empty for nobody.
    pub inbox: String,
}

// No password may get into a log.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}@{} at {}:{}",
            self.user, self.domain, self.host, self.port
        )
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    account: String,
    password: String,
    #[serde(default)]
    server: String,
    #[serde(default)]
    security: Option<Security>,
    #[serde(default)]
    inbox: String,
    // The core adds it for published components.
    #[serde(default, rename = "runtimeURL")]
    _runtime: String,
}

/// Why the configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration is wrong: {0}")]
pub struct BadConfig(String);

impl Config {
    /// Reads it: JSON object text.
    ///
    /// # Errors
    /// One sentence with what to write.
    pub fn read(text: &str) -> Result<Self, BadConfig> {
        let bad = |why: &str| BadConfig(why.to_owned());
        let raw: Raw = serde_json::from_str(text).map_err(|error| BadConfig(error.to_string()))?;
        let whole = is_bare(&raw.account).then(|| raw.account.split_once('@'));
        let (user, domain) = whole
            .flatten()
            .ok_or_else(|| bad("`account` is no name@domain"))?;
        if raw.password.is_empty() {
            return Err(bad("`password` is empty"));
        }
        if !raw.inbox.is_empty() && raw.inbox.parse::<Address>().is_err() {
            return Err(bad("`inbox` is no address: say hyperty://…"));
        }
        let (host, port) = match raw.server.rsplit_once(':') {
            None if raw.server.is_empty() => (domain, 5222),
            None => (raw.server.as_str(), 5222),
            Some((host, port)) => {
                let port = port.parse();
                (host, port.map_err(|_| bad("`server` is no host:port"))?)
            }
        };
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            security: raw.security.unwrap_or(if port == 5223 {
                Security::Direct
            } else {
                Security::StartTls
            }),
            user: user.to_owned(),
            domain: domain.to_owned(),
            password: raw.password,
            inbox: raw.inbox,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &str) -> Result<Config, String> {
        let text = format!(r#"{{"account":"bot@x.org","password":"p"{more}}}"#);
        Config::read(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_is_the_accounts_own_unless_another_is_named() {
        let plain = read("").unwrap();
        let direct = read(r#","server":"xmpp.x.org:5223""#).unwrap();
        let six = read(r#","server":"[::1]:7","security":"direct""#).unwrap();

        let of = |c: &Config| (c.host.clone(), c.port, c.security);
        assert_eq!(of(&plain), ("x.org".to_owned(), 5222, Security::StartTls));
        assert_eq!(
            of(&direct),
            ("xmpp.x.org".to_owned(), 5223, Security::Direct)
        );
        assert_eq!(of(&six), ("::1".to_owned(), 7, Security::Direct));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_password_is_shown() {
        for (more, word) in [
            (r#","server":"x:y""#, "host:port"),
            (r#","inbox":"no address""#, "inbox"),
            (r#","security":"none""#, "starttls"),
            (r#","sever":"x""#, "sever"),
        ] {
            let why = read(more).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
        let nobody = Config::read(r#"{"account":"x.org","password":"secret"}"#);
        assert!(nobody.unwrap_err().to_string().contains("name@domain"));
        assert!(!format!("{:?}", read("").unwrap()).contains("\"p\""));
    }
}
