//! # hyperty-escape — tries every way out of a sandbox
//!
//! Each attempt runs as a component inside a real sandbox, under a supervisor
//! of its own. What it tries is aimed at victims that this program holds: files,
//! a process, sockets, and the supervisor. Whether an attempt succeeded is read
//! off the victims, not off what the attempt believes; what it believes counts
//! where nothing can be seen from outside.
//!
//! ```text
//! attempts/*.c     what is tried, by group: FS PR KR FD NW RS, and bytes on the bus
//! attempts/*.js    what a script tries
//! case.rs          every case, and what is known about it
//! frames.rs        what is tried on the bus, byte for byte
//! played/          what takes several parties, or is aimed at the operator's files
//! arena.rs         where it is tried: our sandbox, another command, or nowhere (the control)
//! victims.rs       what it is aimed at, looked at before and after
//! verdict.rs       held, a known gap, escaped, skipped, or broken
//! report.rs        the table
//! ```

mod arena;
mod args;
mod bus;
mod case;
mod frames;
mod played;
mod process;
mod report;
mod runtime;
mod score;
mod script;
mod suite;
mod verdict;
mod victims;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--victim") {
        victims::live();
        return ExitCode::SUCCESS;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = words.as_slice()
        && first == "--claim"
    {
        return match played::claim(rest) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                println!("not answered: {error:#}");
                ExitCode::SUCCESS
            }
        };
    }
    let args = Args::parse();
    match suite::run(&args) {
        Ok(score) if score.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("hyperty-escape: {error:#}");
            ExitCode::from(3)
        }
    }
}
