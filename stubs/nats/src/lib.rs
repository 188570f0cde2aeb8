//! The protocol stub of a domain whose message node is a NATS cluster.
//!
//! | module | is |
//! |---|---|
//! | [`wire`] | the NATS protocol, bytes in and bytes out, no socket |
//! | [`names`] | addresses as tokens, and every subject that is used |
//! | [`credentials`] | who a runtime is to the cluster, and the proof of it |
//! | [`client`] | one connection that comes back: requests, JetStream, tables |
//! | [`stub`] | the core on one side, the cluster on the other |
//!
//! The README draws how messages, addresses and registrations lie on subjects.

pub mod client;
pub mod credentials;
pub mod names;
pub mod stub;
pub mod wire;
