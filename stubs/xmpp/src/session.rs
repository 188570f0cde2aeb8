//! From a connection to a session: TLS, sign-in, address (RFC 6120 §§5–7).

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox_net::Network;

use crate::config::{Config, Security};
use crate::limits::REASON_BYTES_MAX;
use crate::scram::{Hash, NotProved, Scram};
use crate::stanza::{bare, is_bare};
use crate::stream::Stream;
use crate::xml::{Element, NotRead};

const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
const CLIENT: &str = "jabber:client";

/// Why there is no session.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotOpen {
    /// The network, or TLS.
    #[error(transparent)]
    Network(#[from] sandbox_net::Error),
    /// The connection ended.
    #[error("the connection to the XMPP server ended: {0}")]
    Ended(String),
    /// It took too long.
    #[error("the XMPP server did not {0} in time")]
    Late(&'static str),
    /// What the server sends cannot be read.
    #[error("the XMPP server is not understood: {0}")]
    Read(#[from] NotRead),
    /// The server did something else than was due.
    #[error("the XMPP server did not {0}")]
    Unexpected(&'static str),
    /// The server ends the stream with a condition.
    #[error("the XMPP server ends the stream: {0}")]
    Failed(String),
    /// The server takes no TLS.
    #[error(
        "the XMPP server offers no TLS, and nothing is said to it without: use its port for TLS with `\"security\":\"direct\"`"
    )]
    Plain,
    /// The server does not take the account.
    #[error("the XMPP server does not let `{0}` in: {1}")]
    Refused(String, String),
    /// The server is not believed.
    #[error("the XMPP server is not believed: {0}")]
    NotProved(#[from] NotProved),
    /// There is no common way to sign in.
    #[error("the XMPP server lets in by {0}, and this stub knows SCRAM and PLAIN")]
    Mechanisms(String),
}

impl NotOpen {
    /// Whether somebody must change something before trying again is of use.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Refused(..) | Self::Mechanisms(_) | Self::Plain | Self::NotProved(_) => true,
            Self::Network(error) => error.is_denial(),
            Self::Ended(_)
            | Self::Late(_)
            | Self::Read(_)
            | Self::Unexpected(_)
            | Self::Failed(_) => false,
        }
    }

    /// The stream's own error.
    pub fn failed(error: &Element) -> Self {
        Self::Failed(condition(error))
    }
}

/// Connects and signs in; the stream, and the address that the server gave:
/// `gateway@example.org/…`.
///
/// # Errors
/// [`NotOpen`].
pub async fn open(network: &Network, config: &Config) -> Result<(Stream, String), NotOpen> {
    let mut stream = secured(network, config).await?;
    let features = stream.open(&config.domain).await?;
    sign_in(&mut stream, config, &offered(&features)).await?;
    stream.open(&config.domain).await?;
    let jid = bind(&mut stream).await?;
    stream.mouth.say("<presence/>").await?;
    Ok((stream, jid))
}

// The certificate must be for the account's domain, whatever host was dialled
// (RFC 6120 §13.7.2).
async fn secured(network: &Network, config: &Config) -> Result<Stream, NotOpen> {
    let mut connection = network.tcp(&config.host, config.port).await?;
    if config.security == Security::StartTls {
        let mut stream = Stream::over(connection);
        let features = stream.open(&config.domain).await?;
        features.child("starttls", TLS).ok_or(NotOpen::Plain)?;
        let ask = format!("<starttls xmlns='{TLS}'/>");
        stream.mouth.say(&ask).await?;
        if !stream.ear.stanza().await?.is("proceed", TLS) {
            return Err(NotOpen::Plain);
        }
        connection = stream.into_connection()?;
    }
    let secured = network.secure(&config.domain, connection).await?;
    Ok(Stream::over(Box::new(secured)))
}

fn offered(features: &Element) -> Vec<String> {
    let mechanisms = features.child("mechanisms", SASL);
    let names = mechanisms.into_iter().flat_map(|all| &all.children);
    let names = names.filter(|child| child.is("mechanism", SASL));
    names.map(|child| child.text.trim().to_owned()).collect()
}

async fn sign_in(stream: &mut Stream, config: &Config, offered: &[String]) -> Result<(), NotOpen> {
    let is_offered = |name: &str| offered.iter().any(|known| known == name);
    if let Some((hash, name)) = Hash::ALL.into_iter().find(|(_, name)| is_offered(name)) {
        return by_scram(stream, config, hash, name).await;
    }
    if !is_offered("PLAIN") {
        let names = offered.join(", ");
        return Err(NotOpen::Mechanisms(quoted(if names.is_empty() {
            "nothing"
        } else {
            &names
        })));
    }
    let secret = format!("\0{}\0{}", config.user, config.password);
    say_auth(stream, "PLAIN", &secret).await?;
    let said = heard(stream, config).await?;
    match said.name.as_str() {
        "success" => Ok(()),
        _ => Err(NotOpen::Unexpected("say whether we may come in")),
    }
}

async fn by_scram(
    stream: &mut Stream,
    config: &Config,
    hash: Hash,
    name: &str,
) -> Result<(), NotOpen> {
    let mut scram = Scram::new(hash, &config.user, &config.password, &nonce())?;
    say_auth(stream, name, &scram.first()).await?;
    let challenge = heard(stream, config).await?;
    if challenge.name != "challenge" {
        return Err(NotProved::Server.into());
    }
    let answer = scram.answer(&decoded(&challenge)?)?;
    let answer = STANDARD.encode(answer);
    let response = format!("<response xmlns='{SASL}'>{answer}</response>");
    stream.mouth.say(&response).await?;
    let last = heard(stream, config).await?;
    scram.check(&decoded(&last)?)?;
    if last.name == "success" {
        return Ok(());
    }
    // It proves itself in a challenge of its own.
    stream
        .mouth
        .say(&format!("<response xmlns='{SASL}'/>"))
        .await?;
    match heard(stream, config).await?.name.as_str() {
        "success" => Ok(()),
        _ => Err(NotOpen::Unexpected("say whether we may come in")),
    }
}

async fn say_auth(stream: &mut Stream, mechanism: &str, first: &str) -> Result<(), NotOpen> {
    let first = STANDARD.encode(first);
    let auth = format!("<auth xmlns='{SASL}' mechanism='{mechanism}'>{first}</auth>");
    stream.mouth.say(&auth).await
}

async fn heard(stream: &mut Stream, config: &Config) -> Result<Element, NotOpen> {
    let said = stream.ear.stanza().await?;
    if said.space != SASL {
        return Err(NotOpen::Unexpected("answer the sign-in"));
    }
    if said.name == "failure" {
        let account = format!("{}@{}", config.user, config.domain);
        return Err(NotOpen::Refused(account, condition(&said)));
    }
    Ok(said)
}

fn decoded(said: &Element) -> Result<String, NotProved> {
    let bytes = STANDARD.decode(said.text.trim()).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or(NotProved::Challenge)
}

async fn bind(stream: &mut Stream) -> Result<String, NotOpen> {
    let bind = format!("<iq type='set' id='bind'><bind xmlns='{BIND}'/></iq>");
    stream.mouth.say(&bind).await?;
    let answer = stream.ear.stanza().await?;
    let bound = answer
        .child("bind", BIND)
        .and_then(|bound| bound.child("jid", BIND));
    let jid = bound
        .map(|jid| jid.text.clone())
        .filter(|jid| is_bare(bare(jid)));
    let is_answer = answer.is("iq", CLIENT) && answer.attribute("type") == "result";
    jid.filter(|_| is_answer)
        .ok_or(NotOpen::Unexpected("give us an address"))
}

// The first child of an error says what is wrong.
fn condition(error: &Element) -> String {
    let named = error.children.first();
    let name = named.map_or("undefined-condition", |child| &child.name);
    let mut text = error.children.iter().filter(|child| child.name == "text");
    let text = text
        .next()
        .map(|text| text.text.trim())
        .filter(|text| !text.is_empty());
    quoted(&text.map_or_else(|| name.to_owned(), |text| format!("{name} ({text})")))
}

/// Foreign words, short enough and in one line.
pub fn quoted(text: &str) -> String {
    let kept = text.floor_char_boundary(REASON_BYTES_MAX);
    let kept = text.get(..kept).unwrap_or_default();
    kept.replace(char::is_control, " ")
}

fn nonce() -> String {
    let mut bytes = [0; 18];
    // Without randomness there is no sandbox either; an empty nonce is refused by servers.
    match rand::fill(&mut bytes) {
        Ok(()) => STANDARD.encode(bytes),
        Err(_) => String::new(),
    }
}
