//! The rooms: the core components of the field. Each owns its state and is
//! *called*, never mailed; rooms do not know rooms (invariant I7).

pub mod allocation;
pub mod bus;
pub mod catalogue;
pub mod connections;
pub mod discovery;
pub mod policy;
pub mod registry;
pub mod sandboxes;
pub mod storage;
pub mod subscriptions;
pub mod sync;
pub mod user_agent;
