//! The program of the stub: one thread, and its link on descriptor 0.

use std::process::ExitCode;

fn main() -> ExitCode {
    protocol::client::tokio::run(stub_nats::stub::run())
}
