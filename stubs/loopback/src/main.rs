//! A protocol stub whose domain answers itself.
//!
//! It speaks for every address of its provider's domain that lives nowhere in
//! this runtime, and carries each request to the nearest possible far end:
//! itself. The far end sends back what it was sent. With it a domain's traffic
//! can be watched, and policies for it tried, without a network.

use std::process::ExitCode;

use protocol::Code;
use protocol::client::blocking::Component;
use protocol::client::{Error, Incoming};
use protocol::frame::LogLevel;
use protocol::message::{Message, MessageKind, Reply};

fn main() -> ExitCode {
    match carry() {
        Ok(()) | Err(Error::Closed) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn carry() -> Result<(), Error> {
    let mut link = Component::attach()?;
    tell_status(&mut link)?;
    let mut answer = Vec::new();
    loop {
        let (incoming, out) = link.recv()?;
        match incoming {
            Incoming::Message(message) if message.header.reply != Reply::Unwanted => {
                far_end(&message, &mut answer);
                // In the far end's name, which is what a stub is for; `reply` would
                // answer in the stub's.
                out.post(&message.answer(Code::OK, &answer))?;
            }
            Incoming::Message(_)
            | Incoming::Response(_)
            | Incoming::Listening(_)
            | Incoming::Network(_) => {}
            Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
        }
    }
}

// The status that a stub publishes once it carries messages (spec messaging §5.9).
fn tell_status(link: &mut Component) -> Result<(), Error> {
    let status = format!("{}/status", link.address());
    link.log(
        LogLevel::Info,
        "the far end is the near end: what is sent comes back",
    )?;
    link.send(MessageKind::Update, &status, br#"{"value":"live"}"#)?;
    link.flush()
}

// What the far end answers: the body it was sent, as the value.
fn far_end(message: &Message<'_>, answer: &mut Vec<u8>) {
    let body = if message.body.is_empty() {
        b"null".as_slice()
    } else {
        message.body
    };
    answer.clear();
    answer.extend_from_slice(br#"{"code":200,"value":"#);
    answer.extend_from_slice(body);
    answer.push(b'}');
}
