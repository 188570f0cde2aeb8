//! The loop of a script host: frames, timers, microtasks, one wait.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use protocol::frame::{CoreFrame, HostFrame, Log, LogLevel};

use super::engine::{Engine, EngineError, Next};
use crate::link::{Link, LinkError};

/// How long frames may be handled before timers get their turn.
const SLICE: Duration = Duration::from_millis(10);

/// How long connections may be served after a slice that left them no time.
const SHARE: Duration = Duration::from_millis(2);

/// After so long in turns, the link is looked at for a `Ping` or a `Stop`.
///
/// A busy sandbox with many messages to go is slow, not dead: it answers
/// between two turns, before the messages in front of the ping.
const LOOK_AFTER: Duration = Duration::from_millis(20);

/// Bytes that gather before they are written, even in the middle of a slice.
const WRITE_BYTES: usize = 256 * 1024;

/// Serves until the core ends it; a failure of the engine is told and ends it too.
pub(super) fn run(engine: Result<Engine, EngineError>, mut link: Link) -> ExitCode {
    let ended = match engine {
        Ok(engine) => turns(&engine, &mut link),
        Err(error) => complain(&mut link, &error.to_string()),
    };
    match ended {
        Ok(code) => code,
        Err(LinkError::Ended) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn turns(engine: &Engine, link: &mut Link) -> Result<ExitCode, LinkError> {
    let mut looks = Looks::since(Instant::now());
    loop {
        let end = Instant::now() + SLICE;
        let mut is_empty = false;
        while !is_empty && Instant::now() < end {
            match one_frame(engine, link)? {
                Some(Next::Continue) => {}
                Some(Next::Stop) => return link.outbox.flush().map(|()| ExitCode::SUCCESS),
                Some(Next::Misunderstood) => {
                    return complain(link, "the core speaks to a script host as to another");
                }
                None => {
                    is_empty = true;
                    looks.nothing_waits(Instant::now());
                }
            }
            if link.outbox.bytes() > WRITE_BYTES {
                link.outbox.flush()?;
            }
            if looks.are_due(Instant::now()) && answer_urgent(link)? {
                return link.outbox.flush().map(|()| ExitCode::SUCCESS);
            }
        }
        engine.swap_outbox(&mut link.outbox);
        fire_until(engine, end);
        let network = engine.network_turns(end.max(Instant::now() + SHARE));
        engine.swap_outbox(&mut link.outbox);
        let timeout = if !is_empty || engine.is_busy() {
            Some(Duration::ZERO)
        } else {
            sooner(engine.wait(), network)
        };
        wait(engine, link, timeout)?;
    }
}

// Who has touched no network waits for the link alone.
fn wait(engine: &Engine, link: &mut Link, timeout: Option<Duration>) -> Result<(), LinkError> {
    if !engine.is_online() {
        return link.wait(timeout).map(|_| ());
    }
    link.descriptors.expect();
    let mut wanted = engine.wanted();
    link.wait_beside(timeout, &mut wanted)?;
    engine.came(&wanted);
    Ok(())
}

fn sooner(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// When the link was last looked at for urgent frames.
///
/// It outlives the slices: many short turns in a row are as long as one.
struct Looks {
    last: Instant,
}

impl Looks {
    fn since(now: Instant) -> Self {
        Self { last: now }
    }

    /// All that came has been handled, so there is nothing to look behind.
    fn nothing_waits(&mut self, now: Instant) {
        self.last = now;
    }

    fn are_due(&mut self, now: Instant) -> bool {
        let is_due = now.duration_since(self.last) > LOOK_AFTER;
        if is_due {
            self.last = now;
        }
        is_due
    }
}

fn one_frame(engine: &Engine, link: &mut Link) -> Result<Option<Next>, LinkError> {
    let Some(frame) = link.inbox.next_frame()? else {
        return Ok(None);
    };
    if matches!(frame, CoreFrame::Socket { .. } | CoreFrame::Roots { .. }) {
        engine.hand(link.descriptors.take());
    }
    engine.swap_outbox(&mut link.outbox);
    let next = engine.handle(frame);
    engine.swap_outbox(&mut link.outbox);
    Ok(Some(next))
}

// Timers that are due, and microtasks that were left over.
fn fire_until(engine: &Engine, end: Instant) {
    if engine.is_busy() {
        engine.run_jobs();
    }
    // At least one, however long the frames took.
    while engine.fire() && Instant::now() < end {}
}

// True when the core wants the sandbox to end.
fn answer_urgent(link: &mut Link) -> Result<bool, LinkError> {
    link.look()?;
    while let Some(frame) = link.inbox.take_urgent()? {
        match frame {
            CoreFrame::Ping { token } => link.outbox.push(&HostFrame::Pong { token })?,
            CoreFrame::Stop { .. } => return Ok(true),
            _ => {}
        }
    }
    link.outbox.flush()?;
    Ok(false)
}

fn complain(link: &mut Link, text: &str) -> Result<ExitCode, LinkError> {
    let log = Log {
        component: "",
        level: LogLevel::Error,
        place: "",
    };
    link.outbox.push(&HostFrame::Log(log, text.as_bytes()))?;
    link.outbox.flush()?;
    Ok(ExitCode::FAILURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_millis(4);

    #[test]
    fn many_short_turns_lead_to_a_look_as_one_long_turn_does() {
        let start = Instant::now();
        let mut looks = Looks::since(start);

        let due: Vec<u32> = (1..=20)
            .filter(|n| looks.are_due(start + *n * TURN))
            .collect();

        assert_eq!(due, [6, 12, 18]);
    }

    #[test]
    fn no_look_is_due_while_nothing_waits() {
        let start = Instant::now();
        let mut looks = Looks::since(start);

        looks.nothing_waits(start + 5 * TURN);

        assert!(!looks.are_due(start + 10 * TURN));
        assert!(looks.are_due(start + 11 * TURN));
    }
}
