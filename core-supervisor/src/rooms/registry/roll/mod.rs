//! What this runtime has told the nodes and registries of its domains.
//!
//! One row for each thing that others may look for: it says how the thing is to
//! stand there, and how it does. What is to be said next follows from the
//! difference, so that nothing is lost when a session ends in between.

mod row;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ids::OwnerId;
use crate::limits::ENROL_AT_ONCE;
pub use row::{Row, Said, Stands, Step, What};

#[derive(Debug)]
struct Session {
    stub: OwnerId,
    asked: usize,
    due: BTreeSet<(Duration, String)>,
}

/// All rows.
#[derive(Debug, Default)]
pub struct Roll {
    // Bounded by what they are about.
    rows: BTreeMap<String, Row>,
    live: BTreeMap<String, Session>,
}

impl Roll {
    /// A stub has a session with its domain: everything is told anew.
    pub fn live(&mut self, domain: &str, stub: OwnerId) {
        let session = Session {
            stub,
            asked: 0,
            due: BTreeSet::new(),
        };
        self.live.insert(domain.to_owned(), session);
        let is_passing = |row: &Row| matches!(row.what, What::Followed | What::Topic);
        self.rows
            .retain(|_, row| row.domain != domain || !is_passing(row));
        let rows = self.rows.iter_mut();
        let mut its = Vec::new();
        for (url, row) in rows.filter(|(_, row)| row.domain == domain) {
            row.is_subscribed = false;
            row.told = None;
            row.keep_at = None;
            row.rests_until = Duration::ZERO;
            row.asked = None;
            row.number = None;
            row.due = None;
            its.push(url.clone());
        }
        for url in its {
            self.schedule(&url);
        }
    }

    /// A stub has none any more; the domains it had one with.
    pub fn down(&mut self, stub: OwnerId) -> Vec<String> {
        let its = self.live.iter().filter(|(_, session)| session.stub == stub);
        let domains: Vec<_> = its.map(|(domain, _)| domain.clone()).collect();
        for domain in &domains {
            self.live.remove(domain);
        }
        for row in self
            .rows
            .values_mut()
            .filter(|row| domains.contains(&row.domain))
        {
            row.asked = None;
            row.due = None;
        }
        domains
    }

    /// Whether there is a session with a domain.
    pub fn is_live(&self, domain: &str) -> bool {
        self.live.contains_key(domain)
    }

    /// The stub that has the session with a domain.
    pub fn stub(&self, domain: &str) -> Option<OwnerId> {
        self.live.get(domain).map(|session| session.stub)
    }

    /// Enters a row, or changes how it is to stand.
    pub fn put(&mut self, url: &str, row: Row) {
        match self
            .rows
            .get_mut(url)
            .filter(|known| known.domain == row.domain)
        {
            Some(known) => {
                known.wanted = row.wanted;
                known.enters = row.enters;
                known.expires_s = row.expires_s;
            }
            None => drop(self.rows.insert(url.to_owned(), row)),
        }
        self.schedule(url);
    }

    /// Changes how something is to stand; `None` when it is gone.
    pub fn want(&mut self, url: &str, wanted: Option<Stands>) {
        let Some(row) = self.rows.get_mut(url) else {
            return;
        };
        row.wanted = wanted;
        // Of what the registry never heard it need not hear the end.
        if wanted.is_none() && !row.is_known && row.asked.is_none() {
            self.rows.remove(url);
            return;
        }
        self.schedule(url);
    }

    /// Takes a row out without a word.
    pub fn drop(&mut self, url: &str) {
        self.rows.remove(url);
    }

    /// What is to be said now, to which domain.
    pub fn next(&mut self, now: Duration) -> Option<(String, Step)> {
        let sessions = self.live.values_mut();
        for session in sessions.filter(|session| session.asked < ENROL_AT_ONCE) {
            while let Some((at, url)) = session.due.first().cloned() {
                if at > now {
                    break;
                }
                session.due.pop_first();
                if let Some(row) = self.rows.get_mut(&url) {
                    row.due = None;
                }
                let next = self.rows.get(&url).and_then(Row::next);
                if let Some((_, step)) = next.filter(|(at, _)| *at <= now) {
                    return Some((url, step));
                }
            }
        }
        None
    }

    /// It was said, under this number.
    pub fn asked(&mut self, url: &str, step: Step, number: u64) {
        let Some(row) = self.rows.get_mut(url) else {
            return;
        };
        row.asked = Some(step);
        row.number = Some(number);
        row.saying = row.wanted;
        if let Some(session) = self.live.get_mut(&row.domain) {
            session.asked += 1;
        }
    }

    /// It was answered, or could not be said.
    pub fn answered(&mut self, url: &str, step: Step, said: Said, now: Duration) {
        let Some(row) = self.rows.get_mut(url) else {
            return;
        };
        if row.asked.is_some()
            && let Some(session) = self.live.get_mut(&row.domain)
        {
            session.asked = session.asked.saturating_sub(1);
        }
        let is_over = step == Step::Leave && !matches!(said, Said::Later(_));
        row.answered(step, said, now);
        if is_over || (row.wanted.is_none() && !row.is_known) {
            self.rows.remove(url);
            return;
        }
        self.schedule(url);
    }

    /// When `next` may have something.
    pub fn next_deadline(&self) -> Option<Duration> {
        let sessions = self.live.values();
        let open = sessions.filter(|session| session.asked < ENROL_AT_ONCE);
        open.filter_map(|session| session.due.first())
            .map(|(at, _)| *at)
            .min()
    }

    /// One row.
    pub fn get(&self, url: &str) -> Option<&Row> {
        self.rows.get(url)
    }

    /// All rows, in order of address.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Row)> {
        self.rows.iter().map(|(url, row)| (url.as_str(), row))
    }

    fn schedule(&mut self, url: &str) {
        let Some(row) = self.rows.get_mut(url) else {
            return;
        };
        let Some(session) = self.live.get_mut(&row.domain) else {
            return;
        };
        if let Some(at) = row.due.take() {
            session.due.remove(&(at, url.to_owned()));
        }
        if let Some((at, _)) = row.next() {
            row.due = Some(at);
            session.due.insert((at, url.to_owned()));
        }
    }
}
