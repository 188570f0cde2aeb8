//! The loop between the core's link and the connection to the server.

mod pause;

use std::process::ExitCode;
use std::time::Duration;

use protocol::client::tokio::{self as client, Component};
use protocol::client::{Error, Incoming};
use protocol::frame::LogLevel;
use protocol::message::{Message, MessageKind, Reply};
use sandbox_net::Network;
use serde_json::json;
use stub_xmpp::bridge::{Asker, Bridge, Effect};
use stub_xmpp::config::Config;
use stub_xmpp::limits::{TOLD_MAX, UNSENT_MAX};
use stub_xmpp::session::NotOpen;
use stub_xmpp::talk::{Told, talk};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use pause::Pause;

/// How long the last words may take when the core wants an end.
const GOODBYE: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    client::run(run())
}

async fn run() -> Result<(), Error> {
    let mut link = Component::attach().await?;
    let config = match Config::read(link.config()) {
        Ok(config) => config,
        Err(error) => {
            link.out().log(LogLevel::Error, &error.to_string())?;
            say_status(&mut link, "failed", &error.to_string())?;
            link.flush().await?;
            return wait_for_the_end(&mut link).await;
        }
    };
    let network = Network::of(&mut link);
    let mut stub = Stub {
        bridge: Bridge::new(own_name(link.address()), &config.inbox),
        config,
        network,
        start: Instant::now(),
        line: None,
        pause: Pause::default(),
        last: 0,
    };
    stub.carry(&mut link).await
}

/// The connection, as the loop sees it.
struct Line {
    texts: mpsc::Sender<String>,
    told: mpsc::Receiver<Told>,
}

struct Stub {
    bridge: Bridge,
    config: Config,
    network: Network,
    start: Instant,
    line: Option<Line>,
    pause: Pause,
    last: u64,
}

impl Stub {
    async fn carry(&mut self, link: &mut Component) -> Result<(), Error> {
        loop {
            if self.line.is_none() && self.pause.is_over(self.now()) {
                self.connect();
                say_status(link, "in-progress", "")?;
            }
            self.act(link)?;
            let wakes = self.bridge.wakes_at().min(match self.line {
                None => self.pause.until(),
                Some(_) => u64::MAX,
            });
            let wakes = Duration::from_millis(wakes.min(self.now() + 3_600_000));
            let is_over = tokio::select! {
                incoming = link.recv() => {
                    let (incoming, _) = incoming?;
                    self.hear(&incoming)
                }
                told = told(self.line.as_mut()) => {
                    self.told(link, told)?;
                    // What a fast server brings is handed on before more is read.
                    self.act(link)?;
                    link.flush().await?;
                    false
                }
                () = sleep_until(self.start + wakes) => {
                    self.bridge.tick(self.now());
                    false
                }
            };
            if is_over {
                return self.end(link).await;
            }
        }
    }

    fn connect(&mut self) {
        let (texts, queue) = mpsc::channel(UNSENT_MAX);
        let (tell, told) = mpsc::channel(TOLD_MAX);
        tokio::spawn(talk(self.network.clone(), self.config.clone(), queue, tell));
        self.line = Some(Line { texts, told });
    }

    // True when the core wants an end.
    fn hear(&mut self, incoming: &Incoming<'_>) -> bool {
        match incoming {
            Incoming::Message(message) => self.ask(message),
            Incoming::Response(_) | Incoming::Listening(_) | Incoming::Network(_) => {}
            Incoming::Stop { .. } | Incoming::Closed => return true,
        }
        false
    }

    fn ask(&mut self, message: &Message<'_>) {
        let header = &message.header;
        if !header.kind.is_request() {
            return;
        }
        let asker = Asker {
            id: header.id,
            from: header.from.to_owned(),
            to: header.to.to_owned(),
            is_waiting: header.reply != Reply::Unwanted,
        };
        let now = self.now();
        self.bridge
            .ask(asker, header.kind.as_str(), message.body, now);
    }

    fn told(&mut self, link: &mut Component, told: Told) -> Result<(), Error> {
        let now = self.now();
        match told {
            Told::Opened(own) => {
                self.pause.opened(now);
                self.bridge.opened(&own, now);
                say_status(link, "live", "")
            }
            Told::Stanza(stanza) => {
                self.bridge.heard(stanza, now);
                Ok(())
            }
            Told::Ended(why) => self.lost(link, &why),
        }
    }

    fn lost(&mut self, link: &mut Component, why: &NotOpen) -> Result<(), Error> {
        self.line = None;
        let is_lasting = why.is_lasting();
        self.pause.lost(self.now(), is_lasting);
        self.bridge.lost(&why.to_string(), is_lasting);
        let word = if is_lasting { "failed" } else { "disconnected" };
        say_status(link, word, &why.to_string())
    }

    fn act(&mut self, link: &mut Component) -> Result<(), Error> {
        // Giving a connection up has effects of its own.
        loop {
            let effects = self.bridge.effects();
            if effects.is_empty() {
                return Ok(());
            }
            for effect in effects {
                self.do_one(link, effect)?;
            }
        }
    }

    fn do_one(&mut self, link: &mut Component, effect: Effect) -> Result<(), Error> {
        match effect {
            Effect::Say(text) => {
                let texts = self.line.as_ref().map(|line| line.texts.try_send(text));
                match texts {
                    Some(Err(mpsc::error::TrySendError::Full(_))) => {
                        self.lost(link, &NotOpen::Late("read what it is sent"))
                    }
                    // One that has ended says so itself.
                    Some(Err(mpsc::error::TrySendError::Closed(_)) | Ok(())) | None => Ok(()),
                }
            }
            Effect::Answer { asker, code, body } => {
                let body = body.to_string();
                let asked = Message::new(MessageKind::Read, &asker.from, &asker.to, &[]);
                let asked = asked.with_id(asker.id);
                link.out().post(&asked.answer(code, body.as_bytes()))
            }
            Effect::Post {
                kind,
                from,
                to,
                body,
            } => {
                self.last += 1;
                let body = body.to_string();
                let news = Message::new(MessageKind::parse(kind), &from, &to, body.as_bytes());
                let news = news.with_id(self.last).expecting(Reply::Unwanted);
                link.out().post(&news)
            }
            Effect::GiveUp(what) => self.lost(link, &NotOpen::Late(what)),
        }
    }

    // Users see at once that we are gone, and those who asked hear that there is no answer.
    async fn end(&mut self, link: &mut Component) -> Result<(), Error> {
        self.bridge.lost("the protocol stub stops", true);
        let line = self.line.take();
        self.act(link)?;
        let goodbye = async {
            if let Some(Line { texts, mut told }) = line {
                drop(texts);
                while told.recv().await.is_some() {}
            }
            link.flush().await
        };
        // A server that does not listen is not waited for.
        timeout(GOODBYE, goodbye).await.unwrap_or(Ok(()))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

async fn told(line: Option<&mut Line>) -> Told {
    let Some(line) = line else {
        return std::future::pending().await;
    };
    match line.told.recv().await {
        Some(told) => told,
        None => Told::Ended(NotOpen::Ended("its task is gone".to_owned())),
    }
}

// The status that a stub publishes (spec messaging §5.9).
fn say_status(link: &mut Component, value: &str, why: &str) -> Result<(), Error> {
    let to = format!("{}/status", link.address());
    let body = if why.is_empty() {
        json!({ "value": value })
    } else {
        json!({ "value": value, "desc": why })
    };
    let text = format!("{value} {why}");
    link.out().log(LogLevel::Info, text.trim())?;
    let body = body.to_string();
    link.out().send(MessageKind::Update, &to, body.as_bytes())
}

async fn wait_for_the_end(link: &mut Component) -> Result<(), Error> {
    loop {
        match link.recv().await? {
            (Incoming::Stop { .. } | Incoming::Closed, _) => return Ok(()),
            (Incoming::Message(message), out) => {
                let why = "this stub has no configuration that it can use: see its log";
                let body = json!({ "code": 503, "desc": why, "description": why }).to_string();
                out.reply(&message, protocol::Code::UNAVAILABLE, body.as_bytes())?;
            }
            (Incoming::Response(_) | Incoming::Listening(_) | Incoming::Network(_), _) => {}
        }
    }
}

// `xmpp.example.org` of `hyperty-runtime://xmpp.example.org/protostub/…`.
fn own_name(address: &str) -> &str {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}
