//! The child's side: from the fork to the lock.
//!
//! 1. Descriptors: 0 the link, 1 `/dev/null`, 2 the cradle, nothing else.
//! 2. A session of its own: no terminal.
//! 3. Away from root.
//! 4. Namespaces of its own, where they are to be had; then the child of this
//!    process is the sandbox, the first process of its namespace.
//! 5. Engine native: lock and wait for the program, in this forked image.
//!    Engine script: execute `sandbox-host script` afresh, which locks itself:
//!    two providers must share neither an address space layout nor a random seed.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd, RawFd};

use fork::Fork;
use nix::fcntl::AtFlags;
use nix::unistd::execveat;
use protocol::frame::Level;
use protocol::nursery::Engine;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use super::cradle::Cradle;
use super::places::{Places, children};
use crate::lockdown::namespaces::Rooms;
use crate::lockdown::{Missing, Order, Primitive, lock, privileges};
use crate::native;

/// What a child is to become.
#[derive(Debug)]
pub(super) struct Birth {
    pub(super) engine: Engine,
    pub(super) order: Order,
    pub(super) link: OwnedFd,
    pub(super) cradle: OwnedFd,
    /// What else the nursery has open.
    pub(super) others: Vec<RawFd>,
}

/// Runs in the child and ends it.
pub(super) fn run(birth: Birth, places: &Places, rooms: Option<&Result<Rooms, Missing>>) -> ! {
    let cradle = Cradle::nursed();
    let code = match be_born(birth, places, rooms, &cradle) {
        Ok(code) => code,
        Err(missing) => {
            cradle.lament(&missing.to_string());
            i32::from(native::NOT_LOCKED)
        }
    };
    std::process::exit(code);
}

fn be_born(
    birth: Birth,
    places: &Places,
    rooms: Option<&Result<Rooms, Missing>>,
    cradle: &Cradle,
) -> Result<i32, Missing> {
    let Birth {
        engine,
        order,
        link,
        cradle: end,
        others,
    } = birth;
    let refused = |e: rustix::io::Errno| Missing::new(Primitive::Watch, "arranging descriptors", e);
    dup2_stdin(&link).map_err(refused)?;
    dup2_stdout(&places.null).map_err(refused)?;
    dup2_stderr(&end).map_err(refused)?;
    drop((link, end));
    children()
        .thread_unblock()
        .map_err(|e| Missing::new(Primitive::Watch, "hearing signals again", e))?;
    // It can only fail for the leader of a group, which a forked child is not.
    let _ = rustix::process::setsid();
    if order.max_level > Level::L0 {
        privileges::leave_root()?;
    }
    let house = move_out(&order, rooms, cradle)?;
    match engine {
        Engine::Native => {
            // Nothing is executed here before foreign code is: close-on-exec comes too late.
            for other in others {
                let _ = nix::unistd::close(other);
            }
            let locked = lock(&order, house, cradle)?;
            Ok(native::serve(&locked))
        }
        Engine::Script => Err(execute_script(&order, &house, places)),
    }
}

// Steps down to L2 only where the order permits it; the lock reports what was reached.
fn move_out(
    order: &Order,
    rooms: Option<&Result<Rooms, Missing>>,
    cradle: &Cradle,
) -> Result<Result<(), Missing>, Missing> {
    let moved = match rooms {
        Some(Ok(rooms)) => rooms.move_out(),
        Some(Err(missing)) => Err(missing.clone()),
        None => Err(Missing::new(
            Primitive::Namespaces,
            "moving out",
            "not asked for",
        )),
    };
    if moved.is_ok() {
        return match fork::fork() {
            Ok(Fork::Child) => Ok(moved),
            Ok(Fork::Parent(first)) => {
                cradle.born(first);
                std::process::exit(0);
            }
            Err(e) => Err(Missing::new(
                Primitive::Namespaces,
                "forking the first process",
                e,
            )),
        };
    }
    cradle.born(i32::try_from(std::process::id()).unwrap_or_default());
    match moved {
        Err(missing) if order.min_level >= Level::L3 => Err(missing),
        otherwise => Ok(otherwise),
    }
}

fn execute_script(order: &Order, house: &Result<(), Missing>, places: &Places) -> Missing {
    let mut words = vec![
        "sandbox-host".to_owned(),
        "script".to_owned(),
        "--nursed".to_owned(),
    ];
    if house.is_ok() {
        words.push("--housed".to_owned());
    }
    let (min, max) = (order.min_level.to_string(), order.max_level.to_string());
    let memory = order.memory_bytes.to_string();
    let (descriptors, timers) = (order.descriptors.to_string(), order.timers.to_string());
    let pairs = [
        ("--profile", order.profile.name),
        ("--min-level", &min),
        ("--max-level", &max),
        ("--memory", &memory),
        ("--descriptors", &descriptors),
        ("--timers", &timers),
    ];
    words.extend(
        pairs
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value.to_owned()]),
    );
    words.extend(order.without.args().map(str::to_owned));
    let words: Vec<CString> = words
        .into_iter()
        .filter_map(|word| CString::new(word).ok())
        .collect();
    let environment: [&CStr; 0] = [];
    // By descriptor: in the empty root there is no file to name.
    match execveat(
        places.program.as_fd(),
        c"",
        &words,
        &environment,
        AtFlags::AT_EMPTY_PATH,
    ) {
        Err(e) => Missing::new(Primitive::Watch, "executing sandbox-host", e),
        Ok(never) => match never {},
    }
}
