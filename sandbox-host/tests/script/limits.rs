//! What a component may use, and that the sandbox goes on when it wants more.

use std::time::Duration;

use protocol::frame::{CoreFrame, LoadStage};
use serde_json::json;

use super::world::{ME, Said, World, logged};

fn impatient() -> World {
    World::with(|limits| limits.turn = Duration::from_millis(40))
}

fn alive(world: &World) -> bool {
    world.handle(CoreFrame::Ping { token: 7 }) == [Said::Pong(7)]
        && world.value("1 + 1") == json!(2)
}

fn poke() -> serde_json::Value {
    json!({"type": "update", "from": "x:/y", "to": ME, "body": {}})
}

#[test]
fn an_endless_loop_ends_and_cannot_be_caught() {
    for forever in [
        "while (true) {}",
        "while (true) { try { while (true) {} } catch (e) {} finally { while (true) {} } }",
        "/^(a+)+$/.test('a'.repeat(60) + 'b')",
        "for (;;) setTimeout(() => {}, 1e9);",
    ] {
        let world = impatient();
        world.start(ME, &format!("bus.addListener(url, () => {{ {forever} }})"));

        let said = logged(&world.deliver(poke()));

        let (ended, refused) = (
            "InternalError: ran too long without returning",
            "RangeError: more than 10000 timers",
        );
        assert!(
            said[0].starts_with(ended) || said[0].starts_with(refused),
            "{forever}: {said:?}"
        );
        assert!(alive(&world), "{forever}");
    }
}

#[test]
fn a_turn_is_not_cut_off_for_time_in_which_others_compute() {
    let world = World::resting(Duration::from_millis(300), |limits| {
        limits.turn = Duration::from_millis(200);
    });
    let steps = "for (let n = 0; n < 100_000; n += 1);";
    world.start(
        ME,
        &format!(
            "bus.addListener(url, () => {{ {steps} console.time(); {steps} console.log('done'); }})"
        ),
    );

    assert_eq!(logged(&world.deliver(poke())), ["done"]);
}

#[test]
fn the_listeners_behind_an_endless_one_are_still_called() {
    let world = impatient();
    world.start(ME, "bus.addListener(url, () => { for (;;) {} }); bus.addListener(url, () => console.log('second'))");

    assert_eq!(logged(&world.deliver(poke()))[1], "second");
}

#[test]
fn an_endless_start_fails_the_load() {
    let world = World::with(|limits| limits.load = Duration::from_millis(40));

    let said = [
        world.start(ME, "for (;;) {}"),
        world.load(ME, "for (;;) {}"),
    ];

    assert!(
        matches!(said[0][..], [Said::Failed(LoadStage::Start, ..)]),
        "{said:?}"
    );
    assert!(
        matches!(said[1][..], [Said::Failed(LoadStage::Construct, ..)]),
        "{said:?}"
    );
    assert!(alive(&world));
}

#[test]
fn an_endless_chain_of_promises_leaves_room_between_turns() {
    let world = impatient();
    world.start(
        ME,
        "const f = () => Promise.resolve().then(f); setTimeout(f, 1)",
    );

    world.pass(1);

    assert!(world.engine.is_busy());
    assert_eq!(world.handle(CoreFrame::Ping { token: 1 }), [Said::Pong(1)]);
}

#[test]
fn memory_ends_with_an_error_that_is_told() {
    for hunger in [
        "const a = []; for (;;) a.push(new Array(1000).fill(a.length))",
        "let s = 'x'; for (;;) s += s",
        "for (let a = [];;) a = [a, a]; ",
    ] {
        let world = World::with(|limits| limits.memory_bytes = 8 << 20);
        world.start(ME, &format!("bus.addListener(url, () => {{ {hunger} }})"));

        let said = logged(&world.deliver(poke()));

        let reasons = [
            "out of memory",
            "InternalError: out of memory",
            "InternalError: string too long",
        ];
        assert!(
            reasons.iter().any(|reason| said[0].starts_with(reason)),
            "{hunger}: {said:?}"
        );
        assert!(alive(&world), "{hunger}");
    }
}

#[test]
fn recursion_ends_with_an_error_that_is_told() {
    for deep in [
        "const f = () => f(); f()",
        "JSON.parse('['.repeat(1e6))",
        "let a = []; for (let n = 0; n < 1e5; n++) a = [a]; JSON.stringify(a)",
        "eval('('.repeat(1e6))",
    ] {
        let world = World::new();
        world.start(ME, &format!("bus.addListener(url, () => {{ {deep} }})"));

        let said = logged(&world.deliver(poke()));

        assert!(said[0].contains("Error"), "{deep}: {said:?}");
        assert!(alive(&world), "{deep}");
    }
}

#[test]
fn there_are_only_so_many_timers_and_stopped_ones_do_not_count() {
    let world = World::new();

    let said = logged(&world.start(
        ME,
        "const ids = []; try { for (;;) ids.push(setTimeout(() => {}, 1000)) } catch (e) { console.log(e.message) }
         console.log(ids.length); clearTimeout(ids[0]); clearTimeout(ids[0]); clearInterval(ids[1]); clearTimeout('x');
         setTimeout(() => {}, 1); setTimeout(() => {}, 1);
         try { setTimeout(() => {}, 1) } catch (e) { console.log(e.message) }",
    ));

    assert_eq!(
        said,
        ["more than 10000 timers", "10000", "more than 10000 timers"]
    );
}

#[test]
fn a_timer_that_arms_itself_again_is_slowed_down() {
    let world = World::running(
        "let n = 0; const f = () => { n += 1; setTimeout(f) }; f(); setTimeout(() => console.log(n), 100)",
    );

    let counted: u32 = logged(&world.pass(100))[0].parse().unwrap();

    assert!((20..40).contains(&counted), "{counted}");
}

#[test]
fn too_many_messages_in_one_turn_are_refused_and_too_many_lines_are_counted() {
    let world = World::with(|limits| limits.outbox_bytes = 10_000);

    let said = logged(&world.start(
        ME,
        "const m = {type: 'event', from: url, to: url, body: 'x'.repeat(1000)};
         try { for (;;) bus.postMessage({...m}) } catch (e) { setTimeout(() => console.log(e.message), 1) }
         console.log('lost'); console.log('lost');",
    ));
    let later = logged(&world.pass(1));

    assert_eq!(said, [""; 0]);
    assert_eq!(
        later,
        [
            "2 log lines were lost: too many in one turn",
            "cannot post a message: too many in one turn"
        ]
    );
}

#[test]
fn nothing_is_imported() {
    let world = World::new();
    for name in [
        "std",
        "os",
        "/etc/passwd",
        "hyperty/minibus.js",
        "./hyperty/minibus.js",
    ] {
        let said = world.start(ME, &format!("import('{name}').then(() => console.log('imported'), (e) => console.log('refused'))"));
        world.handle(CoreFrame::Unload { component: ME });

        assert_eq!(logged(&said), ["refused"], "{name}");
    }
}
