//! What the stub knows: who waits for what, between two turns of its loop.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use protocol::client::Outbox;
use protocol::frame::LogLevel;
use protocol::message::{Message, Reply};
use protocol::{Address, Code, MessageKind};
use tokio::sync::mpsc;

use super::answer::Answer;
use super::asked::AllAsked;
use super::book::{Book, NotBooked};
use super::envelope::Held;
use super::kept::Kept;
use super::known::Known;
use super::letters::{Letters, Sent};
use super::limits::{JOBS_MAX, PARKED_BYTES_MAX, PARKED_MAX};
use super::registry::{Registered, Registry};
use super::seen::Seen;
use super::sleeping::Sleeping;
use crate::client::{Api, JetStream, JetStreamError, Mailbox};

/// What was worked on beside the loop, and is done.
#[derive(Debug)]
pub(super) enum Done {
    /// The tables and the mailbox are there.
    Ready(Result<(), JetStreamError>),
    /// An address is this runtime's.
    Claimed(Rc<str>, Result<(), NotBooked>),
    /// Whose an address is.
    Owner(Rc<str>, Result<Option<Rc<str>>, NotBooked>),
    /// Who hears a channel.
    Hearers(Rc<str>, Result<Rc<[Rc<str>]>, NotBooked>),
    /// An answer of the node or of the registry.
    Answered(Box<(Held, Registered)>),
    /// What became of a letter.
    Sent(Sent),
}

/// A message that waits for something.
#[derive(Debug)]
pub(super) enum Waiting {
    /// Of this runtime.
    Out(Held),
    /// Of another one.
    In(Inbound),
}

impl Waiting {
    pub(super) const fn held(&self) -> &Held {
        match self {
            Self::Out(held) => held,
            Self::In(inbound) => &inbound.held,
        }
    }
}

/// A message of another runtime.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) held: Held,
    /// The runtime that published it: the server has checked that.
    pub(super) runtime: Rc<str>,
    /// Where it expects an answer.
    pub(super) answer_at: Option<String>,
    /// How it is acknowledged, when somebody waits for that.
    pub(super) receipt: Option<Receipt>,
    /// What it is known by, when it may come twice.
    pub(super) identifier: Option<Rc<str>>,
}

/// Where a message is acknowledged once the core has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Receipt {
    /// To the store that handed it out.
    Stored(String),
    /// To the runtime that sent it.
    Sent(String),
}

/// A request of this runtime that another one has to answer.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) id: u64,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) runtime: Rc<str>,
    pub(super) until: Instant,
    /// Whether its sender gave no time, and gives its place to a newer one.
    pub(super) is_untimed: bool,
    /// What is stored when the other runtime turns out to be away.
    pub(super) kept: Option<Kept>,
}

/// The request for stored messages that stands.
#[derive(Debug)]
pub(super) struct Pulling {
    pub(super) number: u64,
    pub(super) left: u32,
    pub(super) until: Instant,
}

/// Everything the stub knows.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) domain: Rc<str>,
    pub(super) address: String,
    pub(super) api: Api,
    pub(super) stream: JetStream,
    pub(super) book: Book,
    pub(super) registry: Registry,
    pub(super) mailbox: Mailbox,
    pub(super) claims: Known<(), Waiting>,
    pub(super) owners: Known<Option<Rc<str>>, Waiting>,
    pub(super) hearers: Known<Rc<[Rc<str>]>, Waiting>,
    pub(super) letters: Letters,
    pub(super) awaited: BTreeMap<u64, Awaited>,
    pub(super) asked: AllAsked,
    pub(super) seen: Seen,
    pub(super) sleeping: Sleeping,
    pub(super) pulling: Option<Pulling>,
    /// What came before the cluster was ready, in order.
    pub(super) early: VecDeque<Held>,
    /// Acknowledgements that are due once the core has what they are for.
    pub(super) receipts: Vec<Receipt>,
    pub(super) is_ready: bool,
    pub(super) setup_again: Option<Instant>,
    pub(super) done: mpsc::UnboundedSender<Done>,
    pub(super) jobs: usize,
    pub(super) parked: usize,
    pub(super) parked_bytes: usize,
    pub(super) refused: u64,
}

impl Desk {
    pub(super) fn new(
        domain: &str,
        address: &str,
        api: Api,
        done: mpsc::UnboundedSender<Done>,
    ) -> Self {
        let stream = JetStream::new(api.clone());
        let book = Book::new(&api);
        Self {
            domain: domain.into(),
            address: address.to_owned(),
            registry: Registry::new(&api, book.clone(), domain),
            mailbox: Mailbox::new(stream.clone()),
            stream,
            book,
            claims: Known::default(),
            owners: Known::default(),
            hearers: Known::default(),
            letters: Letters::new(api.names().runtime()),
            awaited: BTreeMap::new(),
            asked: AllAsked::default(),
            seen: Seen::default(),
            sleeping: Sleeping::default(),
            pulling: None,
            early: VecDeque::new(),
            receipts: Vec::new(),
            is_ready: false,
            setup_again: None,
            done,
            jobs: 0,
            parked: 0,
            parked_bytes: 0,
            refused: 0,
            api,
        }
    }

    /// Does something beside the loop; false when too much is under way.
    pub(super) fn job(&mut self, work: impl Future<Output = Done> + 'static) -> bool {
        if self.jobs >= JOBS_MAX {
            return false;
        }
        self.jobs += 1;
        let done = self.done.clone();
        tokio::task::spawn_local(async move {
            // The loop is gone: so is everything else.
            let _ = done.send(work.await);
        });
        true
    }

    /// Whether another message may wait; it is counted when it may.
    pub(super) fn park(&mut self, held: &Held) -> bool {
        let bytes = held.bytes();
        let has_room =
            self.parked < PARKED_MAX && self.parked_bytes.saturating_add(bytes) <= PARKED_BYTES_MAX;
        if has_room {
            self.parked += 1;
            self.parked_bytes += bytes;
        }
        has_room
    }

    /// It does not wait any more.
    pub(super) fn unpark(&mut self, held: &Held) {
        self.parked = self.parked.saturating_sub(1);
        self.parked_bytes = self.parked_bytes.saturating_sub(held.bytes());
    }

    /// Refuses a message of this runtime, if its sender wants an answer.
    pub(super) fn refuse(
        &mut self,
        message: &Message<'_>,
        code: Code,
        reason: &str,
        out: &mut Outbox,
    ) {
        let header = &message.header;
        if super::outgoing::is_answered(message) {
            post_answer(message, &Answer::refusal(code, reason), out);
            return;
        }
        self.lost(
            &format!("a message to `{}` was not sent: {reason}", header.to),
            out,
        );
    }

    /// A message that nobody can be told about otherwise is told in the log.
    pub(super) fn lost(&mut self, reason: &str, out: &mut Outbox) {
        self.refused += 1;
        // Every one at first; a flood of them by its powers of two.
        if self.refused.is_power_of_two() || self.refused < 16 {
            log(
                out,
                LogLevel::Warn,
                &format!("{reason} ({} so far)", self.refused),
            );
        }
    }

    /// The stub's status (spec messaging §5.9).
    pub(super) fn status(&self, value: &str, desc: &str, out: &mut Outbox) {
        let body = serde_json::json!({ "value": value, "desc": desc }).to_string();
        let to = format!("{}/status", self.address);
        let level = match value {
            "failed" | "disconnected" => LogLevel::Warn,
            _ => LogLevel::Info,
        };
        log(out, level, &format!("{value}: {desc}"));
        let _ = out.send(MessageKind::Update, &to, body.as_bytes());
    }

    /// Gives up what nobody waits for any more.
    pub(super) fn sweep(&mut self, out: &mut Outbox) {
        let now = Instant::now();
        self.store_overdue(out);
        // Whoever gave a time has been answered by the core.
        self.awaited.retain(|_, awaited| awaited.until > now);
        self.asked.forget_overdue(now);
        if self.setup_again.is_some_and(|at| at <= now) && self.api.is_up() {
            self.setup_again = None;
            self.set_up();
        }
        let is_over = |pulling: &Pulling| pulling.until <= now;
        if self.is_ready && self.pulling.as_ref().is_none_or(is_over) {
            self.pull(out);
        }
        self.send_letters();
    }

    pub(super) fn send_letters(&mut self) {
        if self.is_ready {
            let done = self.done.clone();
            let tell = move |sent| {
                let _ = done.send(Done::Sent(sent));
            };
            self.letters.send(&self.stream, &tell);
        }
    }
}

/// How long an answer is kept a place for.
pub(super) fn wait_of(reply: Reply) -> Duration {
    match reply {
        Reply::Within(ms) => Duration::from_millis(ms.into()),
        Reply::Untimed | Reply::Unwanted => super::limits::ANSWER_KEPT,
    }
}

/// Answers a message of this runtime in the name of whom it was for.
pub(super) fn post_answer(message: &Message<'_>, answer: &Answer, out: &mut Outbox) {
    let _ = out.post(&message.answer(answer.code, &answer.body));
}

pub(super) fn log(out: &mut Outbox, level: LogLevel, text: &str) {
    let _ = out.log(level, text);
}

/// The address that `text` is, when it is one.
pub(super) fn parse(text: &str) -> Option<Address> {
    text.parse().ok()
}
