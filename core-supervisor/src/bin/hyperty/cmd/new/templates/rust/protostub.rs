//! Speaks for every address of {{provider}} that lives nowhere in this runtime.
//! The far end is played here: it sends back what it is sent.

use protocol::Code;
use protocol::client::blocking::Component;
use protocol::client::{Error, Incoming};
use protocol::frame::LogLevel;
use protocol::message::Reply;
use serde_json::{Value, json};

fn main() -> Result<(), Error> {
    let mut link = Component::attach()?;
    link.log(LogLevel::Info, "carries messages for {{provider}}")?;
    link.flush()?;
    loop {
        let (incoming, out) = link.recv()?;
        match incoming {
            Incoming::Message(message) if message.header.reply != Reply::Unwanted => {
                // In the far end's name, which is what a stub is for.
                let body = carry(message.body).to_string();
                out.post(&message.answer(Code::OK, body.as_bytes()))?;
            }
            Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
            _ => {}
        }
    }
}

/// A real stub writes the message to its connection and waits for the answer.
fn carry(body: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    json!({ "code": 200, "value": body })
}
