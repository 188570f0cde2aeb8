//! A connection that was let in: bytes out, operations in, silence noticed.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};

use super::Lost;
use super::dial::BoxStream;
use super::limits::{PING_EVERY, PINGS_MAX};
use super::opening::{About, Opened, ended, refused};
use super::shared::Shared;
use crate::wire::{self, Op, Place, Reader};

/// What came.
pub(super) enum Said {
    /// Something for whoever uses the connection.
    Found(Place),
    /// The servers of the cluster, as of now.
    Servers(Vec<String>),
}

pub(super) struct Live {
    server: String,
    stream: BoxStream,
    reader: Reader,
    // Bytes were taken that a TLS layer may still hold.
    is_flushed: bool,
    ping: Pin<Box<Sleep>>,
    pings: u32,
    // What `ready` found and has no place to say.
    told: Option<Said>,
    lost: Option<Lost>,
}

impl Live {
    pub(super) fn new(opened: Opened) -> Self {
        Self {
            server: opened.server,
            stream: opened.stream,
            reader: opened.reader,
            is_flushed: true,
            ping: Box::pin(sleep(PING_EVERY)),
            pings: 0,
            told: None,
            lost: None,
        }
    }

    pub(super) fn at(&self, place: &Place) -> Op<'_> {
        self.reader.at(place)
    }

    /// Waits for the next operation that concerns the caller; writes meanwhile.
    pub(super) async fn step(&mut self, shared: &Shared) -> Result<Said, Lost> {
        if let Some(lost) = self.lost.take() {
            return Err(lost);
        }
        if let Some(told) = self.told.take() {
            return Ok(told);
        }
        loop {
            if let Some(said) = self.look(shared)? {
                return Ok(said);
            }
            let turned = std::future::poll_fn(|cx| self.turn(shared, cx)).await;
            turned.map_err(|error| ended(&self.server, &error.to_string()))?;
        }
    }

    /// What is here already, if it is for the caller.
    pub(super) fn ready(&mut self, shared: &Shared) -> Option<Place> {
        match self.look(shared) {
            Ok(Some(Said::Found(place))) => Some(place),
            Ok(Some(Said::Servers(urls))) => {
                self.told = Some(Said::Servers(urls));
                None
            }
            Ok(None) => None,
            Err(lost) => {
                self.lost = Some(lost);
                None
            }
        }
    }

    // What is here already.
    fn look(&mut self, shared: &Shared) -> Result<Option<Said>, Lost> {
        let malformed = |cause| Lost::Malformed {
            server: self.server.clone(),
            cause,
        };
        while let Some(place) = self.reader.advance().map_err(malformed)? {
            match self.reader.at(&place) {
                Op::Ping => shared.say(wire::pong),
                Op::Pong => self.pings = 0,
                Op::Ok => {}
                Op::Info(text) => {
                    let about: About = serde_json::from_str(text).unwrap_or_default();
                    return Ok(Some(Said::Servers(about.connect_urls)));
                }
                Op::Msg(delivery) => match cluster_answer(delivery.subject) {
                    Some(number) if shared.answered(number, &delivery) => {}
                    _ => return Ok(Some(Said::Found(place))),
                },
                // The only refusal that leaves the connection standing.
                Op::Err(words) if words.starts_with("Permissions Violation") => {
                    return Ok(Some(Said::Found(place)));
                }
                Op::Err(words) if words.contains("Stale") || words.contains("Slow Consumer") => {
                    return Err(ended(&self.server, words));
                }
                Op::Err(words) => return Err(refused(&self.server, words)),
            }
        }
        Ok(None)
    }

    // Writes and reads what can be; ready once something was read.
    fn turn(&mut self, shared: &Shared, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        shared.wake_by(cx.waker());
        while self.ping.as_mut().poll(cx).is_ready() {
            self.pings += 1;
            if self.pings > PINGS_MAX {
                let silent = format!(
                    "it was silent for {} s",
                    PING_EVERY.as_secs() * u64::from(self.pings)
                );
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, silent)));
            }
            shared.say(wire::ping);
            self.ping.as_mut().reset(Instant::now() + PING_EVERY);
        }
        self.write(shared, cx)?;
        let read = pin!(self.stream.read_buf(self.reader.space())).poll(cx);
        match read {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0)) => {
                let gone = io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up");
                Poll::Ready(Err(gone))
            }
            Poll::Ready(read) => {
                // Whatever was said, it lives.
                self.pings = 0;
                Poll::Ready(read.map(|_| ()))
            }
        }
    }

    fn write(&mut self, shared: &Shared, cx: &mut Context<'_>) -> io::Result<()> {
        let stream = &mut self.stream;
        let written = shared.drain(|bytes| match Pin::new(&mut *stream).poll_write(cx, bytes) {
            Poll::Pending => None,
            Poll::Ready(Ok(0)) => Some(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(taken) => Some(taken),
        })?;
        self.is_flushed &= !written;
        if !self.is_flushed
            && let Poll::Ready(flushed) = Pin::new(&mut self.stream).poll_flush(cx)
        {
            flushed?;
            self.is_flushed = true;
        }
        Ok(())
    }
}

// `….js.<number>` at the end: only our own subscription brings such subjects.
fn cluster_answer(subject: &str) -> Option<u64> {
    let (rest, number) = subject.rsplit_once('.')?;
    let (_, word) = rest.rsplit_once('.')?;
    (word == "js").then(|| number.parse().ok())?
}
