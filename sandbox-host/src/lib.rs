//! # sandbox-host — the untrusted side
//!
//! One provider's code in a process that has locked itself.
//!
//! | module | does |
//! |---|---|
//! | [`link`] | the connection to the core: descriptor 0 |
//! | [`profile`] | what a sandbox may ask of the kernel, from `policies/sandbox/` |
//! | [`lockdown`] | gives up every right that the profile does not name |
//! | `proof` | tries the forbidden, after the lock |
//! | `nursery` | starts sandboxes for the supervisor |
//! | `native` | waits for one program and executes it |
//! | [`script`] | the JavaScript engine |
//! | [`probe`] | which level can be reached here |
//! | `shell` | a sandbox for a terminal |

mod args;
pub mod link;
pub mod lockdown;
mod native;
mod nursery;
pub mod probe;
pub mod profile;
mod proof;
pub mod script;
mod shell;

use std::process::ExitCode;

use crate::args::{Command, ScriptArgs, USAGE};
use crate::link::Link;
use crate::lockdown::{Missing, Order, Primitive, lock, privileges};
use crate::nursery::Cradle;

/// The exit code of wrong usage.
const USAGE_CODE: u8 = 2;

/// Does what the arguments say; the whole program.
pub fn run(args: impl Iterator<Item = String>) -> ExitCode {
    match args::parse(args) {
        Ok(Command::Nursery(without, network)) => nursery::run(without, network),
        Ok(Command::Script(args)) => be_a_script_host(&args),
        Ok(Command::Probe(without, form)) => ExitCode::from(u8::from(!probe::run(without, form))),
        Ok(Command::Shell(args)) => shell::run(&args),
        Ok(Command::Help) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(Command::Version) => {
            println!("sandbox-host {}", protocol::version::BUILD);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("sandbox-host: {problem}\n{USAGE}");
            ExitCode::from(USAGE_CODE)
        }
    }
}

// These lines may not be reordered: what is prepared still needs files, what
// is served must not have them.
fn be_a_script_host(args: &ScriptArgs) -> ExitCode {
    let cradle = if args.nursed {
        Cradle::nursed()
    } else {
        Cradle::none()
    };
    let link = Link::on_descriptor_0();
    let prepared = script::prepare();
    let locked = match lock_script_host(args, &cradle) {
        Ok(locked) => locked,
        Err(missing) => {
            cradle.lament(&missing.to_string());
            return ExitCode::from(native::NOT_LOCKED);
        }
    };
    script::serve(prepared, link, &locked)
}

fn lock_script_host(args: &ScriptArgs, cradle: &Cradle) -> Result<lockdown::Locked, Missing> {
    let order = Order {
        profile: args.profile,
        min_level: args.min_level,
        max_level: args.max_level,
        memory_bytes: args.memory_bytes,
        descriptors: args.descriptors,
        timers: args.timers,
        without: args.without,
    };
    if !args.nursed {
        privileges::leave_root()?;
    }
    let house = if args.housed {
        Ok(())
    } else {
        Err(Missing::new(
            Primitive::Namespaces,
            "looking around",
            "the nursery has made none for it",
        ))
    };
    lock(&order, house, cradle)
}
