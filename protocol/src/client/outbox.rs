//! What a peer says: frames gather here until they are flushed.

use std::collections::VecDeque;
use std::time::Duration;

use super::dials::Dials;
use super::error::Error;
use super::rpc::Books;
use super::slots::Lent;
use crate::code::Code;
use crate::codec::TooLarge;
use crate::frame::{HostFrame, Log, LogLevel};
use crate::limits::{LOG_BYTES_MAX, REPLY_WAIT_MS_MAX, SLOT_FROM_BYTES};
use crate::message::{Message, MessageKind, Reply};

/// Above this many gathered bytes a flush is worth its system call.
///
/// Larger batches were not faster; smaller ones cost a call more often.
pub(super) const FLUSH_BYTES: usize = 64 * 1024;

// What a log line ends with that was too long.
const CUT: &str = " … (cut)";

/// The send buffer of a link, and the requests that wait for their answers.
///
/// Nothing here touches the socket: what is said is written by the next
/// `flush`, or by the next `recv` that has to wait.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
    last_id: u64,
    // In ascending order, since ids come from a counter: found by halving, and
    // usually at the front. Keeps its memory, hashes nothing.
    pending: VecDeque<u64>,
    address: String,
    is_component: bool,
    lent: Lent,
    pub(super) dials: Dials,
    pub(super) books: Books,
}

impl Outbox {
    /// Sends a message that wants no answer.
    pub fn send(&mut self, kind: MessageKind<'_>, to: &str, body: &[u8]) -> Result<(), Error> {
        self.say(kind, to, body, Reply::Unwanted).map(|_| ())
    }

    /// Sends a request and returns its number; the answer comes by `recv`.
    ///
    /// The core answers 408 itself when nobody else does within the time.
    pub fn ask(
        &mut self,
        kind: MessageKind<'_>,
        to: &str,
        body: &[u8],
        within: Duration,
    ) -> Result<u64, Error> {
        let wait = u32::try_from(within.as_millis()).unwrap_or(REPLY_WAIT_MS_MAX);
        let reply = Reply::Within(wait.clamp(1, REPLY_WAIT_MS_MAX));
        let id = self.say(kind, to, body, reply)?;
        self.pending.push_back(id);
        Ok(id)
    }

    /// Sends a message as it stands: sender, number and expectation are the caller's.
    ///
    /// For senders that are below the own address. The answer to a request sent
    /// this way arrives as a message, since its number is not this link's.
    pub fn post(&mut self, message: &Message<'_>) -> Result<(), Error> {
        Ok(put(message, &mut self.lent, &mut self.bytes)?)
    }

    /// Answers a message; does nothing when it wants no answer.
    ///
    /// A message that was only listened to is answered from the own address,
    /// because nobody may speak for another.
    pub fn reply(&mut self, message: &Message<'_>, code: Code, body: &[u8]) -> Result<(), Error> {
        if !message.header.kind.is_request() || message.header.reply == Reply::Unwanted {
            return Ok(());
        }
        let mut answer = message.answer(code, body);
        if !self.is_own(answer.header.from) {
            answer.header.from = &self.address;
        }
        Ok(put(&answer, &mut self.lent, &mut self.bytes)?)
    }

    /// Asks for the messages to `address` as well; `Listening` tells whether it may.
    pub fn listen(&mut self, address: &str) -> Result<(), Error> {
        let component = self.address.as_str();
        Ok(HostFrame::Listen { component, address }.encode(&mut self.bytes)?)
    }

    /// Takes a `listen` back.
    pub fn unlisten(&mut self, address: &str) -> Result<(), Error> {
        let component = self.address.as_str();
        Ok(HostFrame::Unlisten { component, address }.encode(&mut self.bytes)?)
    }

    /// Writes a line to the component's log; a long one is cut, and says so.
    ///
    /// [`Error::NoLog`] on the link of an application or of the operator: the core
    /// keeps the logs of sandboxes only, and would cut the link.
    pub fn log(&mut self, level: LogLevel, text: &str) -> Result<(), Error> {
        if !self.is_component {
            return Err(Error::NoLog);
        }
        let component = self.address.as_str();
        let place = "";
        let log = Log {
            component,
            level,
            place,
        };
        if text.len() <= LOG_BYTES_MAX {
            return Ok(HostFrame::Log(log, text.as_bytes()).encode(&mut self.bytes)?);
        }
        let kept = text.floor_char_boundary(LOG_BYTES_MAX - CUT.len());
        let text = format!("{}{CUT}", text.get(..kept).unwrap_or_default());
        Ok(HostFrame::Log(log, text.as_bytes()).encode(&mut self.bytes)?)
    }

    /// Requests that wait for their answer.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    fn say(
        &mut self,
        kind: MessageKind<'_>,
        to: &str,
        body: &[u8],
        reply: Reply,
    ) -> Result<u64, Error> {
        let id = self.last_id + 1;
        let message = Message::new(kind, &self.address, to, body)
            .with_id(id)
            .expecting(reply);
        put(&message, &mut self.lent, &mut self.bytes)?;
        self.last_id = id;
        Ok(id)
    }

    // By text: another spelling of the own address is answered from the own
    // address, which every requester accepts (spec messaging §1.4).
    fn is_own(&self, address: &str) -> bool {
        match address.strip_prefix(self.address.as_str()) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }
}

// What the links do with it.
impl Outbox {
    /// The slots that may be written, and where frames about them go.
    pub(super) const fn slots(&mut self) -> (&mut Lent, &mut Vec<u8>) {
        (&mut self.lent, &mut self.bytes)
    }

    /// Whether descriptors may come with what is read.
    pub(super) const fn awaits_descriptors(&self) -> bool {
        self.lent.is_told() || self.dials.is_used()
    }

    /// A large body was sent or came: from now on slots are worth having.
    pub(super) fn saw_body(&mut self, bytes: usize) {
        if bytes > SLOT_FROM_BYTES {
            self.lent.tell(&mut self.bytes);
        }
    }

    pub(super) fn say_frame(&mut self, frame: &HostFrame<'_>) -> Result<(), Error> {
        Ok(frame.encode(&mut self.bytes)?)
    }

    pub(super) fn become_address(&mut self, address: &str) {
        address.clone_into(&mut self.address);
    }

    pub(super) const fn become_component(&mut self) {
        self.is_component = true;
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn unsent(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() - self.sent >= FLUSH_BYTES
    }

    pub(super) fn mark_sent(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent >= self.bytes.len() {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
    }

    pub(super) fn is_pending(&self, id: u64) -> bool {
        self.pending.binary_search(&id).is_ok()
    }

    pub(super) fn settle(&mut self, id: u64) {
        if let Ok(at) = self.pending.binary_search(&id) {
            self.pending.remove(at);
        }
    }
}

// By a slot when it is large and there is one, else by stream.
fn put(message: &Message<'_>, lent: &mut Lent, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    if message.body.len() <= SLOT_FROM_BYTES {
        return HostFrame::Send(*message).encode(out);
    }
    if lent.put(message, out) {
        return Ok(());
    }
    HostFrame::Send(*message).encode(out)?;
    lent.tell(out);
    Ok(())
}
