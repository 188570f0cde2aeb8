//! Files that components share, and what scripts keep for themselves.

use serde_json::{Value, json};

use crate::story::{Disk, Heard, RUNTIME, Story};
use crate::{WITHIN, alice_and_bob};

const ALICE: &str = "alice@a.example";
const BOB: &str = "bob@b.example";
const HALF_MEBIBYTE: usize = 512 * 1024;

/// What a component is answered when it sends this to the storage room.
fn asks(story: &mut Story, name: &str, kind: &str, body: &Value) -> (u16, Value) {
    let room = format!("{RUNTIME}/storage");
    story.send(name, kind, &room, &body.to_string(), WITHIN);
    let (_, _, code, body) = story.messages(name).pop().unwrap();
    (code, serde_json::from_str(&body).unwrap())
}

fn text(content: &str) -> Value {
    json!({"value": {"name": "a.txt", "mimetype": "text/plain", "resourceType": "file", "content": content}})
}

/// Has a file kept; its address.
fn keeps(story: &mut Story, name: &str, body: &Value) -> String {
    let (code, answer) = asks(story, name, "create", body);
    assert_eq!(code, 200, "{answer}");
    answer["value"].as_str().unwrap().to_owned()
}

fn reads(story: &mut Story, name: &str, url: &str) -> (u16, Value) {
    asks(story, name, "read", &json!({"resource": url}))
}

/// Bytes as base64, all of one value.
fn base64(bytes: usize) -> String {
    assert_eq!(bytes % 3, 0);
    "AAAA".repeat(bytes / 3)
}

/// Has a file of so many parts of 384 KiB kept.
fn keeps_parts(story: &mut Story, name: &str, parts: usize) -> String {
    let part = base64(384 * 1024);
    let url = keeps(
        story,
        name,
        &json!({"value": {"parts": parts, "content": part, "contentEncoding": "base64"}}),
    );
    for n in 1..parts {
        let body =
            json!({"resource": url, "part": n, "content": part, "contentEncoding": "base64"});
        assert_eq!(asks(story, name, "update", &body).0, 200);
    }
    url
}

// services §8.3 case 81
#[test]
fn a_file_is_read_as_it_was_kept_and_is_gone_once_deleted() {
    let mut story = alice_and_bob();
    let url = keeps_parts(&mut story, ALICE, 3);

    let (code, first) = reads(&mut story, BOB, &url);
    let third = asks(
        &mut story,
        BOB,
        "read",
        &json!({"resource": url, "part": 2}),
    );
    let deleted = asks(&mut story, ALICE, "delete", &json!({"resource": url}));
    let gone = reads(&mut story, BOB, &url);

    assert!(
        url.starts_with("runtime://home.example/rt/storage/"),
        "{url}"
    );
    assert_eq!(
        (code, &first["p2p"], &first["value"]["size"]),
        (200, &json!(true), &json!(3 * 384 * 1024))
    );
    assert_eq!(first["value"]["contentURL"], json!([url]));
    assert_eq!(
        (&first["value"]["parts"], &first["value"]["part"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(first["value"]["content"], third.1["value"]["content"]);
    assert_eq!(deleted.0, 200);
    assert_eq!((gone.0, gone.1["desc"].is_string()), (404, true));
}

#[test]
fn a_file_outlives_the_supervisor() {
    let mut story = alice_and_bob();
    let url = keeps_parts(&mut story, ALICE, 2);
    let lost = keeps(
        &mut story,
        ALICE,
        &json!({"value": {"parts": 2, "content": "a"}}),
    );

    let mut story = story.restarted();
    story.deploy(ALICE);
    story.heard(ALICE);

    assert_eq!(
        reads(&mut story, ALICE, &url).1["value"]["size"],
        json!(2 * 384 * 1024)
    );
    assert_eq!(reads(&mut story, ALICE, &lost).0, 404);
    assert_eq!(
        asks(&mut story, ALICE, "delete", &json!({"resources": [url]})).0,
        200
    );
    assert!(
        story
            .restarted()
            .kept
            .keys()
            .all(|(_, key)| !key.starts_with("file"))
    );
}

#[test]
fn nobody_is_told_that_a_file_is_kept_before_it_is() {
    let mut story = alice_and_bob();
    story.disk(Disk::Slow);

    story.send(
        ALICE,
        "create",
        &format!("{RUNTIME}/storage"),
        &text("a").to_string(),
        WITHIN,
    );
    let before = story.messages(ALICE);
    story.disk(Disk::Sound);

    assert_eq!(before, []);
    assert_eq!(story.messages(ALICE)[0].2, 200);
}

#[test]
fn only_its_creator_changes_or_deletes_a_file() {
    let mut story = alice_and_bob();
    let url = keeps(
        &mut story,
        ALICE,
        &json!({"value": {"parts": 2, "content": "a"}}),
    );
    let part = json!({"resource": url, "part": 1, "content": "b"});

    assert_eq!(asks(&mut story, BOB, "update", &part).0, 403);
    assert_eq!(
        asks(&mut story, BOB, "delete", &json!({"resource": url})).0,
        403
    );
    assert_eq!(reads(&mut story, ALICE, &url).0, 404);
    assert_eq!(asks(&mut story, ALICE, "update", &part).0, 200);
    assert_eq!(reads(&mut story, BOB, &url).0, 200);
    assert_eq!(asks(&mut story, ALICE, "delete", &json!({})).0, 400);
}

#[test]
fn a_file_that_is_created_again_where_it_was_is_replaced() {
    let mut story = alice_and_bob();
    let url = keeps_parts(&mut story, ALICE, 2);
    let again = json!({"value": {"content": "second", "contentURL": [url]}});

    let of_alice = keeps(&mut story, ALICE, &again);
    let of_bob = keeps(&mut story, BOB, &again);

    assert_eq!(of_alice, url);
    assert_ne!(of_bob, url);
    let mut story = story.restarted();
    story.deploy(BOB);
    story.heard(BOB);
    assert_eq!(
        reads(&mut story, BOB, &url).1["value"]["content"],
        json!("second")
    );
}

#[test]
fn what_is_no_file_is_refused_and_nothing_of_it_is_kept() {
    let mut story = alice_and_bob();
    let create = |value: Value| json!({"value": value});
    let large = "a".repeat(HALF_MEBIBYTE + 3);

    let cases = [
        (create(json!({"name": "no content"})), 400),
        (
            create(json!({"content": "YQ=", "contentEncoding": "base64"})),
            400,
        ),
        (
            create(json!({"content": "a", "contentEncoding": "gzip"})),
            400,
        ),
        (create(json!({"content": "abc", "size": 4})), 400),
        (create(json!({"content": "abc", "parts": 0})), 400),
        (create(json!({"content": "abc", "parts": 65})), 400),
        (
            create(json!({"content": "abc", "parts": 2, "size": 8 * 1024 * 1024 + 1})),
            413,
        ),
        (create(json!({"content": "abc", "preview": large})), 413),
        (
            create(json!({"content": base64(HALF_MEBIBYTE + 1), "contentEncoding": "base64"})),
            413,
        ),
    ];

    for (body, expected) in cases {
        let (code, answer) = asks(&mut story, ALICE, "create", &body);
        assert_eq!(code, expected, "{answer}");
        assert_eq!(answer["desc"], answer["description"]);
    }
    assert!(story.kept.keys().all(|(_, key)| !key.starts_with("file")));
}

#[test]
fn parts_come_in_order_and_encoded_alike() {
    let mut story = alice_and_bob();
    let url = keeps(
        &mut story,
        ALICE,
        &json!({"value": {"parts": 3, "content": "a"}}),
    );
    let part = |n: u32, encoding: &str| json!({"resource": url, "part": n, "content": "YQ==", "contentEncoding": encoding});

    assert_eq!(asks(&mut story, ALICE, "update", &part(2, "")).0, 400);
    assert_eq!(asks(&mut story, ALICE, "update", &part(1, "base64")).0, 400);
    assert_eq!(asks(&mut story, ALICE, "update", &part(1, "")).0, 200);
    assert_eq!(asks(&mut story, ALICE, "update", &part(1, "")).0, 400);
    assert_eq!(asks(&mut story, ALICE, "update", &part(2, "")).0, 200);
    assert_eq!(asks(&mut story, ALICE, "update", &part(3, "")).0, 400);
}

#[test]
fn the_oldest_files_make_room_and_only_ones_own() {
    let mut story = alice_and_bob();
    let of_bob = keeps(&mut story, BOB, &text("small"));
    // 8 MiB as base64 have 10.7 MiB; two fit into nine tenths of 24.
    let files: Vec<String> = (0..3).map(|_| keeps_parts(&mut story, ALICE, 20)).collect();

    let codes: Vec<u16> = files
        .iter()
        .map(|url| reads(&mut story, ALICE, url).0)
        .collect();

    assert_eq!(codes, [404, 200, 200]);
    assert_eq!(reads(&mut story, BOB, &of_bob).0, 200);
}

#[test]
fn unfinished_files_do_not_gather() {
    let mut story = alice_and_bob();
    let begin = json!({"value": {"parts": 2, "content": "a"}});
    let urls: Vec<String> = (0..5).map(|_| keeps(&mut story, ALICE, &begin)).collect();
    let finish = |url: &str| json!({"resource": url, "part": 1, "content": "b"});

    assert_eq!(asks(&mut story, ALICE, "update", &finish(&urls[0])).0, 404);
    assert_eq!(asks(&mut story, ALICE, "update", &finish(&urls[4])).0, 200);
}

// ---- what scripts keep -----------------------------------------------------

fn keep(story: &mut Story, name: &str, items: &Value) -> u16 {
    asks(
        story,
        name,
        "update",
        &json!({"items": items, "first": true}),
    )
    .0
}

/// What the sandbox of a component was sent of what its script keeps.
fn seeds(story: &mut Story, name: &str) -> Vec<(String, Value)> {
    let heard = story.heard(name);
    let seed = |heard| match heard {
        Heard::Seed { component, items } => {
            Some((component, serde_json::from_str(&items).unwrap()))
        }
        _ => None,
    };
    heard.into_iter().filter_map(seed).collect()
}

#[test]
fn a_script_finds_what_it_kept_before_its_code_is_loaded() {
    let mut story = alice_and_bob();
    keep(
        &mut story,
        ALICE,
        &json!([
            ["set", "a", "1"],
            ["set", "b", "2"],
            ["add", "b", "3"],
            ["set", "c", "4"],
            ["remove", "c"]
        ]),
    );

    let mut story = story.restarted();
    let (address, _) = story.deploy(ALICE);
    story.deploy(BOB);
    let heard = story.heard(ALICE);

    let place = |wanted: fn(&Heard) -> bool| heard.iter().position(wanted).unwrap();
    assert!(
        place(|h| matches!(h, Heard::Seed { .. })) < place(|h| matches!(h, Heard::Load { .. }))
    );
    assert!(heard.contains(&Heard::Seed {
        component: address,
        items: r#"[["set","a","1"],["set","b","23"]]"#.to_owned(),
    }));
    assert_eq!(seeds(&mut story, BOB), []);
}

#[test]
fn changes_of_several_messages_are_done_together_or_not_at_all() {
    let mut story = alice_and_bob();
    keep(&mut story, ALICE, &json!([["set", "a", "before"]]));
    let body = |items: Value, first: bool, more: bool| json!({"items": items, "first": first, "more": more});

    asks(
        &mut story,
        ALICE,
        "update",
        &body(json!([["clear"], ["set", "a", "x"]]), true, true),
    );
    let middle = story.kept.len();
    let wrong = asks(
        &mut story,
        ALICE,
        "update",
        &body(json!([["burn", "a"]]), false, false),
    )
    .0;
    asks(
        &mut story,
        ALICE,
        "update",
        &body(json!([["set", "b", "lost"]]), true, true),
    );
    let last = asks(
        &mut story,
        ALICE,
        "update",
        &body(json!([["set", "c", "kept"]]), true, false),
    )
    .0;

    let items: Vec<&[u8]> = story
        .kept
        .iter()
        .filter(|((_, key), _)| key.starts_with("item"))
        .map(|(_, value)| value.as_slice())
        .collect();
    assert_eq!((wrong, last), (400, 200));
    assert_eq!(middle, story.kept.len() - 1);
    assert_eq!(items, [b"before".as_slice(), b"kept"]);
}

#[test]
fn a_script_keeps_its_share_and_no_more() {
    let mut story = alice_and_bob();
    let long = "a".repeat(HALF_MEBIBYTE);
    let piece = json!([["add", "k", long]]);

    let mut codes = Vec::new();
    for n in 0..11 {
        let body = json!({"items": piece, "first": n == 0, "more": n < 10});
        codes.push(asks(&mut story, ALICE, "update", &body).0);
    }

    assert_eq!(codes, [vec![200; 10], vec![413]].concat());
    assert_eq!(keep(&mut story, ALICE, &json!([["set", "k", "fits"]])), 200);
}
