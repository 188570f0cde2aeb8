//! Random lives of a domain: `SIM_SEED=7` plays one again.
//!
//! After each step: no message is given to its author or twice to anybody. After each
//! quiet time: every request of a runtime that stayed was delivered or refused, once.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]

mod story;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use story::{REGISTRY, SM, Story};

const RUNTIMES: u64 = 5;
const STEPS: u64 = 4_000;

/// The generator of SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

#[derive(Default)]
struct Peer {
    link: Option<u64>,
    token: String,
}

#[derive(Default)]
struct Asked {
    by: u64,
    delivered: u32,
    refused: u32,
    // Its author stayed connected, so that it must learn what became of it.
    is_owed: bool,
}

struct World {
    story: Story,
    dice: Dice,
    peers: BTreeMap<u64, Peer>,
    asked: BTreeMap<u64, Asked>,
    last: u64,
}

fn url(runtime: u64) -> String {
    format!("runtime://example.org/r{runtime}")
}

fn hyperty(runtime: u64) -> String {
    format!("hyperty://example.org/h{runtime}")
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            story: Story::new(),
            dice: Dice(seed),
            peers: (0..RUNTIMES)
                .map(|number| (number, Peer::default()))
                .collect(),
            asked: BTreeMap::new(),
            // Session messages have a low one, always the same.
            last: 1_000,
        }
    }

    fn step(&mut self) {
        let runtime = self.dice.roll(RUNTIMES);
        match self.dice.roll(20) {
            0..=2 => self.connect(runtime),
            3 => self.lose(runtime),
            4..=11 => self.request(runtime),
            12 => self.subscribe(runtime),
            13 => self.publish(runtime),
            14 => self.message(
                runtime,
                "create",
                REGISTRY,
                &json!({"value": {"url": hyperty(runtime), "descriptor": "x"}}),
            ),
            15 => self.story.is_store_slow = self.dice.roll(2) == 0,
            16 => self.story.write(),
            17 => self.forge(runtime),
            18 => {
                let ms = self.dice.roll(3_000);
                self.story.pass(ms);
            }
            _ if self.dice.roll(10) == 0 => self.restart(),
            _ => {}
        }
        self.hear();
    }

    fn object(&mut self) -> String {
        format!("comm://example.org/o{}", self.dice.roll(3))
    }

    fn connect(&mut self, runtime: u64) {
        if self.peers[&runtime].link.is_some() {
            return;
        }
        let link = self.story.connect();
        let token = self.peers[&runtime].token.clone();
        let (kind, from) = match token.as_str() {
            "" => ("open", url(runtime)),
            token => ("re-open", format!("{}/{token}", url(runtime))),
        };
        self.peers.get_mut(&runtime).unwrap().link = Some(link);
        self.story
            .say(link, kind, &from, "mn:/session", json!(null));
    }

    fn lose(&mut self, runtime: u64) {
        if let Some(link) = self.peers.get_mut(&runtime).unwrap().link.take() {
            self.story.lose(link);
        }
        for asked in self.asked.values_mut().filter(|asked| asked.by == runtime) {
            asked.is_owed = false;
        }
    }

    fn request(&mut self, runtime: u64) {
        let Some(link) = self.peers[&runtime].link else {
            return;
        };
        let to = self.dice.roll(RUNTIMES + 1);
        let to = if self.dice.roll(2) == 0 {
            hyperty(to)
        } else {
            format!("{}/sm", url(to))
        };
        let id = self.number();
        let asked = Asked {
            by: runtime,
            is_owed: true,
            ..Asked::default()
        };
        self.asked.insert(id, asked);
        let message =
            json!({"id": id, "type": "create", "from": hyperty(runtime), "to": to, "body": {}});
        self.story.send(link, &message.to_string());
    }

    fn subscribe(&mut self, runtime: u64) {
        let object = self.object();
        let channels = json!({"resources": [format!("{object}/changes")]});
        self.message(runtime, "subscribe", SM, &channels);
    }

    fn publish(&mut self, runtime: u64) {
        let object = self.object();
        self.message(runtime, "update", &format!("{object}/changes"), &json!({}));
    }

    fn forge(&mut self, runtime: u64) {
        let Some(link) = self.peers[&runtime].link else {
            return;
        };
        let victim = (runtime + 1) % RUNTIMES;
        let body = json!({"forged": true});
        self.story
            .say(link, "create", &url(victim), &hyperty(victim), body);
    }

    fn message(&mut self, runtime: u64, kind: &str, to: &str, body: &Value) {
        let Some(link) = self.peers[&runtime].link else {
            return;
        };
        let id = self.number();
        let message =
            json!({"id": id, "type": kind, "from": hyperty(runtime), "to": to, "body": body});
        self.story.send(link, &message.to_string());
    }

    // Nothing is owed that the node had not acknowledged.
    fn restart(&mut self) {
        let story = std::mem::replace(&mut self.story, Story::new());
        self.story = story.restart();
        self.asked.clear();
        for peer in self.peers.values_mut() {
            peer.link = None;
        }
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn hear(&mut self) {
        let heard = std::mem::take(&mut self.story.heard);
        for (link, messages) in heard {
            let owner = self.peers.iter().find(|(_, peer)| peer.link == Some(link));
            let owner = owner.map(|(runtime, _)| *runtime);
            for message in messages {
                self.hear_one(owner, &message);
            }
        }
        let ends = std::mem::take(&mut self.story.ends);
        for link in ends.into_keys() {
            let closed = self.peers.iter().find(|(_, peer)| peer.link == Some(link));
            if let Some(runtime) = closed.map(|(runtime, _)| *runtime) {
                self.lose(runtime);
            }
        }
    }

    fn hear_one(&mut self, owner: Option<u64>, message: &Value) {
        assert!(message["body"].get("forged").is_none(), "forged: {message}");
        if let (Some(owner), Some(token)) = (owner, message["body"]["runtimeToken"].as_str()) {
            token.clone_into(&mut self.peers.get_mut(&owner).unwrap().token);
        }
        let is_answer = message["type"] == "response";
        let Some(asked) = message["id"]
            .as_u64()
            .and_then(|id| self.asked.get_mut(&id))
        else {
            return;
        };
        if is_answer {
            asked.refused += 1;
        } else {
            assert_ne!(owner, Some(asked.by), "to its author: {message}");
            asked.delivered += 1;
        }
        assert!(asked.refused + asked.delivered <= 1, "twice: {message}");
    }

    fn settle(&mut self) {
        // Twice: the refusal of what waited for too long may itself wait for its asker.
        for _ in 0..2 {
            self.story.write();
            self.story.pass(16_000);
            self.story.write();
            self.hear();
        }
        for (id, asked) in std::mem::take(&mut self.asked) {
            let ends = asked.delivered + asked.refused;
            assert!(
                !asked.is_owed || ends == 1,
                "request {id} of r{} ended {ends} times",
                asked.by
            );
        }
        let numbers = self.story.node.numbers();
        assert_eq!((numbers.writes, numbers.parked), (0, 0), "{numbers:?}");
    }
}

fn live(seed: u64) {
    eprintln!("SIM_SEED={seed}");
    let mut world = World::new(seed);
    for step in 1..=STEPS {
        world.step();
        if step % 200 == 0 {
            world.settle();
        }
    }
}

#[test]
fn every_request_ends_once_whatever_happens() {
    match std::env::var("SIM_SEED") {
        Ok(seed) => live(seed.parse().unwrap()),
        Err(_) => (1..=12).for_each(live),
    }
}
