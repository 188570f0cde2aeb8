//! A prompt for JavaScript, where a component's script would be.

use std::io::{self, Write};

use protocol::dial::NotDialled;
use protocol::frame::{ComponentKind, CoreFrame, HostFrame, Load};
use protocol::{Code, Message, MessageKind};
use serde_json::{Value, json};

use super::{Inside, patiently};
use crate::probe::trial::Line;

const PROMPT: &str = "hyperty://shell.invalid/prompt";
const TERMINAL: &str = "hyperty-runtime://shell.invalid/terminal";

/// Evaluates what it is sent, and answers with what came of it.
const SOURCE: &str = include_str!("prompt.js");

/// What has been asked so far.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    asked: u64,
}

impl Inside for Prompt {
    fn begin(&mut self, line: &mut Line) -> io::Result<()> {
        let load = Load {
            component: PROMPT,
            name: "prompt",
            kind: ComponentKind::Hyperty,
            config: "{}",
            file: "prompt.js",
        };
        line.say(&CoreFrame::Load(load, SOURCE.as_bytes()), None)?;
        loop {
            match line.hear()? {
                Some(HostFrame::Loaded { .. }) => return Ok(()),
                Some(HostFrame::LoadFailed(failed)) => return Err(io::Error::other(failed.reason)),
                Some(_) => {}
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    fn enter(&mut self, text: &str, line: &mut Line, out: &mut dyn Write) -> io::Result<bool> {
        self.asked += 1;
        let body = json!({ "line": text }).to_string();
        let asked = Message::new(MessageKind::Execute, TERMINAL, PROMPT, body.as_bytes());
        line.say(&CoreFrame::Deliver(asked.with_id(self.asked)), None)?;
        loop {
            let refused = match patiently(|| line.hear().map(|frame| frame.map(Heard::of)))? {
                Some(Heard::Answer(id, said)) if id == self.asked => {
                    writeln!(out, "{said}")?;
                    return Ok(true);
                }
                Some(Heard::Log(text)) => {
                    writeln!(out, "{text}")?;
                    continue;
                }
                Some(Heard::Dial(request)) => NotDialled {
                    request,
                    code: Code::FORBIDDEN,
                    reason: "a shell's sandbox has no connector",
                    decision: "",
                },
                Some(_) => continue,
                None => return Ok(false),
            };
            line.say(&CoreFrame::NotDialled(refused), None)?;
        }
    }
}

/// What matters of a frame, owned.
enum Heard {
    Answer(u64, String),
    Log(String),
    Dial(u64),
    Other,
}

impl Heard {
    fn of(frame: HostFrame<'_>) -> Self {
        match frame {
            HostFrame::Send(message) if message.header.kind == MessageKind::Response => {
                let body: Value = serde_json::from_slice(message.body).unwrap_or_default();
                let said = body.get("said").and_then(Value::as_str);
                let said = said.unwrap_or_default().to_owned();
                Self::Answer(message.header.id, said)
            }
            HostFrame::Log(_, text) => Self::Log(String::from_utf8_lossy(text).into_owned()),
            HostFrame::Dial(dial) => Self::Dial(dial.request),
            _ => Self::Other,
        }
    }
}
