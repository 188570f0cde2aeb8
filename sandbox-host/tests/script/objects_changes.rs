//! Changes of data objects, sent and received: spec services §8.3 C.

use serde_json::{Value, json};

use super::syncing::{DO, HA, HB, Pair, SM, response, update};

/// The one update that a text sends, without what the clock says.
fn delta(pair: &Pair, text: &str) -> Value {
    let sent = pair.run(text);
    assert_eq!(sent.len(), 1, "{text}: {sent:?}");
    assert_eq!(
        (
            sent[0].kind.as_str(),
            sent[0].from.as_str(),
            sent[0].to.as_str()
        ),
        ("update", DO, "comm://home.ex/o1/changes")
    );
    let mut body = sent[0].body.clone();
    body.as_object_mut()
        .unwrap()
        .remove("lastModified")
        .unwrap();
    body
}

// services §8.3 case 25
// services §8.3 case 26
// services §8.3 case 27
// services §8.3 case 31
#[test]
fn each_change_of_a_member_is_one_update() {
    let pair = Pair::reporting(json!({"x": 1}));

    let said = [
        "d.x = 2",
        "d.p = {q: 1}",
        "delete d.x",
        "d.t = {}",
        "d.t.lengthKm = 3",
        "d.no = false",
    ]
    .map(|text| delta(&pair, text));

    assert_eq!(
        said,
        [
            json!({"version": 1, "source": HA, "attribute": "x", "path": ["x"], "value": 2}),
            json!({"version": 2, "source": HA, "attribute": "p", "path": ["p"], "value": {"q": 1}}),
            json!({"version": 3, "source": HA, "attribute": "x", "path": ["x"]}),
            json!({"version": 4, "source": HA, "attribute": "t", "path": ["t"], "value": {}}),
            json!({"version": 5, "source": HA, "attribute": "t.lengthKm", "path": ["t", "lengthKm"], "value": 3}),
            json!({"version": 6, "source": HA, "attribute": "no", "path": ["no"], "value": false}),
        ]
    );
}

// services §8.3 case 28
// services §8.3 case 29
// services §8.3 case 30
// messaging A.1 case 16
#[test]
fn each_change_of_an_array_is_one_update_for_each_element() {
    let pair = Pair::reporting(json!({"l": [1], "o": {"a": 1}}));

    let said = [
        "d.l.push(5)",
        "d.l[0] = 9",
        "d.l.push([7])",
        "d.l.pop()",
        "d.l.unshift(0)",
        "d.l.length = 1",
        "d.o.a = 5",
    ]
    .map(|text| delta(&pair, text));

    let array = |version: u64, at: u64, more: Value| {
        let mut body = json!({"version": version, "source": HA, "attribute": format!("l.{at}"), "path": ["l", at], "attributeType": "array"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    assert_eq!(
        said,
        [
            array(1, 1, json!({"operation": "add", "value": 5})),
            array(2, 0, json!({"value": 9})),
            array(3, 2, json!({"operation": "add", "value": [[7]]})),
            array(4, 2, json!({"operation": "remove", "value": 1})),
            array(5, 0, json!({"operation": "add", "value": 0})),
            array(6, 1, json!({"operation": "remove", "value": 2})),
            json!({"version": 7, "source": HA, "attribute": "o.a", "path": ["o", "a"], "value": 5}),
        ]
    );
}

// services §8.3 case 32
// services §8.3 case 33
#[test]
fn an_update_is_applied_once_and_told_to_the_filters_that_match() {
    let pair = Pair::new(json!({"x": 1}));
    pair.run("for (const filter of ['x', 'x*', 'y', 'p.*']) observer.onChange(filter, (e) => events.push({...e, filter}))");

    for _ in 0..2 {
        pair.deliver(update(&json!({"version": 1, "attribute": "x", "value": 7})));
    }

    let event = json!({"cType": "update", "oType": "object", "field": "x", "data": 7});
    let told = |filter: &str| {
        let mut told = event.clone();
        told["filter"] = json!(filter);
        told
    };
    assert_eq!(
        pair.value("[observer.data.x, events]"),
        json!([7, [event, told("x"), told("x*")]])
    );
}

// services §8.3 case 34
// services §8.3 case 35
#[test]
fn an_update_that_is_ahead_waits_for_a_read() {
    let pair = Pair::new(json!({}));
    let steps = [
        json!({"version": 1, "attribute": "1", "value": {"name": "old", "obj1": {"name": "o"}}}),
        json!({"version": 2, "attribute": "2", "value": {}}),
        json!({"version": 3, "attribute": "2"}),
        json!({"version": 4, "attribute": "1.name", "value": "new"}),
    ];
    for step in &steps {
        pair.deliver(update(step));
    }

    let sent = pair.deliver(update(
        &json!({"version": 6, "attribute": "1.obj1.name", "value": "new"}),
    ));
    let more = pair.deliver(update(&json!({"version": 7, "attribute": "z", "value": 1})));
    let before = pair.value("[observer.data, observer._version]");
    let copy =
        json!({"url": DO, "data": {"1": {"name": "new", "obj1": {"name": "o"}}}, "version": 5});
    pair.deliver(response(
        sent[0].id,
        SM,
        HB,
        json!({"code": 200, "value": copy}),
    ));

    assert_eq!(
        (
            sent[0].kind.as_str(),
            sent[0].to.as_str(),
            &sent[0].body["resource"]
        ),
        ("read", SM, &json!(DO))
    );
    assert_eq!(more, [], "one read for all gaps");
    assert_eq!(
        before,
        json!([{"1": {"name": "new", "obj1": {"name": "o"}}}, 4])
    );
    assert_eq!(
        pair.value("[observer.data, observer._version, events.map((e) => e.cType)]"),
        json!([{"1": {"name": "new", "obj1": {"name": "new"}}, "z": 1}, 7, ["add", "add", "remove", "update", "update", "add"]])
    );
}

// services §8.3 case 36
#[test]
fn a_list_that_is_added_is_so_many_elements() {
    let pair = Pair::new(json!({"l": [0, 1, 2]}));

    let body = json!({"version": 1, "attribute": "l.3", "attributeType": "array", "operation": "add", "value": [3]});
    pair.deliver(update(&body));
    // A published reporter does not say how many it took.
    let body =
        json!({"version": 2, "attribute": "l.0", "attributeType": "array", "operation": "remove"});
    pair.deliver(update(&body));

    assert_eq!(
        pair.value("[observer.data.l, events]"),
        json!([[1, 2, 3], [{"cType": "add", "oType": "array", "field": "l.3", "data": 3},
            {"cType": "remove", "oType": "array", "field": "l.0", "data": 1}]])
    );
}

// services §8.3 case 38
#[test]
fn what_an_observer_writes_stays_with_it() {
    let pair = Pair::new(json!({"x": 1}));

    let sent = pair.run("observer.data.x = 9; observer.data.l = [1]; observer.data.l.push(2)");

    assert_eq!(sent, []);
    assert_eq!(
        pair.value("[observer.data, d, events.map((e) => [e.cType, e.field])]"),
        json!([{"x": 9, "l": [1, 2]}, {"x": 1}, [["update", "x"], ["add", "l"], ["add", "l.1"]]])
    );
}
