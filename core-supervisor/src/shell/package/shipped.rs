//! Stubs that come with the runtime, for the message nodes that the operator named.
//!
//! To the core each is one more package of a catalogue: `protocolstub/default` of the
//! node's domain, with the URL in its configuration and a grant for just that host.

use std::fs::File;

use protocol::Code as Number;
use protocol::api::connections::{Grant, Pattern};
use protocol::dial::Transport;
use protocol::frame::ComponentKind;
use serde_json::{Map, Value, json};

use super::{Catalogues, Package, failure};
use crate::place::canonical;
use crate::rooms::catalogue::{Found, PackageFailure, Wanted};
use crate::shell::config::{Carrier, Config, Node, Secret};

/// Bytes of a file with a node's token or credentials.
///
/// A NATS user's JWT with a hundred permissions takes 10 KiB.
const SECRET_BYTES_MAX: u64 = 32 * 1024;

/// Connections to one host that a stub may have at once: one that it uses, one that
/// is being dialled in its place, and two that the system has not let go of yet.
const CONNECTIONS: u32 = 4;

/// The message nodes of this runtime.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    list: Vec<Node>,
    secrets: Vec<Secret>,
    /// The runtime's own domain.
    own: String,
}

impl Nodes {
    /// Those of a configuration; those that name no domain are of `own`.
    pub fn new(config: &Config, own: &str) -> Self {
        Self {
            list: config.nodes.value.clone(),
            secrets: config.node_secrets.value.clone(),
            own: own.to_owned(),
        }
    }

    /// The domains that they make the runtime belong to, each once.
    pub fn domains(&self) -> Vec<String> {
        let mut domains = Vec::new();
        for node in &self.list {
            let domain = self.domain_of(node.domain.as_deref()).to_owned();
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        domains
    }

    /// What naming them grants to their stubs: each its host and port, also where these
    /// are this machine's or its networks', and nothing else.
    pub fn grants(&self) -> Vec<Grant> {
        let nodes = self.list.iter();
        let grants = nodes.map(|node| {
            let domain = self.domain_of(node.domain.as_deref());
            Grant {
                component: format!("{domain}/{}", node.carrier.program()),
                pattern: pattern(node),
            }
        });
        grants.collect()
    }

    fn domain_of<'a>(&'a self, domain: Option<&'a str>) -> &'a str {
        domain.unwrap_or(&self.own)
    }

    fn of(&self, domain: &str) -> Vec<&Node> {
        let nodes = self.list.iter();
        nodes
            .filter(|node| self.domain_of(node.domain.as_deref()) == domain)
            .collect()
    }

    fn secret(&self, domain: &str) -> Result<Option<String>, PackageFailure> {
        let mut secrets = self.secrets.iter();
        let its = secrets.find(|secret| self.domain_of(secret.domain.as_deref()) == domain);
        let Some(Secret { file: path, .. }) = its else {
            return Ok(None);
        };
        let unread = |why: &dyn std::fmt::Display| {
            let shown = path.display();
            failure(
                Number::FAILED,
                format!("cannot read the node's secret `{shown}`: {why}"),
            )
        };
        let file = File::open(path).map_err(|error| unread(&error))?;
        let mut text = String::new();
        let mut limited = std::io::Read::take(file, SECRET_BYTES_MAX + 1);
        std::io::Read::read_to_string(&mut limited, &mut text).map_err(|error| unread(&error))?;
        if text.len() as u64 > SECRET_BYTES_MAX {
            return Err(unread(&format!(
                "it is longer than {SECRET_BYTES_MAX} bytes"
            )));
        }
        Ok(Some(text))
    }
}

impl Catalogues {
    /// The package of a node's stub, when it is such that is wanted.
    pub(super) fn shipped(&self, wanted: &Wanted) -> Option<Result<Package, PackageFailure>> {
        let is_node = wanted.is_exact && wanted.component == "protocolstub/default";
        let nodes = self.nodes.of(&wanted.provider);
        let first = nodes.first().filter(|_| is_node)?;
        Some(self.stub_of(&wanted.provider, first.carrier, &nodes))
    }

    fn stub_of(
        &self,
        domain: &str,
        carrier: Carrier,
        nodes: &[&Node],
    ) -> Result<Package, PackageFailure> {
        let secret = self.nodes.secret(domain)?;
        let text = descriptor(domain, carrier, nodes, secret)?.to_string();
        let found = Found {
            file: "the message node's stub",
            name: carrier.program(),
            kind: ComponentKind::ProtoStub,
            provider: domain,
            domain: &self.domain,
        };
        self.own(carrier.program(), &text, found)
    }
}

fn descriptor(
    domain: &str,
    carrier: Carrier,
    nodes: &[&Node],
    secret: Option<String>,
) -> Result<Value, PackageFailure> {
    if nodes.iter().any(|node| node.carrier != carrier) {
        let reason = format!("the nodes of {domain} are of two kinds: name only one of them");
        return Err(failure(Number::BAD_REQUEST, reason));
    }
    let urls: Vec<_> = nodes.iter().map(|node| node.url.as_str()).collect();
    let mut configuration = Map::new();
    configuration.insert("domain".to_owned(), domain.into());
    match carrier {
        Carrier::MessageNode => {
            configuration.insert("url".to_owned(), urls.first().copied().into());
            configuration.insert("urls".to_owned(), urls.into());
            let token = secret.map(|secret| Value::from(secret.trim()));
            configuration.extend(token.map(|token| ("token".to_owned(), token)));
        }
        Carrier::Nats => {
            configuration.insert("servers".to_owned(), urls.into());
            let who = secret.map(|secret| credentials(&secret));
            configuration.extend(who.map(|who| ("credentials".to_owned(), who)));
        }
    }
    let network: Vec<_> = nodes.iter().map(|node| pattern(node)).collect();
    Ok(json!({
        "name": carrier.program(),
        "language": "native",
        "configuration": configuration,
        "network": network,
    }))
}

fn pattern(node: &Node) -> Pattern {
    Pattern {
        host: canonical(&node.host),
        port: node.port,
        protocol: Transport::Tcp,
        private: true,
        count: CONNECTIONS,
    }
}

// A `.creds` file as it is, or its parts as a JSON object; a seed or a token alone.
fn credentials(secret: &str) -> Value {
    let text = secret.trim();
    match serde_json::from_str(text) {
        Ok(Value::Object(parts)) => Value::Object(parts),
        _ if text.lines().count() > 1 => secret.into(),
        _ if text.starts_with("SU") => json!({ "seed": text }),
        _ => json!({ "token": text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(urls: &[&str], secret: Option<&str>) -> Result<Value, PackageFailure> {
        let nodes: Vec<Node> = urls.iter().map(|url| url.parse().unwrap()).collect();
        let nodes: Vec<&Node> = nodes.iter().collect();
        let carrier = nodes[0].carrier;
        descriptor("d.example", carrier, &nodes, secret.map(str::to_owned))
    }

    #[test]
    fn a_stub_gets_its_nodes_and_reaches_nothing_else() {
        let web = told(&["wss://n.d.example/ws"], Some("secret\n")).unwrap();
        let nats = told(&["nats://n1", "nats://n2:99"], None).unwrap();

        assert_eq!(web["name"], "stub-message-node");
        assert_eq!(web["configuration"]["url"], "wss://n.d.example/ws");
        assert_eq!(web["configuration"]["token"], "secret");
        assert_eq!(web["network"].as_array().unwrap().len(), 1);
        assert_eq!(web["network"][0]["host"], "n.d.example");
        assert_eq!(
            nats["configuration"]["servers"],
            json!(["nats://n1", "nats://n2:99"])
        );
        assert_eq!(nats["configuration"].get("credentials"), None);
        assert_eq!(nats["network"][1]["port"], 99);
    }

    #[test]
    fn nodes_of_two_kinds_are_no_domain() {
        assert!(told(&["wss://n", "nats://n"], None).is_err());
    }

    #[test]
    fn credentials_are_known_by_their_form() {
        let file = "-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------\n";

        assert_eq!(credentials(file), json!(file));
        assert_eq!(credentials("SUAX\n"), json!({"seed": "SUAX"}));
        assert_eq!(credentials("t0k"), json!({"token": "t0k"}));
        assert_eq!(credentials(r#"{"user":"a"}"#), json!({"user": "a"}));
    }
}
