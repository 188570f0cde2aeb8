//! What stands behind a node: a file of its own, or NATS shared with others.

use std::path::PathBuf;

use protocol::Address;

use super::nats::Nats;
use super::store::{Keeper, Write};
use crate::event::{Text, Ticket};
use crate::rows::Row;

/// Why there is nothing to stand on.
#[derive(Debug, thiserror::Error)]
pub enum BackingError {
    /// The directory.
    #[error("cannot make the directory `{path}`: {source}; choose another with `--data-dir`")]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file.
    #[error(
        "cannot open the store `{path}`: {source}; end the other node that has it, or choose another directory with `--data-dir`"
    )]
    Open {
        /// Which.
        path: PathBuf,
        /// What the library said.
        source: redb::Error,
    },
    /// A newer build wrote it.
    #[error(
        "the store `{path}` has version {found}, this build knows {known}: run the newer build, or move the file away"
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// The thread that writes it.
    #[error("cannot start the store's thread: {0}")]
    Thread(std::io::Error),
    /// NATS.
    #[error("cannot {doing} at `{url}`: {why}")]
    Nats {
        /// What was tried.
        doing: &'static str,
        /// Where.
        url: String,
        /// What went wrong.
        why: String,
    },
}

/// One of the two.
#[derive(Debug)]
pub(super) enum Backing {
    File(Keeper),
    Nats(Nats),
}

impl Backing {
    pub(super) fn persist(&self, ticket: Ticket, rows: Vec<Row>) {
        match self {
            Self::File(keeper) => keeper.write(Write { ticket, rows }),
            Self::Nats(nats) => nats.persist(ticket, rows),
        }
    }

    pub(super) fn follow(&self, base: Address) {
        if let Self::Nats(nats) = self {
            nats.follow(base);
        }
    }

    pub(super) fn unfollow(&self, base: Address) {
        if let Self::Nats(nats) = self {
            nats.unfollow(base);
        }
    }

    /// False when the other nodes cannot be told: there are none, or too much waits.
    pub(super) fn relay(&self, ticket: Option<Ticket>, base: Address, text: Text) -> bool {
        match self {
            Self::File(_) => false,
            Self::Nats(nats) => nats.relay(ticket, base, text),
        }
    }

    /// Waits until everything is written.
    pub(super) async fn finish(self) {
        match self {
            // It is the last that this thread does, and ends by itself.
            Self::File(keeper) => keeper.finish(),
            Self::Nats(nats) => nats.finish().await,
        }
    }
}
