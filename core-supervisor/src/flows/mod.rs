//! The flows: what happens, step by step, across rooms. One public function per
//! step, in the order of time.

pub(crate) mod address;
pub(crate) mod begin;
pub(crate) mod connect;
pub(crate) mod deliver;
pub(crate) mod deploy;
pub(crate) mod dial;
pub(crate) mod heartbeat;
pub(crate) mod hold;
pub(crate) mod judge;
pub(crate) mod late;
pub(crate) mod lend;
pub(crate) mod listen;
pub(crate) mod load;
pub(crate) mod observe;
pub(crate) mod orphan;
pub(crate) mod persist;
pub(crate) mod profile;
pub(crate) mod reason;
pub(crate) mod refuse;
pub(crate) mod registration;
pub(crate) mod reload;
pub(crate) mod respond;
pub(crate) mod serve;
pub(crate) mod serve_admin;
pub(crate) mod serve_allocation;
pub(crate) mod serve_discovery;
pub(crate) mod serve_registry;
pub(crate) mod serve_storage;
pub(crate) mod serve_subscriptions;
pub(crate) mod stop;
pub(crate) mod supervise;
pub(crate) mod sync;
pub(crate) mod undeploy;
