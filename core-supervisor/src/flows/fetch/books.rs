//! What is being fetched, and who waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::api::catalogue::{Item, Underway, Update};

use crate::ids::{DeploymentId, Ticket};
use crate::rooms::catalogue::elsewhere::{CodeWanted, Mode, Piece, Tags, kind_of};
use crate::rooms::catalogue::{PackageFailure, SchemaWanted, Wanted, names};
use crate::rooms::user_agent::Asker;

/// One fetch for all who want the same: an item, and whether it is only looked at.
pub(crate) type Key = (Item, bool);

/// Who waits for an item.
#[derive(Debug, Clone)]
pub(crate) enum Waiter {
    /// A package that is to be read, under this ticket.
    Package(Ticket, Wanted),
    /// A schema, likewise.
    Schema(Ticket, SchemaWanted),
    /// Whoever asked for the fetch.
    Asker(Asker),
    /// An update of several, by its number.
    Run(u64),
}

/// What of an item is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it, in one signed file at this address.
    Whole(String),
    /// Its descriptor, or the schema.
    Descriptor,
    /// Its code.
    Code(CodeWanted),
}

impl Part {
    /// What is asked for first: of a component the signed package.
    pub(super) fn first(item: &Item) -> Self {
        let Item {
            base, kind, name, ..
        } = item;
        kind_of(kind).map_or(Self::Descriptor, |kind| {
            Self::Whole(format!("{base}/{}", names::package_path(kind, name)))
        })
    }
}

/// How far a fetch has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The stub is on its way.
    Stub,
    /// The stub asks for it.
    Head,
    /// Its bytes come, by this transfer.
    Body(u64),
    /// It is being looked at and kept, under this ticket.
    Keeping(Ticket),
}

/// One fetch.
#[derive(Debug)]
pub(crate) struct Fetch {
    /// Who waits.
    pub(crate) waiters: Vec<Waiter>,
    /// Which part.
    pub(crate) part: Part,
    /// How far that is.
    pub(crate) step: Step,
    /// What is to be done with it.
    pub(crate) mode: Mode,
    /// What is said about the descriptor that is here, if one is.
    pub(crate) held: Option<Tags>,
    /// What has come of this part.
    pub(crate) bytes: Vec<u8>,
    /// How many bytes there will be.
    pub(crate) total: Option<u64>,
    /// The head of this part.
    pub(crate) piece: Piece,
    /// The descriptor, while the code is fetched.
    pub(crate) descriptor: Piece,
    /// When it has failed.
    pub(crate) deadline: Duration,
}

/// An update of several items, one after the other.
#[derive(Debug)]
pub(crate) struct Run {
    /// Who asked.
    pub(crate) asker: Asker,
    /// What is to be done.
    pub(crate) mode: Mode,
    /// What is still to be looked at, the next one last.
    pub(crate) rest: Vec<(Item, Tags)>,
    /// What came of the others.
    pub(crate) done: Vec<Update>,
}

/// The catalogue's books.
#[derive(Debug, Default)]
pub(crate) struct Fetches {
    /// What is under way.
    pub(crate) open: BTreeMap<Key, Fetch>,
    /// Updates.
    pub(crate) runs: BTreeMap<u64, Run>,
    /// The stub that fetches, while it is deployed.
    pub(crate) stub: Option<DeploymentId>,
    // What could not be had, and until when nobody is asked again unless somebody insists.
    shut: BTreeMap<Item, (Duration, PackageFailure)>,
}

/// Items that are remembered as not to be had.
const SHUT_MAX: usize = 1024;

impl Fetches {
    /// Why an item cannot be had now, as it was found out a moment ago.
    pub(crate) fn shut(&self, item: &Item, now: Duration) -> Option<&PackageFailure> {
        let (until, failure) = self.shut.get(item)?;
        (now < *until).then_some(failure)
    }

    /// Remembers that an item cannot be had.
    pub(crate) fn shut_until(
        &mut self,
        item: Item,
        until: Duration,
        failure: PackageFailure,
        now: Duration,
    ) {
        if self.shut.len() >= SHUT_MAX {
            self.shut.retain(|_, (until, _)| now < *until);
        }
        if self.shut.len() < SHUT_MAX {
            self.shut.insert(item, (until, failure));
        }
    }

    /// It can be had, or somebody insists.
    pub(crate) fn reopen(&mut self, item: &Item) {
        self.shut.remove(item);
    }

    /// What is under way, as the outside sees it.
    pub(crate) fn view(&self) -> Vec<Underway> {
        let open = self.open.iter();
        open.map(|((item, _), fetch)| Underway {
            item: item.clone(),
            stage: match (&fetch.step, &fetch.part) {
                (Step::Stub, _) => "stub",
                (Step::Keeping(_), _) => "keeping",
                (_, Part::Whole(_)) => "package",
                (_, Part::Descriptor) => "descriptor",
                (_, Part::Code(_)) => "code",
            }
            .to_owned(),
            bytes: u64::try_from(fetch.bytes.len()).unwrap_or(u64::MAX),
            total: fetch.total,
        })
        .collect()
    }

    /// The fetch that waits for the shell.
    pub(crate) fn kept_for(&self, ticket: Ticket) -> Option<Key> {
        let mut open = self.open.iter();
        let found = open.find(|(_, fetch)| fetch.step == Step::Keeping(ticket));
        found.map(|(key, _)| key.clone())
    }

    /// When the first of them has failed.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.open.values().map(|fetch| fetch.deadline).min()
    }
}
