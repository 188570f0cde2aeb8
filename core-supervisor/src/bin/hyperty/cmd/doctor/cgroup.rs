//! Control groups: what they bound here, as the supervisor finds them by doing.

use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use super::probe::output_within;
use super::{Check, Status};
use crate::paths::program;

/// It starts one process and kills it.
const PROBE_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Probed {
    groups: bool,
    controllers: Vec<String>,
    detail: String,
    remedy: String,
}

/// Whether sandboxes have groups, and what these bound.
pub(super) fn check() -> Check {
    match probed() {
        Ok(probed) => told(&probed),
        Err(reason) => Check::new("cgroup.delegated", Status::Warn, reason).remedy("make build"),
    }
}

fn probed() -> Result<Probed, String> {
    let supervisor = program("core-supervisor").map_err(|failure| failure.what().to_owned())?;
    let mut command = Command::new(supervisor);
    command.arg("probe-cgroup");
    let output = output_within(command, PROBE_WITHIN)?;
    serde_json::from_str(&output).map_err(|error| format!("the probe's report: {error}"))
}

// Nobody needs them: each process has limits of its own.
fn told(probed: &Probed) -> Check {
    let status = match (probed.groups, probed.controllers.len()) {
        (true, 1..) => Status::Pass,
        _ => Status::Skip,
    };
    let without = match status {
        Status::Pass => "",
        _ => "; memory and descriptors are limited in each process, processor time is not",
    };
    let check = Check::new(
        "cgroup.delegated",
        status,
        format!("{}{without}", probed.detail),
    );
    check.remedy(probed.remedy.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_groups_with_controllers_pass_and_the_rest_says_what_is_not_bounded() {
        let told = |groups, controllers: &[&str]| {
            told(&Probed {
                groups,
                controllers: controllers.iter().map(ToString::to_string).collect(),
                ..Probed::default()
            })
        };

        assert_eq!(told(true, &["memory"]).status, Status::Pass);
        for check in [told(true, &[]), told(false, &[])] {
            assert_eq!(check.status, Status::Skip);
            assert!(
                check.detail.contains("processor time is not"),
                "{}",
                check.detail
            );
        }
    }
}
