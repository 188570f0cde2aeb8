//! What a network does: packets lost, cables silent, ends that do not know of each other's
//! end. Every request ends in one answer, and nothing is heard twice.

use std::time::Duration;

use hyperty_tests::harness::{Between, Cable, Catalogue, Hosts, Pair, eventually, script};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

use super::DOMAIN;

const LEDGER: &str = "social.example/hyperty/Ledger";

/// The time that a request may take here: far below that of a connection without a sign of life.
const SOON: Duration = Duration::from_secs(2);

/// The time that one may take which is to arrive although packets are lost.
const LATE: Duration = Duration::from_secs(20);

// Keeps in order which numbers it heard, answers questions, and shows all to who reads it.
const KEEPS: &str = "const heard = [];
bus.addListener(url, (m) => {
    if (m.body && m.body.n !== undefined) heard.push(m.body.n);
    if (m.type === 'create' || m.type === 'read')
        bus.postMessage({ id: m.id, type: 'response', from: url, to: m.from,
            body: { code: 200, value: m.type === 'read' ? heard : null } });
});";

between_machines! {
    over_a_cable_that_loses_packets_each_request_is_answered_and_heard_once,
    requests_over_a_silent_cable_end_and_none_is_heard_twice,
    a_runtime_that_vanished_behind_a_silent_cable_is_itself_again,
    a_node_that_was_restarted_behind_a_silent_cable_is_found_again,
}

over_each_node! {
    what_is_told_while_the_node_is_killed_keeps_its_order_and_comes_once,
    a_node_that_flaps_costs_no_request_its_answer,
}

fn catalogue() -> Catalogue {
    Catalogue::new()
        .script(DOMAIN, "Ledger", &script(KEEPS))
        .permissive()
}

/// Two runtimes, and a ledger in the second one.
struct Stage {
    pair: Pair,
    ledger: Component,
}

impl Stage {
    #[track_caller]
    fn new(between: Between) -> Option<Self> {
        let pair = Pair::start(between, DOMAIN, catalogue)?;
        let ledger = pair.other.deploy(LEDGER);
        let stage = Self { pair, ledger };
        stage.is_reached(-1);
        Some(stage)
    }

    fn hosts(&self) -> Hosts {
        self.pair
            .hosts
            .clone()
            .expect("they are on machines of their own")
    }

    /// Has these numbers asked all at once; what each was answered.
    #[track_caller]
    fn asks(&self, numbers: std::ops::Range<i32>, within: Duration) -> Vec<Vec<u16>> {
        let bodies: Vec<_> = numbers.map(|n| json!({ "n": n })).collect();
        let operator = self.pair.one.operator();
        operator.ask_many("create", &self.ledger.address, &bodies, within)
    }

    /// Asks until there is an answer of the ledger's; from `n` downwards.
    #[track_caller]
    fn is_reached(&self, n: i32) {
        let next = std::cell::Cell::new(n);
        eventually("the ledger is reached", || {
            let n = next.replace(next.get() - 1);
            self.asks(n..n + 1, SOON) == [[200]]
        });
    }

    /// Every number that the ledger heard, in order.
    #[track_caller]
    fn heard(&self) -> Vec<i64> {
        let read = self
            .pair
            .other
            .operator()
            .ask("read", &self.ledger.address, &Value::Null);
        assert_eq!(read.code, 200, "{read:?}");
        let all = read.value().as_array().unwrap().iter();
        all.map(|n| n.as_i64().unwrap()).collect()
    }

    #[track_caller]
    fn has_heard_nothing_twice(&self) {
        let mut heard = self.heard();
        let count = heard.len();
        heard.sort_unstable();
        heard.dedup();
        assert_eq!(heard.len(), count, "something was heard twice: {heard:?}");
    }
}

#[track_caller]
fn each_has_one_answer(answers: &[Vec<u16>]) {
    assert!(answers.iter().all(|codes| codes.len() == 1), "{answers:?}");
}

fn over_a_cable_that_loses_packets_each_request_is_answered_and_heard_once(between: Between) {
    let Some(stage) = Stage::new(between) else {
        return;
    };
    let hosts = stage.hosts();
    hosts.to_one().loses_packets();
    hosts.to_other().loses_packets();

    let answers: Vec<_> = (0..8)
        .flat_map(|n| stage.asks(n * 10..n * 10 + 10, LATE))
        .collect();

    each_has_one_answer(&answers);
    let answered = answers.iter().filter(|codes| codes[..] == [200]).count();
    let heard = stage.heard().into_iter().filter(|n| *n >= 0).count();
    assert!(0 < answered && answered <= heard, "{answers:?} {heard}");
    stage.has_heard_nothing_twice();
}

fn requests_over_a_silent_cable_end_and_none_is_heard_twice(between: Between) {
    let Some(stage) = Stage::new(between) else {
        return;
    };
    let hosts = stage.hosts();

    hosts.to_other().is_silent();
    let answers = stage.asks(0..20, SOON);
    hosts.to_other().is_mended();
    stage.is_reached(-100);

    each_has_one_answer(&answers);
    let failed = |codes: &Vec<u16>| [408, 503].contains(&codes[0]);
    assert!(answers.iter().all(failed), "{answers:?}");
    // What was on its way may still come, as what was told does; and what is asked now comes.
    stage.has_heard_nothing_twice();
}

fn a_runtime_that_vanished_behind_a_silent_cable_is_itself_again(between: Between) {
    let Some(stage) = Stage::new(between) else {
        return;
    };
    let (hosts, address) = (stage.hosts(), stage.ledger.address.clone());

    // Its connection stays open at the node, which hears nothing of the end.
    hosts.to_other().is_silent();
    let pair = stage
        .pair
        .with_other_killed(|_| hosts.to_other().is_mended());
    let ledger = pair.other.deploy(LEDGER);
    let stage = Stage { pair, ledger };

    assert_eq!(stage.ledger.address, address);
    stage.is_reached(-100);
    stage.has_heard_nothing_twice();
}

fn a_node_that_was_restarted_behind_a_silent_cable_is_found_again(between: Between) {
    let Some(mut stage) = Stage::new(between) else {
        return;
    };
    let hosts = stage.hosts();
    let cables = || [hosts.to_one(), hosts.to_other()];

    // Both connections stay open at the runtimes, and are nobody's at the node.
    cables().into_iter().for_each(Cable::is_silent);
    stage.pair.node.kill();
    stage.pair.node.start_again();
    cables().into_iter().for_each(Cable::is_mended);
    let answers = stage.asks(0..20, SOON);
    stage.is_reached(-100);

    each_has_one_answer(&answers);
    stage.has_heard_nothing_twice();
}

fn what_is_told_while_the_node_is_killed_keeps_its_order_and_comes_once(between: Between) {
    const LAST: i64 = 299;
    let Some(mut stage) = Stage::new(between) else {
        return;
    };
    let address = stage.ledger.address.clone();
    let tell = |pair: &Pair, numbers: std::ops::Range<i64>| {
        for n in numbers {
            pair.one
                .operator()
                .tell("update", &address, &json!({ "n": n }));
        }
    };

    tell(&stage.pair, 0..100);
    stage.pair.kill_node(|pair| tell(pair, 100..200));
    // Until one is heard that was told after the last of them.
    tell(&stage.pair, 200..LAST + 1);
    eventually("the last is heard", || stage.heard().contains(&LAST));

    let told: Vec<_> = stage.heard().into_iter().filter(|n| *n >= 0).collect();
    assert!(told.is_sorted_by(|one, next| one < next), "{told:?}");
}

fn a_node_that_flaps_costs_no_request_its_answer(between: Between) {
    let Some(mut stage) = Stage::new(between) else {
        return;
    };
    let mut answers = Vec::new();

    for n in (0..30).step_by(10) {
        stage.pair.node.kill();
        answers.extend(stage.asks(n..n + 5, SOON));
        stage.pair.node.start_again();
        answers.extend(stage.asks(n + 5..n + 10, SOON));
    }
    stage.is_reached(-100);

    each_has_one_answer(&answers);
    stage.has_heard_nothing_twice();
}
