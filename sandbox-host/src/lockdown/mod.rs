//! # Lockdown — the one place where a process gives up its rights, for good
//!
//! The story of [`lock`], in the order of time. Each step takes away what the
//! steps before still needed.
//!
//! 1. **Limits.** First, because a limit can be set by anyone who may lower it.
//! 2. **Capabilities.** None are left, so no later step can be undone by one.
//! 3. **No new privileges.** Landlock and seccomp ask for it of an ordinary user.
//! 4. **Landlock.** Every file, TCP port, abstract socket and foreign process is
//!    out of reach; it needs system calls that the filter then refuses.
//! 5. **Watched.** The nursery has become the tracer, so that a call that is never
//!    legitimate can be named. Before step 7: it may not trace what is not dumpable.
//! 6. **Dies with its parent**, and looks whether the parent is still there: it may
//!    have died just before.
//! 7. **Not dumpable.** Nobody of the same user reads this memory.
//! 8. **Descriptors** are limited to those it has, then **seccomp**, last: it
//!    refuses all of the above.
//! 9. **Proof.** One forbidden act per layer, whose effect is looked at. A lock
//!    that does not hold is worse than none: the process ends.
//! 10. **The cradle closes.** Descriptor 2, over which a failure would have been
//!     reported, becomes `/dev/null`. Only now [`Locked`] exists.
//!
//! Namespaces come before all this, and before exec: [`namespaces`]. No step is
//! made by a process that has a second thread.

pub(crate) mod landlock;
pub(crate) mod limits;
mod missing;
pub(crate) mod namespaces;
pub(crate) mod privileges;
pub(crate) mod seccomp;

use protocol::frame::Level;

pub use self::missing::{Missing, Primitive};
use crate::nursery::Cradle;
use crate::profile::Profile;
use crate::proof;

/// Parts of the lock to be treated as if this machine lacked them, for tests.
///
/// It only ever takes away: a level that needs the part is not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Without {
    /// No Landlock.
    pub landlock: bool,
    /// No seccomp.
    pub seccomp: bool,
    /// No user namespaces.
    pub userns: bool,
}

impl Without {
    /// Adds one by its name on the command line.
    pub fn add(&mut self, name: &str) -> Result<(), String> {
        match name {
            "landlock" => self.landlock = true,
            "seccomp" => self.seccomp = true,
            "userns" => self.userns = true,
            other => return Err(format!("`{other}` is not landlock, seccomp or userns")),
        }
        Ok(())
    }

    /// The arguments that say the same.
    pub fn args(self) -> impl Iterator<Item = &'static str> {
        let named = [
            (self.landlock, "landlock"),
            (self.seccomp, "seccomp"),
            (self.userns, "userns"),
        ];
        named
            .into_iter()
            .filter(|(set, _)| *set)
            .flat_map(|(_, name)| ["--pretend-without", name])
    }
}

/// What a process is to be locked to.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// What it may ask of the kernel.
    pub profile: &'static Profile,
    /// Below this it must not run.
    pub min_level: Level,
    /// Above this nothing is tried.
    pub max_level: Level,
    /// What the component may fill; 0 takes the profile's number.
    pub memory_bytes: u64,
    /// Descriptors that the component may have; 0 takes the profile's number, and more
    /// than that is never given.
    pub descriptors: u32,
    /// Timers that its scripts may have armed; 0 takes the usual number.
    pub timers: u32,
    /// Parts to leave out.
    pub without: Without,
}

/// Proof that this process is locked: can be built nowhere but here, and
/// everything that runs foreign code asks for it.
#[derive(Debug)]
pub struct Locked {
    level: Level,
    landlock_abi: u8,
    profile: &'static Profile,
    memory_bytes: u64,
    descriptors: u32,
    timers: u32,
    proofs: String,
}

impl Locked {
    /// The level that was reached.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The Landlock ABI in force, 0 for none.
    pub fn landlock_abi(&self) -> u8 {
        self.landlock_abi
    }

    /// The profile that was applied.
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// What the component may fill, in bytes: the engine's own limit.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// Descriptors that the component may have; 0 for the profile's number.
    pub(crate) fn descriptors(&self) -> u32 {
        self.descriptors
    }

    /// Timers that its scripts may have armed; 0 for the usual number.
    pub fn timers(&self) -> u32 {
        self.timers
    }

    /// The acts that were tried and refused, comma separated.
    pub fn proofs(&self) -> &str {
        &self.proofs
    }
}

/// Locks this process; see the story above. `house` is what [`namespaces`] did.
pub fn lock(order: &Order, house: Result<(), Missing>, cradle: &Cradle) -> Result<Locked, Missing> {
    let memory_bytes = match order.memory_bytes {
        0 => order.profile.memory_bytes,
        asked => asked,
    };
    let mut locked = Locked {
        level: Level::L0,
        landlock_abi: 0,
        profile: order.profile,
        memory_bytes,
        descriptors: order.descriptors,
        timers: order.timers,
        proofs: String::new(),
    };
    if order.max_level == Level::L0 {
        cradle.wait_until_watched()?;
        cradle.die_with_parent()?;
        cradle.close()?;
        return Ok(locked);
    }
    if house.is_ok() {
        namespaces::prove_empty_root()?;
    }
    limits::apply(order.profile, memory_bytes, house.is_ok())?; // 1
    privileges::drop_capabilities()?; // 2
    privileges::no_new()?; // 3
    let landlock = if wants(order, Level::L2) {
        landlock::apply(order.without, order.profile.keeps_network())
    } else {
        Err(unasked())
    }; // 4
    let watch = cradle.wait_until_watched()?; // 5
    cradle.die_with_parent()?; // 6
    privileges::not_dumpable()?; // 7
    if order.profile.program().is_none() {
        limits::descriptors(order.profile, order.descriptors)?; // 8
    }
    let seccomp = if wants(order, Level::L2) {
        seccomp::apply(order, watch)
    } else {
        Err(unasked())
    }; // 8
    locked.landlock_abi = *landlock.as_ref().unwrap_or(&0);
    locked.level = reached(order, house, landlock.map(drop), seccomp)?;
    locked.proofs = proof::try_the_forbidden(locked.level)?; // 9
    cradle.close()?; // 10
    Ok(locked)
}

fn wants(order: &Order, level: Level) -> bool {
    order.max_level >= level
}

fn unasked() -> Missing {
    Missing {
        primitive: Primitive::Seccomp,
        cause: "not asked for".into(),
        remedy: "",
    }
}

// The level that holds, or what is missing for the lowest that would do.
fn reached(
    order: &Order,
    house: Result<(), Missing>,
    landlock: Result<(), Missing>,
    seccomp: Result<(), Missing>,
) -> Result<Level, Missing> {
    let (level, lack) = match landlock.and(seccomp) {
        Err(lack) => (Level::L1, Some(lack)),
        Ok(()) => match house {
            Err(lack) => (Level::L2, Some(lack)),
            Ok(()) => (Level::L3, None),
        },
    };
    match lack {
        Some(lack) if level < order.min_level => Err(lack),
        // Namespaces may be there although less was asked for: say what was asked for.
        _ => Ok(level.min(order.max_level)),
    }
}
