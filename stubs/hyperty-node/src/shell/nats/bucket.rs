//! The rows, in a JetStream bucket that all nodes of the domain watch.

use async_nats::jetstream;
use async_nats::jetstream::Context;
use async_nats::jetstream::kv::{Entry, Operation, Store, Watch};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use serde::{Deserialize, Serialize};

use super::{Client, Event, Letters, StreamExt, Told, word};
use crate::rows::{Row, Table};

/// What a value of the bucket holds.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    by: String,
    key: String,
    value: Option<String>,
}

/// The bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    store: Store,
    id: String,
}

impl Bucket {
    /// Opens the domain's bucket, or makes it, and reads it.
    pub(super) async fn open(
        client: &Client,
        domain: &str,
        id: &str,
        hub: Letters,
    ) -> Result<(Self, Vec<Row>), String> {
        let context = jetstream::new(client.clone());
        let name = format!("hyperty-node-{}", word(domain));
        let store = match context.get_key_value(&name).await {
            Ok(store) => store,
            Err(_) => make(&context, &name).await?,
        };
        let count = store.status().await.map_err(|error| error.to_string())?;
        let mut watch = store
            .watch_with_history(">")
            .await
            .map_err(|error| error.to_string())?;
        let mut rows = Vec::new();
        if count.values() > 0 {
            read_all(&mut watch, &mut rows).await?;
        }
        tokio::spawn(learn(watch, id.to_owned(), hub));
        let id = id.to_owned();
        Ok((Self { store, id }, rows))
    }

    /// Writes rows one after the other: a bucket knows no transactions.
    pub(super) async fn write(&self, rows: Vec<Row>) -> Result<(), String> {
        for row in rows {
            self.write_row(row).await?;
        }
        Ok(())
    }

    async fn write_row(&self, row: Row) -> Result<(), String> {
        let place = place(row.table, &row.key);
        let is_removal = row.value.is_none();
        let kept = Kept {
            by: self.id.clone(),
            key: row.key,
            value: row.value,
        };
        let text = serde_json::to_string(&kept).map_err(|error| error.to_string())?;
        if row.is_new {
            let created = self.store.create(&place, text.into()).await;
            return created.map(drop).map_err(|error| error.to_string());
        }
        let put = self.store.put(&place, text.into()).await;
        let revision = put.map_err(|error| error.to_string())?;
        if is_removal {
            // Someone may have written it anew: then it stays.
            let _ = self
                .store
                .delete_expect_revision(&place, Some(revision))
                .await;
        }
        Ok(())
    }
}

// As a stream (ADR-8 of NATS): the library's own way asks for limits of the account, in
// a form that servers before 2.10 do not answer in.
async fn make(context: &Context, name: &str) -> Result<Store, String> {
    let stream = Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        max_messages: -1,
        max_bytes: -1,
        max_message_size: -1,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        num_replicas: 1,
        ..Config::default()
    };
    let made = context.create_stream(stream).await;
    made.map_err(|error| error.to_string())?;
    let store = context.get_key_value(name).await;
    store.map_err(|error| error.to_string())
}

async fn read_all(watch: &mut Watch, rows: &mut Vec<Row>) -> Result<(), String> {
    while let Some(entry) = watch.next().await {
        let entry = entry.map_err(|error| error.to_string())?;
        let is_last = entry.delta == 0;
        rows.extend(row(&entry, ""));
        if is_last {
            break;
        }
    }
    Ok(())
}

// The library takes up the watch again after a reconnection.
async fn learn(mut watch: Watch, id: String, hub: Letters) {
    while let Some(entry) = watch.next().await {
        let told = match entry {
            Ok(entry) => row(&entry, &id),
            Err(error) => {
                tracing::warn!(%error, "cannot read from JetStream");
                continue;
            }
        };
        if let Some(row) = told
            && hub
                .send(Told::Event(Event::Learned(vec![row])))
                .await
                .is_err()
        {
            return;
        }
    }
}

// What another node wrote. Removals are told by the empty row before them.
fn row(entry: &Entry, id: &str) -> Option<Row> {
    if entry.operation != Operation::Put {
        return None;
    }
    let kept: Kept = serde_json::from_slice(&entry.value).ok()?;
    let (table, _) = entry.key.split_once('.')?;
    let table = Table::ALL.into_iter().find(|known| known.name() == table)?;
    (kept.by != id).then_some(Row {
        table,
        key: kept.key,
        value: kept.value,
        is_new: false,
    })
}

// A key of a bucket has letters, digits, `-`, `_`, `/`, `=` and `.`; what else an
// address has is written `=XX`.
fn place(table: Table, key: &str) -> String {
    use std::fmt::Write as _;
    let mut place = format!("{}.", table.name());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/') {
            place.push(byte.into());
        } else {
            // Writing into a `String` cannot fail.
            let _ = write!(place, "={byte:02X}");
        }
    }
    place
}
