//! Two providers share a live data object, and go on after whatever ends.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Catalogue, Runtime, TempDir, eventually, script, some_time};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

// Reports an object, or takes up again the one it had; what `do` says is done to it.
const DESK: &str = "
    const schema = 'hyperty-catalogue://desk.example/.well-known/dataschema/Communication';
    const syncher = factory.createSyncher(url, bus, config);
    let reporter;
    const begin = (it) => {
      reporter = it;
      it.onSubscription((event) => event.accept());
      it.onAddChild((event) => console.log('child ' + event.value.text));
      it.onExecute((event) => event.method === 'ring' ? event.accept() : event.reject('no such method'));
    };
    const deeds = {
      create: (m) => syncher.create(schema, m.invite, {n: 0, list: []}, true, false, 'desk', {}, {resources: ['desk']}).then(begin),
      set: (m) => Object.assign(reporter.data, m.value),
      drop: (m) => delete reporter.data[m.key],
      push: (m) => { for (let n = 0; n < m.times; n += 1) reporter.data.list.push(n) },
      shift: () => reporter.data.list.shift(),
      child: (m) => reporter.addChild({text: m.text}),
      look: () => {},
      end: () => reporter.delete(),
    };
    syncher.resumeReporters({store: true}).then((map) => { for (const it of Object.values(map)) { begin(it); console.log('took up') } });
    bus.addListener(url, async (m) => {
      if (m.type !== 'read') return;
      await deeds[m.body.do](m.body);
      bus.postMessage({id: m.id, type: 'response', from: url, to: m.from, body: {code: 200,
        value: {data: reporter?.data, text: JSON.stringify(reporter?.data), children: Object.keys(reporter?.childrens ?? {}).length}}});
    });";

// Observes what it is invited to, or what it observed before.
const BOARD: &str = "
    const syncher = factory.createSyncher(url, bus, config);
    let observer;
    let ended = false;
    const begin = (it) => { observer = it; it.onAddChild((event) => console.log('child ' + event.value.text)); };
    syncher.onNotification((event) => {
      event.ack(200);
      if (event.type === 'delete') ended = true;
      else syncher.subscribe({schema: event.schema, resource: event.url, store: true}).then(begin, (reason) => console.log(reason));
    });
    syncher.resumeObservers({store: true}).then((map) => { for (const it of Object.values(map)) { begin(it); console.log('took up') } });
    bus.addListener(url, async (m) => {
      if (m.type !== 'read') return;
      let said;
      if (m.body.do === 'child') await observer.addChild({text: m.body.text}).then((c) => c.sharingStatus).then((s) => { said = s.code });
      if (m.body.do === 'call') await observer.execute(m.body.method, []).then(() => { said = 'done' }, (reason) => { said = reason });
      bus.postMessage({id: m.id, type: 'response', from: url, to: m.from, body: {code: 200,
        value: {data: observer?.data, text: JSON.stringify(observer?.data), children: Object.keys(observer?.childrens ?? {}).length, said, ended}}});
    });";

struct Sharing {
    runtime: Runtime,
    desk: Component,
    board: Component,
}

impl Sharing {
    fn start(home: TempDir) -> Self {
        let catalogue = Catalogue::new()
            .script("desk.example", "Desk", &script(DESK))
            .script("board.example", "Board", &script(BOARD))
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
    sharing.runtime.keeps("\"ant\"");
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
