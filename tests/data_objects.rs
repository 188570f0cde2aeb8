//! Two providers share a live data object, and go on after whatever ends.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Catalogue, Runtime, TempDir, eventually, some_time};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

struct Sharing {
    runtime: Runtime,
    desk: Component,
    board: Component,
}

impl Sharing {
    fn start(home: TempDir) -> Self {
        let catalogue = Catalogue::new()
            .fixture_script("desk.example", "Desk")
            .fixture_script("board.example", "Board")
            .permissive();
        let runtime = Runtime::with(catalogue).home(home).start();
        let board = runtime.deploy("board.example/hyperty/Board");
        let desk = runtime.deploy("desk.example/hyperty/Desk");
        Self {
            runtime,
            desk,
            board,
        }
    }

    /// A new object that the board observes.
    fn begun() -> Self {
        let sharing = Self::start(TempDir::new());
        sharing.desk(&json!({"do": "create", "invite": [sharing.board.address]}));
        sharing.board_has(&json!({"n": 0, "list": []}));
        sharing
    }

    fn desk(&self, deed: &Value) -> Value {
        let answer = self
            .runtime
            .operator()
            .ask("read", &self.desk.address, deed);
        assert_eq!(answer.code, 200, "{answer:?}");
        answer.value().clone()
    }

    fn board(&self, deed: &Value) -> Value {
        let answer = self
            .runtime
            .operator()
            .ask("read", &self.board.address, deed);
        assert_eq!(answer.code, 200, "{answer:?}");
        answer.value().clone()
    }

    fn board_has(&self, data: &Value) {
        eventually(&format!("the board has {data:.80}"), || {
            self.board(&json!({}))["data"] == *data
        });
    }

    /// Ends the process in which a component runs, and waits for the next one.
    fn kill(&self, component: &Component) {
        self.runtime.process_of(component).kill();
        some_time("it has taken up its object again", || {
            self.runtime.log_says(component, "took up").then_some(())
        });
    }
}

#[test]
fn every_change_reaches_the_observer_of_another_provider() {
    let sharing = Sharing::begun();

    sharing.desk(&json!({"do": "set", "value": {"n": 1, "deep": {"user://x.example/y": [1]}}}));
    sharing.desk(&json!({"do": "push", "times": 3}));
    sharing.desk(&json!({"do": "shift"}));
    sharing.board_has(&json!({"n": 1, "deep": {"user://x.example/y": [1]}, "list": [1, 2]}));
    let many = sharing.desk(&json!({"do": "push", "times": 1000}));

    sharing.board_has(&many["data"]);
}

#[test]
fn children_and_calls_pass_between_the_two() {
    let sharing = Sharing::begun();

    let shared = sharing.board(&json!({"do": "child", "text": "hello"}));
    sharing.desk(&json!({"do": "child", "text": "welcome"}));
    let called = ["ring", "sing"]
        .map(|method| sharing.board(&json!({"do": "call", "method": method}))["said"].clone());

    assert_eq!(shared["said"], json!(100));
    assert_eq!(called, [json!("done"), json!("no such method")]);
    eventually("the desk heard of a child", || {
        sharing.runtime.log_says(&sharing.desk, "child hello")
    });
    eventually("the board heard of a child", || {
        sharing.runtime.log_says(&sharing.board, "child welcome")
    });
}

#[test]
fn both_go_on_after_their_sandboxes_were_killed() {
    let sharing = Sharing::begun();
    sharing.board(&json!({"do": "child", "text": "hello"}));

    sharing.kill(&sharing.desk);
    let desk = sharing.desk(&json!({"do": "set", "value": {"n": 2}}));
    sharing.board_has(&json!({"n": 2, "list": []}));
    sharing.kill(&sharing.board);
    sharing.desk(&json!({"do": "set", "value": {"n": 3}}));

    sharing.board_has(&json!({"n": 3, "list": []}));
    assert_eq!(desk["children"], json!(1));
    assert_eq!(sharing.board(&json!({}))["children"], json!(1));
}

#[test]
fn both_go_on_after_the_supervisor_was_killed() {
    let sharing = Sharing::begun();
    sharing.desk(&json!({"do": "set", "value": {"n": 5}}));
    sharing.board_has(&json!({"n": 5, "list": []}));

    let sharing = Sharing::start(sharing.runtime.killed());
    eventually("the desk has its object again", || {
        sharing.runtime.log_says(&sharing.desk, "took up")
    });
    sharing.desk(&json!({"do": "set", "value": {"n": 6}}));

    sharing.board_has(&json!({"n": 6, "list": []}));
}

// As scripts have it: what looks like an index first and in order, then the rest as it came.
#[test]
fn members_and_elements_keep_their_order_when_the_supervisor_was_killed() {
    let sharing = Sharing::begun();
    let deeds = [
        json!({"do": "set", "value": {"zoo": 1, "ant": 2, "mid": {"y": 1, "x": 2}, "10": 1, "9": 2, "bee": 3}}),
        json!({"do": "drop", "key": "ant"}),
        json!({"do": "push", "times": 12}),
        json!({"do": "set", "value": {"ant": 4, "zoo": 5}}),
        json!({"do": "drop", "key": "n"}),
        json!({"do": "shift"}),
    ];
    let list = "[1,2,3,4,5,6,7,8,9,10,11]";
    let text =
        format!(r#"{{"9":2,"10":1,"list":{list},"zoo":5,"mid":{{"y":1,"x":2}},"bee":3,"ant":4}}"#);

    for deed in &deeds {
        sharing.desk(deed);
    }
    let before = sharing.desk(&json!({"do": "look"}))["text"].clone();
    eventually("the board lists it alike", || {
        sharing.board(&json!({}))["text"] == json!(text)
    });
    // Written with, or after, everything that was done before it.
    sharing.desk(&json!({"do": "child", "text": "all is said"}));
    sharing.runtime.keeps("all is said");
    let sharing = Sharing::start(sharing.runtime.killed());
    for component in [&sharing.desk, &sharing.board] {
        eventually("it has its object again", || {
            sharing.runtime.log_says(component, "took up")
        });
    }

    assert_eq!(before, json!(text));
    assert_eq!(sharing.desk(&json!({"do": "look"}))["text"], json!(text));
    assert_eq!(sharing.board(&json!({}))["text"], json!(text));
}

#[test]
fn the_end_of_an_object_is_told() {
    let sharing = Sharing::begun();

    sharing.desk(&json!({"do": "end"}));

    eventually("the board heard the end", || {
        sharing.board(&json!({}))["ended"] == json!(true)
    });
}
