//! The stub: the link to the core on one side, the cluster on the other.
//!
//! core ⇄ (this loop) ⇄ cluster
//!
//! Everything happens in one thread. What takes a question to the cluster is done
//! beside the loop and comes back to it, so that no message waits behind another
//! one's question; messages from one address to another keep their order.

mod answer;
mod asked;
mod back_end;
mod book;
mod config;
mod desk;
mod envelope;
mod found;
mod incoming;
mod kept;
mod known;
mod letters;
mod limits;
mod mail;
mod node;
mod outgoing;
mod places;
mod registry;
mod seen;
mod sleeping;

use std::time::Duration;

use protocol::client::tokio::Component;
use protocol::client::{Error, Incoming, Outbox};
use protocol::frame::LogLevel;
use sandbox_net::Network;
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval};

use self::config::Config;
use self::desk::{Desk, Done, log};
use crate::client::{Client, Event, Options};

/// How often what is overdue is looked for.
const SWEEP_EVERY: Duration = Duration::from_millis(250);

/// Runs the stub on descriptor 0 until the core ends it.
pub async fn run() -> Result<(), Error> {
    run_on(Component::attach().await?).await
}

/// The same on a link that has attached.
pub async fn run_on(link: Component) -> Result<(), Error> {
    LocalSet::new().run_until(serve(link)).await
}

async fn serve(mut link: Component) -> Result<(), Error> {
    let address = link.address().to_owned();
    let config = config::read(link.config(), &address, link.runtime());
    let config = match config {
        Ok(config) => config,
        Err(bad) => return stand_still(link, &bad.to_string()).await,
    };
    let Config {
        domain,
        servers,
        credentials,
        names,
    } = config;
    let options = Options {
        name: link.runtime().to_owned(),
        servers,
        credentials,
        names,
    };
    let heard = format!("$KV.{}.sub.>", options.names.book());
    let mut client = Client::new(Network::of(&mut link), options);
    client.hear(heard);
    let (tell, done) = mpsc::unbounded_channel();
    let desk = Desk::new(&domain, &address, client.api(), tell);
    desk.status("created", &format!("for the domain `{domain}`"), link.out());
    Turn {
        link,
        client,
        desk,
        done,
        has_failed: false,
    }
    .turn()
    .await
}

struct Turn {
    link: Component,
    client: Client<Network>,
    desk: Desk,
    done: mpsc::UnboundedReceiver<Done>,
    has_failed: bool,
}

impl Turn {
    async fn turn(mut self) -> Result<(), Error> {
        let mut sweep = interval(SWEEP_EVERY);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // The core first: what it has sent already is taken before anything is
            // written, so that one write carries many messages.
            tokio::select! {
                biased;
                incoming = self.link.recv() => {
                    let (incoming, out) = incoming?;
                    match incoming {
                        Incoming::Message(message) => self.desk.sent(&message, out),
                        Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
                        Incoming::Response(_) | Incoming::Listening(_) | Incoming::Network(_) => {}
                    }
                }
                Some(done) = self.done.recv() => {
                    self.desk.done(done, self.link.out());
                    self.acknowledge().await?;
                }
                _ = sweep.tick() => self.desk.sweep(self.link.out()),
                event = self.client.next() => {
                    happened(&mut self.desk, event, &mut self.has_failed, self.link.out());
                    while let Some(event) = self.client.ready() {
                        happened(&mut self.desk, event, &mut self.has_failed, self.link.out());
                    }
                    self.acknowledge().await?;
                }
            }
        }
    }

    // Once the core has what was stored, and not before.
    async fn acknowledge(&mut self) -> Result<(), Error> {
        if !self.desk.receipts.is_empty() {
            self.link.flush().await?;
            self.desk.acknowledge();
        }
        Ok(())
    }
}

fn happened(desk: &mut Desk, event: Event<'_>, has_failed: &mut bool, out: &mut Outbox) {
    match event {
        Event::Message(delivery) => desk.came(&delivery, out),
        Event::Trying(server) => {
            log(out, LogLevel::Debug, &format!("trying {server}"));
            // Once: a cluster that stays away is not told of with each attempt.
            if !*has_failed {
                desk.status("in-progress", &format!("connecting to {server}"), out);
            }
        }
        Event::Up(server) => {
            *has_failed = false;
            log(out, LogLevel::Info, &format!("connected to {server}"));
            desk.set_up();
        }
        Event::Down(lost, pause) => {
            let reason = lost.to_string();
            desk.cut(&reason, out);
            if !*has_failed {
                let status = if lost.is_refusal() {
                    "failed"
                } else {
                    "disconnected"
                };
                desk.status(status, &reason, out);
            }
            *has_failed = true;
            let text = format!("{reason}; again in {} ms", pause.as_millis());
            log(out, LogLevel::Info, &text);
        }
        Event::Complaint(words) => {
            log(
                out,
                LogLevel::Warn,
                &format!("the cluster refuses: {words}"),
            );
        }
    }
}

// A stub that cannot work says why and stays, so that its log can be read; every
// message to it is answered.
async fn stand_still(mut link: Component, reason: &str) -> Result<(), Error> {
    let body = serde_json::json!({ "value": "failed", "desc": reason }).to_string();
    let to = format!("{}/status", link.address());
    let out = link.out();
    log(out, LogLevel::Error, reason);
    out.send(protocol::MessageKind::Update, &to, body.as_bytes())?;
    loop {
        let (incoming, out) = link.recv().await?;
        match incoming {
            Incoming::Message(message) if outgoing::is_answered(&message) => {
                let answer = answer::Answer::refusal(protocol::Code::UNAVAILABLE, reason);
                desk::post_answer(&message, &answer, out);
            }
            Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
            _ => {}
        }
    }
}
