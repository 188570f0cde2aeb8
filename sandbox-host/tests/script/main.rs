//! The script engine, frames in and frames out, with a clock turned by hand.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what is not there fails the test"
)]

mod bus;
mod chat;
mod chat_messages;
mod chat_people;
mod chatting;
mod context;
mod context_observer;
mod context_reporter;
mod declared;
mod discovery;
mod errors;
mod files;
mod limits;
mod loading;
mod network;
mod objects;
mod objects_changes;
mod objects_ending;
mod objects_family;
mod objects_files;
mod objects_hostile;
mod objects_property;
mod page;
mod peers;
mod people;
mod registration;
mod rpc;
mod services;
mod storage;
mod subtle;
mod syncing;
mod web;
mod world;
