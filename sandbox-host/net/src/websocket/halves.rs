//! The two halves of a WebSocket: one sends, one receives.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio_websockets::{CloseCode, Error as Failure, Message};

use super::frames::Shared;
use super::{Closed, Event, may_close_with};
use crate::error::{Error, causes};
use crate::limits::{CLOSE_REASON_BYTES_MAX, GOODBYE_WAIT, SEND_WAIT};
use crate::tasks::{Task, Tasks, within};

/// The half of a WebSocket that sends.
pub struct Sender {
    pub(super) shared: Arc<Shared>,
    pub(super) tasks: Arc<dyn Tasks>,
    pub(super) host: String,
    pub(super) protocol: String,
}

impl Sender {
    /// Sends a text and waits until the connection has taken it.
    ///
    /// Dropped before it is done, the message may be sent or not, but never in part.
    ///
    /// # Errors
    /// [`Error::Late`] when the other end makes no room; [`Error::Ended`] when the
    /// connection is gone or closing.
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), Error> {
        self.send(Message::text(text.into())).await
    }

    /// Sends bytes and waits until the connection has taken them.
    ///
    /// # Errors
    /// As [`Self::send_text`].
    pub async fn send_binary(&mut self, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.send(Message::binary(bytes.into())).await
    }

    /// Says that nothing more will be sent; the other end's answer comes as [`Event::Closed`].
    ///
    /// `code` is 1000 or 3000 to 4999; a reason is cut at 123 bytes.
    ///
    /// # Errors
    /// As [`Self::send_text`]; [`Error::Request`] for another code.
    pub async fn close(&mut self, code: u16, reason: &str) -> Result<(), Error> {
        let known = CloseCode::try_from(code).ok();
        let Some(known) = known.filter(|_| may_close_with(code)) else {
            return Err(Error::Request(format!(
                "{code} is not a code to close with"
            )));
        };
        let end = reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX);
        let reason = reason.get(..end).unwrap_or_default();
        self.send(Message::close(Some(known), reason)).await
    }

    /// As [`Self::close`], without a code: the other end sees [`NO_CODE`](super::NO_CODE).
    ///
    /// # Errors
    /// As [`Self::send_text`].
    pub async fn close_without_code(&mut self) -> Result<(), Error> {
        self.send(Message::close(None, "")).await
    }

    /// The subprotocol that the server chose, or nothing.
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    async fn send(&mut self, message: Message) -> Result<(), Error> {
        let mut message = Some(message);
        let sent = poll_fn(|cx| self.shared.poll_send(cx, &mut message));
        match within(&*self.tasks, SEND_WAIT, sent).await {
            Some(sent) => sent.map_err(|error| failure(&error, &self.host)),
            None => Err(Error::Late {
                host: self.host.clone(),
                what: "make room for a message",
                wait: SEND_WAIT,
            }),
        }
    }
}

/// The half of a WebSocket that receives, answers pings and notices silence.
pub struct Receiver {
    shared: Arc<Shared>,
    tasks: Arc<dyn Tasks>,
    host: String,
    silence: Duration,
    timer: Task,
    // Whether the other end was silent for so long already, and was pinged.
    is_pinged: bool,
    closed: Option<Closed>,
    is_over: bool,
}

impl Receiver {
    pub(super) fn new(
        shared: &Arc<Shared>,
        tasks: &Arc<dyn Tasks>,
        host: &str,
        silence: Duration,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            tasks: Arc::clone(tasks),
            host: host.to_owned(),
            silence,
            timer: tasks.sleep(silence),
            is_pinged: false,
            closed: None,
            is_over: false,
        }
    }

    /// Waits for what comes. May be dropped before it is done: nothing is lost.
    ///
    /// # Errors
    /// [`Error::Late`] when the other end is silent and answers no ping;
    /// [`Error::TooLong`] and [`Error::Protocol`] for what it may not send;
    /// [`Error::Ended`] when the connection ends without a close, and after
    /// every other end.
    pub async fn recv(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(closed) = self.goodbye().await {
                return Ok(Event::Closed(closed));
            }
            if self.is_over {
                return Err(self.ended("it was over before"));
            }
            match poll_fn(|cx| self.poll(cx)).await {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(error) => {
                    self.is_over = true;
                    return Err(error);
                }
            }
        }
    }

    // The answer to a close is written before anybody hears of it.
    async fn goodbye(&mut self) -> Option<Closed> {
        self.closed.as_ref()?;
        self.is_over = true;
        let rest = poll_fn(|cx| match self.shared.poll_next(cx) {
            Poll::Ready(None | Some(Err(_))) => Poll::Ready(()),
            Poll::Ready(Some(Ok(_))) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        });
        within(&*self.tasks, GOODBYE_WAIT, rest).await;
        self.closed.take()
    }

    // `None` when what came is nothing for the caller.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>, Error>> {
        loop {
            match self.shared.poll_next(cx) {
                Poll::Ready(next) => {
                    self.is_pinged = false;
                    self.timer = self.tasks.sleep(self.silence);
                    return Poll::Ready(self.understand(next));
                }
                Poll::Pending if self.timer.as_mut().poll(cx).is_ready() => self.be_patient(cx)?,
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn understand(
        &mut self,
        next: Option<Result<Message, Failure>>,
    ) -> Result<Option<Event>, Error> {
        let message = match next {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(failure(&error, &self.host)),
            None => return Err(self.ended("it was closed without a word")),
        };
        if let Some((code, reason)) = message.as_close() {
            // The library says 1005 for a close without a code as well.
            let code = u16::from(code);
            let reason = reason.to_owned();
            self.closed = Some(Closed { code, reason });
            return Ok(None);
        }
        if let Some(text) = message.as_text() {
            return Ok(Some(Event::Text(text.to_owned())));
        }
        if message.is_binary() {
            return Ok(Some(Event::Binary(message.into_payload().into())));
        }
        Ok(None)
    }

    // First a ping; the second time nobody is there.
    fn be_patient(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        if self.is_pinged {
            return Err(Error::Late {
                host: self.host.clone(),
                what: "answer a ping",
                wait: self.silence,
            });
        }
        self.is_pinged = true;
        self.timer = self.tasks.sleep(self.silence);
        // No matter whether there is room for it: what counts is that they speak.
        let mut ping = Some(Message::ping(Bytes::new()));
        match self.shared.poll_send(cx, &mut ping) {
            Poll::Ready(Err(error)) => Err(failure(&error, &self.host)),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    fn ended(&self, why: &str) -> Error {
        Error::Ended {
            host: self.host.clone(),
            why: why.to_owned(),
        }
    }
}

fn failure(error: &Failure, host: &str) -> Error {
    let host = host.to_owned();
    match error {
        Failure::PayloadTooLong { max_len, .. } => Error::TooLong {
            host,
            what: "a message",
            limit: *max_len,
        },
        Failure::Protocol(error) => Error::Protocol {
            host,
            protocol: "WebSocket",
            why: causes(error),
        },
        Failure::AlreadyClosed => Error::Ended {
            host,
            why: "it is closing".to_owned(),
        },
        other => Error::ended(&host, other),
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender(to `{}`)", self.host)
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver(from `{}`)", self.host)
    }
}
