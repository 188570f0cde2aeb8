//! # Catalogue — descriptors of what can be deployed
//!
//! Address:  hyperty-runtime://<runtime>/catalogue
//! Answers:  Read (what is there), Execute `check`, `fetch`, `update`, `pin`, …
//!                                                — see `protocol::api::catalogue`
//! Keeps:    what is being fetched from other domains, and who waits for it;
//!           a catalogue itself is read when it is asked for
//! Holds:    a name leads to one file below the catalogue, whatever it contains
//! Not here: opening files, digests, sealing programs, what was fetched (shell/package)

mod base64;
pub mod constraints;
mod descriptor;
pub mod elf;
pub mod elsewhere;
pub mod limits;
pub mod names;
#[cfg(test)]
mod tests;
pub mod trust;

use protocol::api::connections::Pattern;
use protocol::frame::ComponentKind;
use protocol::nursery::Engine;

use crate::ids::ProgramId;
use crate::quota::Asked;

pub(crate) use base64::decode as decoded;
pub use descriptor::{Found, Parsed, parse};
pub use protocol::api::catalogue::Item;
pub use protocol::api::catalogue::Listing as CatalogueListing;
pub use protocol::api::catalogue::PATH;

/// Which package to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// A directory, or empty for the configured ones.
    pub catalogue: String,
    /// `hyperty/NAME`, `protocolstub/NAME`, `idp-proxy/NAME`, or `NAME` for a hyperty.
    pub component: String,
    /// The provider, or empty when the catalogue holds one only.
    pub provider: String,
    /// Whether only what stands under the provider's own name counts: a catalogue
    /// that names no domain is not anybody's then.
    pub is_exact: bool,
    /// Whether it is to be taken as it is here, however old: elsewhere was asked.
    pub is_here: bool,
}

/// What is to be done with something that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Managed {
    /// It stays as it is; with a digest, only if it has that.
    Pin(Item, String),
    /// It may change again.
    Unpin(Item),
}

/// Which data schema to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaWanted {
    /// Its name, one plain file name.
    pub name: String,
    /// The domains in whose catalogue it may be, the likeliest first.
    pub providers: Vec<String>,
}

/// A package, read and verified.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageRead {
    /// What its descriptor says.
    pub descriptor: Descriptor,
    /// Its code.
    pub code: Code,
    /// `sha256:…` of the code.
    pub digest: String,
    /// The code's file, for humans.
    pub source: String,
    /// Who stands for it.
    pub seal: trust::Seal,
}

/// The code of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// JavaScript.
    Script {
        /// Its file name, for stack traces.
        file: String,
        /// Its text, UTF-8.
        text: Vec<u8>,
    },
    /// An ELF program that the shell holds, sealed.
    Program(ProgramId),
}

/// What a descriptor says (spec messaging §4.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    /// `name`, else `objectName`, else the file's name.
    pub name: String,
    /// What it describes.
    pub kind: ComponentKind,
    /// What runs it.
    pub engine: Engine,
    /// The provider's domain.
    pub provider: String,
    /// `configuration`, from an object or from JSON text.
    pub configuration: serde_json::Map<String, serde_json::Value>,
    /// `constraints`, likewise.
    pub constraints: serde_json::Map<String, serde_json::Value>,
    /// `hypertyType`.
    pub hyperty_type: Vec<String>,
    /// `dataObjects`.
    pub data_objects: Vec<String>,
    /// `interworking`: of a stub that it translates for a foreign network, of an
    /// identity proxy that its users are of one.
    pub interworking: bool,
    /// `network`: the places that it asks for.
    pub network: Vec<Pattern>,
    /// `limits`: how much of what it asks for.
    pub limits: Asked,
}

/// Why a package cannot be deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFailure {
    /// 400 for a bad descriptor, 404 for an absent one, 500 when reading failed.
    pub code: protocol::Code,
    /// What, where (`file:line`), and what to do about it.
    pub reason: String,
    /// Where else it may be, when no catalogue here has it.
    pub elsewhere: Option<Box<elsewhere::Elsewhere>>,
}
