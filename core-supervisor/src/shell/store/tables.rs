//! The tables of the file: their names, their version, reading and writing them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use redb::{Database, ReadTransaction, ReadableTable, TableDefinition, TableError};

use crate::store::{Change, Record, Table};

/// The version of the tables' form. Raised when an older build could not read
/// what is written; what reads the older forms then stands here.
pub(super) const VERSION: u64 = 1;

/// What is known about the file itself.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The entry of `meta` that holds the version.
const VERSION_KEY: &str = "version";

/// Bytes above which a file that is mostly empty is made smaller at the start.
const COMPACT_FROM_BYTES: u64 = 8 * 1024 * 1024;

const TABLES: [Table; 8] = [
    Table::Addresses,
    Table::Objects,
    Table::Deltas,
    Table::Children,
    Table::Subscriptions,
    Table::Storage,
    Table::Grants,
    Table::Trust,
];

// A name in the file is never given to another table.
const fn definition(table: Table) -> TableDefinition<'static, &'static str, &'static [u8]> {
    TableDefinition::new(match table {
        Table::Addresses => "addresses",
        Table::Objects => "objects",
        Table::Deltas => "deltas",
        Table::Children => "children",
        Table::Subscriptions => "subscriptions",
        Table::Storage => "storage",
        Table::Grants => "grants",
        Table::Trust => "trust",
    })
}

/// The version of the file; a file without one becomes ours.
pub(super) fn version(database: &Database) -> Result<u64, redb::Error> {
    let transaction = database.begin_write()?;
    let found = {
        let mut meta = transaction.open_table(META)?;
        let found = meta.get(VERSION_KEY)?.map(|value| value.value());
        if found.is_none() {
            meta.insert(VERSION_KEY, VERSION)?;
        }
        found
    };
    if found.is_some() {
        transaction.abort()?;
    } else {
        transaction.commit()?;
    }
    Ok(found.unwrap_or(VERSION))
}

/// Everything that is kept, table by table in the order of keys.
pub(super) fn read(transaction: &ReadTransaction) -> Result<Vec<Record>, redb::Error> {
    let mut records = Vec::new();
    for table in TABLES {
        let kept = match transaction.open_table(definition(table)) {
            Ok(kept) => kept,
            // Nothing was ever kept in it.
            Err(TableError::TableDoesNotExist(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        for entry in kept.iter()? {
            let (key, value) = entry?;
            records.push(Record {
                table,
                key: key.value().to_owned(),
                value: value.value().to_owned(),
            });
        }
    }
    Ok(records)
}

/// Writes changes in their order, in one transaction.
pub(super) fn write(database: &Database, changes: &[Change]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut open = BTreeMap::new();
        for change in changes {
            let table = match open.entry(change.table) {
                Entry::Occupied(table) => table.into_mut(),
                Entry::Vacant(place) => {
                    place.insert(transaction.open_table(definition(change.table))?)
                }
            };
            match &change.value {
                Some(value) => drop(table.insert(change.key.as_str(), value.as_slice())?),
                None => drop(table.remove(change.key.as_str())?),
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Gives unused space back to the disk: by itself the file only grows.
pub(super) fn compact(database: &mut Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    let stats = transaction.stats()?;
    transaction.abort()?;
    let size = stats.allocated_pages() * stats.page_size() as u64;
    let used = stats.stored_bytes() + stats.metadata_bytes();
    if size >= COMPACT_FROM_BYTES && used < size / 2 {
        database.compact()?;
    }
    Ok(())
}
