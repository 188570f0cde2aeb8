//! Whatever a reporter does to its data, every observer has the same.
//!
//! Random statements run on live data and on a plain object; the updates pass a
//! copy of the core's that reads them by itself. After each statement the four
//! are the same JSON. Where updates are lost or overtake each other they are the
//! same in the end.

use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use proptest::{collection, prop_assert_eq};
use serde_json::json;

use super::syncing::{Fate, Pair};

// Runs a statement on plain data `m` and on live data `d`. What one refuses the
// other does too; names on arrays are refused by live data alone, so such a
// statement counts for neither. `x` is a reference to live data, copied when it is
// assigned: what a statement did before that is in it, and not in the copy that
// plain data is given, so only statements that assign once get the reference.
const BOTH: &str = "
    globalThis.m = JSON.parse(JSON.stringify(d));
    const named = (v) => v && typeof v === 'object' && (Object.values(v).some(named) ||
      (Array.isArray(v) && Object.keys(v).some((key) => String(key >>> 0) !== key)));
    const plain = (v) => v === undefined ? v : JSON.parse(JSON.stringify(v));
    globalThis.both = (act, refers) => {
      const run = (data, x) => { try { act(data, x); return false } catch { return true } };
      const refused = run(m, plain) || named(m);
      events.push(refused === run(d, refers ? (v) => v : plain));
      m = plain(refused ? d : m);
    };";

const VALUES: [&str; 20] = [
    "1",
    "0",
    "''",
    "false",
    "null",
    "undefined",
    "'t'",
    "'ü€😀'",
    "[]",
    "[[1], 2]",
    "{}",
    "{a: 1, b: [1, {c: 2}]}",
    "[3, 1, 2]",
    "NaN",
    "new Date(0)",
    "() => 1",
    "x(d.o)",
    "x(d.l)",
    "{'a.b': {'user://g.com/x': 1}}",
    "{get a() { return 1 }, toJSON: undefined}",
];

const KEYS: [&str; 9] = [
    "a",
    "b",
    "o",
    "l",
    "a.b",
    "user://g.com/x",
    "lengthKm",
    "",
    "0",
];

const METHODS: [&str; 17] = [
    "push(V)",
    "push(V, V)",
    "pop()",
    "shift()",
    "unshift(V)",
    "unshift(V, V)",
    "splice(I, I)",
    "splice(-I, I, V)",
    "splice(I, I, V, V)",
    "splice(I)",
    "sort()",
    "sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? 1 : -1))",
    "reverse()",
    "fill(V, I, I)",
    "copyWithin(I, I, I)",
    "concat([V]).push(V)",
    "map((v) => v).push(V)",
];

fn place() -> impl Strategy<Value = String> {
    let key = select(&KEYS[..]).prop_map(|key| format!("['{key}']"));
    let step = prop_oneof![2 => key, 1 => (0..3_u8).prop_map(|at| format!("[{at}]"))];
    collection::vec(step, 0..3).prop_map(|steps| format!("d{}", steps.concat()))
}

fn filled(form: String) -> impl Strategy<Value = String> {
    (
        collection::vec(select(&VALUES[..]), 4),
        collection::vec(0..4_u8, 3),
    )
        .prop_map(move |(values, numbers)| {
            let fill = |text: String, value: &&str| text.replacen('V', value, 1);
            let text = values.iter().fold(form.clone(), fill);
            let fill = |text: String, number: &u8| text.replacen('I', &number.to_string(), 1);
            numbers.iter().fold(text, fill)
        })
}

fn statement() -> impl Strategy<Value = String> {
    let key = || select(&KEYS[..]);
    let form = prop_oneof![
        6 => (place(), key()).prop_map(|(place, key)| format!("{place}['{key}'] = V")),
        2 => (place(), 0..6_u8).prop_map(|(place, at)| format!("{place}[{at}] = V")),
        2 => (place(), key()).prop_map(|(place, key)| format!("delete {place}['{key}']")),
        6 => (place(), select(&METHODS[..])).prop_map(|(place, call)| format!("{place}.{call}")),
        1 => place().prop_map(|place| format!("{place}.length = I")),
        1 => place().prop_map(|place| format!("Object.assign({place}, {{a: V, l: V}})")),
        1 => place().prop_map(|place| format!("Array.prototype.push.call({place}, V)")),
        1 => place().prop_map(|place| format!("Array.prototype.splice.call({place}, I, I, V)")),
        1 => (place(), key()).prop_map(|(place, key)| format!(
            "Object.defineProperty({place}, '{key}', {{value: V, writable: true, enumerable: true, configurable: true}})"
        )),
        3 => Just("d.l = [V, V, V]".to_owned()),
        2 => Just("d.o = {a: V, l: [V, V]}".to_owned()),
    ];
    form.prop_flat_map(filled)
}

fn check(statements: &[String]) -> Result<(), TestCaseError> {
    let mut pair = Pair::new(json!({"x": 1}));
    pair.run(BOTH);
    for statement in statements {
        pair.run("events.length = 0");
        let assigns_once = statement.contains("'] = ");
        let run = format!("both((d, x) => {{ {statement} }}, {assigns_once})");
        pair.settle(&run, || Fate::Arrives);

        let all = pair.value("[m, d, observer.data, events[0]]");
        let core = &pair.copy.data;
        prop_assert_eq!(&all, &json!([core, core, core, true]), "{}", statement);
    }
    let counted = "[reporter._tree.bytes, (reporter._tree.count(), reporter._tree.bytes)]";
    let counted = pair.value(counted);
    prop_assert_eq!(&counted[0], &counted[1]);
    prop_assert_eq!((pair.copy.reads, pair.copy.wholes), (0, 0));
    Ok(())
}

fn check_lossy(statements: &[(String, Fate)]) -> Result<(), TestCaseError> {
    let mut pair = Pair::new(json!({"x": 1}));
    for (statement, fate) in statements {
        let text = format!("try {{ {statement} }} catch {{}}").replace("x(", "(");
        let fates = &mut std::iter::once(*fate);
        pair.settle(&text, || fates.next().unwrap_or(Fate::Arrives));
    }
    // What was lost last is noticed when something follows.
    pair.settle("d.end = 1", || Fate::Arrives);

    let all = pair.value("[d, observer.data, reporter._version, observer._version]");
    let (core, version) = (&pair.copy.data, pair.copy.version);
    prop_assert_eq!(all, json!([core, core, version, version]));
    Ok(())
}

#[test]
fn every_observer_has_what_the_reporter_has_after_each_change() {
    let mut runner = TestRunner::new(Config::with_cases(48));

    let outcome = runner.run(&collection::vec(statement(), 1..50), |run| check(&run));

    outcome.unwrap();
}

#[test]
fn every_observer_has_what_the_reporter_has_although_updates_are_lost_and_overtaken() {
    let fate = prop_oneof![
        4 => Just(Fate::Arrives),
        1 => Just(Fate::IsLost),
        1 => Just(Fate::IsDropped),
        1 => Just(Fate::IsMissed),
        1 => Just(Fate::Overtakes),
    ];
    let mut runner = TestRunner::new(Config::with_cases(48));

    let statements = collection::vec((statement(), fate), 1..40);
    let outcome = runner.run(&statements, |run| check_lossy(&run));

    outcome.unwrap();
}
