//! The end, and what was just proved.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use protocol::api::bus::{self, Numbers};
use serde_json::json;

use super::processes::{self, Process};
use super::stage::Stage;
use crate::error::{Failure, Id};
use crate::output::{Style, Tone, time};
use crate::signals;

/// How long a process may be seen after the supervisor's end (invariant of the
/// supervisor: nothing survives it for two seconds).
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// Ends the supervisor, looks for what is left, and says what was proved.
pub(super) fn run(mut stage: Stage, ways: usize) -> Result<(), Failure> {
    let numbers: Numbers = stage.session.ask(bus::PATH, "read", &json!({}))?;
    let median = median_answer(&stage);
    let level = stage.level.clone();
    stage.step("The end")?;
    let tree = processes::tree(stage.supervisor.ready.pid);
    let started = Instant::now();
    let out = {
        let (mut supervisor, scratch, out) = stage.close();
        if !supervisor.end(|| signals::count() > 0) {
            return Err(Failure::new(
                Id::DemoFailed,
                "the supervisor did not end in order",
            ));
        }
        drop(scratch);
        out
    };
    let took = time::span(started.elapsed());
    nothing_left(&tree)?;
    let said = json!({"ended_in": took, "processes": tree.len(), "left": 0, "numbers": numbers});
    out.item("hyperty.demo/1", &said, |style| {
        let tick = style.paint(Tone::Good, style.tick());
        format!(
            "   {tick} ended in order in {took}; of {} processes none is left\n",
            tree.len()
        )
    })?;
    out.human(|style| proved(&numbers, &median, ways, &level, style))?;
    Ok(())
}

fn nothing_left(tree: &BTreeSet<Process>) -> Result<(), Failure> {
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        let left = processes::alive(tree);
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            let what = format!("{} processes are left: {left:?}", left.len());
            return Err(Failure::new(Id::DemoFailed, what));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn median_answer(stage: &Stage) -> String {
    let mut times: Vec<_> = stage
        .messages
        .iter()
        .filter_map(|entry| entry.latency_us)
        .collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied();
    median.map_or_else(
        || "-".to_owned(),
        |us| time::latency(us, stage.out.style().unicode),
    )
}

fn proved(numbers: &Numbers, median: &str, ways: usize, level: &str, style: Style) -> String {
    let Numbers {
        delivered,
        denied,
        refused,
        ..
    } = numbers;
    let head = |text: &str| style.paint(Tone::Strong, text);
    let lines = [
        String::new(),
        head("Proved just now, on this machine"),
        format!(
            "   Components of different providers ran in processes of their own, locked to {level}."
        ),
        format!(
            "   {delivered} messages were delivered, each permitted by a rule (an answer took {median})."
        ),
        format!(
            "   {denied} were denied and {refused} refused otherwise; the sender was told why each time."
        ),
        format!(
            "   {ways} ways out of a sandbox were tried and closed; the last one was fatal to who tried."
        ),
        "   Whoever behaved never noticed, and nothing is left behind.".to_owned(),
        String::new(),
        head("Try next"),
        "   hyperty run DIR          your own catalogue, or one script".to_owned(),
        "   hyperty up               a runtime that stays; beside it ps, tap, logs -f, why"
            .to_owned(),
        "   hyperty doctor           what this machine can enforce, and the remedy for what not"
            .to_owned(),
    ];
    lines.map(|line| line + "\n").concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_say_what_was_proved_and_what_to_try() {
        let numbers = Numbers {
            delivered: 64,
            denied: 2000,
            refused: 17,
            faults: 1,
            pending: 0,
            links: 4,
            ..Numbers::default()
        };

        insta::assert_snapshot!(proved(&numbers, "212us", 27, "L3", Style::PLAIN));
    }
}
