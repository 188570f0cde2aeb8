//! Stories: events in, actions out.

// A broken expectation is what these panics are for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod allocation;
mod audit;
mod components;
mod debug;
mod dial_bounds;
mod dials;
mod discovery;
mod enrol;
mod fetch;
mod keeping;
mod links;
mod messages;
mod quotas;
mod reach;
mod registry;
mod reloads;
mod senders;
mod slots;
mod storage;
#[path = "../story/mod.rs"]
mod story;
mod subscriptions;
mod sync;
mod users;

use protocol::Reply;
use story::Story;

const WITHIN: Reply = Reply::Within(15_000);

fn alice_and_bob() -> Story {
    let mut story = Story::new();
    story.deploy("alice@a.example");
    story.deploy("bob@b.example");
    story.heard("alice@a.example");
    story.heard("bob@b.example");
    story
}
