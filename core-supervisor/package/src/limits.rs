//! Every bound of packages, each with its reason.

/// One package: the largest program that a runtime takes has 64 MiB, and its assets
/// may have as much again. A reader holds it in memory.
pub const PACKAGE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Its manifest: a line of some 200 bytes for each file.
pub const MANIFEST_BYTES_MAX: usize = 256 * 1024;

/// Its files. A page with its pictures has some dozens; a list of this length is
/// still compared in no time, and a million names never get further than the manifest.
pub const FILES_MAX: usize = 1024;

/// The name of a file: what a header of ustar holds without being split.
pub const NAME_BYTES_MAX: usize = 100;

/// Folders in a name, for those who unpack.
pub const DEPTH_MAX: usize = 8;

/// A signature: two lines of base64 and two comments.
pub const SIGNATURE_BYTES_MAX: usize = 2048;

/// A public key: one line of base64, one comment.
pub const KEY_BYTES_MAX: usize = 512;

/// What a descriptor asks for: members of its list of hosts and the like.
pub const RIGHTS_MAX: usize = 512;
