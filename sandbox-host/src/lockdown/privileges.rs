//! Steps 2, 3 and 7: capabilities, new privileges, dumps; and leaving root before all.

use nix::sys::prctl;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set,
    set_capabilities,
};

use super::{Missing, Primitive};

/// The user and group that sandboxes of a root supervisor run as: `nobody`.
///
/// All share it; what keeps them apart at L2 is the filter, which lets no
/// process name another, and at L3 the namespaces.
pub(crate) const UNPRIVILEGED_ID: u32 = 65_534;

/// Leaves root: no groups, no capability, another user. Nothing to do for others.
pub(crate) fn leave_root() -> Result<(), Missing> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let refused = |doing: &'static str| move |e| Missing::new(Primitive::Privileges, doing, e);
    empty_bounding_set();
    let (uid, gid) = (
        Uid::from_raw(UNPRIVILEGED_ID),
        Gid::from_raw(UNPRIVILEGED_ID),
    );
    setgroups(&[]).map_err(refused("leaving root's groups"))?;
    setresgid(gid, gid, gid).map_err(refused("leaving root's group"))?;
    setresuid(uid, uid, uid).map_err(refused("leaving root"))?;
    // The kernel forbids dumps after a change of user; until the nursery has
    // become the tracer and the maps are written, this process must be readable.
    prctl::set_dumpable(true).map_err(refused("staying readable for the nursery"))
}

/// Empties the bounding set, where this process still may.
///
/// An ordinary user outside of a namespace may not, and needs not: no
/// capability is to be had without new privileges.
pub(crate) fn empty_bounding_set() {
    // The kernel knows fewer than 64; it refuses the first that it does not know.
    for bit in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        if remove_capability_from_bounding_set(capability).is_err() {
            break;
        }
    }
}

pub(super) fn drop_capabilities() -> Result<(), Missing> {
    let refused = |doing: &'static str| move |e| Missing::new(Primitive::Privileges, doing, e);
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(refused("dropping capabilities"))?;
    let held = capabilities(None).map_err(refused("reading capabilities"))?;
    if held == none && !Uid::effective().is_root() {
        return Ok(());
    }
    Err(Missing::new(
        Primitive::Privileges,
        "dropping capabilities",
        "root's rights are still there",
    ))
}

pub(crate) fn no_new() -> Result<(), Missing> {
    prctl::set_no_new_privs().map_err(|e| Missing::new(Primitive::NoNewPrivileges, "setting it", e))
}

pub(super) fn not_dumpable() -> Result<(), Missing> {
    prctl::set_dumpable(false)
        .map_err(|e| Missing::new(Primitive::Privileges, "forbidding dumps", e))
}
