//! The store through its door: what is written is there, and what is broken is moved aside.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{FILE, Keeper, Store, StoreError, Write};
use crate::event::Event;
use crate::ids::Ticket;
use crate::shell::inbox::{Arrival, inbox};
use crate::store::{Change, Record, Table};

/// A data directory that goes with the test.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("hyperty-store-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join(FILE)
    }

    fn open(&self) -> (Store, Vec<Record>) {
        Store::open(&self.file(), 1_700_000_000).unwrap()
    }

    /// The names of what was moved aside.
    fn aside(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.contains("damaged")).collect();
        names.sort();
        names
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn set(table: Table, key: &str, value: &[u8]) -> Change {
    let (key, value) = (key.to_owned(), Some(value.to_vec()));
    Change { table, key, value }
}

fn unset(table: Table, key: &str) -> Change {
    let key = key.to_owned();
    Change {
        table,
        key,
        value: None,
    }
}

fn record(table: Table, key: &str, value: &[u8]) -> Record {
    let (key, value) = (key.to_owned(), value.to_vec());
    Record { table, key, value }
}

#[test]
fn what_is_written_is_read_at_the_next_start() {
    let home = Home::new("written");
    let (mut store, found) = home.open();
    assert_eq!(found, []);

    let first = [
        set(Table::Objects, "comm://a.example/1", b"one"),
        set(Table::Deltas, "comm://a.example/1\u{0}2", b""),
        set(Table::Addresses, "k", b"old"),
    ];
    store.write(&first).unwrap();
    store
        .write(&[
            set(Table::Addresses, "k", b"new"),
            unset(Table::Objects, "absent"),
        ])
        .unwrap();
    drop(store);

    let (_, found) = home.open();
    assert_eq!(
        found,
        [
            record(Table::Addresses, "k", b"new"),
            record(Table::Objects, "comm://a.example/1", b"one"),
            record(Table::Deltas, "comm://a.example/1\u{0}2", b""),
        ]
    );
}

#[test]
fn the_changes_of_one_write_are_done_in_their_order() {
    let home = Home::new("order");
    let (mut store, _) = home.open();

    let changes = [
        set(Table::Storage, "a", b"1"),
        unset(Table::Storage, "a"),
        unset(Table::Storage, "b"),
        set(Table::Storage, "b", b"2"),
    ];
    store.write(&changes).unwrap();
    drop(store);

    assert_eq!(home.open().1, [record(Table::Storage, "b", b"2")]);
}

#[test]
fn nobody_else_may_read_the_file() {
    let home = Home::new("mode");

    let (_store, _) = home.open();

    let mode = fs::metadata(home.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_link_in_its_place_is_not_followed() {
    let home = Home::new("link");
    symlink(home.0.join("elsewhere"), home.file()).unwrap();

    let refused = Store::open(&home.file(), 0).unwrap_err();

    assert!(matches!(refused, StoreError::Open { .. }), "{refused}");
    assert!(!home.0.join("elsewhere").exists());
}

/// Breaks the file of a store with one record, and opens it.
#[track_caller]
fn check_moved_aside(name: &str, spoil: impl FnOnce(&Path)) {
    let home = Home::new(name);
    let (mut store, _) = home.open();
    store.write(&[set(Table::Storage, "a", b"1")]).unwrap();
    drop(store);
    spoil(&home.file());

    let (mut store, found) = home.open();

    assert_eq!(found, []);
    assert_eq!(home.aside(), ["state.redb.damaged-1700000000"]);
    store.write(&[set(Table::Storage, "b", b"2")]).unwrap();
}

#[test]
fn a_file_that_is_no_store_is_moved_aside() {
    check_moved_aside("text", |file| {
        fs::write(file, "not a database\n".repeat(999)).unwrap();
    });
}

#[test]
fn a_file_whose_content_was_altered_is_moved_aside() {
    check_moved_aside("altered", |file| {
        let mut bytes = fs::read(file).unwrap();
        for byte in bytes.iter_mut().skip(4096) {
            *byte = byte.wrapping_add(1);
        }
        fs::write(file, bytes).unwrap();
    });
}

#[test]
fn a_file_that_was_cut_off_is_moved_aside() {
    check_moved_aside("cut", |file| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 3]).unwrap();
    });
}

/// Opens a file with one byte altered: it is read, or moved aside, and then written.
fn open_with_altered(home: &Home, whole: &[u8], at: usize) {
    let mut bytes = whole.to_vec();
    bytes[at] ^= 0xff;
    fs::write(home.file(), bytes).unwrap();
    let (mut store, _) = home.open();
    store.write(&[set(Table::Storage, "b", b"2")]).unwrap();
}

#[test]
fn one_altered_byte_anywhere_never_ends_the_process() {
    let home = Home::new("byte");
    let (mut store, _) = home.open();
    let many: Vec<_> = (0..200)
        .map(|number| set(Table::Storage, &number.to_string(), &[7; 100]))
        .collect();
    store.write(&many).unwrap();
    drop(store);
    let whole = fs::read(home.file()).unwrap();

    // The head of the file, and a sample of the rest.
    let places = (0..512)
        .step_by(17)
        .chain((512..whole.len()).step_by(whole.len() / 24));
    places.for_each(|at| open_with_altered(&home, &whole, at));
}

#[test]
fn a_second_damaged_file_does_not_replace_the_first() {
    let home = Home::new("twice");
    fs::write(home.file(), "one ".repeat(2000)).unwrap();
    drop(home.open());
    fs::write(home.file(), "two ".repeat(2000)).unwrap();

    drop(home.open());

    let names = [
        "state.redb.damaged-1700000000",
        "state.redb.damaged-1700000000-1",
    ];
    assert_eq!(home.aside(), names);
}

#[test]
fn a_file_of_a_newer_build_is_left_alone() {
    let home = Home::new("newer");
    drop(home.open());
    let database = redb::Database::open(home.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, u64>::new("meta");
    transaction
        .open_table(meta)
        .unwrap()
        .insert("version", 99)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);

    let refused = Store::open(&home.file(), 0).unwrap_err();

    assert!(
        matches!(refused, StoreError::Newer { found: 99, .. }),
        "{refused}"
    );
    assert_eq!(home.aside(), Vec::<String>::new());
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let refused = Store::open(Path::new("/nonexistent/state.redb"), 0).unwrap_err();

    let text = refused.to_string();
    assert!(
        text.contains("/nonexistent/state.redb") && text.contains("--data-dir"),
        "{text}"
    );
}

#[test]
fn every_writer_hears_of_its_own_write_and_the_file_is_whole_at_the_end() {
    let home = Home::new("keeper");
    let (letterbox, inbox) = inbox().unwrap();
    let (writes, keeper) = Keeper::start(home.open().0, letterbox).unwrap();

    for number in 0..50 {
        let changes = vec![set(Table::Storage, &format!("{number:02}"), b"x")];
        let ticket = Ticket(number);
        writes.send(Write { ticket, changes }).unwrap();
    }
    drop(writes);
    keeper.finish();

    let told: Vec<_> = std::iter::from_fn(|| inbox.take())
        .map(|arrival| match arrival {
            Arrival::Happened(Event::Persisted { ticket, result }) => (ticket.0, result),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        (0..50).map(|number| (number, Ok(()))).collect::<Vec<_>>()
    );
    assert_eq!(home.open().1.len(), 50);
}
