//! One deployment, as the outside sees it and as its deadline does.

use std::time::Duration;

use protocol::api::user_agent::Component;
use protocol::frame::{ComponentKind, Level};
use protocol::nursery::Engine;

use super::{Deployment, Package, Stage, Traffic};
use crate::limits::LOAD_MAX;

impl Deployment {
    /// When its loading has taken too long.
    pub fn loads_until(&self) -> Option<Duration> {
        let is_timed = self.stage == Stage::Loading && !self.is_debugged;
        is_timed.then_some(self.since + LOAD_MAX)
    }

    /// Whether its loading has taken too long.
    pub fn is_late(&self, now: Duration) -> bool {
        self.loads_until().is_some_and(|until| now >= until)
    }

    // A held one is at its loading, and that takes as long as somebody likes.
    const fn state(&self) -> &'static str {
        match self.stage {
            Stage::Loading if self.is_debugged => "paused",
            stage => stage.name(),
        }
    }

    /// How the outside sees it.
    pub fn view(
        &self,
        now: Duration,
        place: (Option<u32>, Option<Level>),
        traffic: Traffic,
    ) -> Component {
        let (pid, level) = place;
        let package = self.package.as_ref();
        let text =
            |pick: fn(&Package) -> &str| package.map(|p| pick(p).to_owned()).unwrap_or_default();
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Component {
            address: text(|p| p.address.as_str()),
            name: package.map_or_else(|| self.wanted.component.clone(), |p| p.name.clone()),
            provider: package.map_or_else(|| self.wanted.provider.clone(), |p| p.provider.clone()),
            user: self.user.url().as_str().to_owned(),
            kind: package.map_or(ComponentKind::Hyperty, |p| p.kind),
            engine: package.map_or(Engine::Script, |p| p.engine),
            state: self.state().to_owned(),
            reason: self.reason.clone(),
            level,
            pid,
            sandbox: self.sandbox.map(|sandbox| sandbox.0),
            restarts: self.restarts,
            next_try_ms: self.next_try.map(|at| millis(at.saturating_sub(now))),
            session: self.session.word.clone(),
            session_desc: self.session.desc.clone(),
            session_ms: (!self.session.word.is_empty()).then(|| millis(self.session.since)),
            running_ms: (self.stage == Stage::Running)
                .then(|| millis(now.saturating_sub(self.since))),
            sent: traffic.sent,
            received: traffic.received,
            refused: traffic.refused,
            digest: text(|p| &p.digest),
            source: text(|p| &p.source),
            signer: text(|p| &p.origin.signer),
            version: text(|p| &p.origin.version),
            package: text(|p| &p.origin.package),
            waits: String::new(),
            constraints: package.map(|p| p.constraints.clone()).unwrap_or_default(),
            limits: Vec::new(),
        }
    }
}
