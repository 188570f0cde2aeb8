//! # hyperty-package — one component, whole and signed, in one file
//!
//! ```text
//!  NAME.hy.pkg            a plain ustar archive, in the one form that it can have
//!    manifest.json          whose, what, which version; each file's size and blake3
//!    manifest.json.minisig  the provider's signature of the manifest (minisign)
//!    minisign.pub           the key that it is by
//!    NAME.hy.json           the descriptor
//!    NAME.hy.js             the code
//!    assets/…               what else belongs to it
//! ```
//!
//! Bytes in, values out: nothing here opens a file, looks at a clock or decides
//! whom to trust. [`read`] takes hostile bytes; [`pack`] and [`sign`] are for
//! authors. Why it is as it is stands in the README.

mod archive;
pub mod limits;
mod manifest;
mod names;
mod pack;
pub mod rights;
mod signature;
mod signing;
#[cfg(test)]
mod tests;
mod version;

pub use archive::{Package, Unread, read};
pub use manifest::{FORMAT, Kind, Listed, Manifest, digest_of};
pub use names::is_plain;
pub use pack::{Contents, Unpacked, pack};
pub use rights::{Grown, Rights};
pub use signature::{Key, NotKey, Signed, Unverified};
pub use signing::{NotSigned, Password, generate, secret_key, sign};
pub use version::Version;
