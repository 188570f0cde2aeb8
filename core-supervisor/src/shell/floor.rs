//! Whether sandboxes can reach the floor on this machine, before anything runs.
//!
//! `sandbox-host probe` tries every primitive and locks a child of itself at each
//! level. A version number or a configuration would only be a guess.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use protocol::frame::Level;
use serde::Deserialize;

use super::nursery::NurseryCommand;

/// What the probe found.
#[derive(Debug, Deserialize)]
struct Probe {
    level: Level,
    #[serde(default)]
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
struct Check {
    id: String,
    status: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    remedy: String,
}

/// Why nothing can be started here.
#[derive(Debug, thiserror::Error)]
pub enum FloorError {
    /// The program is not there, or does not run.
    #[error("cannot execute `{program}`: {reason}; say where it is with `--sandbox-host PATH`")]
    Execute {
        /// The program.
        program: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It said something else than a probe does.
    #[error("`{program} probe` gave no answer: {reason}")]
    Answer {
        /// The program.
        program: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The machine is not good enough.
    #[error("sandboxes reach {reached} here, and {floor} is the floor{missing}")]
    Below {
        /// What can be had.
        reached: Level,
        /// What is asked for.
        floor: Level,
        /// The failing checks, a line each, with their remedies.
        missing: String,
    },
}

/// Says which level sandboxes reach here, or why that is too little.
pub fn check(host: &NurseryCommand, floor: Level) -> Result<Level, FloorError> {
    let program = host.program.clone();
    let output = Command::new(&program)
        .args(["probe", "--json"])
        .args(&host.arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| FloorError::Execute {
            program: program.clone(),
            reason: error.to_string(),
        })?;
    let probe = serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or("nothing on stderr");
        FloorError::Answer {
            program,
            reason: format!("{error} ({}; {last})", output.status),
        }
    })?;
    judge(&probe, floor)
}

fn judge(probe: &Probe, floor: Level) -> Result<Level, FloorError> {
    if probe.level >= floor {
        return Ok(probe.level);
    }
    // What only warns below another floor is missing for this one.
    let failed = probe
        .checks
        .iter()
        .filter(|check| matches!(check.status.as_str(), "fail" | "warn"));
    let missing = failed.map(|check| {
        let Check {
            id, detail, remedy, ..
        } = check;
        let mend = match remedy.as_str() {
            "" => String::new(),
            remedy => format!("\n    to mend it: {remedy}"),
        };
        format!("\n  {id}: {detail}{mend}")
    });
    Err(FloorError::Below {
        reached: probe.level,
        floor,
        missing: missing.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: &str = r#"{"schema":"hyperty.probe/1","level":"L1","checks":[
        {"id":"sandbox.landlock","status":"fail","detail":"the kernel has none","remedy":"add `lsm=landlock`"},
        {"id":"sandbox.seccomp","status":"pass","detail":"","remedy":""}]}"#;

    #[test]
    fn a_machine_below_the_floor_is_told_what_is_missing_and_how_to_mend_it() {
        let probe = serde_json::from_str(PROBE).unwrap();

        let error = judge(&probe, Level::L2).unwrap_err().to_string();

        assert_eq!(
            error,
            "sandboxes reach L1 here, and L2 is the floor\
             \n  sandbox.landlock: the kernel has none\n    to mend it: add `lsm=landlock`"
        );
    }

    #[test]
    fn a_machine_at_the_floor_will_do() {
        let probe = serde_json::from_str(PROBE).unwrap();

        assert_eq!(judge(&probe, Level::L1).unwrap(), Level::L1);
    }

    #[test]
    fn a_program_that_is_absent_is_named() {
        let host = NurseryCommand {
            program: "/nowhere/sandbox-host".into(),
            arguments: Vec::new(),
        };

        let error = check(&host, Level::L2).unwrap_err().to_string();

        assert!(
            error.starts_with("cannot execute `/nowhere/sandbox-host`"),
            "{error}"
        );
    }
}
