//! One connection, from the dial to its end, in a task of its own.

use sandbox_net::{BoxStream, Network};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::timeout;

use crate::config::Config;
use crate::limits::OPEN_WAIT;
use crate::session::{self, NotOpen};
use crate::stanza::{self, Stanza};
use crate::stream::{Ear, Mouth};

/// What a connection tells.
#[derive(Debug)]
pub enum Told {
    /// We are let in, under this address.
    Opened(String),
    /// A stanza came.
    Stanza(Stanza),
    /// It has ended, and why; the last that is told.
    Ended(NotOpen),
}

/// Connects and carries until the connection ends, or nobody wants it any more.
///
/// What is in `texts` is said as it stands; when that is closed, so is the stream.
pub async fn talk(network: Network, config: Config, texts: Receiver<String>, tell: Sender<Told>) {
    let ended = carried(&network, &config, texts, &tell).await;
    // Whoever is not there any more need not know.
    let _ = tell.send(Told::Ended(ended)).await;
}

async fn carried(
    network: &Network,
    config: &Config,
    texts: Receiver<String>,
    tell: &Sender<Told>,
) -> NotOpen {
    let opening = timeout(OPEN_WAIT, session::open(network, config));
    let opened = tokio::select! {
        opened = opening => opened,
        // The stub ends.
        () = tell.closed() => return NotOpen::Late("open a session"),
    };
    let (stream, own) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(why)) => return why,
        Err(_) => return NotOpen::Late("open a session"),
    };
    if tell.send(Told::Opened(own)).await.is_err() {
        return NotOpen::Ended("nobody listens".to_owned());
    }
    tokio::select! {
        why = hear(stream.ear, tell) => why,
        why = say(stream.mouth, texts) => why,
    }
}

async fn hear(mut ear: Ear<ReadHalf<BoxStream>>, tell: &Sender<Told>) -> NotOpen {
    loop {
        let stanza = match ear.stanza().await {
            Ok(stanza) => stanza::read(&stanza),
            Err(why) => return why,
        };
        if tell.send(Told::Stanza(stanza)).await.is_err() {
            return NotOpen::Ended("nobody listens".to_owned());
        }
    }
}

async fn say(mut mouth: Mouth<WriteHalf<BoxStream>>, mut texts: Receiver<String>) -> NotOpen {
    while let Some(text) = texts.recv().await {
        if let Err(why) = mouth.say(&text).await {
            return why;
        }
    }
    mouth.close().await;
    NotOpen::Ended("the stub stops".to_owned())
}
