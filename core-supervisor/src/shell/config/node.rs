//! A message node that this runtime belongs to: `[DOMAIN=]URL`.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use protocol::Address;

/// What carries messages to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A reTHINK message node over WebSocket: `wss://`, `ws://`.
    MessageNode,
    /// A NATS cluster: `nats://`, `tls://`.
    Nats,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The domain; the runtime's own when absent.
    pub domain: Option<String>,
    /// Its URL, as it was written.
    pub url: String,
    /// What carries messages to it.
    pub carrier: Carrier,
    /// The host in its URL.
    pub host: String,
    /// The port, by its scheme when the URL has none.
    pub port: u16,
}

/// A file with what the nodes of a domain ask for: `[DOMAIN=]FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The domain; the runtime's own when absent.
    pub domain: Option<String>,
    /// The file.
    pub file: PathBuf,
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (domain, file) = match text.split_once('=') {
            Some((domain, file)) if is_domain(domain) => (Some(domain.to_ascii_lowercase()), file),
            _ => (None, text),
        };
        let file = PathBuf::from(file);
        Ok(Self { domain, file })
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(domain) = &self.domain {
            write!(f, "{domain}=")?;
        }
        write!(f, "{}", self.file.display())
    }
}

/// Why a text is not a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no message node: {why}; say for instance `wss://node.example.org/ws` or `example.org=nats://10.0.0.7:4222`"
)]
pub struct NotNode {
    text: String,
    why: &'static str,
}

impl Carrier {
    /// The shipped program that speaks to such nodes.
    pub const fn program(self) -> &'static str {
        match self {
            Self::MessageNode => "stub-message-node",
            Self::Nats => "stub-nats",
        }
    }
}

impl FromStr for Node {
    type Err = NotNode;

    fn from_str(text: &str) -> Result<Self, NotNode> {
        let wrong = |why| NotNode {
            text: text
                .chars()
                .take(120)
                .flat_map(char::escape_default)
                .collect(),
            why,
        };
        // `=` may stand in a URL's query, but not before its scheme.
        let (domain, url) = match text.split_once('=') {
            Some((domain, url)) if !domain.contains("://") => (Some(domain), url),
            _ => (None, text),
        };
        let domain = domain.map(str::to_ascii_lowercase);
        if domain.as_ref().is_some_and(|domain| !is_domain(domain)) {
            return Err(wrong("what stands before the `=` is no domain"));
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("it is no URL"))?;
        let (carrier, port) = match scheme {
            "wss" => (Carrier::MessageNode, 443),
            "ws" => (Carrier::MessageNode, 80),
            "nats" | "tls" => (Carrier::Nats, 4222),
            _ => return Err(wrong("its scheme is none of wss, ws, nats, tls")),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(wrong(
                "secrets do not belong in it: use `--node-secret FILE`",
            ));
        }
        let (host, port) = host_and_port(authority, port).ok_or_else(|| wrong("it has no host"))?;
        Ok(Self {
            domain,
            url: url.to_owned(),
            carrier,
            host,
            port,
        })
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.domain {
            Some(domain) => write!(f, "{domain}={}", self.url),
            None => f.write_str(&self.url),
        }
    }
}

fn is_domain(text: &str) -> bool {
    let bare = text.parse::<Address>();
    bare.is_ok_and(|bare| bare.scheme().is_empty() && bare.as_str().eq_ignore_ascii_case(text))
        && !text.contains('@')
}

fn host_and_port(authority: &str, usual: u16) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Some(usual), |port| port.parse().ok())?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let is_host = !host.is_empty() && host.len() <= 253 && host.chars().all(plain);
    is_host.then(|| (host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Option<String>, Carrier, String, u16)> {
        let node: Node = text.parse().ok()?;
        Some((node.domain, node.carrier, node.host, node.port))
    }

    #[test]
    fn a_node_is_a_url_and_perhaps_a_domain() {
        let (web, nats) = (Carrier::MessageNode, Carrier::Nats);
        let own = |carrier, host: &str, port| Some((None, carrier, host.to_owned(), port));

        assert_eq!(
            read("wss://Node.example.org/ws"),
            own(web, "node.example.org", 443)
        );
        assert_eq!(
            read("ws://127.0.0.1:9090/ws?a=b"),
            own(web, "127.0.0.1", 9090)
        );
        assert_eq!(read("nats://[::1]:4333"), own(nats, "::1", 4333));
        assert_eq!(
            read("Example.org=tls://n1"),
            Some((Some("example.org".to_owned()), nats, "n1".to_owned(), 4222))
        );
    }

    #[test]
    fn a_secret_is_a_file_and_perhaps_of_a_domain() {
        let read = |text: &str| {
            let Ok(Secret { domain, file }) = text.parse();
            (domain.unwrap_or_default(), file.display().to_string())
        };

        assert_eq!(
            read("/etc/node.token"),
            (String::new(), "/etc/node.token".into())
        );
        assert_eq!(read("a.example=x=y"), ("a.example".into(), "x=y".into()));
        assert_eq!(read("./dir=1/f"), (String::new(), "./dir=1/f".into()));
    }

    #[test]
    fn what_is_no_node_is_refused() {
        for text in [
            "",
            "node.example.org",
            "https://a",
            "wss://",
            "wss://:9",
            "wss://a:99999",
            "wss://user:secret@a",
            "bad domain=wss://a",
            "=wss://a",
            "wss://a b",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
