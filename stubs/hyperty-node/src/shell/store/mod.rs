//! The store of a node by itself: one redb file, `node.redb`.
//!
//! What waits goes into one transaction, so that a thousand writers wait for two
//! commits and not for a thousand. A commit is on the disk whole or not at all.

mod keeper;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::backing::BackingError;
use crate::rows::{Row, Table};

pub(super) use keeper::{Keeper, Write};

/// The file in the data directory.
const FILE: &str = "node.redb";

/// The version of the tables' form.
const VERSION: u64 = 1;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Bytes of the file that are kept in memory: everything is read once, then only written.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// The store, opened.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    // `None` after a commit failed: the library takes no more writes until the file is
    // opened again, which the next write does.
    database: Option<Database>,
}

impl Store {
    /// Opens the file, or makes it, and reads everything in it.
    pub(super) fn open(directory: &Path) -> Result<(Self, Vec<Row>), BackingError> {
        make_directory(directory)?;
        let path = directory.join(FILE);
        let failed = |source| BackingError::Open {
            path: path.clone(),
            source,
        };
        let database = open_file(&path).map_err(failed)?;
        let found = version(&database).map_err(failed)?;
        if found > VERSION {
            return Err(BackingError::Newer {
                path,
                found,
                known: VERSION,
            });
        }
        let rows = read(&database).map_err(failed)?;
        let database = Some(database);
        Ok((Self { path, database }, rows))
    }

    /// Writes rows, all or none; when this returns they are on the disk.
    pub(super) fn write(&mut self, rows: &[Row]) -> Result<(), String> {
        let database = match self.database.take() {
            Some(database) => database,
            None => open_file(&self.path).map_err(|error| error.to_string())?,
        };
        write(&database, rows).map_err(|error| error.to_string())?;
        self.database = Some(database);
        Ok(())
    }
}

fn make_directory(path: &Path) -> Result<(), BackingError> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.map_err(|source| BackingError::Directory {
        path: path.to_owned(),
        source,
    })
}

// Ours alone, and checked page by page before it is believed.
fn open_file(path: &Path) -> Result<Database, redb::Error> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    let database = Builder::new()
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true)
        .create_with_backend(FileBackend::new(file)?)?;
    Ok(database)
}

fn version(database: &Database) -> Result<u64, redb::Error> {
    let transaction = database.begin_write()?;
    let found = {
        let mut meta = transaction.open_table(META)?;
        let found = meta.get("version")?.map(|value| value.value());
        if found.is_none() {
            meta.insert("version", VERSION)?;
        }
        found
    };
    transaction.commit()?;
    Ok(found.unwrap_or(VERSION))
}

const fn definition(table: Table) -> TableDefinition<'static, &'static str, &'static str> {
    TableDefinition::new(table.name())
}

fn read(database: &Database) -> Result<Vec<Row>, redb::Error> {
    let transaction = database.begin_read()?;
    let mut rows = Vec::new();
    for table in Table::ALL {
        let opened = match transaction.open_table(definition(table)) {
            Ok(opened) => opened,
            Err(redb::TableError::TableDoesNotExist(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        for entry in opened.iter()? {
            let (key, value) = entry?;
            rows.push(Row {
                table,
                key: key.value().to_owned(),
                value: Some(value.value().to_owned()),
                is_new: false,
            });
        }
    }
    Ok(rows)
}

fn write(database: &Database, rows: &[Row]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    for row in rows {
        let mut table = transaction.open_table(definition(row.table))?;
        match &row.value {
            Some(value) => table.insert(row.key.as_str(), value.as_str())?,
            None => table.remove(row.key.as_str())?,
        };
    }
    transaction.commit()?;
    Ok(())
}
