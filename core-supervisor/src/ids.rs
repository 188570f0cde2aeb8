//! Numbers that name things. None is ever used twice in the life of a supervisor,
//! so that the id of a dead sandbox never names a living one (invariant I6).

use std::fmt;
use std::str::FromStr;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }
    };
}

id!(
    /// One connection to the core. Given out by the shell.
    LinkId, "k"
);
id!(
    /// One sandbox process. Given out by the core.
    SandboxId, "s"
);
id!(
    /// One component on its way to running, and while it runs. Given out by the core.
    DeploymentId, "c"
);
id!(
    /// One piece of long work that left the core and will come back. Given out by the core.
    Ticket, "t"
);
id!(
    /// One data object. Given out by the sync manager.
    ObjectId, "o"
);
id!(
    /// One verified, sealed program that the shell keeps for execution. Given out by the shell.
    ProgramId, "p"
);

id!(
    /// One slot: memory for large bodies between two links. Given out by the core.
    SlotId, "m"
);

id!(
    /// One socket of the network that a component has. Given out by the core.
    SocketId, "n"
);

/// Names one decision: `d-<version of the rules>-<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId {
    /// The version of the rules that made it.
    pub version: u64,
    /// Counts all decisions of this supervisor.
    pub number: u64,
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d-{}-{}", self.version, self.number)
    }
}

impl FromStr for DecisionId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no decision: they look like `d-3-17`");
        let numbers = text.strip_prefix("d-").ok_or_else(wrong)?;
        let (version, number) = numbers.split_once('-').ok_or_else(wrong)?;
        // `parse` would take a sign too.
        let read = |text: &str| {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse().ok())?
        };
        Ok(Self {
            version: read(version).ok_or_else(wrong)?,
            number: read(number).ok_or_else(wrong)?,
        })
    }
}

/// Who may own addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerId {
    /// A room of the core.
    Room(RoomName),
    /// A deployed component, dead or alive.
    Component(DeploymentId),
    /// An application or the operator, as long as its link lives.
    Local(LinkId),
}

/// The rooms that have an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomName {
    /// The runtime itself.
    Runtime,
    /// `/bus`
    Bus,
    /// `/registry`
    Registry,
    /// `/pep`
    Policy,
    /// `/ua`
    UserAgent,
    /// `/catalogue`
    Catalogue,
    /// `/sandboxes`
    Sandboxes,
    /// `/address-allocation`
    Allocation,
    /// `/sm`
    Sync,
    /// `/subscriptions`
    Subscriptions,
    /// `/discovery`
    Discovery,
    /// `/storage`
    Storage,
    /// `/connections`
    Connections,
}

/// A map keyed by one of these numbers. They are given out by us, so a keyed
/// hash would only cost time; multiplying spreads neighbours well enough.
pub(crate) type IdMap<K, V> = std::collections::HashMap<K, V, Spread>;

/// Spreads consecutive numbers.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Spread;

/// The state of [`Spread`].
#[derive(Debug, Default)]
pub(crate) struct SpreadHasher(u64);

impl std::hash::BuildHasher for Spread {
    type Hasher = SpreadHasher;

    fn build_hasher(&self) -> SpreadHasher {
        SpreadHasher(0)
    }
}

impl std::hash::Hasher for SpreadHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
