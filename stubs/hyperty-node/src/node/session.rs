//! # Sessions — which runtime has which connection
//!
//! Keeps:    runtime → token, connection, routes, claims and what waits for it
//! Holds:    a runtime has at most one session, a session at most one connection
//! Not here: what `open` may do (open.rs), who is told of what (routes.rs)

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::Address;

use crate::event::{LinkId, Text};
use crate::limits::{PARKED_BYTES_MAX, PARKED_MAX, PARKED_MS};
use crate::rows::SessionRow;

/// One runtime at this domain.
#[derive(Debug)]
pub(super) struct Session {
    /// The secret with which it is resumed.
    pub(super) token: String,
    /// The access token that opened it.
    pub(super) pass: Option<String>,
    /// The node that has it; messages for sessions of others are relayed.
    pub(super) home: String,
    /// Its connection.
    pub(super) link: Option<LinkId>,
    /// Since when it is without one.
    pub(super) away_since: u64,
    /// What it asked to be told of.
    pub(super) routes: BTreeSet<Address>,
    /// What it speaks for without having asked: by speaking.
    pub(super) claims: BTreeSet<Address>,
    parked: VecDeque<Parked>,
    parked_bytes: usize,
}

#[derive(Debug)]
struct Parked {
    until: u64,
    text: Text,
}

/// All of them.
pub(super) type Sessions = BTreeMap<Address, Session>;

impl Session {
    pub(super) fn new(row: SessionRow, now: u64) -> Self {
        Self {
            token: row.token,
            pass: row.pass,
            home: row.home,
            link: None,
            away_since: now,
            routes: BTreeSet::new(),
            claims: BTreeSet::new(),
            parked: VecDeque::new(),
            parked_bytes: 0,
        }
    }

    pub(super) fn row(&self) -> SessionRow {
        SessionRow {
            token: self.token.clone(),
            pass: self.pass.clone(),
            home: self.home.clone(),
        }
    }

    /// Keeps a message until the runtime is back; false when there is no room.
    pub(super) fn park(&mut self, text: Text, now: u64) -> bool {
        let bytes = self.parked_bytes + text.len();
        if self.parked.len() >= PARKED_MAX || bytes > PARKED_BYTES_MAX {
            return false;
        }
        self.parked_bytes = bytes;
        let until = now + PARKED_MS;
        self.parked.push_back(Parked { until, text });
        true
    }

    /// Takes all that waits, oldest first.
    pub(super) fn unpark(&mut self) -> Vec<Text> {
        self.parked_bytes = 0;
        self.parked.drain(..).map(|parked| parked.text).collect()
    }

    /// Takes what has waited for too long.
    pub(super) fn overdue(&mut self, now: u64) -> Vec<Text> {
        let mut overdue = Vec::new();
        while let Some(parked) = self.parked.pop_front_if(|parked| parked.until <= now) {
            self.parked_bytes -= parked.text.len();
            overdue.push(parked.text);
        }
        overdue
    }

    /// Messages that wait.
    pub(super) fn parked(&self) -> usize {
        self.parked.len()
    }
}
