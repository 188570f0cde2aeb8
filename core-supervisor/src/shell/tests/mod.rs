//! The loop against real sockets, with a script in place of the core.

mod launching;
mod placing;
mod stage;
mod streams;
mod turns;
