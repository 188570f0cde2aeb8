//! Connections that are kept for the next request to the same place.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use super::connection::Connection;
use crate::limits::{IDLE_KEPT, IDLE_MAX};
use crate::target::Target;
use crate::tasks::Tasks;

/// The connections that nobody uses, the oldest first.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    target: Target,
    connection: Connection,
    since: Instant,
}

impl Pool {
    /// A connection to there, if one is open.
    pub(super) fn take(&self, target: &Target) -> Option<Connection> {
        let mut idle = self.lock();
        idle.retain(Idle::is_usable);
        let at = idle.iter().rposition(|one| one.target == *target)?;
        if let Some(shared) = idle.get(at).and_then(|one| one.connection.shared()) {
            return Some(shared);
        }
        Some(idle.remove(at).connection)
    }

    fn put(&self, target: Target, connection: Connection) {
        let mut idle = self.lock();
        idle.retain(Idle::is_usable);
        // Of those that can be shared, one is enough.
        let is_shared = connection.shared().is_some();
        idle.retain(|one| !(is_shared && one.target == target));
        if idle.len() >= IDLE_MAX {
            idle.remove(0);
        }
        let since = Instant::now();
        idle.push(Idle {
            target,
            connection,
            since,
        });
    }

    fn sweep(&self) {
        self.lock().retain(Idle::is_usable);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    fn is_usable(&self) -> bool {
        !self.connection.is_closed() && self.since.elapsed() < IDLE_KEPT
    }
}

/// A connection that goes back when its answer was read to the end.
///
/// Dropped before that, it is closed, or its HTTP/2 stream is reset: nobody wants
/// the rest of the answer.
pub(super) struct Return {
    pool: Weak<Pool>,
    tasks: Arc<dyn Tasks>,
    target: Target,
    connection: Option<Connection>,
}

impl Return {
    pub(super) fn new(
        pool: &Arc<Pool>,
        tasks: &Arc<dyn Tasks>,
        target: Target,
        connection: Connection,
    ) -> Self {
        // A shared one can be used by others at once.
        if let Some(shared) = connection.shared() {
            keep(pool, tasks, target.clone(), shared);
        }
        Self {
            pool: Arc::downgrade(pool),
            tasks: Arc::clone(tasks),
            target,
            connection: Some(connection),
        }
    }

    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    /// The answer was read to its end.
    pub(super) fn give_back(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if let Some(pool) = self.pool.upgrade()
            && connection.shared().is_none()
        {
            keep(&pool, &self.tasks, self.target.clone(), connection);
        }
    }
}

// An idle connection occupies a place in its grant, so it does not wait to be
// looked for.
fn keep(pool: &Arc<Pool>, tasks: &Arc<dyn Tasks>, target: Target, connection: Connection) {
    pool.put(target, connection);
    let pool = Arc::downgrade(pool);
    let sleep = tasks.sleep(IDLE_KEPT);
    tasks.spawn(Box::pin(async move {
        sleep.await;
        if let Some(pool) = pool.upgrade() {
            pool.sweep();
        }
    }));
}
