//! Who the puppet is, and its link.

use std::os::fd::OwnedFd;

use hyperty_tests::link::{Inherited, Link};
use protocol::Code;
use protocol::frame::{CoreFrame, HostFrame, LoadFailed, LoadStage, Log, LogLevel};
use protocol::message::Message;
use serde_json::Value;

/// The puppet's address, configuration and link.
pub(crate) struct Part {
    link: Link<Inherited>,
    address: String,
    config: Value,
}

/// What the core said, as far as a puppet cares.
pub(crate) enum Heard {
    /// A message: its text form, and the answer to it with the given body, encoded.
    Message(Delivered),
    /// Something else, dealt with already.
    Other,
    /// The link has ended, or the core wants the program to end.
    End,
}

/// A message that was delivered.
pub(crate) struct Delivered {
    pub(crate) id: u64,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) is_request: bool,
    pub(crate) body: Vec<u8>,
    pub(crate) code: Code,
}

impl Part {
    /// Waits to be told who one is.
    pub(crate) fn learn() -> Option<Self> {
        let mut link = Link::over(Inherited::default());
        loop {
            let told = link.hear(|frame| match frame {
                CoreFrame::Start(start) => {
                    Some((start.address.to_owned(), start.config.to_owned()))
                }
                _ => None,
            });
            if let Some((address, config)) = told.ok()?? {
                let config = serde_json::from_str(&config).unwrap_or_default();
                return Some(Self {
                    link,
                    address,
                    config,
                });
            }
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) const fn config(&self) -> &Value {
        &self.config
    }

    /// A text of the configuration, or nothing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.config
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// A number of the configuration.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.config.get(name).and_then(Value::as_u64)
    }

    /// Says that it runs.
    pub(crate) fn ready(&mut self) {
        let component = self.address.clone();
        self.say(&HostFrame::Loaded {
            component: &component,
        });
    }

    /// Says that it cannot run.
    pub(crate) fn fail(&mut self, reason: &str) {
        let component = self.address.clone();
        self.say(&HostFrame::LoadFailed(LoadFailed {
            component: &component,
            stage: LoadStage::Start,
            reason,
            place: "",
            stack: "",
        }));
    }

    /// One line for the log.
    pub(crate) fn log(&mut self, level: LogLevel, text: &str) {
        let component = self.address.clone();
        let log = Log {
            component: &component,
            level,
            place: "",
        };
        self.say(&HostFrame::Log(log, text.as_bytes()));
    }

    /// Sends a message of its own.
    pub(crate) fn send(&mut self, message: Message<'_>) {
        self.say(&HostFrame::Send(message));
    }

    /// Says a frame; when nobody listens any more there is nothing left to do.
    pub(crate) fn say(&mut self, frame: &HostFrame<'_>) {
        if self.link.say(frame).is_err() {
            std::process::exit(0);
        }
    }

    /// Writes bytes that need not be a frame.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        if self.link.write(bytes).is_err() {
            std::process::exit(0);
        }
    }

    /// Waits for the core's next frame; `None` when the link has ended.
    pub(crate) fn hear_frame<T>(&mut self, look: impl FnOnce(CoreFrame<'_>) -> T) -> Option<T> {
        self.link.hear(look).ok().flatten()
    }

    /// The descriptor that came with the frame which was heard.
    pub(crate) fn descriptor(&mut self) -> Option<OwnedFd> {
        self.link.stream_mut().descriptors.pop_front()
    }

    /// Waits for what the core says next.
    pub(crate) fn hear(&mut self) -> Heard {
        let mut ping = None;
        let heard = self.link.hear(|frame| match frame {
            CoreFrame::Deliver(message) => Heard::Message(Delivered {
                id: message.header.id,
                from: message.header.from.to_owned(),
                to: message.header.to.to_owned(),
                is_request: message.header.kind.is_request(),
                body: message.body.to_vec(),
                code: message.header.code,
            }),
            CoreFrame::Ping { token } => {
                ping = Some(token);
                Heard::Other
            }
            CoreFrame::Stop { .. } => Heard::End,
            _ => Heard::Other,
        });
        if let Some(token) = ping {
            self.say(&HostFrame::Pong { token });
        }
        heard.ok().flatten().unwrap_or(Heard::End)
    }
}
