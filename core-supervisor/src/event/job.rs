//! Long work that the core asks for: files, and what has to be compiled.

use crate::ids::Ticket;
use crate::rooms::catalogue::elsewhere::Arrived;
use crate::rooms::catalogue::{Managed, SchemaWanted, Wanted};

/// One piece of it; done by another thread than the loop's, in the order asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Read a package from a catalogue.
    ReadPackage {
        /// Comes back with `PackageRead`.
        ticket: Ticket,
        /// Which.
        wanted: Wanted,
    },
    /// List catalogues, and check every entry when `check`.
    ReadCatalogue {
        /// Comes back with `CatalogueRead`.
        ticket: Ticket,
        /// A directory, or empty for the configured ones.
        catalogue: String,
        /// Whether to read and verify the code as well.
        check: bool,
    },
    /// Read a data schema from a catalogue.
    ReadSchema {
        /// Comes back with `SchemaRead`.
        ticket: Ticket,
        /// Which.
        wanted: SchemaWanted,
        /// Whether it is to be taken as it is here: elsewhere was asked.
        is_here: bool,
    },
    /// Verify something that was fetched, and keep it.
    Keep {
        /// Comes back with `Kept`.
        ticket: Ticket,
        /// What came.
        arrived: Box<Arrived>,
    },
    /// Pin or unpin something that was fetched.
    Manage {
        /// Comes back with `Kept`.
        ticket: Ticket,
        /// What is to be done.
        managed: Managed,
    },
    /// Read the policy directories again and compile them.
    CompilePolicy {
        /// Comes back with `PolicyCompiled`.
        ticket: Ticket,
    },
    /// Throw a release away that nobody may run.
    DropRelease {
        /// `blake3:…` of it.
        digest: String,
    },
    /// Throw every release away but these.
    KeepReleases {
        /// `blake3:…` of each.
        digests: Vec<String>,
    },
    /// Read and seal the connector's program, and read the machine's files about names.
    ReadConnector {
        /// Comes back with `ConnectorRead`.
        ticket: Ticket,
    },
    /// Read the machine's files about names; comes back with `NamesRead`.
    ReadNames,
    /// Read the certificates of the authorities into sealed memory.
    ReadRoots {
        /// Comes back with `RootsRead`.
        ticket: Ticket,
    },
}
