//! # stub-catalogue — descriptors, code and schemas from other domains
//!
//! The core asks it for addresses (see `protocol::api::catalogue::remote`) and gets
//! bytes. It keeps nothing, judges no content beyond its form, and what it says is
//! not believed: the core verifies digests and keeps what it verified.
//!
//! ```text
//!  core ── read Get ──► desk ──► fetch ──► sandbox-net ──► Dial ──► core
//!       ◄── Head ──────  │
//!       ── read More ──► └─ transfers: one body each, read as far as it is asked for
//! ```

mod desk;
mod fetch;

use std::process::ExitCode;

use protocol::client::tokio::{self as client, Component};
use protocol::client::{Error, Incoming};
use protocol::frame::LogLevel;
use protocol::message::{Message, MessageKind};

use desk::{Desk, Said};
use sandbox_net::Network;

fn main() -> ExitCode {
    client::run(serve())
}

async fn serve() -> Result<(), Error> {
    let mut link = Component::attach().await?;
    let network = Network::of(&mut link);
    let (desk, mut said) = Desk::new(network);
    let status = format!("{}/status", link.address());
    let live = br#"{"value":"live"}"#;
    link.send(MessageKind::Update, &status, live).await?;
    loop {
        tokio::select! {
            incoming = link.recv() => match incoming?.0 {
                Incoming::Message(message) => desk.take(&message),
                Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
                // Sockets that were shut end by themselves, with whoever reads them.
                Incoming::Network(_) | Incoming::Response(_) | Incoming::Listening(_) => {}
            },
            answer = said.recv() => match answer {
                Some(said) => say(&mut link, &said)?,
                None => return Ok(()),
            },
        }
    }
}

fn say(link: &mut Component, said: &Said) -> Result<(), Error> {
    if let Some(line) = &said.line {
        link.out().log(LogLevel::Info, line)?;
    }
    let asked = Message::new(MessageKind::Read, &said.from, &said.to, &[]).with_id(said.id);
    link.out().post(&asked.answer(said.code, &said.body))
}
