//! Hyperties called as if they were here (`<address>/api`, [`crate::api::rpc`]).
//!
//! | type | is |
//! |---|---|
//! | [`Target`] | whose API is called, and at which member |
//! | [`Returned`] | what a call brought back, and the references in it |
//! | [`Reference`] | something that stays at the hyperty; dropped, it is given back |
//! | [`Callback`] | something of ours that a hyperty may call |
//! | [`Called`] | one such call, as it came by `recv` |
//! | [`Mirror`] | the copy of a data object that was lent, kept up to date |
//!
//! ```no_run
//! use protocol::client::Incoming;
//! use protocol::client::blocking::Client;
//! use serde_json::json;
//!
//! # fn run(client: &mut Client) -> Result<(), protocol::client::Error> {
//! let mut clock = client.hyperty("hyperty://app.example/3f0c");
//! let ticks = clock.call("ticks", &[])?.value;
//! let tick = clock.callback("tick")?;
//! clock.call("onTick", &[tick.to_value()])?;
//! loop {
//!     let (incoming, out) = client.recv()?;
//!     match incoming {
//!         Incoming::Message(message) => match out.called(&message) {
//!             Some(called) => out.answer_call(&called, Ok(&json!(null)))?,
//!             None => {}
//!         },
//!         Incoming::Response(response) if tick.is_over(&response) => return Ok(()),
//!         _ => {}
//!     }
//! }
//! # }
//! ```

mod books;
mod handles;
mod mirror;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

pub(super) use self::books::{Books, is_housekeeping};
use self::handles::Queue;
pub use self::handles::{Callback, Called, Reference, Returned};
pub use self::mirror::{Mirror, OutOfStep};
use super::error::Error;
use super::room;
use super::session::Response;
use crate::api::rpc::{self, Description, Request, Snapshot};
use crate::limits::REPLY_WAIT_MS;

/// How long a call waits for its answer when nothing else is said.
pub const CALL_WAIT: Duration = Duration::from_millis(REPLY_WAIT_MS as u64);

/// Whose API is called, and at which member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    peer: String,
    reference: Option<String>,
    path: Vec<String>,
}

impl Target {
    /// The instance of the component at this address.
    pub fn instance(address: &str) -> Self {
        Self {
            peer: address.to_owned(),
            reference: None,
            path: Vec::new(),
        }
    }

    /// What a reference stands for.
    pub fn reference(reference: &Reference) -> Self {
        Self {
            peer: reference.peer().to_owned(),
            reference: Some(reference.id().to_owned()),
            path: Vec::new(),
        }
    }

    /// The member at the end of these names.
    #[must_use]
    pub fn at(mut self, path: &[&str]) -> Self {
        self.path.extend(path.iter().map(ToString::to_string));
        self
    }

    /// The address of the component.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// The address that requests go to.
    pub fn api(&self) -> String {
        api(&self.peer)
    }

    /// Calls a method.
    pub fn call(&self, method: &str, args: &[Value]) -> Request {
        Request {
            method: Some(method.to_owned()),
            args: Some(args.to_vec()),
            ..self.bare()
        }
    }

    /// Calls the function that the reference stands for.
    pub fn apply(&self, args: &[Value]) -> Request {
        Request {
            args: Some(args.to_vec()),
            ..self.bare()
        }
    }

    /// Reads a member.
    pub fn get(&self, name: &str) -> Request {
        Request {
            get: Some(name.to_owned()),
            ..self.bare()
        }
    }

    /// Assigns a member.
    pub fn set(&self, name: &str, value: &Value) -> Request {
        Request {
            set: Some(name.to_owned()),
            value: Some(value.clone()),
            ..self.bare()
        }
    }

    /// Deletes a member.
    pub fn delete(&self, name: &str) -> Request {
        Request {
            delete: Some(name.to_owned()),
            ..self.bare()
        }
    }

    /// Asks a data object for its data.
    pub fn snapshot(&self) -> Request {
        Request {
            snapshot: true,
            ..self.bare()
        }
    }

    /// Asks what there is to call.
    pub fn describe(&self) -> Request {
        Request {
            describe: true,
            ..self.bare()
        }
    }

    fn bare(&self) -> Request {
        Request {
            reference: self.reference.clone(),
            path: self.path.clone(),
            ..Request::default()
        }
    }

    // What the answer to one of these requests brought.
    pub(super) fn returned(
        &self,
        response: Response<'_>,
        queue: &Arc<Queue>,
    ) -> Result<Returned, Error> {
        let value: Value = room::read(response)?;
        let references = handles::references(&value, &self.peer, queue);
        Ok(Returned { value, references })
    }
}

/// The same answer as a description.
pub(super) fn description(returned: Returned) -> Result<Description, Error> {
    serde_json::from_value(returned.value).map_err(|source| Error::Body {
        doing: "read the description",
        source,
    })
}

/// The same answer as the data of a data object.
pub(super) fn snapshot(returned: &Returned) -> Result<Snapshot, Error> {
    serde_json::from_value(rpc::untagged(&returned.value)).map_err(|source| Error::Body {
        doing: "read the snapshot",
        source,
    })
}

pub(super) fn api(address: &str) -> String {
    format!("{address}/{}", rpc::PATH)
}
