//! The program around the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sandbox_host::run(std::env::args().skip(1))
}
