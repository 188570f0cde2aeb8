//! # Probe — which level can be reached here
//!
//! By doing: each primitive is tried in a child that is thrown away, then each
//! level is reached by a whole sandbox with its self-test. Versions and
//! configuration files are not asked.

mod primitives;
pub mod trial;

use std::path::Path;

use protocol::frame::{HostFrame, Level};
use protocol::nursery::Engine;
use serde::Serialize;

use self::trial::{Told, Trial};
use crate::args::Form;
use crate::lockdown::Without;

/// The version of the JSON form.
const SCHEMA: &str = "hyperty.probe/1";

/// What became of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Pass,
    Warn,
    Fail,
}

/// One line of the probe.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) id: &'static str,
    pub(crate) status: Status,
    pub(crate) detail: String,
    pub(crate) remedy: String,
}

#[derive(Debug, Serialize)]
struct Findings {
    schema: &'static str,
    checks: Vec<Check>,
    level: Level,
}

/// Tries everything and prints it; whether the default floor, L2, can be reached.
pub(crate) fn run(without: Without, form: Form) -> bool {
    let findings = find(without);
    match form {
        Form::Json => match serde_json::to_string(&findings) {
            Ok(text) => println!("{text}"),
            Err(e) => eprintln!("cannot write the findings: {e}"),
        },
        Form::Lines => {
            for check in &findings.checks {
                println!(
                    "{:<4} {:<22} {}",
                    check.status.word(),
                    check.id,
                    check.detail
                );
                if !check.remedy.is_empty() {
                    println!("     remedy: {}", check.remedy);
                }
            }
            println!("level {}", findings.level);
        }
    }
    findings.level >= Level::L2
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

fn find(without: Without) -> Findings {
    let mut checks = primitives::check(without);
    let mut reached = Level::L0;
    for (id, level) in [
        ("sandbox.level.L1", Level::L1),
        ("sandbox.level.L2", Level::L2),
        ("sandbox.level.L3", Level::L3),
    ] {
        match reach(without, Engine::Native, "native", level) {
            Ok(detail) => {
                reached = reached.max(level);
                checks.push(Check {
                    id,
                    status: Status::Pass,
                    detail,
                    remedy: String::new(),
                });
            }
            // Below the best level a sandbox still runs, with less between it and the rest.
            Err(detail) => {
                let status = if level == Level::L3 {
                    Status::Warn
                } else {
                    Status::Fail
                };
                checks.push(Check {
                    id,
                    status,
                    detail,
                    remedy: String::new(),
                });
            }
        }
    }
    Findings {
        schema: SCHEMA,
        checks,
        level: reached,
    }
}

// One sandbox at exactly this level; what it proved, or why not.
fn reach(without: Without, engine: Engine, profile: &str, level: Level) -> Result<String, String> {
    let program = Path::new("/proc/self/exe");
    let mut trial =
        Trial::start(program, without, None).map_err(|e| format!("cannot start a nursery: {e}"))?;
    let mut line = trial
        .launch(engine, profile, (level, level))
        .map_err(|e| format!("cannot ask it: {e}"))?;
    loop {
        match line.hear() {
            Ok(Some(HostFrame::Confined(confined))) => {
                return Ok(format!("refused: {}", confined.proofs));
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return Err(end(&trial)),
        }
    }
}

fn end(trial: &Trial) -> String {
    loop {
        match trial.told() {
            Ok(Told::Launched { .. }) => {}
            Ok(
                Told::NotLaunched(reason)
                | Told::Exited {
                    end: trial::End::NotLocked(reason),
                    ..
                },
            ) => return reason,
            Ok(Told::Exited { end, .. }) => return format!("it ended: {end:?}"),
            Err(e) => return format!("nothing was told: {e}"),
        }
    }
}
