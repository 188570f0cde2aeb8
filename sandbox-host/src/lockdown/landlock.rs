//! Step 4: Landlock at the best ABI this kernel has, everything denied.
//!
//! It is a second wall behind the filter: it holds even where a system call is
//! let through, for files, TCP, abstract sockets and signals.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, RestrictionStatus,
    Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope,
};

use super::{Missing, Primitive, Without};

/// Less than this is not a wall: ABI 1 denies opening, executing and changing files.
///
/// What later ABIs add (truncation, TCP, scopes) is denied by the filter as well.
const ABI_MIN: u8 = 1;

/// The newest that this build knows; an older kernel takes what it has of it.
const ABI_WANTED: ABI = ABI::V9;

/// Applies it and returns the ABI in force.
pub(crate) fn apply(without: Without, keeps_network: bool) -> Result<u8, Missing> {
    if without.landlock {
        return Err(Missing::pretended(Primitive::Landlock));
    }
    let status = restrict(keeps_network)
        .map_err(|e| Missing::new(Primitive::Landlock, "restricting this process", e))?;
    let abi = abi(&status)?;
    // Not `FullyEnforced`: that would ask every kernel for the newest ABI.
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs || abi < ABI_MIN {
        return Err(Missing::new(
            Primitive::Landlock,
            "restricting this process",
            "not enforced",
        ));
    }
    // Looked at here and not in `proof`: later the filter would answer first.
    match std::fs::read_dir(Path::new("/")) {
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => Ok(abi),
        Err(e) => Err(Missing::new(
            Primitive::Landlock,
            "trying to list the root",
            e,
        )),
        Ok(_) => Err(Missing::new(
            Primitive::Landlock,
            "trying to list the root",
            "it was permitted",
        )),
    }
}

// Who keeps the network is asked nothing about TCP; the rest holds for it as well.
fn restrict(keeps_network: bool) -> Result<RestrictionStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI_WANTED))?;
    if !keeps_network {
        ruleset = ruleset.handle_access(AccessNet::from_all(ABI_WANTED))?;
    }
    ruleset
        .scope(Scope::from_all(ABI_WANTED))?
        .create()?
        .restrict_self()
}

fn abi(status: &RestrictionStatus) -> Result<u8, Missing> {
    match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => Ok(effective_abi as u8),
        LandlockStatus::NotEnabled => Err(Missing::new(
            Primitive::Landlock,
            "asking the kernel",
            "built in, but switched off",
        )),
        LandlockStatus::NotImplemented => Err(Missing::new(
            Primitive::Landlock,
            "asking the kernel",
            "not there",
        )),
    }
}
