//! # The script engine — one provider's JavaScript, served over the link
//!
//! One thread, one heap, one global object; the components of one provider
//! share them, as they share the process. Our own JavaScript is in
//! `framework/`, this is what stands around it.
//!
//! | file | does |
//! |---|---|
//! | `serve` | the loop: frames, timers, microtasks, one wait |
//! | `engine` | one turn at a time: bounded, and what it threw is logged |
//! | `deliver` | one message for the components |
//! | `loader` | a component from its text to running, and away again |
//! | `natives` | what the framework may ask of the host |
//! | `framework` | our own JavaScript, as bytecode |
//! | `shared` | what natives and loop both work on: outbox, timers, logs |
//! | `turn` | the time that code has computed, and may |
//! | `crypto` | what `crypto.subtle` computes, and its keys |
//! | `net` | connections of scripts: WebSockets and HTTP over granted descriptors |
//! | `listens`, `timers`, `rejections`, `random`, `failure`, `limits` | one small thing each |
//!
//! Holds: a turn ends within its time of computing, or the process does (the core
//! kills what does not answer a `Ping`; some of the engine's built-ins cannot be
//! interrupted). No error of a component ends the sandbox. There is no module
//! loader, and our own files have names that none can ask for: `import()` finds
//! nothing.

mod crypto;
mod deliver;
mod engine;
mod failure;
mod framework;
mod limits;
mod listens;
mod loader;
mod natives;
mod net;
mod random;
mod rejections;
mod serve;
mod shared;
mod timers;
mod turn;

use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

pub use engine::{Engine, EngineError, Next};
pub use limits::Limits;
pub use net::Wanted;
pub use shared::Clock;

use crate::link::Link;
use crate::lockdown::Locked;

/// An engine that was made while the process could still open files.
#[derive(Debug)]
pub struct Prepared(Result<Engine, EngineError>);

/// Makes the engine: its framework is loaded and the local time zone is known.
pub fn prepare() -> Prepared {
    let start = Instant::now();
    let clock = Rc::new(move || start.elapsed());
    Prepared(Engine::new(Limits::of_main_thread(), clock))
}

/// Loads and runs what the core sends, until the link ends.
pub fn serve(prepared: Prepared, mut link: Link, locked: &Locked) -> ExitCode {
    if link.greet(locked).is_err() {
        return ExitCode::FAILURE;
    }
    if let Ok(engine) = &prepared.0 {
        engine.limit_memory(locked.memory_bytes());
        engine.limit_timers(locked.timers());
    }
    serve::run(prepared.0, link)
}
