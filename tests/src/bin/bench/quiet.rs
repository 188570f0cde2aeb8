//! Whether a sample was disturbed by what else the machine does.
//!
//! `/proc/stat` says how long the processors were busy, stolen time included,
//! and `schedstat` how long our own processes ran. The difference is others'.

use std::fs;
use std::time::{Duration, Instant};

use hyperty_tests::harness::children_of;

use crate::numbers::{nanoseconds_since, number};

// `/proc/stat` counts in hundredths of a second.
const TICK_NS: u64 = 10_000_000;

// Two ticks may be counted late; beyond them others may have a twelfth.
const OTHERS_SHARE_MAX: f64 = 1.0 / 12.0;

/// Where the processes of a row run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// All on processor 0.
    Pinned,
    /// Where the kernel puts them.
    Free,
}

impl Place {
    /// How the table says it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pinned => "one cpu",
            Self::Free => "unpinned",
        }
    }

    /// Moves this thread there, and whatever it starts from now on.
    pub(crate) fn enter(self) {
        let mut set = rustix::thread::CpuSet::new();
        match self {
            Self::Pinned => set.set(0),
            Self::Free => (0..processors().min(64)).for_each(|cpu| set.set(cpu)),
        }
        rustix::thread::sched_setaffinity(None, &set).expect("one may choose one's own processor");
    }
}

/// A look at the machine before a sample.
pub(crate) struct Watch {
    place: Place,
    start: Instant,
    busy: u64,
    own: u64,
}

impl Watch {
    /// Looks.
    pub(crate) fn start(place: Place) -> Self {
        Self {
            place,
            own: own_ns(),
            busy: busy_ns(place),
            start: Instant::now(),
        }
    }

    /// Looks again: whether others took a part of the time.
    pub(crate) fn was_disturbed(&self) -> bool {
        let wall = number(nanoseconds_since(self.start));
        let busy = busy_ns(self.place).saturating_sub(self.busy);
        let others = busy.saturating_sub(own_ns().saturating_sub(self.own));
        number(others.saturating_sub(2 * TICK_NS)) > wall * OTHERS_SHARE_MAX
    }
}

/// How long all threads of a process have run.
pub(crate) fn cpu_ns(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let stats = tasks.into_iter().flatten().flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    stats.sum()
}

/// Waits until the machine has been idle for a moment; whether it came to that.
pub(crate) fn wait_for_quiet(limit: Duration) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        let watch = Watch::start(Place::Free);
        std::thread::park_timeout(Duration::from_millis(200));
        if !watch.was_disturbed() {
            return true;
        }
    }
    false
}

/// How many processors there are.
pub(crate) fn processors() -> usize {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let is_one = |line: &&str| {
        line.starts_with("cpu") && line.as_bytes().get(3).is_some_and(u8::is_ascii_digit)
    };
    stat.lines().filter(is_one).count()
}

fn own_ns() -> u64 {
    let this = std::process::id();
    let children = children_of(this).into_iter().map(|child| child.pid);
    children.chain([this]).map(cpu_ns).sum()
}

// user nice system (idle iowait) irq softirq steal
fn busy_ns(place: Place) -> u64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let name = match place {
        Place::Pinned => "cpu0 ",
        Place::Free => "cpu ",
    };
    let line = stat.lines().find_map(|line| line.strip_prefix(name));
    let fields = line.unwrap_or_default().split_whitespace().take(8);
    let busy = fields.enumerate().filter(|(at, _)| !(3..=4).contains(at));
    let ticks = busy.filter_map(|(_, ticks)| ticks.parse::<u64>().ok());
    ticks.sum::<u64>() * TICK_NS
}
