//! How the connector stands: it is started at the first dial, and again after its end.

use std::time::Duration;

use protocol::api::connections::Names;

use crate::ids::{LinkId, ProgramId, SandboxId, Ticket};
use crate::limits::{CONNECTOR_REST_FIRST, CONNECTOR_REST_LONGEST, HEALTHY_AFTER};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum State {
    /// Nobody has dialled, or it has ended.
    #[default]
    Idle,
    /// Its program is being read.
    Reading(Ticket),
    /// Its process is being made and locked, or its program begins.
    Starting(SandboxId),
    /// It takes jobs.
    Running(SandboxId, LinkId),
}

/// The connector, as the core knows it.
#[derive(Debug, Default)]
pub(crate) struct Connector {
    pub(crate) state: State,
    /// When the state was entered.
    pub(crate) since: Duration,
    /// Its program, sealed by the shell.
    pub(crate) program: Option<ProgramId>,
    /// What it was told, or is to be told, about names.
    pub(crate) names: Names,
    /// When the files that say so were read last.
    pub(crate) names_read: Option<Duration>,
    /// Why it ended last.
    pub(crate) ended: String,
    rests_until: Duration,
    rest: Duration,
}

impl Connector {
    /// Its process, if there is one.
    pub(crate) fn sandbox(&self) -> Option<SandboxId> {
        match self.state {
            State::Starting(sandbox) | State::Running(sandbox, _) => Some(sandbox),
            State::Idle | State::Reading(_) => None,
        }
    }

    /// Its link, once it takes jobs.
    pub(crate) fn link(&self) -> Option<LinkId> {
        match self.state {
            State::Running(_, link) => Some(link),
            State::Idle | State::Reading(_) | State::Starting(_) => None,
        }
    }

    pub(crate) fn enter(&mut self, state: State, now: Duration) {
        self.state = state;
        self.since = now;
    }

    /// It has ended, or could not be started: it rests, longer each time.
    pub(crate) fn fail(&mut self, reason: &str, now: Duration) {
        let ran = matches!(self.state, State::Running(..)) && now >= self.since + HEALTHY_AFTER;
        self.rest = if ran || self.rest.is_zero() {
            CONNECTOR_REST_FIRST
        } else {
            (self.rest * 2).min(CONNECTOR_REST_LONGEST)
        };
        self.rests_until = now + self.rest;
        reason.clone_into(&mut self.ended);
        self.enter(State::Idle, now);
    }

    /// For how long it rests.
    pub(crate) fn rests(&self, now: Duration) -> Option<Duration> {
        let rests = self.state == State::Idle && now < self.rests_until;
        rests.then(|| self.rests_until.saturating_sub(now))
    }

    /// The word that the listing shows.
    pub(crate) fn word(&self, now: Duration) -> &'static str {
        match self.state {
            State::Idle if self.rests(now).is_some() => "failed",
            State::Idle => "idle",
            State::Reading(_) | State::Starting(_) => "starting",
            State::Running(..) => "running",
        }
    }
}
