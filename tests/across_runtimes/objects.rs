//! Data objects.

use hyperty_tests::harness::{Between, Catalogue, Pair, Runtime, eventually};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

use super::DOMAIN;

const DESK: &str = "social.example/hyperty/Desk";
const BOARD: &str = "social.example/hyperty/Board";

over_each_node! {
    every_change_child_and_call_reaches_the_other_runtime,
    the_end_of_an_object_is_told_in_the_other_runtime,
    an_object_goes_on_after_the_observing_runtime_was_killed,
    an_object_goes_on_after_the_reporting_runtime_was_killed,
    an_object_goes_on_after_each_stub_was_killed,
    an_object_goes_on_after_the_node_was_killed,
}

between_machines! {
    every_change_child_and_call_reaches_the_other_runtime,
    an_object_goes_on_after_the_node_was_killed,
}

fn catalogue() -> Catalogue {
    Catalogue::new()
        .fixture_script(DOMAIN, "Desk")
        .fixture_script(DOMAIN, "Board")
        .permissive()
}

/// The desk in the one runtime, the board in the other.
struct Sharing {
    pair: Pair,
    desk: Component,
    board: Component,
}

impl Sharing {
    /// A new object that the board observes.
    #[track_caller]
    fn begun(between: Between) -> Option<Self> {
        let pair = Pair::start(between, DOMAIN, catalogue)?;
        let board = pair.other.deploy(BOARD);
        let desk = pair.one.deploy(DESK);
        let sharing = Self { pair, desk, board };
        sharing.desk(&json!({"do": "create", "invite": [sharing.board.address]}));
        sharing.board_has(&json!({"n": 0, "list": []}));
        Some(sharing)
    }

    #[track_caller]
    fn desk(&self, deed: &Value) -> Value {
        ask(&self.pair.one, &self.desk, deed)
    }

    #[track_caller]
    fn board(&self, deed: &Value) -> Value {
        ask(&self.pair.other, &self.board, deed)
    }

    #[track_caller]
    fn set(&self, n: u32) {
        self.desk(&json!({"do": "set", "value": {"n": n}}));
    }

    #[track_caller]
    fn board_has(&self, data: &Value) {
        eventually(&format!("the board has {data:.80}"), || {
            self.board(&json!({}))["data"] == *data
        });
    }

    /// Changes, children and calls pass; `children` were there before.
    #[track_caller]
    fn goes_on(&self, n: u32, children: u32) {
        self.set(n);
        self.board_has(&json!({"n": n, "list": []}));
        let shared = self.board(&json!({"do": "child", "text": "from the board"}));
        self.desk(&json!({"do": "child", "text": "from the desk"}));
        let called = self.board(&json!({"do": "call", "method": "ring"}));
        assert_eq!(
            (&shared["said"], &called["said"]),
            (&json!(100), &json!("done"))
        );
        eventually("both have all children", || {
            let all = json!(children + 2);
            self.board(&json!({}))["children"] == all
                && self.desk(&json!({"do": "look"}))["children"] == all
        });
    }
}

#[track_caller]
fn ask(runtime: &Runtime, whom: &Component, deed: &Value) -> Value {
    let answer = runtime.operator().ask("read", &whom.address, deed);
    assert_eq!(answer.code, 200, "{answer:?}");
    answer.value().clone()
}

#[track_caller]
fn took_up(runtime: &Runtime, component: &Component) {
    eventually("it has taken up its object again", || {
        runtime.log_says(component, "took up")
    });
}

fn every_change_child_and_call_reaches_the_other_runtime(between: Between) {
    let Some(sharing) = Sharing::begun(between) else {
        return;
    };

    sharing.goes_on(1, 0);
    let refused = sharing.board(&json!({"do": "call", "method": "sing"}));
    let many = sharing.desk(&json!({"do": "push", "times": 1000}));

    assert_eq!(refused["said"], json!("no such method"));
    sharing.board_has(&many["data"]);
}

fn the_end_of_an_object_is_told_in_the_other_runtime(between: Between) {
    let Some(sharing) = Sharing::begun(between) else {
        return;
    };

    sharing.desk(&json!({"do": "end"}));

    eventually("the board heard the end", || {
        sharing.board(&json!({}))["ended"] == json!(true)
    });
}

fn an_object_goes_on_after_the_observing_runtime_was_killed(between: Between) {
    let Some(sharing) = Sharing::begun(between) else {
        return;
    };
    sharing.goes_on(1, 0);
    sharing.pair.other.keeps("from the desk");
    let Sharing { pair, desk, .. } = sharing;

    let pair = pair.with_other_killed(|one| {
        ask(one, &desk, &json!({"do": "set", "value": {"n": 2}}));
        ask(one, &desk, &json!({"do": "child", "text": "meanwhile"}));
    });
    let board = pair.other.deploy(BOARD);
    took_up(&pair.other, &board);
    let sharing = Sharing { pair, desk, board };

    sharing.board_has(&json!({"n": 2, "list": []}));
    sharing.goes_on(3, 3);
}

fn an_object_goes_on_after_the_reporting_runtime_was_killed(between: Between) {
    let Some(sharing) = Sharing::begun(between) else {
        return;
    };
    sharing.goes_on(1, 0);
    sharing.pair.one.keeps("from the desk");
    let Sharing { pair, board, .. } = sharing;

    let pair = pair.with_one_killed(|_| {});
    let desk = pair.one.deploy(DESK);
    took_up(&pair.one, &desk);
    let sharing = Sharing { pair, desk, board };

    sharing.goes_on(3, 2);
}

fn an_object_goes_on_after_each_stub_was_killed(between: Between) {
    let Some(sharing) = Sharing::begun(between) else {
        return;
    };
    sharing.goes_on(1, 0);

    Pair::kill_stub_of(&sharing.pair.one);
    sharing.goes_on(2, 2);
    Pair::kill_stub_of(&sharing.pair.other);

    sharing.goes_on(3, 4);
}

fn an_object_goes_on_after_the_node_was_killed(between: Between) {
    let Some(mut sharing) = Sharing::begun(between) else {
        return;
    };
    sharing.goes_on(1, 0);

    let desk = sharing.desk.clone();
    sharing.pair.kill_node(|pair| {
        ask(&pair.one, &desk, &json!({"do": "set", "value": {"n": 2}}));
        ask(
            &pair.one,
            &desk,
            &json!({"do": "child", "text": "meanwhile"}),
        );
    });

    sharing.board_has(&json!({"n": 2, "list": []}));
    sharing.goes_on(3, 3);
}
