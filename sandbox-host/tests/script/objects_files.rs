//! Files that participants of a data object share: spec services §1.17, §2.7.

use serde_json::json;

use super::syncing::{HA, HB, Pair, response};

const STORAGE: &str = "runtime://home.ex/r1/storage";
const KEPT: &str = "runtime://home.ex/r1/storage/1";

const FILE: &str = "const file = {name: 'a.bin', size: 3, type: 'image/png', lastModified: 5, arrayBuffer: async () => new Uint8Array([1, 2, 255]).buffer}";

#[test]
fn a_file_is_kept_and_then_shared_with_where_it_is() {
    let pair = Pair::new(json!({}));
    pair.run("observer.onAddChild((e) => { globalThis.got = e.resource; events.push([e.resource === e.child, e.resource.name, e.resource.mimetype]) })");

    let create = pair.run(&format!("{FILE}; reporter.addHypertyResource('file', file).then((made) => {{ globalThis.made = made }})"));
    let share = pair.deliver(response(
        create[0].id,
        STORAGE,
        HA,
        json!({"code": 200, "value": KEPT}),
    ));
    pair.deliver(json!({"id": 3, "type": "create", "from": HA, "to": "comm://home.ex/o1/children/", "body": share[0].body}));
    let read = pair.run("got.read((percent) => events.push(percent)).then((it) => events.push([it === got, [...new Uint8Array(it.content)]]))");
    pair.deliver(response(
        read[0].id,
        STORAGE,
        HB,
        json!({"code": 183, "value": 50}),
    ));
    let value = create[0].body["value"].clone();
    pair.deliver(response(
        read[0].id,
        STORAGE,
        HB,
        json!({"code": 200, "p2p": true, "value": value}),
    ));

    assert_eq!(
        (create[0].kind.as_str(), create[0].to.as_str()),
        ("create", STORAGE)
    );
    let value = &create[0].body["value"];
    assert_eq!(
        (
            &value["content"],
            &value["contentEncoding"],
            &value["name"],
            &value["size"],
            &value["mimetype"],
            &value["resourceType"],
            &value["reporter"]
        ),
        (
            &json!("AQL/"),
            &json!("base64"),
            &json!("a.bin"),
            &json!(3),
            &json!("image/png"),
            &json!("file"),
            &json!(HA)
        )
    );
    let shared = &share[0].body["value"];
    assert_eq!(
        (
            &shared["contentURL"],
            &shared["resourceType"],
            shared.get("content")
        ),
        (&json!([KEPT]), &json!("file"), None)
    );
    assert_eq!(
        (read[0].kind.as_str(), read[0].to.as_str(), &read[0].body),
        ("read", STORAGE, &json!({"resource": KEPT, "p2p": true}))
    );
    assert_eq!(
        pair.value("events"),
        json!([[true, "a.bin", "image/png"], 50, [true, [1, 2, 255]]])
    );
}

#[test]
fn published_components_name_a_collection_first() {
    let pair = Pair::reporting(json!({}));

    let sent = pair.run(&format!(
        "{FILE}; reporter.addHypertyResource('resources', 'file', file)"
    ));

    assert_eq!(sent[0].body["value"]["name"], json!("a.bin"));
}

#[test]
fn a_file_that_cannot_be_kept_is_not_shared() {
    let pair = Pair::reporting(json!({}));

    let sent = pair.run("for (const [type, file] of [['file', 'text'], ['video', 'x'], ['file', {}], ['file', new ArrayBuffer(9000000)]])
        reporter.addHypertyResource(type, file).catch((reason) => events.push(String(reason)))");
    let share = pair.deliver(response(
        sent[0].id,
        STORAGE,
        HA,
        json!({"code": 500, "description": "full"}),
    ));

    assert_eq!((sent.len(), share.len()), (1, 0));
    assert_eq!(sent[0].body["value"]["content"], json!("text"));
    assert_eq!(
        pair.value("events.sort()"),
        json!([
            "RangeError: cannot keep 9000000 bytes: the most of one file is 8388608",
            "TypeError: a file resource is made of a File, a Blob, bytes or a text",
            "TypeError: no resource has the type `video`: there is only `file`",
            "full"
        ])
    );
    assert_eq!(pair.value("reporter.childrens"), json!({}));
}

#[test]
fn a_deleted_object_takes_its_own_files_along() {
    let pair = Pair::reporting(json!({}));
    let sent = pair.run("reporter.addHypertyResource('file', 'text')");
    pair.deliver(response(
        sent[0].id,
        STORAGE,
        HA,
        json!({"code": 200, "value": KEPT}),
    ));

    let sent = pair.run("reporter.delete()");

    let told: Vec<_> = sent
        .iter()
        .map(|s| (s.kind.as_str(), s.to.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("delete", "comm://home.ex/o1/children/"),
            ("delete", STORAGE),
            ("delete", "runtime://home.ex/r1/sm")
        ]
    );
    assert_eq!(sent[1].body, json!({"resources": [KEPT]}));
}

#[test]
fn a_file_is_asked_for_where_it_is_kept_one_place_after_the_other() {
    let pair = Pair::new(json!({}));
    let value = json!({"created": "t", "runtime": "r", "schema": "s", "resourceType": "file", "data": {},
        "contentURL": ["runtime://away.ex/r2/storage/9", KEPT]});
    pair.deliver(json!({"id": 3, "type": "create", "from": HA, "to": "comm://home.ex/o1/children/", "body": {"resource": "f", "value": value}}));

    let first = pair.run("observer.childrens.f.read().catch((reason) => events.push(reason))");
    let second = pair.deliver(response(
        first[0].id,
        "x:/y",
        HB,
        json!({"code": 404, "desc": "gone"}),
    ));
    pair.deliver(response(
        second[0].id,
        "x:/y",
        HB,
        json!({"code": 404, "desc": "none"}),
    ));

    assert_eq!(
        (first[0].to.as_str(), second[0].to.as_str()),
        ("runtime://away.ex/r2/storage", STORAGE)
    );
    assert_eq!(pair.value("events"), json!(["none"]));
}

#[test]
fn a_file_that_no_message_holds_travels_in_parts() {
    let pair = Pair::new(json!({}));
    let answer =
        |sent: &super::world::Sent, body| pair.deliver(response(sent.id, STORAGE, HA, body));
    let kept = json!({"code": 200, "value": KEPT});

    let first = pair.run("const bytes = new Uint8Array(1200000).map((_, n) => n * 7); reporter.addHypertyResource('file', bytes.buffer).then((made) => { globalThis.made = made })");
    let second = answer(&first[0], kept.clone());
    let third = answer(&second[0], kept.clone());
    answer(&third[0], kept);
    let sent = [&first[0], &second[0], &third[0]];
    pair.run("made._content = undefined");
    let read =
        pair.run("made.read().then((it) => { globalThis.back = new Uint8Array(it.content) })");
    let part = |n: usize| {
        let body = &sent[n].body;
        let part = body.get("value").unwrap_or(body);
        json!({"code": 200, "value": {"parts": 3, "content": part["content"], "contentEncoding": "base64"}})
    };
    let read = answer(&read[0], part(0));
    let read = answer(&read[0], part(1));
    answer(&read[0], part(2));

    assert_eq!(first[0].body["value"]["parts"], json!(3));
    assert_eq!(
        (&third[0].body["resource"], &third[0].body["part"]),
        (&json!(KEPT), &json!(2))
    );
    assert_eq!(
        pair.value("[back.length, back.every((byte, n) => byte === ((n * 7) & 255))]"),
        json!([1_200_000, true])
    );
}
