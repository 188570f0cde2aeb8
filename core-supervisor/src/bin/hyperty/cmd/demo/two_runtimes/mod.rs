//! `hyperty demo two-runtimes` — two people, a runtime each, one NATS server.
//!
//! 1 a server → 2 two runtimes join its domain → 3 they talk → 4 one is killed, the
//! other goes on → 5 it is back and hears what it missed → 6 the end
//!
//! The server is a plain `nats-server`: nothing of this project runs on it.

mod broker;
mod person;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use self::broker::Broker;
use self::person::Person;
use super::processes::{self, Process};
use crate::cmd::Outcome;
use crate::error::{Exit, Failure, Id};
use crate::output::{Output, Tone, clean, time};
use crate::scratch::Scratch;
use crate::{Context, signals};

/// How long one step may take. Everything together takes seconds; a machine that
/// is busy building takes a minute.
const STEP_WITHIN: Duration = Duration::from_secs(90);

/// How long a process may be seen after the end.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// Shows everything, in order.
pub(super) fn show(context: &Context) -> Outcome {
    let scratch = Scratch::new("demo")?;
    let told = Told { out: context.out };
    told.step(1, "A NATS server starts, in a directory of its own")?;
    let broker = Broker::start(&scratch)?;
    told.good(&format!(
        "{} speaks NATS with JetStream, pid {}",
        broker.url(),
        broker.pid()
    ))?;

    told.step(2, "Two runtimes join its domain, each with a locked stub")?;
    let mut ann = Person::arrive("ann", &broker, &scratch, context)?;
    let mut bob = Person::arrive("bob", &broker, &scratch, context)?;
    for person in [&ann, &bob] {
        told.good(&person.introduction())?;
    }

    told.step(3, "They talk: core, stub, server, stub, core")?;
    bob.says("hello Ann", &ann)?;
    ann.hears("bob: hello Ann")?;
    bob.hears("ann: I heard \"hello Ann\"")?;
    ann.says("hello Bob", &bob)?;
    bob.hears("ann: hello Bob")?;
    told.talk(&mut [&mut ann, &mut bob])?;

    told.step(4, "Bob's runtime is killed. Ann goes on")?;
    let mut processes = tree(&[&ann, &bob], &broker);
    let gone = bob.is_killed();
    told.refused(&gone)?;
    for line in ["are you there?", "I will wait"] {
        ann.says_to(line, &bob.address())?;
    }
    told.talk(&mut [&mut ann])?;

    told.step(
        5,
        "It is back, under the same address, and hears what it missed",
    )?;
    let began = Instant::now();
    bob.comes_back(context)?;
    bob.hears("ann: are you there?")?;
    bob.hears("ann: I will wait")?;
    ann.hears("bob: I heard \"I will wait\"")?;
    told.talk(&mut [&mut ann, &mut bob])?;
    told.good(&format!(
        "nothing was lost, nothing came twice; back in {}",
        time::span(began.elapsed())
    ))?;
    bob.heard_once("are you there?")?;

    told.step(6, "The end")?;
    processes.extend(tree(&[&ann, &bob], &broker));
    let in_order = [ann.leaves(), bob.leaves()];
    drop(broker);
    drop(scratch);
    if in_order.contains(&false) {
        return Err(failed("a runtime did not end in order"));
    }
    nothing_left(&processes)?;
    told.good(&format!("of {} processes none is left", processes.len()))
}

/// How it is told.
struct Told {
    out: Output,
}

impl Told {
    fn step(&self, number: u32, title: &str) -> Outcome {
        if signals::count() > 0 {
            return Err(Failure::silent(Exit::Interrupted));
        }
        let blank = if number == 1 { "" } else { "\n" };
        self.out.human(|style| {
            let number = style.paint(Tone::Name, &number.to_string());
            format!("{blank}{number}  {}\n", style.paint(Tone::Strong, title))
        })?;
        Ok(())
    }

    fn good(&self, text: &str) -> Outcome {
        self.out
            .item("hyperty.demo/1", &json!({ "happened": text }), |style| {
                let tick = style.paint(Tone::Good, style.tick());
                format!("   {tick} {}\n", clean(text))
            })?;
        Ok(())
    }

    fn refused(&self, text: &str) -> Outcome {
        self.out
            .item("hyperty.demo/1", &json!({ "ended": text }), |style| {
                let cross = style.paint(Tone::Bad, style.cross());
                format!("   {cross} {}\n", clean(text))
            })?;
        Ok(())
    }

    // What was said and heard since it was told last.
    fn talk(&self, people: &mut [&mut Person]) -> Outcome {
        for person in people {
            for line in person.news() {
                let said = json!({ "who": person.name(), "line": line });
                self.out.item("hyperty.demo/1", &said, |style| {
                    let name = style.paint(Tone::Name, person.name());
                    format!("   {name:>12}  {}\n", clean(&line))
                })?;
            }
        }
        Ok(())
    }
}

fn tree(people: &[&Person], broker: &Broker) -> BTreeSet<Process> {
    let mut all = processes::tree(broker.pid());
    for person in people {
        all.extend(person.pid().into_iter().flat_map(processes::tree));
    }
    all
}

fn nothing_left(tree: &BTreeSet<Process>) -> Outcome {
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        let left = processes::alive(tree);
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(failed(&format!(
                "{} processes are left: {left:?}",
                left.len()
            )));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn failed(what: &str) -> Failure {
    Failure::new(Id::DemoFailed, what)
}
