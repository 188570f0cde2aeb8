//! What time does: messages wait too long, sessions stay away, registrations expire.

use protocol::{Address, Code};

use super::Node;
use super::session::Session;
use crate::event::End;
use crate::limits::{AWAY_MS, OPEN_MS};
use crate::rows::{Row, Table};

/// How often a node among many says that it is there, in milliseconds.
const BEAT_MS: u64 = 20_000;

/// After how long another node counts as gone, in milliseconds.
const GONE_MS: u64 = 3 * BEAT_MS;

impl Node {
    pub(super) fn age(&mut self) {
        self.end_idle_links();
        self.refuse_overdue();
        self.end_sessions_away();
        self.expire();
        self.forget_heard();
        if self.settings.is_one_of_many {
            self.beat();
        }
    }

    fn end_idle_links(&mut self) {
        let now = self.now;
        let is_idle = |link: &super::Link| {
            link.runtime.is_none() && now.saturating_sub(link.since) >= OPEN_MS
        };
        let idle = self.links.iter().filter(|(_, link)| is_idle(link));
        let idle: Vec<_> = idle.map(|(id, _)| *id).collect();
        for link in idle {
            self.hang_up(link, End::NoSession);
        }
    }

    fn refuse_overdue(&mut self) {
        let now = self.now;
        let away = self
            .sessions
            .values_mut()
            .filter(|session| session.parked() > 0);
        let overdue: Vec<_> = away.flat_map(|session| session.overdue(now)).collect();
        for text in overdue {
            self.refuse_later(&text, Code::TIMEOUT, "the runtime was away for too long");
        }
    }

    fn end_sessions_away(&mut self) {
        let now = self.now;
        let is_over = |session: &Session| {
            session.link.is_none() && now.saturating_sub(session.away_since) >= AWAY_MS
        };
        let over = self.sessions.iter().filter(|(_, session)| is_over(session));
        let over: Vec<_> = over
            .filter(|(_, session)| self.is_home(&session.home) || self.is_gone(&session.home))
            .map(|(runtime, _)| runtime.clone())
            .collect();
        for runtime in over {
            self.end_session(&runtime);
        }
    }

    fn beat(&mut self) {
        if self.now.saturating_sub(self.last_beat) >= BEAT_MS {
            self.last_beat = self.now;
            let row = Row::put(Table::Beat, self.settings.id.clone(), &self.now);
            self.keep(vec![row]);
        }
    }

    /// Whether another node has not been heard of for long.
    fn is_gone(&self, node: &str) -> bool {
        let heard = self.beats.get(node).copied().unwrap_or_default();
        self.now.saturating_sub(heard) >= GONE_MS
    }

    /// Whether this node looks after a runtime's registrations.
    ///
    /// The one that has its session; of those that nobody has, the first living one.
    pub(super) fn looks_after(&self, runtime: &Address) -> bool {
        if !self.settings.is_one_of_many {
            return true;
        }
        match self.sessions.get(runtime) {
            Some(session) if self.is_home(&session.home) => true,
            Some(session) if !self.is_gone(&session.home) => false,
            _ => {
                let mut before = self.beats.keys().take_while(|id| **id < self.settings.id);
                before.all(|id| self.is_gone(id))
            }
        }
    }
}
