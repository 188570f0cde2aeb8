//! The sync manager through its door.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use protocol::api::sync::{Delta, Step};
use serde_json::{Map, Value, json};

use super::*;
use crate::store::{Record, Table};

const OBJECT: &str = "comm://a.example/1";

fn new(data: &Value) -> New {
    let mut value = Map::new();
    value.insert("data".to_owned(), data.clone());
    New {
        address: OBJECT.parse().unwrap(),
        reporter: "hyperty://a.example/1".parse().unwrap(),
        provider: "a.example".to_owned(),
        user: String::new(),
        schema: "https://a.example/dataschema/Communication".to_owned(),
        collections: Vec::new(),
        role: Role::Reported,
        value,
    }
}

/// One thing that a script may do to its data.
#[derive(Debug, Clone)]
enum Deed {
    Assign(Value),
    Delete,
    Splice(usize, Vec<Value>),
}

/// Where a choice leads from here, if anywhere.
fn step(place: &Value, choice: usize) -> Option<Step> {
    match place {
        Value::Object(members) => Some(Step::Key(members.keys().nth(choice % 4)?.clone())),
        Value::Array(items) if !items.is_empty() => {
            Some(Step::Index((choice % items.len()) as u64))
        }
        _ => None,
    }
}

/// Does to plain JSON what a script does to its object; gives back the delta.
///
/// Written without a look at how the room does it: recursively, by rebuilding.
fn play(data: &mut Value, route: &[u8], deed: Deed) -> Option<Delta> {
    let mut path = Vec::new();
    let mut place = data;
    for choice in route {
        let Some(step) = step(place, usize::from(*choice)) else {
            break;
        };
        place = match &step {
            Step::Key(key) => place.get_mut(key).unwrap(),
            Step::Index(at) => place.get_mut(usize::try_from(*at).unwrap()).unwrap(),
        };
        path.push(step);
    }
    let last = usize::from(route.last().copied().unwrap_or_default());
    let (key, operation, value) = match (place, deed) {
        (Value::Object(members), Deed::Assign(value)) => {
            let key = ["a", "b.c", "", "user://x/y"][last % 4].to_owned();
            members.insert(key.clone(), value.clone());
            (Step::Key(key), None, Some(value))
        }
        (Value::Object(members), Deed::Delete) => {
            let key = ["a", "b.c", "", "user://x/y"][last % 4].to_owned();
            members.retain(|member, _| *member != key);
            (Step::Key(key), None, None)
        }
        (Value::Array(items), Deed::Assign(value)) => {
            let at = last % (items.len() + 2);
            while items.len() <= at {
                items.push(Value::Null);
            }
            items[at] = value.clone();
            (Step::Index(at as u64), None, Some(value))
        }
        (Value::Array(items), Deed::Splice(count, values)) if values.is_empty() => {
            let at = last % (items.len() + 1);
            let end = (at + count).min(items.len());
            *items = [&items[..at], &items[end..]].concat();
            (Step::Index(at as u64), Some("remove"), Some(json!(count)))
        }
        (Value::Array(items), Deed::Splice(_, values)) => {
            let at = last % (items.len() + 1);
            *items = [&items[..at], &values, &items[at..]].concat();
            (
                Step::Index(at as u64),
                Some("add"),
                Some(Value::Array(values)),
            )
        }
        _ => return None,
    };
    path.push(key);
    Some(Delta {
        path: Some(path),
        operation: operation.map(str::to_owned),
        value,
        ..Delta::default()
    })
}

fn value_any() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(false)),
        Just(json!(0)),
        Just(json!("")),
        Just(json!("\u{1}\"\\ü")),
        any::<i32>().prop_map(|n| json!(n)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[ab.]{0,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn deed_any() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => value_any().prop_map(Deed::Assign),
        1 => Just(Deed::Delete),
        2 => (0..4_usize, prop::collection::vec(value_any(), 0..3))
            .prop_map(|(count, values)| Deed::Splice(count, values)),
    ]
}

/// The store: rows by table and key.
type Rows = BTreeMap<(Table, String), Vec<u8>>;

fn write(rows: &mut Rows, changes: Vec<crate::store::Change>) {
    for change in changes {
        match change.value {
            Some(value) => drop(rows.insert((change.table, change.key), value)),
            None => drop(rows.remove(&(change.table, change.key))),
        }
    }
}

fn read_back(rows: &Rows) -> Sync {
    let mut sync = Sync::default();
    let records = rows.iter().map(|((table, key), value)| Record {
        table: *table,
        key: key.clone(),
        value: value.clone(),
    });
    let (_, problems) = sync.restore(records.collect());
    assert_eq!(problems, Vec::<String>::new());
    sync
}

fn data_of(sync: &Sync) -> Value {
    let id = sync.find(OBJECT).unwrap();
    sync.get(id).unwrap().data().clone()
}

/// The data as text, in which the order of members tells.
fn text_of(sync: &Sync) -> String {
    data_of(sync).to_string()
}

proptest! {
    #[test]
    fn any_sequence_of_changes_leaves_the_copy_equal_to_the_data_and_so_does_the_store(
        deeds in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..5), deed_any(), any::<bool>(), 0..4_u8), 1..40),
    ) {
        let mut data = json!({ "a": [], "b.c": {} });
        let (mut sync, mut rows) = (Sync::default(), Rows::new());
        let id = sync.create(new(&data)).unwrap();
        write(&mut rows, sync.whole(id));
        let mut version = 0;

        for (route, deed, is_refused, pause) in deeds {
            let mut after = data.clone();
            let Some(mut delta) = play(&mut after, &route, deed) else { continue };
            delta.version = version + 1;
            let body = serde_json::to_vec(&delta).unwrap();
            let judge = |_: &Object, _: &[String]| {
                if is_refused { Err(Bad::NotYours(String::new())) } else { Ok(()) }
            };

            let done = sync.change(id, (delta, &body), Duration::ZERO, judge);

            prop_assert_eq!(done.is_ok(), !is_refused, "{:?}", done);
            if !is_refused {
                (data, version) = (after, version + 1);
            }
            prop_assert_eq!(text_of(&sync), data.to_string());
            sync.audit().unwrap();
            if pause == 0 {
                write(&mut rows, sync.take_due(Duration::MAX));
            }
        }
        write(&mut rows, sync.take_due(Duration::MAX));
        let back = read_back(&rows);
        prop_assert_eq!(text_of(&back), data.to_string());
        back.audit().unwrap();
        prop_assert_eq!(sync.get(id).unwrap().version(), version);
    }

    #[test]
    fn no_body_makes_the_room_fail(text in ".{0,60}", attribute in ".{0,20}", value in value_any()) {
        let mut sync = Sync::default();
        let id = sync.create(new(&json!({ "a": [1, { "b": 2 }] }))).unwrap();
        let delta = Delta {
            version: 1,
            attribute,
            value: Some(value),
            operation: (text.len() % 3 == 0).then(|| text.clone()),
            ..Delta::default()
        };
        let body = serde_json::to_vec(&delta).unwrap();

        let _ = sync.change(id, (delta, &body), Duration::ZERO, |_, _| Ok(()));

        sync.audit().unwrap();
    }
}

#[test]
fn a_provider_pays_for_all_its_objects_and_children() {
    let mut sync = Sync::default();
    let text = "x".repeat(900_000);
    let numbered = |n: usize| New {
        address: format!("comm://a.example/{n}").parse().unwrap(),
        ..new(&json!({ "t": text }))
    };
    let mut held = 0;
    while sync.create(numbered(held)).is_ok() {
        held += 1;
    }

    let first = sync.find("comm://a.example/0").unwrap();
    let child = Child::new(
        "hyperty://a.example/1",
        Value::Null,
        json!({ "data": { "t": text } }),
    );
    let child = sync.put_child(first, ("1-a#2", child), Duration::ZERO);
    sync.remove(first);

    assert_eq!(held, 74, "64 MiB in objects of 900 kB");
    assert!(matches!(child, Err(Bad::TooLarge(_))));
    assert!(sync.create(numbered(0)).is_ok());
    sync.audit().unwrap();
}

#[test]
fn a_row_that_cannot_be_read_costs_no_other() {
    let mut sync = Sync::default();
    let mut rows = Rows::new();
    let id = sync.create(new(&json!({ "a": 1 }))).unwrap();
    write(&mut rows, sync.whole(id));
    rows.insert(
        (Table::Objects, "comm://a.example/2".to_owned()),
        b"{".to_vec(),
    );
    rows.insert(
        (Table::Deltas, format!("{OBJECT}\0{:020}", 1)),
        b"[{}".to_vec(),
    );
    rows.insert(
        (
            Table::Children,
            format!("comm://a.example/9{}1-a#2", char::from(0)),
        ),
        b"{}".to_vec(),
    );

    let records = rows.iter().map(|((table, key), value)| Record {
        table: *table,
        key: key.clone(),
        value: value.clone(),
    });
    let mut back = Sync::default();
    let (changes, problems) = back.restore(records.collect());

    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!(data_of(&back), json!({ "a": 1 }));
    assert!(
        changes
            .iter()
            .any(|change| change.table == Table::Deltas && change.value.is_none())
    );
}
