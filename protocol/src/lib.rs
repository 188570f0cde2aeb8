//! # protocol — what travels between the core and everything else
//!
//! A link carries frames; a frame is a prefix, a small header and an opaque
//! body. The core decodes headers only. Nothing here opens a socket of its own
//! except the clients.
//!
//! | module | holds |
//! |---|---|
//! | [`address`] | every address form of the field, one canonical spelling each |
//! | [`message`] | the message header and its kinds |
//! | [`frame`] | one enum per direction: what a host may say, what the core may say |
//! | [`codec`] | frames ⇄ bytes; the only user of the header codec |
//! | [`limits`] | every bound of the wire, each with its reason |
//! | [`code`] | the numbers of replies |
//! | [`version`] | what two builds must agree on before they talk |
//! | [`api`] | the JSON bodies that the core's rooms understand |
//! | [`dial`] | how a component comes by a socket of the network |
//! | [`slot`] | memory through which large bodies go past the core |
//! | [`nursery`] | what the supervisor asks of the process that starts sandboxes |
//! | [`client`] | the library for applications and native components |

pub mod address;
pub mod api;
pub mod client;
pub mod code;
pub mod codec;
pub mod dial;
pub mod frame;
pub mod limits;
pub mod message;
pub mod nursery;
pub mod slot;
pub mod version;

pub use address::Address;
pub use code::Code;
pub use frame::{CoreFrame, HostFrame};
pub use message::{Message, MessageKind, Reply};

/// Compiles the examples of the README.
#[cfg(all(doctest, feature = "async"))]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
