//! What an application holds of a hyperty, and a hyperty of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::rpc::{Lent, Tag, lent_in};
use crate::client::error::Error;
use crate::client::session::Response;
use crate::code::Code;
use crate::message::Reply;

/// What was dropped and is to be told, or forgotten, when the link is used next.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    has_some: AtomicBool,
    list: Mutex<Vec<Dropped>>,
}

#[derive(Debug)]
pub(super) enum Dropped {
    /// A reference, received once, of this peer.
    Reference { peer: String, id: String },
    /// A callback of ours.
    Callback { id: String },
}

impl Queue {
    fn push(&self, dropped: Dropped) {
        // A panic elsewhere leaves the list whole: it is only pushed to and taken.
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(dropped);
        self.has_some.store(true, Ordering::Release);
    }

    pub(super) fn take(&self) -> Vec<Dropped> {
        if !self.has_some.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut list)
    }
}

/// What a call brought back.
#[derive(Debug)]
pub struct Returned {
    /// The value: JSON, with [`Tag`]s where JSON has no word.
    pub value: Value,
    /// Everything in it that stays at the hyperty, in the order of the text.
    /// Dropped, each is given back.
    pub references: Vec<Reference>,
}

impl Returned {
    /// Reads a value that is data.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Error> {
        serde_json::from_value(self.value).map_err(|source| Error::Body {
            doing: "read what was returned",
            source,
        })
    }

    /// The reference, when the value is one.
    pub fn into_reference(self) -> Option<Reference> {
        let is_one = matches!(Tag::read(&self.value), Some(Tag::Ref(_)));
        self.references.into_iter().next().filter(|_| is_one)
    }
}

/// Something that stays at a hyperty: a function, or an object with methods.
///
/// It is called through `Link::reference`. Dropped, it is given back when the link
/// is used next; the end of the link gives back all. When the hyperty is started
/// again it is worth nothing any more: a call is answered 410.
#[derive(Debug)]
pub struct Reference {
    peer: String,
    lent: Lent,
    queue: Arc<Queue>,
}

impl Reference {
    /// The address of the hyperty.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// Its name there.
    pub fn id(&self) -> &str {
        &self.lent.reference
    }

    /// What was told of it.
    pub const fn lent(&self) -> &Lent {
        &self.lent
    }

    /// Itself as an argument of a call to the same hyperty.
    pub fn to_value(&self) -> Value {
        let reference = self.lent.reference.clone();
        Tag::Back { reference }.to_value()
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.queue.push(Dropped::Reference {
            peer: std::mem::take(&mut self.peer),
            id: std::mem::take(&mut self.lent.reference),
        });
    }
}

/// One guard for each reference in a value of this peer.
pub(super) fn references(value: &Value, peer: &str, queue: &Arc<Queue>) -> Vec<Reference> {
    let guard = |lent| Reference {
        peer: peer.to_owned(),
        lent,
        queue: Arc::clone(queue),
    };
    lent_in(value).into_iter().map(guard).collect()
}

/// A function of ours that one hyperty may call. Dropped, it is 410 for it.
#[derive(Debug)]
pub struct Callback {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) watch: u64,
    pub(super) queue: Arc<Queue>,
}

impl Callback {
    /// Its name on the wire: [`Called::callback`] says the same.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Itself as an argument.
    pub fn to_value(&self) -> Value {
        let lent = Lent {
            reference: self.id.clone(),
            kind: "function".to_owned(),
            name: self.name.clone(),
            ..Lent::default()
        };
        Tag::Ref(lent).to_value()
    }

    /// Whether this answer says that the hyperty has ended, and will not call any more.
    pub const fn is_over(&self, response: &Response<'_>) -> bool {
        response.id == self.watch && response.code.is_final()
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        let id = std::mem::take(&mut self.id);
        self.queue.push(Dropped::Callback { id });
    }
}

/// A call of a [`Callback`]; to be answered with `Outbox::answer_call`.
#[derive(Debug)]
pub struct Called {
    /// Which callback.
    pub callback: String,
    /// The arguments: JSON, with [`Tag`]s where JSON has no word.
    pub args: Vec<Value>,
    /// Everything in them that stays at the hyperty.
    pub references: Vec<Reference>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) id: u64,
    pub(super) reply: Reply,
}

/// The number of an answer that carries an error of ours.
pub(super) const THROWN: Code = Code::FAILED;
