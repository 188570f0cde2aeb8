//! What the loop waits on: one epoll set inside another.
//!
//! The inner set holds what must not queue behind traffic: the inbox, the
//! nursery, applications and the operator. It is a member of the outer one, so a
//! single wait covers both, and it can be asked alone in between.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event as Ready, EventData, EventFlags, create};
use rustix::io::Errno;

use crate::ids::LinkId;

/// Ready sources that one wait reports; the kernel rotates through the others.
///
/// Bounds a turn: one read of each. Larger did not make anything faster.
const READY_MAX: usize = 32;

/// Something that the loop waits on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The inner set.
    Control,
    /// The inbox's bell.
    Inbox,
    /// The nursery's socket.
    Nursery,
    /// That of the connector's nursery.
    Outdoors,
    /// A link.
    Link(LinkId),
}

const CONTROL: u64 = u64::MAX;
const INBOX: u64 = u64::MAX - 1;
const NURSERY: u64 = u64::MAX - 2;
const OUTDOORS: u64 = u64::MAX - 3;

impl Source {
    fn data(self) -> EventData {
        EventData::new_u64(match self {
            Self::Control => CONTROL,
            Self::Inbox => INBOX,
            Self::Nursery => NURSERY,
            Self::Outdoors => OUTDOORS,
            Self::Link(link) => link.0,
        })
    }

    fn of(data: u64) -> Self {
        match data {
            CONTROL => Self::Control,
            INBOX => Self::Inbox,
            NURSERY => Self::Nursery,
            OUTDOORS => Self::Outdoors,
            link => Self::Link(LinkId(link)),
        }
    }
}

/// What to wait for on a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    /// Input.
    In,
    /// Input, and room for output.
    InOut,
    /// Room for output only: the link is being drained.
    Out,
}

impl Interest {
    fn flags(self) -> EventFlags {
        match self {
            Self::In => EventFlags::IN,
            Self::InOut => EventFlags::IN | EventFlags::OUT,
            Self::Out => EventFlags::OUT,
        }
    }
}

/// One ready source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) source: Source,
    /// Something can be read, or the peer has gone.
    pub(super) input: bool,
    /// There is room for output, or the peer has gone.
    pub(super) output: bool,
}

/// The ready sources of one wait; no memory beyond itself.
pub(super) struct Hits {
    space: [MaybeUninit<Ready>; READY_MAX],
    list: [Option<Hit>; READY_MAX],
}

impl Hits {
    pub(super) fn new() -> Self {
        Self {
            space: [MaybeUninit::uninit(); READY_MAX],
            list: [None; READY_MAX],
        }
    }

    /// Whether something in the inner set is ready.
    pub(super) fn has_control(&self) -> bool {
        let mut sources = self.list.iter().flatten().map(|hit| hit.source);
        sources.any(|source| source == Source::Control)
    }

    /// Whether there may be more that is ready.
    pub(super) fn is_full(&self) -> bool {
        self.list.last().is_some_and(Option::is_some)
    }

    pub(super) fn get(&self, index: usize) -> Option<Hit> {
        self.list.get(index).copied().flatten()
    }
}

/// Both sets.
pub(super) struct Poller {
    outer: OwnedFd,
    inner: OwnedFd,
}

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        let outer = create(CreateFlags::CLOEXEC)?;
        let inner = create(CreateFlags::CLOEXEC)?;
        epoll::add(&outer, &inner, Source::Control.data(), EventFlags::IN)?;
        Ok(Self { outer, inner })
    }

    fn set(&self, control: bool) -> &OwnedFd {
        if control { &self.inner } else { &self.outer }
    }

    /// Waits for `source` from now on, until its descriptor is closed.
    pub(super) fn add(
        &self,
        source: Source,
        descriptor: impl AsFd,
        control: bool,
    ) -> Result<(), Errno> {
        epoll::add(self.set(control), descriptor, source.data(), EventFlags::IN)
    }

    /// Changes what is waited for.
    pub(super) fn change(
        &self,
        source: Source,
        descriptor: impl AsFd,
        control: bool,
        interest: Interest,
    ) -> Result<(), Errno> {
        epoll::modify(
            self.set(control),
            descriptor,
            source.data(),
            interest.flags(),
        )
    }

    /// Waits until something is ready, or `patience` is over; `None` waits for ever.
    pub(super) fn wait(&self, hits: &mut Hits, patience: Option<Duration>) -> Result<(), Errno> {
        wait(&self.outer, hits, patience)
    }

    /// What is ready in the inner set now.
    pub(super) fn control(&self, hits: &mut Hits) -> Result<(), Errno> {
        wait(&self.inner, hits, Some(Duration::ZERO))
    }
}

// A signal that interrupts the wait is nothing to us: the other thread has it.
fn wait(set: &OwnedFd, hits: &mut Hits, patience: Option<Duration>) -> Result<(), Errno> {
    let patience = patience.map(timespec);
    let ready = match epoll::wait(set, &mut hits.space, patience.as_ref()) {
        Ok((ready, _)) => ready,
        Err(Errno::INTR) => &mut [],
        Err(error) => return Err(error),
    };
    let broken = EventFlags::ERR | EventFlags::HUP;
    let mut found = ready.iter().map(|event| {
        let flags = event.flags;
        Hit {
            source: Source::of(event.data.u64()),
            input: flags.intersects(EventFlags::IN | broken),
            output: flags.intersects(EventFlags::OUT | broken),
        }
    });
    hits.list.fill_with(|| found.next());
    Ok(())
}

// Rounded up to whole milliseconds, which is what the kernel's older and
// cheaper call takes: never early, at most 1 ms late.
fn timespec(patience: Duration) -> Timespec {
    let ms = patience.as_micros().div_ceil(1000);
    let ms = i64::try_from(ms)
        .unwrap_or(i64::MAX)
        .min(i64::from(i32::MAX));
    Timespec {
        tv_sec: ms / 1000,
        tv_nsec: (ms % 1000) * 1_000_000,
    }
}
