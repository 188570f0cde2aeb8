//! The library for applications, the command line and native components.
//!
//! | module | is |
//! |---|---|
//! | [`blocking`] | one socket, no thread, no async runtime: what a locked sandbox can afford |
//! | `tokio` (feature `async`) | the same for applications that live in tokio |
//! | [`Outbox`] | what a peer may say; coalesces until it is flushed |
//! | [`Incoming`] | what a peer is told, borrowed from the receive buffer |
//! | [`rpc`] | hyperties called as if they were here |
//!
//! Both share one core without input or output, so that they cannot differ in
//! what they accept. `recv` hands out the [`Outbox`] beside the incoming frame,
//! so that an answer can be written while the question is still borrowed:
//!
//! ```no_run
//! use protocol::Code;
//! use protocol::client::Incoming;
//! use protocol::client::blocking::Component;
//!
//! # fn main() -> Result<(), protocol::client::Error> {
//! let mut component = Component::attach()?;
//! loop {
//!     let (incoming, out) = component.recv()?;
//!     match incoming {
//!         Incoming::Message(message) => out.reply(&message, Code::OK, message.body)?,
//!         Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
//!         _ => {}
//!     }
//! }
//! # }
//! ```

pub mod blocking;
mod dials;
mod error;
mod inbox;
mod outbox;
mod receive;
mod room;
pub mod rpc;
mod session;
mod slots;
#[cfg(feature = "async")]
pub mod tokio;

pub use dials::{Connection, Dialled, Lease, Listener, Network, Place, SocketId};
pub use error::{Error, Failure};
pub use outbox::Outbox;
pub use session::{Incoming, Listening, Response};
