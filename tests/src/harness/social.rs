//! The catalogue of social hyperties, as conversations and presence use it.

use super::catalogue::Catalogue;
use super::place::TempDir;
use super::runtime::Runtime;

/// A user.
pub const ANN: &str = "ann@idp.example";
/// Another.
pub const BOB: &str = "bob@idp.example";

/// A runtime with the social catalogue.
pub fn runtime() -> Runtime {
    Runtime::with(Catalogue::fixture("social")).start()
}

/// The same again, in the directories of one that was killed.
pub fn again(home: TempDir) -> Runtime {
    Runtime::with(Catalogue::fixture("social"))
        .home(home)
        .start()
}
