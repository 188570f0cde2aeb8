//! The book of the domain: which runtime has an address, and which hear a channel.
//!
//! | key | says |
//! |---|---|
//! | `own.<address>.<runtime>` | the runtime has the address, and all below it |
//! | `sub.<channel>.<runtime>` | the runtime hears what is told there |
//! | `block.<key>.<runtime>` | addresses that the runtime was given under a key |
//!
//! The last word of a key is the writer: permissions let a runtime write no other.
//! Two claims for one address: the earlier one holds, by the number that the
//! cluster gave it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Address;
use serde::{Deserialize, Serialize};

use super::limits::{CHANNEL_RUNTIMES_MAX, CLAIM_AGAIN};
use crate::client::{Api, Entry, JetStream, JetStreamError, Table};
use crate::names::{NotToken, address_token, text_token};

/// Why the book does not say it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotBooked {
    /// Somebody else has the address.
    #[error("the address `{0}` is another runtime's: `{1}`")]
    Taken(String, String),
    /// It cannot be a key.
    #[error(transparent)]
    Name(#[from] NotToken),
    /// The cluster did not do it.
    #[error("the cluster does not say whose address it is: {0}")]
    Cluster(#[from] JetStreamError),
}

/// What stands under a claim.
#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    address: String,
    /// Seconds since 1970 by the clock of the runtime that claims.
    since: u64,
}

/// The book.
#[derive(Debug, Clone)]
pub(super) struct Book {
    table: Table,
    runtime: Rc<str>,
    shown: Rc<RefCell<Vec<Shown>>>,
}

/// An address of this runtime, or a channel that it hears, has shown itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is here.
    Here(Rc<str>),
    /// It is not any more.
    Gone(Rc<str>),
}

impl Book {
    pub(super) fn new(api: &Api) -> Self {
        let names = api.names();
        Self {
            table: Table::new(JetStream::new(api.clone()), names.book()),
            runtime: names.runtime().into(),
            shown: Rc::default(),
        }
    }

    /// What has shown itself since this was asked last.
    pub(super) fn shown(&self) -> Vec<Shown> {
        std::mem::take(&mut self.shown.borrow_mut())
    }

    fn here(&self, address: &Address) {
        self.shown
            .borrow_mut()
            .push(Shown::Here(address.as_str().into()));
    }

    fn gone(&self, address: &Address) {
        self.shown
            .borrow_mut()
            .push(Shown::Gone(address.as_str().into()));
    }

    pub(super) const fn table(&self) -> &Table {
        &self.table
    }

    /// Claims an address for this runtime; fails when it is another's.
    pub(super) async fn claim(&self, address: &Address) -> Result<(), NotBooked> {
        let word = address_token(address)?;
        let key = format!("own.{word}.{}", self.runtime);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let claim = Claim {
            address: address.as_str().to_owned(),
            since: now.as_secs(),
        };
        let text = serde_json::to_vec(&claim).unwrap_or_default();
        if self.table.create(&key, &text).await?.is_none() {
            self.renew(&key, &text, now.as_secs()).await?;
        }
        match self.owner_of(&word).await? {
            Some(owner) if owner != self.runtime => {
                // A claim that does not hold only clutters the book.
                self.table.delete(&key).await?;
                Err(NotBooked::Taken(claim.address, owner.to_string()))
            }
            _ => {
                self.here(address);
                Ok(())
            }
        }
    }

    async fn renew(&self, key: &str, text: &[u8], now: u64) -> Result<(), NotBooked> {
        let known = self.table.get(key).await?;
        let known = known.and_then(|entry| serde_json::from_slice::<Claim>(&entry.value).ok());
        let is_old = |claim: &Claim| now.saturating_sub(claim.since) > CLAIM_AGAIN.as_secs();
        if known.as_ref().is_none_or(is_old) {
            self.table.put(key, text).await?;
        }
        Ok(())
    }

    /// Gives an address up.
    pub(super) async fn release(&self, address: &Address) -> Result<(), NotBooked> {
        let key = format!("own.{}.{}", address_token(address)?, self.runtime);
        self.table.delete(&key).await?;
        self.gone(address);
        Ok(())
    }

    /// The runtime that has an address.
    pub(super) async fn owner(&self, address: &Address) -> Result<Option<Rc<str>>, NotBooked> {
        self.owner_of(&address_token(address)?).await
    }

    async fn owner_of(&self, word: &str) -> Result<Option<Rc<str>>, NotBooked> {
        let claims = self.table.find(&format!("own.{word}.*")).await?;
        let first = claims.iter().min_by_key(|entry| entry.seq);
        Ok(first.and_then(writer))
    }

    /// This runtime hears a channel from now on.
    pub(super) async fn hear(&self, channel: &Address) -> Result<(), NotBooked> {
        let key = format!("sub.{}.{}", address_token(channel)?, self.runtime);
        self.table.put(&key, channel.as_str().as_bytes()).await?;
        self.here(channel);
        Ok(())
    }

    /// It does not hear it any more.
    pub(super) async fn ignore(&self, channel: &Address) -> Result<(), NotBooked> {
        let key = format!("sub.{}.{}", address_token(channel)?, self.runtime);
        self.table.delete(&key).await?;
        self.gone(channel);
        Ok(())
    }

    /// The runtimes that hear a channel.
    pub(super) async fn hearers(&self, channel: &Address) -> Result<Rc<[Rc<str>]>, NotBooked> {
        let pattern = format!("sub.{}.*", address_token(channel)?);
        let found = self.table.find(&pattern).await?;
        Ok(found
            .iter()
            .filter_map(writer)
            .take(CHANNEL_RUNTIMES_MAX)
            .collect())
    }

    /// The addresses that were given out under a key, or these from now on.
    pub(super) async fn block(
        &self,
        key: &str,
        fresh: Vec<String>,
    ) -> Result<Vec<String>, NotBooked> {
        let key = format!("block.{}.{}", text_token(key)?, self.runtime);
        let text = serde_json::to_vec(&fresh).unwrap_or_default();
        if self.table.create(&key, &text).await?.is_some() {
            return Ok(fresh);
        }
        let known = self.table.get(&key).await?;
        let known = known.and_then(|entry| serde_json::from_slice(&entry.value).ok());
        // Written again, so that a block that is used does not end.
        let block: Vec<String> = known.unwrap_or(fresh);
        let text = serde_json::to_vec(&block).unwrap_or_default();
        self.table.put(&key, &text).await?;
        Ok(block)
    }

    /// Gives a block back; the addresses that were in it.
    pub(super) async fn unblock(&self, key: &str) -> Result<Vec<String>, NotBooked> {
        let key = format!("block.{}.{}", text_token(key)?, self.runtime);
        let known = self.table.get(&key).await?;
        let known = known.and_then(|entry| serde_json::from_slice(&entry.value).ok());
        self.table.delete(&key).await?;
        Ok(known.unwrap_or_default())
    }
}

/// The channel of a change in the book, by the subject that it was written to.
pub(super) fn changed(subject: &str, book: &str) -> Option<Address> {
    let rest = subject.strip_prefix("$KV.")?.strip_prefix(book)?;
    let (word, _) = rest.strip_prefix(".sub.")?.split_once('.')?;
    crate::names::address_of(word)
}

// Who wrote an entry: the last word of its key.
fn writer(entry: &Entry) -> Option<Rc<str>> {
    entry.key.rsplit('.').next().map(Into::into)
}
