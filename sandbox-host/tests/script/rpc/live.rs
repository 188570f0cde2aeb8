//! Data objects that are lent: a copy at the borrower, kept up to date.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::super::syncing::{HA, Pair};
use super::super::world::{ME, Sent, World, logged, sent};
use super::{CALLER, answers, api, class};

/// A reporter whose hyperty [`ME`] gives it away, and a borrower in another sandbox.
struct Two {
    lender: Pair,
    borrower: World,
    /// Events that the core loses, counted from the next one.
    lost: usize,
}

impl Two {
    fn new(initial: Value) -> Self {
        let lender = Pair::reporting(initial);
        lender
            .world
            .load(ME, &class("chat() { return globalThis.reporter }"));
        let mut two = Self {
            lender,
            borrower: World::new(),
            lost: 0,
        };
        let start = format!(
            "globalThis.heard = [];
             factory.requireHyperty('{ME}').then((far) => far.chat()).then((chat) => {{
               globalThis.chat = chat;
               chat.onChange('*', ({{ cType, field, data }}) => heard.push([cType, field, data]));
             }}, (error) => console.log(error.message))"
        );
        let said = sent(&two.borrower.start(CALLER, &start));
        two.carry(said);
        two
    }

    /// Changes the lender's data, and everything that follows.
    fn change(&mut self, text: &str) {
        let said = self.lender.run(text);
        self.carry(said);
    }

    /// Runs a text at the borrower, and everything that follows.
    fn borrow(&mut self, text: &str) {
        let probe = "hyperty://borrower.example/probe";
        let said = sent(&self.borrower.start(probe, text));
        self.borrower
            .handle(protocol::frame::CoreFrame::Unload { component: probe });
        self.carry(said);
    }

    // What goes to an API of the other; the sync manager has nothing to say.
    fn carry(&mut self, first: Vec<Sent>) {
        let mut out = VecDeque::from(first);
        while let Some(message) = out.pop_front() {
            let is_change = message.body.get("changed").is_some();
            if is_change && self.lost > 0 {
                self.lost -= 1;
                continue;
            }
            let text = json!({"id": message.id, "type": message.kind, "from": message.from,
                "to": message.to, "body": message.body});
            if message.to == api(ME) {
                out.extend(sent(&self.lender.world.deliver(text)));
            } else if message.to == api(CALLER) {
                out.extend(sent(&self.borrower.deliver(text)));
            }
        }
    }

    fn copy(&self) -> Value {
        self.borrower.value("chat.data")
    }

    fn heard(&self) -> Value {
        self.borrower.value("heard.splice(0)")
    }

    #[track_caller]
    fn assert_same(&self) {
        assert_eq!(self.copy(), self.lender.value("d"));
    }
}

#[test]
fn a_data_object_comes_with_its_data_and_its_methods() {
    let two = Two::new(json!({"x": 1, "list": [1, {"deep": true}]}));

    assert_eq!(two.copy(), json!({"x": 1, "list": [1, {"deep": true}]}));
    two.assert_same();
    let told = two
        .borrower
        .value("['inviteObservers' in chat, '_committed' in chat, typeof chat.delete]");
    assert_eq!(told, json!([true, false, "function"]));
}

#[test]
fn every_change_of_the_lender_is_seen_and_told() {
    let mut two = Two::new(json!({"x": 1, "list": [1]}));

    two.change("d.x = 2; d.list.push(2, 3); d.obj = { a: { b: 1 } }; d.obj.a.b = 2; delete d.x; d.list.splice(0, 1)");

    two.assert_same();
    assert_eq!(two.copy(), json!({"list": [2, 3], "obj": {"a": {"b": 2}}}));
    let heard = two.heard();
    assert_eq!(heard[0], json!(["update", "x", 2]));
    assert!(
        heard
            .as_array()
            .unwrap()
            .contains(&json!(["update", "obj.a.b", 2])),
        "{heard}"
    );
    assert!(
        heard
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one[0] == "remove" && one[1] == "x"),
        "{heard}"
    );
}

#[test]
fn a_value_with_a_dollar_is_data_and_no_tag() {
    let mut two = Two::new(json!({"x": {"$": "undefined"}}));

    two.change("d.y = { $: 'ref', ref: 'z' }");

    two.assert_same();
}

#[test]
fn what_the_borrower_writes_goes_to_the_lender_and_comes_back() {
    let mut two = Two::new(json!({"x": 1, "list": [1], "gone": 1}));

    two.borrow("chat.data.x = 5; chat.data.list.push(7); chat.data.list[0] = 6; delete chat.data.gone; chat.data.o = { a: 1 }");

    assert_eq!(
        two.lender.value("d"),
        json!({"x": 5, "list": [6, 7], "o": {"a": 1}})
    );
    two.assert_same();
}

#[test]
fn a_lost_event_is_noticed_and_read_again() {
    let mut two = Two::new(json!({"x": 1}));
    two.lost = 1;
    two.change("d.x = 2");
    assert_eq!(two.copy(), json!({"x": 1}));

    two.change("d.y = 3");

    two.assert_same();
    assert_eq!(two.heard(), json!([["update", "x", 2], ["add", "y", 3]]));
}

#[test]
fn more_changes_than_fit_into_an_event_are_read_at_once() {
    let mut two = Two::new(json!({"list": []}));

    two.change("for (let n = 0; n < 10000; n++) d.list.push(n)");
    two.assert_same();
    two.change("d.big = 'x'.repeat(700000); d.big = 'y'.repeat(700000)");
    two.assert_same();
    two.change("d.after = 1");

    two.assert_same();
}

#[test]
fn who_gave_it_back_hears_no_more() {
    let mut two = Two::new(json!({"x": 1}));
    two.borrow("rethink.release(chat)");

    let said = two.lender.run("d.x = 2");

    let events: Vec<_> = said.iter().filter(|sent| sent.to == api(CALLER)).collect();
    assert_eq!(events, Vec::<&Sent>::new());
}

#[test]
fn the_end_of_the_borrower_ends_the_news() {
    let two = Two::new(json!({"x": 1}));
    let other = "app://here.example/app/9";
    let call = json!({"id": 3, "type": "execute", "from": api(other), "to": api(ME), "body": {"method": "chat"}});
    let said = two.lender.world.deliver(call);
    assert_eq!(answers(&said)[0]["value"]["kind"], "data-object");
    let watch = sent(&said)
        .into_iter()
        .find(|sent| sent.body == json!({"watch": true}))
        .unwrap();
    let gone = json!({"id": watch.id, "type": "response", "from": api(other), "to": api(ME), "body": {"code": 404}});
    assert_eq!(logged(&two.lender.world.deliver(gone)), [""; 0]);

    let said = two.lender.run("d.x = 2");

    assert!(said.iter().all(|sent| sent.to != api(other)), "{said:?}");
    assert!(said.iter().any(|sent| sent.to == api(CALLER)), "{said:?}");
    assert!(
        said.iter()
            .any(|sent| sent.from == HA || sent.to.ends_with("/changes")),
        "{said:?}"
    );
}
