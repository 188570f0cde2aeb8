//! What a link remembers of calls in both directions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::handles::{self, Called, Dropped, Queue, THROWN};
use super::{Callback, api};
use crate::api::rpc::{self, Changed, Release, Request, Thrown};
use crate::client::error::Error;
use crate::client::outbox::Outbox;
use crate::code::Code;
use crate::codec::{self, DELIVER};
use crate::frame::CoreFrame;
use crate::limits::REPLY_WAIT_MS_MAX;
use crate::message::{Message, MessageKind, Reply};

/// Callbacks and watches of one link. A link that calls nobody has empty ones.
#[derive(Debug, Default)]
pub(in crate::client) struct Books {
    is_used: bool,
    last: u64,
    /// Our callbacks, and whose they are.
    lent: BTreeMap<String, String>,
    /// Requests that nobody answers until their receiver ends.
    watches: BTreeMap<u64, String>,
    queue: Arc<Queue>,
}

impl Books {
    pub(in crate::client) const fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// From now on the link looks at what comes to its API.
    pub(in crate::client) const fn open(&mut self) {
        self.is_used = true;
    }

    fn is_lent_to(&self, id: &str, address: &str) -> bool {
        let peer = self.lent.get(id).map(String::as_str);
        peer.is_some_and(|peer| peer == address || api(peer) == address)
    }
}

// What comes and goes of calls.
impl Outbox {
    /// Makes something that the hyperty at `peer` may call.
    pub(in crate::client) fn callback(
        &mut self,
        peer: &str,
        name: &str,
    ) -> Result<Callback, Error> {
        let known = self.books.watches.iter().find(|(_, known)| *known == peer);
        let watch = match known {
            Some((watch, _)) => *watch,
            None => self.watch(peer)?,
        };
        self.books.last += 1;
        let id = format!("{name}-{}", self.books.last);
        self.books.lent.insert(id.clone(), peer.to_owned());
        Ok(Callback {
            id,
            name: name.to_owned(),
            watch,
            queue: Arc::clone(&self.books.queue),
        })
    }

    fn watch(&mut self, peer: &str) -> Result<u64, Error> {
        let within = Duration::from_millis(u64::from(REPLY_WAIT_MS_MAX));
        let watch = self.ask(MessageKind::Execute, &api(peer), WATCH, within)?;
        self.books.watches.insert(watch, peer.to_owned());
        Ok(watch)
    }

    /// The call of a callback, if that is what a message is.
    ///
    /// What of its arguments stays at the hyperty is held by [`Called::references`].
    pub fn called(&self, message: &Message<'_>) -> Option<Called> {
        let header = message.header;
        if header.kind != MessageKind::Execute || !self.is_own_api(header.to) {
            return None;
        }
        let request: Request = serde_json::from_slice(message.body).ok()?;
        let args = request.args.unwrap_or_default();
        let peer = header.from.strip_suffix("/api").unwrap_or(header.from);
        let references = args
            .iter()
            .flat_map(|value| handles::references(value, peer, &self.books.queue))
            .collect();
        Some(Called {
            callback: request.reference?,
            args,
            references,
            from: header.from.to_owned(),
            to: header.to.to_owned(),
            id: header.id,
            reply: header.reply,
        })
    }

    /// The changes of a data object that was lent, if that is what a message tells.
    pub fn changed(&self, message: &Message<'_>) -> Option<Changed> {
        let header = message.header;
        if header.kind != MessageKind::Event || !self.is_own_api(header.to) {
            return None;
        }
        serde_json::from_slice(message.body).ok()
    }

    /// Answers the call of a callback, with a value or as if it had thrown.
    pub fn answer_call(
        &mut self,
        called: &Called,
        outcome: Result<&Value, &Thrown>,
    ) -> Result<(), Error> {
        let (code, body) = match outcome {
            Ok(value) => (Code::OK, json!({ "code": Code::OK.0, "value": value })),
            Err(error) => {
                let desc = format!("it threw {}: {}", error.name, error.message);
                (
                    THROWN,
                    json!({ "code": THROWN.0, "desc": desc, "error": error }),
                )
            }
        };
        let message = Message::new(MessageKind::Execute, &called.from, &called.to, &[])
            .with_id(called.id)
            .expecting(called.reply);
        self.reply(&message, code, body.to_string().as_bytes())
    }

    /// Says what was dropped since it was said last.
    pub(in crate::client) fn tell_dropped(&mut self) -> Result<(), Error> {
        self.tell_closed()?;
        if !self.books.is_used {
            return Ok(());
        }
        let mut by_peer: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for dropped in self.books.queue.take() {
            match dropped {
                Dropped::Reference { peer, id } => {
                    *by_peer.entry(peer).or_default().entry(id).or_default() += 1;
                }
                Dropped::Callback { id } => {
                    self.books.lent.remove(&id);
                }
            }
        }
        for (peer, counts) in by_peer {
            let release = counts.into_iter().collect();
            let body = serde_json::to_vec(&Release { release }).unwrap_or_default();
            self.send(MessageKind::Event, &api(&peer), &body)?;
        }
        Ok(())
    }

    fn is_own_api(&self, to: &str) -> bool {
        let rest = to.strip_prefix(self.address());
        rest.and_then(|rest| rest.strip_prefix('/')) == Some(rpc::PATH)
    }
}

const WATCH: &[u8] = br#"{"watch":true}"#;

/// Deals with a frame that is between the two libraries and no caller's business.
pub(in crate::client) fn is_housekeeping(
    out: &mut Outbox,
    raw: codec::RawFrame<'_>,
) -> Result<bool, Error> {
    if !out.books.is_used || raw.tag != DELIVER {
        return Ok(false);
    }
    let CoreFrame::Deliver(message) = CoreFrame::decode(raw)? else {
        return Ok(false);
    };
    let header = message.header;
    match header.kind {
        MessageKind::Response => watched(out, header.id, header.code),
        MessageKind::Event => Ok(out.is_own_api(header.to) && is_release(message.body)),
        MessageKind::Execute if out.is_own_api(header.to) => asked(out, &message),
        _ => Ok(false),
    }
}

// True when only the time of a watch was over.
fn watched(out: &mut Outbox, id: u64, code: Code) -> Result<bool, Error> {
    if !code.is_final() {
        return Ok(out.books.watches.contains_key(&id));
    }
    let Some(peer) = out.books.watches.remove(&id) else {
        return Ok(false);
    };
    let is_needed = out.books.lent.values().any(|known| *known == peer);
    if code != Code::TIMEOUT || !is_needed {
        out.books.lent.retain(|_, known| *known != peer);
        return Ok(false);
    }
    let from = out.address().to_owned();
    let to = api(&peer);
    let again = Message::new(MessageKind::Execute, &from, &to, WATCH)
        .with_id(id)
        .expecting(Reply::Within(REPLY_WAIT_MS_MAX));
    out.post(&again)?;
    out.books.watches.insert(id, peer);
    Ok(true)
}

// How often the peer received a callback is of no interest: its guard decides.
fn is_release(body: &[u8]) -> bool {
    serde_json::from_slice::<Release>(body).is_ok()
}

// True when nothing is left for the caller to do.
fn asked(out: &mut Outbox, message: &Message<'_>) -> Result<bool, Error> {
    let Ok(request) = serde_json::from_slice::<Request>(message.body) else {
        return Ok(false);
    };
    if request.watch {
        return Ok(true);
    }
    let Some(reference) = request.reference else {
        return Ok(false);
    };
    // What was dropped is gone, also for calls that were in line already.
    out.tell_dropped()?;
    if out.books.is_lent_to(&reference, message.header.from) {
        return Ok(false);
    }
    let desc = format!("the callback `{reference}` was taken back");
    let body = json!({ "code": Code::GONE.0, "desc": desc, "description": desc });
    out.reply(message, Code::GONE, body.to_string().as_bytes())?;
    Ok(true)
}
