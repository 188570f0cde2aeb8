//! Two runtimes of one domain: what works within one works across, and goes on after the
//! end of a runtime, of a stub, and of what is between them.
//!
//! Each story is played twice: with a message node between them, and with a NATS server.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

/// Plays stories over each kind of node.
macro_rules! over_each_node {
    ($($story:ident),+ $(,)?) => {
        mod over_a_message_node {
            $(#[test] fn $story() { super::$story(hyperty_tests::harness::Kind::MessageNode); })+
        }
        mod over_nats {
            $(#[test] fn $story() { super::$story(hyperty_tests::harness::Kind::Nats); })+
        }
    };
}

mod chat;
mod objects;
mod presence;

use hyperty_tests::harness::Catalogue;

/// The domain of everybody.
const DOMAIN: &str = "social.example";

/// The hyperties of conversations and presence.
fn social() -> Catalogue {
    Catalogue::fixture("social")
}
