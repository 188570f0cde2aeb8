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
            $(#[test] fn $story() { super::$story(crate::near(crate::Kind::MessageNode)); })+
        }
        mod over_nats {
            $(#[test] fn $story() { super::$story(crate::near(crate::Kind::Nats)); })+
        }
    };
}

/// Plays stories over each kind of node, where the runtimes and the node have a machine each.
macro_rules! between_machines {
    ($($story:ident),+ $(,)?) => {
        mod far_over_a_message_node {
            $(#[test] fn $story() { super::$story(crate::far(crate::Kind::MessageNode)); })+
        }
        mod far_over_nats {
            $(#[test] fn $story() { super::$story(crate::far(crate::Kind::Nats)); })+
        }
    };
}

mod chat;
mod faults;
mod objects;
mod presence;

use hyperty_tests::harness::{Between, Catalogue, Kind};

/// The domain of everybody.
const DOMAIN: &str = "social.example";

/// The hyperties of conversations and presence.
fn social() -> Catalogue {
    Catalogue::fixture("social")
}

/// All on this machine.
const fn near(kind: Kind) -> Between {
    let is_far = false;
    Between { kind, is_far }
}

/// Each on a machine of its own.
const fn far(kind: Kind) -> Between {
    let is_far = true;
    Between { kind, is_far }
}
