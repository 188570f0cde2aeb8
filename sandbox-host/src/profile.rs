//! What a sandbox may ask of the kernel: `policies/sandbox/*.toml`, compiled.
//!
//! Nothing is parsed at run time; `build.rs` has made the tables below.

use nix::unistd::getpid;
use rustix::process::{Resource, Rlimit};
use seccompiler::sock_filter;

include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// One profile.
#[derive(Debug)]
pub struct Profile {
    /// Its file's name without `.toml`.
    pub name: &'static str,
    /// Bytes the component may fill: the heap of the script engine, the data of a native program.
    pub memory_bytes: u64,
    /// Stack of the script engine, in bytes.
    pub stack_bytes: u64,
    /// Resource limits.
    pub limits: &'static [Limit],
    /// The calls that end the process: name, number on `x86_64`, on `aarch64` (-1: has none).
    never: &'static [(&'static str, i64, i64)],
    /// The filter for `x86_64`.
    pub x86_64: &'static [sock_filter],
    /// The filter for `aarch64`.
    pub aarch64: &'static [sock_filter],
}

/// One resource limit.
#[derive(Debug)]
pub struct Limit {
    /// Of what.
    pub resource: Resource,
    memory_times: u64,
    plus: u64,
}

impl Limit {
    /// The limit for a component that may fill so many bytes, soft and hard.
    pub fn of(&self, memory_bytes: u64) -> Rlimit {
        let limit = self
            .memory_times
            .saturating_mul(memory_bytes)
            .saturating_add(self.plus);
        Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        }
    }
}

/// Who learns of a call that is never legitimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// The nursery traces the process: it names the call, then kills.
    Traced,
    /// Nobody: the kernel kills at once, without a name.
    Unwatched,
}

// Stands for the process's own id in the compiled filters; see build/tree.rs.
const OWN_MARK: u32 = 0x5e1f_5e1f;
const RETURN: u16 = 0x06;
// Returns the accumulator: only the answer "stop for the tracer" does.
const RETURN_A: u16 = 0x16;
const RETURN_KILL_PROCESS: u32 = 0x8000_0000;

impl Profile {
    /// Finds a profile.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// The filter of this machine, ready to be installed in this process.
    pub fn filter(&self, watch: Watch) -> Vec<sock_filter> {
        let compiled = if cfg!(target_arch = "aarch64") {
            self.aarch64
        } else {
            self.x86_64
        };
        let own = getpid().as_raw().cast_unsigned();
        let adapt = |instruction: &sock_filter| {
            let mut instruction = instruction.clone();
            if instruction.k == OWN_MARK {
                instruction.k = own;
            }
            if instruction.code == RETURN_A && watch == Watch::Unwatched {
                instruction = sock_filter {
                    code: RETURN,
                    jt: 0,
                    jf: 0,
                    k: RETURN_KILL_PROCESS,
                };
            }
            instruction
        };
        compiled.iter().map(adapt).collect()
    }

    /// The number that a program's descriptor has when it is executed, where the
    /// lock leaves room for one: just above the limit, as its file says too.
    pub fn program(&self) -> Option<i32> {
        match self.name {
            "native" => Some(64),
            "connector" => Some(768),
            _ => None,
        }
    }

    /// Whether it keeps the machine's network: the connector does, nobody else.
    pub fn keeps_network(&self) -> bool {
        self.name == "connector"
    }
}

/// The name of a call that no profile permits, by its number here.
pub(crate) fn never_name(number: i64) -> &'static str {
    let here = |row: &&(&str, i64, i64)| {
        if cfg!(target_arch = "aarch64") {
            row.2
        } else {
            row.1
        }
    };
    let mut rows = PROFILES.iter().flat_map(|profile| profile.never);
    rows.find(|row| here(row) == number).map_or("", |row| row.0)
}
