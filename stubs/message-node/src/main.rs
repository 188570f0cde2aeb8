//! The loop between the core's link and the node's connection.

use std::process::ExitCode;
use std::time::Duration;

use protocol::client::tokio::{self as client, Component};
use protocol::client::{Error, Incoming, Outbox};
use protocol::frame::LogLevel;
use protocol::message::{Message, MessageKind};
use sandbox_net::Network;
use stub_message_node::config::Config;
use stub_message_node::session::{Effect, Refused, Session};
use stub_message_node::talk::{Told, talk};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

/// Frames of the node that wait for the session: a fast node waits, and is not kept.
const TOLD_MAX: usize = 32;

/// How long the last words may take when the core wants an end.
const GOODBYE: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    client::run(run())
}

async fn run() -> Result<(), Error> {
    let mut link = Component::attach().await?;
    let config = match Config::read(link.config(), link.runtime()) {
        Ok(config) => config,
        Err(error) => {
            link.out().log(LogLevel::Error, &error.to_string())?;
            say_status(&mut link, "failed", &error.to_string())?;
            link.flush().await?;
            return wait_for_the_end(&mut link).await;
        }
    };
    let network = Network::of(&mut link);
    let start = Instant::now();
    let session = Session::new(config.clone(), seed(&link), 0);
    let mut stub = Stub {
        session,
        config,
        network,
        start,
        line: Line::none(),
    };
    stub.carry(&mut link).await
}

/// The connection, as the loop sees it.
struct Line {
    texts: Option<mpsc::Sender<String>>,
    told: mpsc::Receiver<Told>,
}

impl Line {
    fn none() -> Self {
        Self {
            texts: None,
            told: mpsc::channel(1).1,
        }
    }
}

struct Stub {
    session: Session,
    config: Config,
    network: Network,
    start: Instant,
    line: Line,
}

impl Stub {
    async fn carry(&mut self, link: &mut Component) -> Result<(), Error> {
        loop {
            self.act(link)?;
            let due = Duration::from_millis(self.session.wakes_at().min(u64::from(u32::MAX)));
            let has_text = self.session.has_text();
            let texts = self.line.texts.clone().filter(|_| has_text);
            let is_over = tokio::select! {
                incoming = link.recv(), if self.session.has_room(self.now()) => {
                    let (incoming, _) = incoming?;
                    self.hear(&incoming)
                }
                Some(told) = self.line.told.recv() => {
                    self.told(told);
                    false
                }
                () = give(texts, &mut self.session) => false,
                () = sleep_until(self.start + due) => {
                    self.session.tick(self.now());
                    false
                }
            };
            if is_over {
                return self.end(link).await;
            }
        }
    }

    // True when the core wants an end.
    fn hear(&mut self, incoming: &Incoming<'_>) -> bool {
        match incoming {
            Incoming::Message(message) => self.session.send(message, self.now()),
            Incoming::Response(_) | Incoming::Listening(_) | Incoming::Network(_) => {}
            Incoming::Stop { .. } | Incoming::Closed => return true,
        }
        false
    }

    fn told(&mut self, told: Told) {
        let now = self.now();
        match told {
            Told::Opened => self.session.opened(now),
            Told::Text(text) => self.session.text(&text, now),
            Told::Ended(why) => {
                self.line = Line::none();
                self.session.lost(&why, now);
            }
        }
    }

    fn act(&mut self, link: &mut Component) -> Result<(), Error> {
        for effect in self.session.effects() {
            match effect {
                Effect::Connect(url) => self.connect(url),
                Effect::Hangup => self.line = Line::none(),
                Effect::Status(value, why) => say_status(link, value, &why)?,
                Effect::Deliver(inbound) => link.out().post(&inbound.message())?,
                Effect::Answer(refused) => answer(link.out(), &refused)?,
                Effect::Log(text) => link.out().log(LogLevel::Warn, &text)?,
            }
        }
        Ok(())
    }

    fn connect(&mut self, url: String) {
        let (texts, queue) = mpsc::channel(1);
        let (tell, told) = mpsc::channel(TOLD_MAX);
        let talk = talk(self.network.clone(), self.config.clone(), url, queue, tell);
        tokio::spawn(talk);
        self.line = Line {
            texts: Some(texts),
            told,
        };
    }

    // The node hears `close`, and those who asked hear that there is no answer.
    async fn end(&mut self, link: &mut Component) -> Result<(), Error> {
        self.session.stop();
        self.act(link)?;
        let texts = self.line.texts.clone();
        let goodbye = async {
            while self.session.has_text() {
                give(texts.clone(), &mut self.session).await;
            }
            drop((texts, self.line.texts.take()));
            // The connection says how it ended once everything is written.
            while self.line.told.recv().await.is_some() {}
            link.flush().await
        };
        // A node that does not listen is not waited for.
        timeout(GOODBYE, goodbye).await.unwrap_or(Ok(()))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

// Takes a text out of the session only when the connection has room for it.
async fn give(texts: Option<mpsc::Sender<String>>, session: &mut Session) {
    let Some(texts) = texts else {
        return std::future::pending().await;
    };
    match texts.reserve().await {
        Ok(room) => {
            if let Some(text) = session.next_text() {
                room.send(text);
            }
        }
        // It has ended, and will say so.
        Err(_) => std::future::pending().await,
    }
}

fn answer(out: &mut Outbox, refused: &Refused) -> Result<(), Error> {
    let body = serde_json::json!({
        "code": refused.code.0, "desc": refused.why, "description": refused.why,
    });
    let body = body.to_string();
    let mut message = Message::new(
        MessageKind::Response,
        &refused.from,
        &refused.to,
        body.as_bytes(),
    );
    message.header.id = refused.id;
    message.header.code = refused.code;
    out.post(&message)
}

// The status that a stub publishes (spec messaging §5.9).
fn say_status(link: &mut Component, value: &str, why: &str) -> Result<(), Error> {
    let to = format!("{}/status", link.address());
    let body = if why.is_empty() {
        serde_json::json!({ "value": value })
    } else {
        serde_json::json!({ "value": value, "desc": why })
    };
    let text = format!("{value} {why}");
    link.out().log(LogLevel::Info, text.trim())?;
    link.out()
        .send(MessageKind::Update, &to, body.to_string().as_bytes())
}

async fn wait_for_the_end(link: &mut Component) -> Result<(), Error> {
    loop {
        match link.recv().await?.0 {
            Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
            Incoming::Message(_)
            | Incoming::Response(_)
            | Incoming::Listening(_)
            | Incoming::Network(_) => {}
        }
    }
}

// Of the own address, which is random: two stubs do not pause in step.
fn seed(link: &Component) -> u64 {
    link.address()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |seed, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
