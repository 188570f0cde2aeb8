//! What the peers of the core hear.

use std::collections::VecDeque;

use core_supervisor::ids::SandboxId;
use protocol::Code;

/// What a peer of the core heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Message {
        kind: String,
        from: String,
        to: String,
        id: u64,
        code: Code,
        body: String,
    },
    Start {
        address: String,
    },
    Load {
        component: String,
    },
    Exec {
        component: String,
    },
    Unload {
        component: String,
    },
    Listening {
        address: String,
        code: Code,
    },
    Ping {
        token: u64,
    },
    Stop,
    Seed {
        component: String,
        items: String,
    },
    Welcome,
    /// What a frame says about a slot, and its number.
    Slot(&'static str, u64),
    /// What a frame says about a socket, and its numbers.
    Network(&'static str, u64, u64),
}

/// One end of a link that the world plays.
#[derive(Debug, Default)]
pub struct Side {
    pub sandbox: Option<SandboxId>,
    pub profile: String,
    pub heard: VecDeque<Heard>,
    pub nonce: [u8; 16],
    pub is_closed: bool,
    /// Bytes that it has not taken, while it was deaf.
    pub owed: usize,
}
