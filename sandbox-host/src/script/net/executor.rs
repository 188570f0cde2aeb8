//! Tasks, their wake-ups and their clock, driven from the loop of the host.
//!
//! There is no reactor and no thread. A task that cannot go on leaves a waker
//! with what it waits for: a time, a descriptor, or another task. The loop runs
//! what was woken, then waits once for everything, the link included.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use sandbox_net::{Task, Tasks};

/// Bytes that one task may move before the others get their turn.
const BUDGET_BYTES: usize = 256 * 1024;

/// Everything that tasks and wakers reach; the host has one thread, and the lock is free.
#[derive(Default)]
pub(super) struct Reactor {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    spawned: Vec<(u64, Task)>,
    ready: VecDeque<u64>,
    timers: BTreeMap<(Instant, u64), Waker>,
    interests: BTreeMap<u64, Interest>,
    budget: usize,
}

/// What is waited for at one descriptor.
struct Interest {
    descriptor: Arc<OwnedFd>,
    read: Option<Waker>,
    write: Option<Waker>,
}

/// One way that bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// A descriptor for the next wait, and for what.
#[derive(Debug)]
pub struct Wanted {
    id: u64,
    /// To be polled.
    pub descriptor: Arc<OwnedFd>,
    /// What is wanted; afterwards, what is there.
    pub flags: PollFlags,
}

impl Reactor {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn number(&self) -> u64 {
        let mut state = self.lock();
        state.last += 1;
        state.last
    }

    /// Wakes the task when the descriptor can go on that way.
    pub(super) fn want(&self, id: u64, descriptor: &Arc<OwnedFd>, way: Way, waker: &Waker) {
        let mut state = self.lock();
        let interest = state.interests.entry(id).or_insert_with(|| Interest {
            descriptor: Arc::clone(descriptor),
            read: None,
            write: None,
        });
        let place = match way {
            Way::In => &mut interest.read,
            Way::Out => &mut interest.write,
        };
        *place = Some(waker.clone());
    }

    /// Forgets a descriptor that is closed.
    pub(super) fn forget(&self, id: u64) {
        self.lock().interests.remove(&id);
    }

    /// Takes bytes from the running task's budget; false when it is spent.
    pub(super) fn may_move(&self, waker: &Waker) -> bool {
        let may = self.lock().budget > 0;
        if !may {
            waker.wake_by_ref();
        }
        may
    }

    pub(super) fn moved(&self, bytes: usize) {
        let mut state = self.lock();
        state.budget = state.budget.saturating_sub(bytes);
    }

    /// What the next wait is for.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let state = self.lock();
        let wanted = state.interests.iter().filter_map(|(id, interest)| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, interest.read.is_some());
            flags.set(PollFlags::OUT, interest.write.is_some());
            (!flags.is_empty()).then(|| Wanted {
                id: *id,
                descriptor: Arc::clone(&interest.descriptor),
                flags,
            })
        });
        wanted.collect()
    }

    /// Wakes those whose descriptors can go on.
    pub(super) fn came(&self, wanted: &[Wanted]) {
        let mut wakers = Vec::new();
        let mut state = self.lock();
        for Wanted { id, flags, .. } in wanted {
            let Some(interest) = state.interests.get_mut(id) else {
                continue;
            };
            // An error or a hang-up is for both: the call itself tells which.
            let is_over = flags.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
            if is_over || flags.contains(PollFlags::IN) {
                wakers.extend(interest.read.take());
            }
            if is_over || flags.contains(PollFlags::OUT) {
                wakers.extend(interest.write.take());
            }
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// How long until a task is due: nothing when one can go on now.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let state = self.lock();
        if !state.ready.is_empty() || !state.spawned.is_empty() {
            return Some(Duration::ZERO);
        }
        let ((at, _), _) = state.timers.first_key_value()?;
        Some(at.saturating_duration_since(now))
    }

    fn ring(&self, now: Instant) {
        let mut state = self.lock();
        let later = state.timers.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut state.timers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }
}

/// The tasks of the host.
#[derive(Default)]
pub(super) struct Executor {
    tasks: BTreeMap<u64, Task>,
}

impl Executor {
    /// Runs what was woken, until nothing is or the time is over.
    pub(super) fn run(&mut self, reactor: &Arc<Reactor>, end: Instant) {
        reactor.ring(Instant::now());
        loop {
            let (spawned, next) = {
                let mut state = reactor.lock();
                let spawned = std::mem::take(&mut state.spawned);
                state.ready.extend(spawned.iter().map(|(id, _)| *id));
                state.budget = BUDGET_BYTES;
                (spawned, state.ready.pop_front())
            };
            self.tasks.extend(spawned);
            let Some(id) = next else {
                return;
            };
            self.poll(reactor, id);
            if Instant::now() >= end {
                return;
            }
        }
    }

    /// Ends a task where it stands.
    pub(super) fn cancel(&mut self, reactor: &Reactor, id: u64) {
        // Dropped after the lock is free: what it holds may use the reactor.
        let spawned = {
            let mut state = reactor.lock();
            let at = state.spawned.iter().position(|(known, _)| *known == id);
            at.map(|at| state.spawned.remove(at))
        };
        drop(spawned);
        drop(self.tasks.remove(&id));
    }

    fn poll(&mut self, reactor: &Arc<Reactor>, id: u64) {
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        let waker = Waker::from(Arc::new(Woken {
            id,
            reactor: Arc::clone(reactor),
        }));
        let mut context = Context::from_waker(&waker);
        if task.as_mut().poll(&mut context).is_ready() {
            self.tasks.remove(&id);
        }
    }
}

struct Woken {
    id: u64,
    reactor: Arc<Reactor>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.reactor.lock();
        if !state.ready.contains(&self.id) {
            state.ready.push_back(self.id);
        }
    }
}

/// What the network library runs its tasks by.
#[derive(Clone)]
pub(super) struct Host(pub(super) Arc<Reactor>);

impl Host {
    /// Spawns a task that can be cancelled by its number.
    pub(super) fn spawn_numbered(&self, task: Task) -> u64 {
        let id = self.0.number();
        self.0.lock().spawned.push((id, task));
        id
    }
}

impl Tasks for Host {
    fn spawn(&self, task: Task) {
        self.spawn_numbered(task);
    }

    fn sleep(&self, time: Duration) -> Task {
        let now = Instant::now();
        Box::pin(Sleep {
            // A time that no clock reaches is for ever, or as good as.
            at: now.checked_add(time).unwrap_or(now + FOR_EVER),
            id: self.0.number(),
            reactor: Arc::clone(&self.0),
        })
    }
}

const FOR_EVER: Duration = Duration::from_hours(24 * 365);

struct Sleep {
    at: Instant,
    id: u64,
    reactor: Arc<Reactor>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        let key = (self.at, self.id);
        self.reactor.lock().timers.insert(key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.reactor.lock().timers.remove(&(self.at, self.id));
        drop(waker);
    }
}
