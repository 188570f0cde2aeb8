use super::*;

fn record(key: &str, value: Option<&str>) -> Row {
    Row {
        table: Table::Record,
        key: key.to_owned(),
        value: value.map(str::to_owned),
        is_new: false,
    }
}

#[test]
fn what_was_written_is_there_when_the_file_is_opened_again() {
    let directory = std::env::temp_dir().join(format!("hyperty-node-store-{}", std::process::id()));

    let (mut store, empty) = Store::open(&directory).unwrap();
    store
        .write(&[record("a", Some("1")), record("b", Some("2"))])
        .unwrap();
    store.write(&[record("a", None)]).unwrap();
    let refused = Store::open(&directory).unwrap_err().to_string();
    drop(store);
    let (_, rows) = Store::open(&directory).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();

    assert_eq!(empty, []);
    assert_eq!(rows, [record("b", Some("2"))]);
    assert!(refused.contains("--data-dir"), "{refused}");
}
