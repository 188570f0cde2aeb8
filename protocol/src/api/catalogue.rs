//! The runtime catalogue (`/catalogue`): descriptors of what can be deployed.
//!
//! `read` [`Query`] → `value`: [`Listing`]; `execute` with a `method`:
//!
//! | `method` | with | → `value` |
//! |---|---|---|
//! | `check` | as `read` | [`Listing`] with every problem of every entry |
//! | `fetch` | `item` | [`Fetched`]: from its domain, unless it is here and pinned |
//! | `update` | `item` or nothing for all; `accept` | [`Updated`]: fetched where it changed |
//! | `look` | the same | [`Updated`]: what `update` would do |
//! | `pin` | `item`, `digest` or nothing for the one that is here | [`Fetched`] |
//! | `unpin` | `item` | [`Fetched`] |
//!
//! | `keys` | nothing | [`Keys`] |
//! | `trust` | `key`: `DOMAIN=RW…` | [`Keys`]: the provider signs with this key, too |
//! | `distrust` | `provider`, `key` or nothing for all of them | [`Keys`] |
//!
//! How the core asks its own stub for what is elsewhere: [`remote`].

use serde::{Deserialize, Serialize};

use crate::frame::ComponentKind;
use crate::nursery::Engine;

/// Where the room lives under the runtime's address.
pub const PATH: &str = "catalogue";

/// What to look at, and what to do with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// A directory that holds `.well-known/`; empty for every configured one and what
    /// was fetched.
    pub catalogue: String,
    /// What to do, see above; empty to list.
    pub method: String,
    /// What of another domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// `sha256:…` of the code that is wanted, to pin it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// Whose keys are meant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// `DOMAIN=RW…` to be trusted; a key or its number to be forgotten, or nothing for all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Whether an update that asks for more rights is taken.
    #[serde(skip_serializing_if = "is_false")]
    pub accept: bool,
}

/// Something in the catalogue of a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Item {
    /// Where it is fetched: `https://host` or `https://host:port`.
    pub base: String,
    /// The provider's domain.
    pub provider: String,
    /// `hyperty`, `protocolstub`, `idp-proxy` or `dataschema`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Something that was fetched, as it is kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// What it is.
    #[serde(flatten)]
    pub item: Item,
    /// `sha256:…` of its code, or of the schema.
    pub digest: String,
    /// How many bytes that has.
    pub bytes: u64,
    /// For how long nobody has looked whether it changed, in seconds.
    pub age_s: u64,
    /// Whether it stays as it is until it is unpinned.
    pub pinned: bool,
    /// The entity tag of its descriptor.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub etag: String,
    /// The date of change of its descriptor.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub modified: String,
    /// What a newer version asks for beyond this one; it waits for `update` with `accept`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grown: Vec<String>,
}

/// Whose signatures are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// Which packages may be unsigned: `none`, `directories` or `all`.
    pub unsigned: String,
    /// In the order of providers.
    pub keys: Vec<KnownKey>,
}

/// A key of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownKey {
    /// The provider's domain.
    pub provider: String,
    /// The public key, as in the `.pub` file of minisign.
    pub key: String,
    /// The number that people compare.
    pub id: String,
    /// Who said so: `configuration`, `operator` or `first use`.
    pub by: String,
    /// Since when, in seconds since the Unix epoch; 0 of the configuration.
    pub since_s: u64,
}

/// What an update came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updated {
    /// A line for each thing that was looked at.
    pub items: Vec<Update>,
}

/// What the update of one thing came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// What it is.
    #[serde(flatten)]
    pub item: Item,
    /// `same`, `changed`, `pinned`, `grown` or `failed`.
    pub outcome: String,
    /// Why it failed, or what a newer version asks for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// `sha256:…` of what is here now.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// One fetch that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Underway {
    /// What is fetched.
    #[serde(flatten)]
    pub item: Item,
    /// `stub`, `package`, `descriptor`, `code` or `keeping`.
    pub stage: String,
    /// Bytes of this stage that are here.
    pub bytes: u64,
    /// How many there will be, when the other end said.
    pub total: Option<u64>,
}

/// What a catalogue holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// In order of path.
    pub entries: Vec<Entry>,
    /// What was fetched from other domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetched: Vec<Fetched>,
    /// What is being fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub underway: Vec<Underway>,
}

/// One descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `name`, else `objectName`, else the file's name.
    pub name: String,
    /// What it describes.
    pub kind: ComponentKind,
    /// What would run it.
    pub engine: Engine,
    /// The provider's domain.
    pub provider: String,
    /// The descriptor's file.
    pub descriptor: String,
    /// The code's file.
    pub code: String,
    /// Bytes of the code, 0 when unreadable.
    pub bytes: u64,
    /// `sha256:…` of the code, when it was checked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// What is wrong with it; empty when it can be deployed.
    #[serde(default)]
    pub problems: Vec<String>,
}

// The form that `skip_serializing_if` wants.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_false(is: &bool) -> bool {
    !*is
}

/// How the core has its stub fetch: one answer to each question, the bytes in parts.
///
/// `read` [`Get`](remote::Get) → `value`: [`Head`](remote::Head); then `read`
/// [`More`](remote::More) → the next bytes as they are, none at the end; `delete`
/// [`More`](remote::More) gives up. What is not asked for within 30 s is given up too.
pub mod remote {
    use serde::{Deserialize, Serialize};

    /// Bytes of one answer to [`More`].
    pub const PART_BYTES_MAX: usize = 256 * 1024;

    /// Transfers that one stub has open.
    pub const TRANSFERS_MAX: usize = 16;

    /// What is wanted.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Get {
        /// `https://…`, in the order in which they are tried where there is nothing.
        pub urls: Vec<String>,
        /// The entity tag of what is here, for a conditional request.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub etag: String,
        /// Its date of change, where there is no tag.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub modified: String,
        /// The most bytes that are taken.
        pub most: u64,
        /// Whether it must not be text for a browser: what is JSON or code never is.
        #[serde(default)]
        pub is_json: bool,
    }

    /// What was found.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Head {
        /// The number of the transfer; none when what is here is still the same.
        pub transfer: Option<u64>,
        /// Where it was found in the end.
        pub url: String,
        /// How many bytes there are, when the other end says.
        pub bytes: Option<u64>,
        /// Its entity tag.
        #[serde(default)]
        pub etag: String,
        /// Its date of change.
        #[serde(default)]
        pub modified: String,
    }

    /// Which transfer goes on, or is given up.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    pub struct More {
        /// The number of the transfer.
        pub transfer: u64,
    }
}
