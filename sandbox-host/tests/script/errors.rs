//! What a component throws is told with its place, and ends nothing.

use protocol::frame::LogLevel;

use super::world::{ME, Said, World, logged};

fn only_error(said: &[Said]) -> (String, String, String) {
    match said {
        [Said::Log(component, LogLevel::Error, place, text)] => {
            (component.clone(), place.clone(), text.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_timer_that_throws_is_told_and_the_next_one_runs() {
    let world = World::running(
        "\nsetTimeout(() => { throw new RangeError('late') }, 5);\nsetTimeout(() => console.log('next'), 6);",
    );

    let (component, place, text) = only_error(&world.pass(5));

    assert_eq!((component.as_str(), place.as_str()), (ME, "me.js:3"));
    assert!(text.starts_with("RangeError: late\n    at"), "{text}");
    assert_eq!(logged(&world.pass(1)), ["next"]);
}

#[test]
fn a_rejection_that_nobody_handles_is_told_with_its_place() {
    let world =
        World::running("\nsetTimeout(async () => { await null;\nthrow new Error('unheard') }, 5);");

    let (component, place, text) = only_error(&world.pass(5));

    assert_eq!((component.as_str(), place.as_str()), (ME, "me.js:4"));
    assert!(
        text.starts_with("a promise was rejected and nobody heard: Error: unheard\n"),
        "{text}"
    );
}

#[test]
fn a_rejection_that_is_handled_in_the_same_turn_is_not_told() {
    let world = World::running(
        "setTimeout(() => { const p = Promise.reject(1); Promise.resolve().then(() => p.catch(() => {})) }, 5)",
    );

    assert_eq!(world.pass(5), []);
}

#[test]
fn a_microtask_that_throws_is_told() {
    let world =
        World::running("setTimeout(() => queueMicrotask(() => { throw new Error('job') }), 5)");

    assert!(only_error(&world.pass(5)).2.starts_with("Error: job"));
}

#[test]
fn anything_may_be_thrown() {
    let world = World::running(
        "const things = [undefined, 5, 'text', Symbol('s'), {a: 1}, () => {}, Object.create(null),
           { get message() { throw 1 }, toString() { throw 2 } }, new Proxy(new Error('p'), { get() { throw 3 } })];
         things.forEach((thing, n) => setTimeout(() => { throw thing }, n + 1));",
    );

    let said = world.pass(20);

    assert_eq!(said.len(), 9, "{said:?}");
    assert_eq!(logged(&said)[1..3], ["thrown: 5", "thrown: text"]);
}

#[test]
fn console_lines_have_a_level_and_a_place() {
    let world = World::new();

    let said = world.start(ME, "\nconsole.debug('d');\nconsole.warn('w', {a: [1, 'x']}, null);\nconsole.error(new Error('e').message);");

    let line = |level, place: &str, text: &str| {
        Said::Log(ME.to_owned(), level, place.to_owned(), text.to_owned())
    };
    assert_eq!(said[0], line(LogLevel::Debug, "me.js:3", "d"));
    assert_eq!(
        said[1],
        line(LogLevel::Warn, "me.js:4", r#"w {a: [1, "x"]} null"#)
    );
    assert_eq!(said[2], line(LogLevel::Error, "me.js:5", "e"));
}

#[test]
fn console_tells_what_matters_of_our_own_objects() {
    let world = World::new();

    let said = logged(&world.start(
        ME,
        "console.log(bus, factory);
         console.log(factory.createSyncher(url, bus, { runtimeURL: 'runtime://a.example/1' }));",
    ));

    assert_eq!(said[0], format!("{{owner: \"{ME}\"}} {{}}"));
    assert_eq!(
        said[1],
        format!("Syncher {{owner: \"{ME}\", reporters: [], observers: []}}")
    );
}

#[test]
fn console_shows_anything_and_cuts_what_is_long() {
    let world = World::new();

    let said = logged(&world.start(
        ME,
        "const ring = {}; ring.self = ring;
         console.log('%s is %d %o%%', 'x', 4.7, {a: 1}, 'rest');
         console.log(ring, new Map([[1, new Set([2])]]), [undefined, 3n, Symbol('s')], new Uint8Array(2));
         console.log({ get bad() { throw 1 } }, {a: {b: {c: {d: 1}}}}, class Named {}, new (class Point { x = 1 })());
         console.log('ä'.repeat(9000));
         console.log('half \\ud800');
         console.assert(false, 'why'); console.count(); console.group('g'); console.log('in'); console.groupEnd();",
    ));

    assert_eq!(said[0], "x is 4 {a: 1}% rest");
    assert_eq!(
        said[1],
        "{self: [circular]} Map {1 => Set {2}} [undefined, 3n, Symbol(s)] Uint8Array [0, 0]"
    );
    assert_eq!(
        said[2],
        "[unreadable] {a: {b: {c: {…}}}} [function Named] Point {x: 1}"
    );
    assert_eq!(said[3].len(), 8191, "8 KiB, and no half of a letter");
    assert_eq!(said[4], "half \u{fffd}");
    assert_eq!(
        said[5..],
        ["assertion failed: why", "default: 1", "g", "  in"]
    );
}
