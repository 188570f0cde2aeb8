//! # Connections — who may reach the network, and who does
//!
//! Address:  hyperty-runtime://<runtime>/connections
//! Answers:  Read (grants, sockets), Create and Delete (a grant), Execute (revoke)
//!                                                — see protocol::api::connections
//! Keeps:    the operator's grants, dials that are under way, open sockets, and how
//!           the connector stands
//! Holds:    every dial that was begun ends in one answer; a socket has one asker,
//!           who pays for it; what the operator has revoked covers nothing
//! Not here: whether a dial is permitted (flows/dial), the sockets themselves (the
//!           shell), names and addresses (the connector)

mod connector;
mod grants;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use connector::{Connector, State};
pub(crate) use grants::Grants;
use protocol::api::connections::{Grant, Pattern, Source};

use crate::ids::{DecisionId, DeploymentId, LinkId, SocketId};
use crate::place::Place;

/// The number of a job of the connector.
pub(crate) type JobId = u64;

/// A dial that is under way.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Who waits: its link, the component, and its number for the dial.
    pub(crate) link: LinkId,
    pub(crate) component: DeploymentId,
    pub(crate) request: u64,
    /// What is dialled.
    pub(crate) place: Place,
    /// By which grant, if it is by one.
    pub(crate) grant: Option<(Source, Pattern)>,
    /// By which decision.
    pub(crate) decision: DecisionId,
    /// When it has failed.
    pub(crate) until: Duration,
    /// Whether the connector has been told.
    pub(crate) is_sent: bool,
}

/// An open socket.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    /// Who has it.
    pub(crate) link: LinkId,
    pub(crate) component: DeploymentId,
    /// Its number for the dial, while the shell may still find that there is no socket.
    pub(crate) request: u64,
    pub(crate) place: Place,
    pub(crate) grant: Option<(Source, Pattern)>,
    pub(crate) decision: DecisionId,
    /// The address at its other end; for a listener, its own.
    pub(crate) peer: String,
    /// For a listener: the connector's job.
    pub(crate) job: Option<JobId>,
    /// The listener that it came by.
    pub(crate) listener: Option<SocketId>,
    pub(crate) since: Duration,
}

/// The room.
#[derive(Debug, Default)]
pub struct Connections {
    pub(crate) grants: Grants,
    pub(crate) connector: Connector,
    jobs: BTreeMap<JobId, Job>,
    sockets: BTreeMap<SocketId, Open>,
    last: u64,
    /// The rules and grants under which the sockets were last looked at.
    pub(crate) looked_at: (u64, u64),
}

impl Connections {
    /// Before anything was dialled, with the nodes that the operator named at the start.
    pub fn with_nodes(nodes: Vec<Grant>) -> Self {
        Self {
            grants: Grants::with_nodes(nodes),
            ..Self::default()
        }
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Notes a dial.
    pub(crate) fn begin(&mut self, job: Job) -> JobId {
        let id = self.next();
        self.jobs.insert(id, job);
        id
    }

    /// Takes a dial that has come to its end.
    pub(crate) fn end(&mut self, id: JobId) -> Option<Job> {
        self.jobs.remove(&id)
    }

    /// Notes a socket.
    pub(crate) fn open(&mut self, open: Open) -> SocketId {
        let id = SocketId(self.next());
        self.sockets.insert(id, open);
        id
    }

    /// Takes a socket that is closed.
    pub(crate) fn close(&mut self, id: SocketId) -> Option<Open> {
        self.sockets.remove(&id)
    }

    /// One socket.
    pub(crate) fn socket(&self, id: SocketId) -> Option<&Open> {
        self.sockets.get(&id)
    }

    /// All sockets, in order of number.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = (SocketId, &Open)> {
        self.sockets.iter().map(|(id, open)| (*id, open))
    }

    /// The listener of a job.
    pub(crate) fn listener(&self, job: JobId) -> Option<(SocketId, &Open)> {
        self.sockets().find(|(_, open)| open.job == Some(job))
    }

    /// All dials, in order of number.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = (JobId, &Job)> {
        self.jobs.iter().map(|(id, job)| (*id, job))
    }

    /// Dials that the connector is to be told of.
    pub(crate) fn unsent(&mut self) -> Vec<(JobId, Job)> {
        let unsent = self.jobs.iter_mut().filter(|(_, job)| !job.is_sent);
        let sent = unsent.map(|(id, job)| {
            job.is_sent = true;
            (*id, job.clone())
        });
        sent.collect()
    }

    /// Sockets that a link has, and dials of its that are under way.
    pub(crate) fn of_link(&self, link: LinkId) -> (usize, usize) {
        let sockets = self.sockets.values().filter(|open| open.link == link);
        let jobs = self.jobs.values().filter(|job| job.link == link);
        (sockets.count(), jobs.count())
    }

    /// Sockets and dials in all.
    pub(crate) fn len(&self) -> (usize, usize) {
        (self.sockets.len(), self.jobs.len())
    }

    /// Whether a number stands for a dial of this link.
    pub(crate) fn is_under_way(&self, link: LinkId, request: u64) -> bool {
        let mut jobs = self.jobs.values();
        jobs.any(|job| job.link == link && job.request == request)
    }

    /// Sockets of a component that are open by a grant, and dials by it.
    pub(crate) fn by_grant(
        &self,
        component: DeploymentId,
        grant: &(Source, Pattern),
    ) -> (usize, usize) {
        let is_its = |whose: DeploymentId, by: &Option<(Source, Pattern)>| {
            whose == component && by.as_ref() == Some(grant)
        };
        let sockets = self.sockets.values();
        let jobs = self.jobs.values();
        (
            sockets
                .filter(|open| is_its(open.component, &open.grant))
                .count(),
            jobs.filter(|job| is_its(job.component, &job.grant)).count(),
        )
    }

    /// When the next dial has failed.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.jobs.values().map(|job| job.until).min()
    }
}
