//! Data objects among the random events: made, observed, changed and ended.
//!
//! What is checked is what holds for every request (one final answer, in time)
//! and what the audit looks for: owners, observers, questions, who pays.

use std::time::Duration;

use core_supervisor::ids::LinkId;
use protocol::Reply;

use super::story::{Heard, RUNTIME};
use super::{Open, Simulation};

/// A reporter's consent may take 15 s.
const CONSENT: Duration = Duration::from_millis(15_200);

impl Simulation {
    pub(super) fn allocate(&mut self) {
        let Some((at, link)) = self.living() else {
            return;
        };
        let from = self.components[at].address.clone();
        let to = format!("{RUNTIME}/address-allocation");
        self.story.send_as(
            link,
            &from,
            "create",
            &to,
            r#"{"scheme":"comm"}"#,
            Reply::Untimed,
        );
        for heard in self.story.heard_on(link) {
            if let Heard::Message {
                from, body, code, ..
            } = &heard
                && *from == to
                && code.0 == 200
            {
                let value: serde_json::Value = serde_json::from_str(body).unwrap();
                let object = value["value"]["allocated"][0].as_str().unwrap().to_owned();
                assert!(
                    self.addresses.insert(object.clone()),
                    "I6: `{object}` was given out twice"
                );
                self.components[at].objects.push(object);
            } else {
                self.heard(link, heard);
            }
        }
    }

    pub(super) fn share(&mut self) {
        match self.dice.roll(6) {
            0 => self.make(),
            1 => self.ask_about("subscribe"),
            2 => self.ask_about("unsubscribe"),
            3 => self.ask_about("read"),
            4 if self.dice.roll(4) == 0 => self.ask_about("delete"),
            _ => self.change(),
        }
    }

    fn make(&mut self) {
        let Some((at, link)) = self.living() else {
            return;
        };
        let from = self.components[at].address.clone();
        let body =
            r#"{"schema":"https://x.example/dataschema/Communication","value":{"data":{"n":0}}}"#;
        self.ask_sync(link, &from, "create", body);
        for heard in self.story.heard_on(link) {
            if let Heard::Message { body, code, .. } = &heard
                && code.0 == 200
                && let Ok(value) = serde_json::from_str::<serde_json::Value>(body)
                && let Some(object) = value["resource"].as_str()
            {
                assert!(
                    self.addresses.insert(object.to_owned()) || self.synced.contains_key(object),
                    "I6: `{object}` was given out twice"
                );
                self.synced.insert(object.to_owned(), (from.clone(), 0));
            }
            self.heard(link, heard);
        }
    }

    fn ask_about(&mut self, kind: &str) {
        let (Some((at, link)), Some((object, _))) = (self.living(), self.some_object()) else {
            return;
        };
        let from = self.components[at].address.clone();
        self.ask_sync(link, &from, kind, &format!(r#"{{"resource":"{object}"}}"#));
    }

    // The reporter changes its object; now and then somebody else tries to.
    fn change(&mut self) {
        let Some((object, (reporter, version))) = self.some_object() else {
            return;
        };
        let link = match self.dice.roll(10) {
            0 => self.living().map(|(_, link)| link),
            _ => self.story.link_of(&reporter),
        };
        let Some(link) = link else { return };
        let skipped = u64::from(self.dice.roll(8) == 0);
        let next = version + 1 + skipped;
        let body = format!(r#"{{"version":{next},"attribute":"x","value":{next}}}"#);
        let to = format!("{object}/changes");
        if skipped == 0 && self.story.link_of(&reporter) == Some(link) {
            self.synced.insert(object.clone(), (reporter, next));
        }
        self.story
            .send_as(link, &object, "update", &to, &body, Reply::Untimed);
    }

    fn ask_sync(&mut self, link: LinkId, from: &str, kind: &str, body: &str) {
        let id = self.story.next_number();
        let open = Open {
            link,
            due: self.story.time + CONSENT,
            finals: 0,
        };
        self.open.insert((from.to_owned(), id), open);
        let to = format!("{RUNTIME}/sm");
        self.story
            .send_as(link, from, kind, &to, body, Reply::Within(20_000));
    }

    fn some_object(&mut self) -> Option<(String, (String, u64))> {
        if self.synced.is_empty() {
            return None;
        }
        let at = self.dice.roll(self.synced.len());
        let found = self.synced.iter().nth(at)?;
        Some((found.0.clone(), found.1.clone()))
    }
}
