//! Greets whoever asks.

use protocol::Code;
use protocol::client::blocking::Component;
use protocol::client::{Error, Incoming};
use protocol::frame::LogLevel;
use protocol::message::MessageKind;
use serde_json::{Value, json};

fn main() -> Result<(), Error> {
    let mut link = Component::attach()?;
    loop {
        let (incoming, out) = link.recv()?;
        match incoming {
            Incoming::Message(message) if message.header.kind == MessageKind::Read => {
                let asker = format!("asked by {}", message.header.from);
                let asked: Value = serde_json::from_slice(message.body).unwrap_or_default();
                let name = asked["value"].as_str().unwrap_or("stranger");
                let body = json!({ "code": 200, "value": format!("hello {name}") });
                out.log(LogLevel::Info, &asker)?;
                out.reply(&message, Code::OK, body.to_string().as_bytes())?;
            }
            Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
            _ => {}
        }
    }
}
