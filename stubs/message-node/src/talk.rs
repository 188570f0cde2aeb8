//! One connection to the node, in a task of its own.

use sandbox_net::Network;
use sandbox_net::websocket::{Event, Options, Receiver, Sender};
use tokio::sync::mpsc;
use tokio::time::{Duration, interval};

use crate::config::Config;

/// How often a node that wants pings of its own is pinged: half of what it allows.
const PING: Duration = Duration::from_secs(12);

/// What the connection tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It is open.
    Opened,
    /// A text came.
    Text(String),
    /// It has ended, or could not be made.
    Ended(String),
}

/// Connects and talks until either end has enough.
///
/// `texts` holds one at most: what has not been taken from it was not sent.
pub async fn talk(
    network: Network,
    config: Config,
    url: String,
    texts: mpsc::Receiver<String>,
    told: mpsc::Sender<Told>,
) {
    let why = match converse(&network, &config, &url, texts, &told).await {
        Ok(why) => why,
        Err(error) => error.to_string(),
    };
    // Who does not hear it has forgotten this connection.
    let _ = told.send(Told::Ended(why)).await;
}

async fn converse(
    network: &Network,
    config: &Config,
    url: &str,
    texts: mpsc::Receiver<String>,
    told: &mpsc::Sender<Told>,
) -> Result<String, sandbox_net::Error> {
    let mut options = Options::default();
    if let Some(token) = &config.token {
        options = options.header("authorization", &format!("Bearer {token}"))?;
    }
    let socket = network.websocket(url, options).await?;
    if told.send(Told::Opened).await.is_err() {
        return Ok(String::new());
    }
    let (sender, receiver) = socket.split();
    tokio::select! {
        written = write(sender, texts, config) => written,
        read = read(receiver, told) => read,
    }
}

async fn write(
    mut sender: Sender,
    mut texts: mpsc::Receiver<String>,
    config: &Config,
) -> Result<String, sandbox_net::Error> {
    let mut pings = interval(PING);
    pings.reset();
    loop {
        let text = tokio::select! {
            text = texts.recv() => text,
            _ = pings.tick() => match config.dialect.ping() {
                Some(ping) => Some(ping.to_owned()),
                None => continue,
            },
        };
        let Some(text) = text else {
            sender.close(1000, "").await?;
            return Ok("we ended it".to_owned());
        };
        sender.send_text(text).await?;
    }
}

async fn read(
    mut receiver: Receiver,
    told: &mpsc::Sender<Told>,
) -> Result<String, sandbox_net::Error> {
    loop {
        let text = match receiver.recv().await? {
            Event::Text(text) => text,
            Event::Binary(_) => continue,
            Event::Closed(closed) => {
                return Ok(format!(
                    "the node ended it ({}) {}",
                    closed.code, closed.reason
                ));
            }
        };
        if told.send(Told::Text(text)).await.is_err() {
            return Ok(String::new());
        }
    }
}
