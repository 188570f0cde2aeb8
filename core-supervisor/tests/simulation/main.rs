//! A million things that may happen, in an order that nobody would think of.
//!
//! Seeded random events drive the core; after each the core audits itself, and
//! every message that arrives is checked against what was sent and against an
//! independent reading of the rules. A failing seed is printed and replayed with
//! `SIM_SEED=<seed>`; `SIM_EVENTS=<n>` sets how many events each seed lives.
//!
//! | invariant | how it is seen to hold |
//! |---|---|
//! | I4 the sender is what the link says | a message arrives only under an address of the link it was sent on |
//! | I5 nothing without a Permit | each arrival is judged again by `Rules::permit`, which is not Cedar |
//! | I6 an address has one owner | fresh addresses never repeat; the audit; arrivals are at the owner's link |
//! | I7 rooms do not know rooms | `tests/rooms.rs` reads their `use` lines |
//! | I8 every table has a bound | the audit |
//! | I11 one final answer | each request with a deadline hears exactly one, by its deadline, also one that waits for a stub |

// A broken expectation is what these panics are for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod chance;
mod far;
mod objects;
#[path = "../story/mod.rs"]
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chance::{Dice, FAR, Rules};
use core_supervisor::event::{Event, Exit};
use core_supervisor::ids::LinkId;
use protocol::{HostFrame, Reply};
use story::{Heard, RUNTIME, Story, rules};

const PROVIDERS: [&str; 3] = ["a.example", "b.example", "c.example"];
const KINDS: [&str; 8] = [
    "create",
    "read",
    "update",
    "delete",
    "subscribe",
    "execute",
    "event",
    "init",
];

#[derive(Clone)]
struct Component {
    address: String,
    provider: &'static str,
    objects: Vec<String>,
}

struct Sent {
    link: LinkId,
    from: String,
    kind: &'static str,
    rules: Rules,
    is_own: bool,
}

struct Open {
    link: LinkId,
    due: Duration,
    finals: u32,
}

struct Simulation {
    story: Story,
    dice: Dice,
    rules: Rules,
    components: Vec<Component>,
    sent: BTreeMap<u64, Sent>,
    open: BTreeMap<(String, u64), Open>,
    asked: Vec<(LinkId, String, String, u64)>,
    addresses: BTreeSet<String>,
    /// Data objects and their versions, as far as their reporters know.
    synced: BTreeMap<String, (String, u64)>,
    sets: [core_supervisor::rooms::policy::PolicySet; 2],
    serial: u64,
    arrived: u64,
    answered: u64,
    /// The stub of the domain elsewhere, and the links it has had.
    far_stub: Option<String>,
    far_links: BTreeSet<LinkId>,
    far_arrived: u64,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut story = Story::new();
        let sets = [rules(&Rules::AWithB.text()), rules(&Rules::AToC.text())];
        story.core_rules(sets[0].clone());
        Self {
            story,
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            rules: Rules::AWithB,
            components: Vec::new(),
            sent: BTreeMap::new(),
            open: BTreeMap::new(),
            asked: Vec::new(),
            addresses: BTreeSet::new(),
            synced: BTreeMap::new(),
            sets,
            serial: 0,
            arrived: 0,
            answered: 0,
            far_stub: None,
            far_links: BTreeSet::new(),
            far_arrived: 0,
        }
    }

    fn step(&mut self) {
        match self.dice.roll(100) {
            0..3 if self.components.len() < 12 => self.deploy(),
            0..3 => self.remove_dead(),
            3..4 => self.crash(),
            4..5 => self.remove(),
            5..6 => self.swap_rules(),
            6..7 => self.reload(),
            7..9 => self.allocate(),
            9..12 => self.listen(),
            12..14 => self.share(),
            14..15 => self.garbage(),
            15..17 => self.change_far(),
            17..40 => self.answer(),
            40..50 => self.wait(),
            _ => self.send(),
        }
        self.look();
    }

    fn deploy(&mut self) {
        let provider = *self.dice.pick(&PROVIDERS);
        let folder = *self.dice.pick(&["hyperty", "hyperty", "native"]);
        let body = format!(r#"{{"component":"{folder}/x{}@{provider}"}}"#, self.serial);
        self.serial += 1;
        let (code, reply) = self.story.ask_operator("create", "ua", &body);
        assert_eq!(code.0, 200, "{reply}");
        let value: serde_json::Value = serde_json::from_str(&reply).unwrap();
        let address = value["value"]["address"].as_str().unwrap().to_owned();
        assert!(
            self.addresses.insert(address.clone()),
            "I6: `{address}` was given out twice"
        );
        self.components.push(Component {
            address,
            provider,
            objects: Vec::new(),
        });
    }

    fn crash(&mut self) {
        let sandboxes: Vec<_> = self.story.launched.keys().copied().collect();
        if !sandboxes.is_empty() {
            let sandbox = *self.dice.pick(&sandboxes);
            let exit = self.dice.pick(&[Exit::Code(1), Exit::Signal(11)]).clone();
            self.story.crash_sandbox(sandbox, exit);
        }
    }

    fn remove(&mut self) {
        if let Some(at) = self.some_component() {
            self.undeploy(at);
        }
    }

    // Those that crashed too often rest for minutes: others take their place, so
    // that there is always somebody to talk.
    fn remove_dead(&mut self) {
        let dead = |c: &Component| self.story.link_of(&c.address).is_none();
        if let Some(at) = self.components.iter().position(dead) {
            self.undeploy(at);
        }
    }

    fn undeploy(&mut self, at: usize) {
        let gone = self.components.swap_remove(at);
        let body = format!(r#"{{"resource":"{}"}}"#, gone.address);
        self.story.ask_operator("delete", "ua", &body);
    }

    // Whatever its state, it is answered, and the address stays.
    fn reload(&mut self) {
        let Some(at) = self.some_component() else {
            return;
        };
        let resource = self.components[at].address.clone();
        let body = format!(r#"{{"method":"reload","resource":"{resource}"}}"#);
        let (code, reply) = self.story.ask_operator("execute", "ua", &body);
        assert!(matches!(code.0, 200 | 409), "{code:?} {reply}");
    }

    fn swap_rules(&mut self) {
        self.rules = if self.rules == Rules::AWithB {
            Rules::AToC
        } else {
            Rules::AWithB
        };
        self.story
            .core_rules(self.sets[usize::from(self.rules == Rules::AToC)].clone());
    }

    fn listen(&mut self) {
        let Some((at, link)) = self.living() else {
            return;
        };
        let component = self.components[at].address.clone();
        let address = self.some_address();
        if self.dice.roll(3) == 0 {
            self.story.says(
                link,
                &HostFrame::Unlisten {
                    component: &component,
                    address: &address,
                },
            );
        } else {
            self.story.says(
                link,
                &HostFrame::Listen {
                    component: &component,
                    address: &address,
                },
            );
        }
    }

    fn garbage(&mut self) {
        let Some((_, link)) = self.living() else {
            return;
        };
        let bytes: Vec<u8> = (0..self.dice.roll(40))
            .map(|_| u8::try_from(self.dice.roll(256)).unwrap())
            .collect();
        self.story.happens(Event::Received {
            link,
            bytes: &bytes,
        });
    }

    fn send(&mut self) {
        let Some((at, link)) = self.living() else {
            return;
        };
        let is_own = self.dice.roll(20) > 0;
        let from = if is_own {
            self.own_address(at)
        } else {
            self.some_address()
        };
        let is_own = is_own || self.is_on(&from, link);
        let to = self.some_address();
        let kind = *self.dice.pick(&KINDS);
        let reply = *self.dice.pick(&[
            Reply::Unwanted,
            Reply::Untimed,
            Reply::Within(2_000),
            Reply::Within(2_000),
        ]);
        self.serial += 1;
        let serial = self.serial;
        self.sent.insert(
            serial,
            Sent {
                link,
                from: from.clone(),
                kind,
                rules: self.rules,
                is_own,
            },
        );
        let body = format!(r#"{{"n":{serial}}}"#);
        let due = self.story.time + Duration::from_millis(2_200);
        let id = self.story.next_number();
        if kind != "event" && matches!(reply, Reply::Within(_)) && is_own {
            self.open.insert(
                (from.clone(), id),
                Open {
                    link,
                    due,
                    finals: 0,
                },
            );
        }
        self.story.send_as(link, &from, kind, &to, &body, reply);
    }

    fn answer(&mut self) {
        if self.asked.is_empty() {
            return;
        }
        let at = self.dice.roll(self.asked.len());
        let (link, from, to, id) = self.asked.swap_remove(at);
        // Now and then somebody answers who was not asked.
        let link = if self.dice.roll(15) == 0 {
            self.living().map_or(link, |(_, other)| other)
        } else {
            link
        };
        let code = *self.dice.pick(&[100, 200, 200, 500]);
        if !self.story.sides[&link].is_closed {
            self.story.answer_as(link, &from, id, &to, code);
        }
    }

    fn wait(&mut self) {
        let span = *self.dice.pick(&[1, 10, 100, 700]);
        self.story.wait(Duration::from_millis(span));
    }

    // Everything that was heard since is checked.
    fn look(&mut self) {
        let links: Vec<LinkId> = self.story.sides.keys().copied().collect();
        for link in links {
            for heard in self.story.heard_on(link) {
                self.heard(link, heard);
            }
            if self.story.sides[&link].is_closed {
                self.story.sides.remove(&link);
                self.open.retain(|_, open| open.link != link);
                self.asked.retain(|asked| asked.0 != link);
            }
        }
        let now = self.story.time;
        for ((from, id), open) in &self.open {
            assert!(
                open.finals <= 1,
                "I11: request {id} of `{from}` heard {} final answers",
                open.finals
            );
            assert!(
                open.finals == 1 || open.due > now,
                "I11: request {id} of `{from}` heard none"
            );
        }
        self.open.retain(|_, open| open.due > now);
    }

    fn heard(&mut self, link: LinkId, heard: Heard) {
        match heard {
            Heard::Ping { token } => self.story.says(link, &HostFrame::Pong { token }),
            Heard::Message {
                kind, to, id, code, ..
            } if kind == "response" => {
                self.answered += 1;
                if let Some(open) = self.open.get_mut(&(to, id))
                    && code.is_final()
                {
                    open.finals += 1;
                }
            }
            // The core asks for a reporter's consent.
            Heard::Message {
                kind, from, to, id, ..
            } if kind == "forward" => self.asked.push((link, to, from, id)),
            Heard::Message {
                kind,
                from,
                to,
                id,
                body,
                ..
            } => self.arrived(link, &kind, from, to, id, &body),
            Heard::Load { component } => self.loaded(link, component),
            _ => {}
        }
    }

    fn arrived(&mut self, link: LinkId, kind: &str, from: String, to: String, id: u64, body: &str) {
        let value: serde_json::Value = serde_json::from_str(body).unwrap();
        let Some(serial) = value["n"].as_u64() else {
            return;
        };
        let sent = &self.sent[&serial];
        assert!(
            sent.is_own && sent.from == from,
            "I4: `{from}` arrived, and was not the sender's"
        );
        assert_eq!(sent.kind, kind);
        if provider_of(&to) == FAR {
            return self.left(link, kind, from, to, id);
        }
        assert!(
            sent.rules.permit(provider_of(&from), provider_of(&to)),
            "I5: {kind} from `{from}` to `{to}` arrived without a permit"
        );
        assert!(
            self.is_on(&to, link) || sent.rules.permit(self.provider_on(link), provider_of(&to)),
            "I5: {} listens to `{to}` without a permit",
            self.provider_on(link)
        );
        self.arrived += 1;
        if kind != "event" && sent.link != link {
            self.asked.push((link, to, from, id));
        }
    }

    fn provider_on(&self, link: LinkId) -> &'static str {
        let is_on = |c: &&Component| self.story.last_link_of(&c.address) == Some(link);
        let on_link = self.components.iter().find(is_on);
        on_link.map_or("?", |component| component.provider)
    }

    fn is_on(&self, address: &str, link: LinkId) -> bool {
        self.components.iter().any(|c| {
            (address.starts_with(&c.address)
                || c.objects.iter().any(|object| address.starts_with(object)))
                && self.story.last_link_of(&c.address) == Some(link)
        })
    }

    fn some_component(&mut self) -> Option<usize> {
        (!self.components.is_empty()).then(|| self.dice.roll(self.components.len()))
    }

    fn living(&mut self) -> Option<(usize, LinkId)> {
        let at = self.some_component()?;
        let link = self.story.link_of(&self.components[at].address)?;
        (!self.story.sides.get(&link)?.is_closed).then_some((at, link))
    }

    fn own_address(&mut self, at: usize) -> String {
        let component = self.components[at].clone();
        match self.dice.roll(3) {
            0 if !component.objects.is_empty() => self.dice.pick(&component.objects).clone(),
            1 => format!("{}/part", component.address),
            _ => component.address,
        }
    }

    fn some_address(&mut self) -> String {
        match self.dice.roll(12) {
            0 => "hyperty://a.example/nobody".to_owned(),
            1 => format!("hyperty://{FAR}/1"),
            2 => format!("{RUNTIME}/nothing"),
            _ => match self.some_component() {
                Some(at) => self.own_address(at),
                None => "hyperty://b.example/nobody".to_owned(),
            },
        }
    }
}

fn provider_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap()
}

fn live(seed: u64, events: usize) -> [u64; 3] {
    let mut simulation = Simulation::new(seed);
    for _ in 0..events {
        simulation.step();
    }
    [
        simulation.arrived,
        simulation.answered,
        simulation.far_arrived,
    ]
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn the_invariants_hold_whatever_happens() {
    let events = usize::try_from(setting("SIM_EVENTS").unwrap_or(3_000)).unwrap();
    let seeds = setting("SIM_SEED").map_or(1..5, |seed| seed..seed + 1);
    let mut totals = [0; 3];
    for seed in seeds {
        println!("SIM_SEED={seed}");
        for (total, number) in totals.iter_mut().zip(live(seed, events)) {
            *total += number;
        }
    }
    // A simulation in which nothing arrives would hold every invariant.
    assert!(
        totals[0] > 100 && totals[1] > 100 && totals[2] > 10,
        "only {totals:?} messages and answers arrived, here and elsewhere"
    );
}
