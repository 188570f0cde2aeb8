//! Data objects and components that do what they should not.

use serde_json::json;

use super::syncing::{DO, Fate, HA, HB, Pair, response, update};
use super::world::logged;

/// What an expression throws, with what the data is afterwards.
fn refused(pair: &Pair, text: &str) -> String {
    let before = pair.value("d");
    let said = pair.said(&format!(
        "try {{ {text}; console.log('nothing') }} catch (error) {{ console.log(error.name + ': ' + error.message) }}"
    ));
    assert_eq!(pair.value("d"), before, "{text}");
    logged(&said).remove(0)
}

#[test]
fn what_has_no_place_in_live_data_is_refused_and_changes_nothing() {
    let pair = Pair::reporting(json!({"o": {}, "l": [1]}));

    for (text, expected) in [
        (
            "const a = {}; a.a = a; d.o.x = a",
            "TypeError: cannot assign to `o.x`: the value holds itself",
        ),
        (
            "d.o.constructor = 1",
            "TypeError: cannot assign to `o.constructor`: live data has no member `constructor`; choose another name",
        ),
        (
            "d.o = {deep: {prototype: 1}}",
            "TypeError: cannot assign to `o`: live data has no member `prototype`; choose another name",
        ),
        (
            "d.__proto__ = {x: 1}",
            "TypeError: cannot assign to `__proto__`: live data has no member `__proto__`; choose another name",
        ),
        (
            "d.o = JSON.parse('{\"__proto__\": {\"x\": 1}}')",
            "TypeError: cannot assign to `o`: live data has no member `__proto__`; choose another name",
        ),
        (
            "Object.setPrototypeOf(d, {})",
            "TypeError: live data has no prototype of its own: assign plain values",
        ),
        (
            "Object.freeze(d.o)",
            "TypeError: live data cannot be frozen, sealed or closed: its reporter may change it at any time",
        ),
        (
            "Object.defineProperty(d, 'x', {get: () => 1})",
            "TypeError: cannot define `x`: members of live data are plain values",
        ),
        (
            "Object.defineProperty(d, 'x', {value: 1, enumerable: false})",
            "TypeError: cannot define `x`: members of live data are plain values",
        ),
        (
            "d.l.name = 1",
            "TypeError: cannot assign to `l.name`: arrays of live data have elements only",
        ),
        ("d.l.length = -1", "RangeError: invalid array length"),
        (
            "d.o.x = 1n",
            "TypeError: BigInt are forbidden in JSON.stringify",
        ),
        (
            "d.o['\\ud800'] = 1",
            "TypeError: cannot assign to `o.\u{fffd}`: a key is not well-formed text",
        ),
        (
            "d.o.x = {toJSON() { throw new Error('mine') }}",
            "Error: mine",
        ),
        (
            "let deep = 1; for (let n = 0; n < 70; n += 1) deep = [deep]; d.o.x = deep",
            "RangeError: cannot assign to `o.x`: more than 60 objects in each other",
        ),
    ] {
        assert_eq!(refused(&pair, text), expected);
    }
    assert_eq!(pair.value("reporter._version"), json!(0));
    assert_eq!(
        pair.value("[{}.x ?? null, Object.getPrototypeOf(d) === Object.prototype]"),
        json!([null, true])
    );
}

#[test]
fn what_is_too_large_to_be_sent_is_refused_where_it_is_assigned() {
    let pair = Pair::reporting(json!({"l": []}));

    let texts = [
        "d.x = 'x'.repeat(2 ** 20)",
        "d.x = 'ü'.repeat(500000)",
        "d.l[1e9] = 1",
        "d.l.length = 2 ** 32 - 1",
        "d.l.push('x'.repeat(600000), 'x'.repeat(600000))",
        "d['k'.repeat(1e6)] = 1",
        "d.a = 'x'.repeat(900000); try { d.b = 'x'.repeat(900000) } finally { delete d.a }",
    ];
    let refusals = texts.map(|text| refused(&pair, text));
    let created = pair.said("try { a.create('s', [], {x: 'x'.repeat(2 ** 20)}) } catch (error) { console.log(error.message) }");

    for refusal in refusals {
        assert!(
            refusal.starts_with("RangeError: cannot assign to `"),
            "{refusal}"
        );
        assert!(
            refusal.ends_with("the most is 966656; divide it among several objects"),
            "{refusal}"
        );
    }
    assert!(
        logged(&created)[0].starts_with("cannot assign to `data`"),
        "{created:?}"
    );
    assert_eq!(
        pair.value("reporter._tree.bytes"),
        json!("{\"l\":[],}".len())
    );
}

#[test]
fn half_a_character_is_replaced_as_utf8_would() {
    let mut pair = Pair::new(json!({}));

    pair.settle("d.a = ['\\ud800', '\\\\ud800', 'x\\udc00y']", || {
        Fate::Arrives
    });

    let expected = json!({"a": ["\u{fffd}", "\\ud800", "x\u{fffd}y"]});
    assert_eq!(
        pair.value("[d, observer.data]"),
        json!([expected, expected])
    );
}

#[test]
fn assigned_values_are_copies_and_views_are_stable() {
    let pair = Pair::reporting(json!({"a": {"n": 1}, "l": [{"n": 1}, {"n": 2}]}));

    pair.run(
        "const mine = {n: 1}; d.one = mine; d.two = mine; mine.n = 5; d.one.n = 2;
        globalThis.second = d.l[1]; d.l.reverse(); second.n = 3; d.l.unshift({n: 0}); second.m = 4;
        globalThis.gone = d.l.pop(); gone.n = 9; globalThis.old = d.a; d.a = {n: 2}; old.n = 7;
        const other = {n: 0, get m() { return this.n += 1 }}; d.got = other; other.n = 50;
        d[Symbol('s')] = 1",
    );

    assert_eq!(
        pair.value("[d, d.a === d.a, d.l[1] === second, d.l.indexOf(second), gone, old, Object.keys(d).length, Array.isArray(d.l)]"),
        json!([{"a": {"n": 2}, "one": {"n": 2}, "two": {"n": 1}, "l": [{"n": 0}, {"n": 3, "m": 4}], "got": {"n": 0, "m": 1}},
            true, true, 1, {"n": 9}, {"n": 7}, 5, true])
    );
    assert_eq!(
        pair.value("Object.getOwnPropertyDescriptor(d, 'a').value === d.a"),
        json!(true)
    );
}

#[test]
fn ten_thousand_changes_in_a_turn_end_as_the_whole() {
    let mut pair = Pair::new(json!({"l": []}));

    let sent = pair.run("for (let n = 0; n < 10000; n += 1) d.l.push(n)");
    let count = sent.len();
    pair.carry(sent, || Fate::Arrives);
    pair.settle("d.end = true", || Fate::Arrives);

    assert_eq!(count, 257);
    assert_eq!((pair.copy.wholes, pair.copy.reads), (1, 1));
    let all = pair.value("[d, observer.data, reporter._version, observer._version]");
    assert_eq!(all, json!([pair.copy.data, pair.copy.data, 258, 258]));
    assert_eq!(pair.copy.data["l"].as_array().unwrap().len(), 10_000);
}

#[test]
fn an_object_of_a_hundred_thousand_keys_is_changed_one_by_one() {
    let mut pair = Pair::new(json!({}));

    // The values and the texts of their keys are just below the limit.
    pair.settle(
        "const o = {}; for (let n = 0; n < 87000; n += 1) o[n] = 1; d.o = o",
        || Fate::Arrives,
    );
    pair.settle("d.o[5] = 2; delete d.o[6]; d.o.more = 3", || Fate::Arrives);
    pair.run("try { d.p = Object.fromEntries(Array.from({length: 13000}, (_, n) => ['key' + n, 1])) } catch (error) { events = [error.name] }");

    assert_eq!((pair.copy.wholes, pair.copy.reads), (0, 0));
    assert_eq!(
        pair.value("[events, Object.keys(observer.data.o).length, observer.data.o[5], observer.data.o.more, '6' in observer.data.o, d.p ?? null]"),
        json!([["RangeError"], 87_000, 2, 3, false, null])
    );
}

#[test]
fn a_full_outbox_delays_changes_and_loses_none() {
    let mut pair = Pair::with_outbox(64 * 1024, json!({"x": 0}));

    // Nothing is taken out of the outbox in between.
    let sent =
        pair.run("for (let n = 0; n < 100; n += 1) { d.text = 'x'.repeat(10000 + n); d.x = n }");
    let count = sent.len();
    pair.carry(sent, || Fate::Arrives);
    pair.settle("d.end = 1", || Fate::Arrives);

    assert!(count < 20, "{count}");
    assert_eq!(
        pair.value("[d.x, observer.data.x, observer.data.text.length, observer.data.end]"),
        json!([99, 99, 10_099, 1])
    );
}

#[test]
fn a_change_that_the_engine_cut_short_reaches_observers_all_the_same() {
    let mut pair = Pair::with_turns(30, json!({"n": 0, "l": [1]}));
    pair.run("const post = a._bus.postMessage; globalThis.posts = 0;
        a._bus.postMessage = (...args) => { posts += 1; if (posts === 2) for (;;); return post(...args) };
        a._bus.addListener('x:/go', () => { d.n = 1; d.l.push(2, 3, 4) })");

    let sent = pair.deliver(json!({"type": "event", "from": "x:/y", "to": "x:/go"}));
    let posted = pair.value("posts");
    pair.carry(sent, || Fate::Arrives);
    pair.settle("d.l.push(5)", || Fate::Arrives);

    assert_eq!((posted, pair.copy.wholes), (json!(3), 1));
    assert_eq!(
        pair.value("[d, observer.data]"),
        json!([{"n": 1, "l": [1, 2, 3, 4, 5]}, {"n": 1, "l": [1, 2, 3, 4, 5]}])
    );
}

#[test]
fn a_change_that_is_refused_for_good_is_told_once_and_tried_with_the_next() {
    let pair = Pair::reporting(json!({"n": 1}));

    let sent = pair.run("d.n = 'text'");
    let refusal = json!({"code": 422, "desc": "`n` is no number", "version": 0});
    let quiet = pair.world.deliver(response(
        sent[0].id,
        "comm://home.ex/o1/changes",
        DO,
        refusal,
    ));
    let next = pair.run("d.n = 2");

    assert_eq!(
        logged(&quiet),
        [
            "data object `comm://home.ex/o1`: a change was refused, observers have the data before it: 422 `n` is no number"
        ]
    );
    assert_eq!(next.len(), 1);
    assert_eq!(
        next[0].body,
        json!({"resource": DO, "version": 2, "value": {"n": 2}})
    );
}

#[test]
fn refusals_without_end_end() {
    let pair = Pair::reporting(json!({}));
    let mut sent = pair.run("d.x = 1");

    let mut codes = [409, 500, 500, 429, 503, 408].iter().cycle();
    let mut tries = 0;
    while let Some(one) = sent.pop() {
        tries += 1;
        assert!(tries < 20);
        let to = if one.from == DO { DO } else { HA };
        let refusal = json!({"code": codes.next(), "desc": "no", "version": 40});
        sent.extend(pair.deliver(response(one.id, "x:/y", to, refusal)));
        if sent.is_empty() {
            sent.extend(super::world::sent(&pair.world.pass(30_000)));
        }
    }

    assert_eq!(tries, 6);
    assert_eq!(sent, []);
    assert_eq!(pair.run("d.x = 2").len(), 1, "the next change tries again");
}

#[test]
fn a_bus_that_changes_the_data_while_it_sends_does_not_confuse_observers() {
    let mut pair = Pair::new(json!({"l": [1, 2, 3], "count": 0}));
    pair.run("const post = a._bus.postMessage; a._bus.postMessage = (...args) => { if (d.count < 3) d.count += 1; return post(...args) }");

    pair.settle(
        "d.l.splice(0, 2, 7, 8, 9); d.l.push({}); d.l[4].x = 1",
        || Fate::Arrives,
    );
    pair.settle("d.end = 1", || Fate::Arrives);

    let all = pair.value("[d, observer.data]");
    assert_eq!(all, json!([pair.copy.data, pair.copy.data]));
    assert_eq!(all[0]["count"], json!(3));
}

#[test]
fn updates_that_make_no_sense_are_left_out() {
    let pair = Pair::new(json!({"x": 1}));

    let mut sent = Vec::new();
    for body in [
        json!({"attribute": "x", "value": 2}),
        json!({"version": "1", "attribute": "x", "value": 2}),
        json!({"version": -1, "attribute": "x", "value": 2}),
        json!({"version": 0, "attribute": "x", "value": 2}),
        json!(null),
        json!([]),
    ] {
        sent.extend(pair.deliver(update(&body)));
    }
    let mut foreign = update(&json!({"version": 1, "attribute": "x", "value": 2}));
    foreign["from"] = json!(HB);
    sent.extend(pair.deliver(foreign));

    assert_eq!(sent, []);
    assert_eq!(
        pair.value("[observer.data, observer._version, events]"),
        json!([{"x": 1}, 0, []])
    );
}

#[test]
fn an_update_that_does_not_fit_is_read_instead_and_prototypes_stay_out() {
    for body in [
        json!({"version": 1, "path": ["a", "b", "c"], "value": 1}),
        json!({"version": 1, "path": ["x", "y"], "value": 1}),
        json!({"version": 1, "path": ["__proto__", "y"], "value": 1}),
        json!({"version": 1, "attribute": "constructor.prototype.y", "value": 1}),
        json!({"version": 1, "path": ["l", 9], "operation": "add", "value": 1}),
        json!({"version": 1, "path": ["l", 1e9], "value": 1}),
        json!({"version": 1, "path": ["l", "name"], "value": 1}),
        json!({"version": 1, "path": [], "value": 1}),
    ] {
        let pair = Pair::new(json!({"x": 1, "l": []}));

        let sent = pair.deliver(update(&body));

        assert_eq!(
            sent.iter().map(|s| s.kind.as_str()).collect::<Vec<_>>(),
            ["read"],
            "{body}"
        );
        assert_eq!(
            pair.value("[observer.data, {}.y ?? null]"),
            json!([{"x": 1, "l": []}, null])
        );
    }
}

#[test]
fn a_gap_that_nothing_fills_is_given_up_and_what_there_is_is_taken() {
    let pair = Pair::new(json!({"x": 1}));
    let mut sent = pair.deliver(update(&json!({"version": 5, "attribute": "y", "value": 2})));

    let mut reads = 0;
    let mut said = Vec::new();
    while let Some(read) = sent.pop() {
        reads += 1;
        assert!(reads < 20);
        said.extend(pair.world.deliver(response(
            read.id,
            "x:/y",
            HB,
            json!({"code": 503, "desc": "away"}),
        )));
        let later = pair.world.pass(60_000);
        sent = super::world::sent(&later);
        said.extend(later);
    }

    assert_eq!(reads, 5);
    assert_eq!(logged(&said).len(), 1, "{said:?}");
    assert_eq!(
        pair.value("[observer.data, observer._version]"),
        json!([{"x": 1, "y": 2}, 5])
    );
}

#[test]
fn what_waits_for_a_read_is_bounded() {
    let pair = Pair::new(json!({}));
    let mut reads = Vec::new();

    for version in 2..3000 {
        reads.extend(pair.deliver(update(
            &json!({"version": version, "attribute": "n", "value": version}),
        )));
    }
    let waiting = pair.value("observer._receiver.waiting.size");
    let value = json!({"url": DO, "data": {"n": 1}, "version": 1});
    let again = pair.deliver(response(
        reads[0].id,
        "x:/y",
        HB,
        json!({"code": 200, "value": value}),
    ));

    assert_eq!((reads.len(), again.len()), (1, 1));
    assert_eq!(waiting, json!(1024));
    assert_eq!(
        pair.value("[observer.data, observer._version]"),
        json!([{"n": 1025}, 1025])
    );
}

#[test]
fn a_listener_that_throws_does_not_stop_the_next_change() {
    let pair = Pair::new(json!({}));
    pair.run("observer.onChange('a', () => { throw new Error('mine') })");

    let said = pair
        .world
        .deliver(update(&json!({"version": 1, "attribute": "a", "value": 1})));
    pair.deliver(update(&json!({"version": 2, "attribute": "b", "value": 2})));

    assert!(logged(&said)[0].starts_with("Error: mine"), "{said:?}");
    assert_eq!(
        pair.value("[observer.data, events.length]"),
        json!([{"a": 1, "b": 2}, 2])
    );
}

#[test]
fn a_flood_of_children_is_bounded() {
    let pair = Pair::new(json!({}));
    pair.run("for (let n = 0; n < 16384; n += 1) observer.childrens['c' + n] = {}");

    let value = json!({"created": "t", "runtime": "r", "schema": "s", "data": {}});
    let create = json!({"id": 7, "type": "create", "from": "hyperty://x.ex/x", "to": "comm://home.ex/o1/children/",
        "body": {"resource": "one-more", "value": value}});
    let said = pair.world.deliver(create);

    assert_eq!(
        pair.value(
            "[Object.keys(observer.childrens).length, Object.keys(reporter.childrens).length]"
        ),
        json!([16384, 1])
    );
    assert!(
        logged(&said)[0].contains("has 16384 children, which is the most"),
        "{said:?}"
    );
}
