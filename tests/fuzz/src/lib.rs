//! # hyperty-fuzz — hostile bytes for everything here that reads some
//!
//! | target | bytes of | what must hold |
//! |---|---|---|
//! | [`host_frame`] | a component, on its way to the core | what is accepted means the same when written again |
//! | [`core_frame`] | the core, on their way to a client | the same |
//! | [`header`] | a message header | two codecs agree on value and refusal |
//! | [`address`] | anybody's address | the canonical form is a fixed point |
//! | [`received`] | a greeted operator, for the whole core | no invariant breaks |
//! | [`package`] | a package | read and packed again it has the same bytes |
//! | [`descriptor`] | a component's author | bounded, and a problem names its file |
//! | [`policy`] | a rule file | compiled whole, or refused with a place |
//! | [`profile`] | a sandbox profile | compiled for both machines, or refused |
//! | [`reply`] | the core's answers, for the command line | ends; nothing reaches a terminal |
//! | [`script`] | other providers, for a script host | the engine lives, and its frames are frames |
//! | [`nats_wire`] | a NATS server | read the same in one piece and in two |
//!
//! Each target is a function of bytes. libFuzzer calls it (`make fuzz`), and so does
//! the ordinary suite, with every file of `corpus/` and with mutants of them.

// A target that cannot go on has found something.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc
)]

pub mod address;
pub mod core_frame;
pub mod descriptor;
pub mod header;
pub mod host_frame;
pub mod nats_wire;
pub mod package;
pub mod policy;
pub mod profile;
pub mod received;
pub mod reply;
pub mod script;

/// One target: its name, which its folder of `corpus/` has too, and what reads bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 12] = [
    ("address", address::read),
    ("core_frame", core_frame::read),
    ("descriptor", descriptor::read),
    ("header", header::read),
    ("host_frame", host_frame::read),
    ("nats_wire", nats_wire::read),
    ("package", package::read),
    ("policy", policy::read),
    ("profile", profile::read),
    ("received", received::read),
    ("reply", reply::read),
    ("script", script::read),
];
