//! Step 1: resource limits of the profile, soft and hard alike.

use rustix::process::{Resource, Rlimit, setrlimit};

use super::{Missing, Primitive};
use crate::profile::Profile;

/// Applies the limits of a profile.
///
/// The limit of processes is left alone outside of an own user namespace: the
/// kernel counts per user there, and would count the user's whole desktop.
/// The limit of descriptors comes later, see [`descriptors`]: Landlock needs one for
/// a moment, and the exec of a native program one above it.
pub(super) fn apply(profile: &Profile, memory_bytes: u64, housed: bool) -> Result<(), Missing> {
    for limit in profile.limits {
        let deferred = match limit.resource {
            Resource::Nproc => !housed,
            Resource::Nofile => true,
            _ => false,
        };
        if !deferred {
            set(limit.resource, limit.of(memory_bytes))?;
        }
    }
    Ok(())
}

/// Applies the limit of descriptors.
///
/// Just before the filter, because building Landlock's ruleset takes one; for a
/// native program just before its exec, which takes one above the limit.
/// `asked` may only be fewer than the profile's; 0 asks for nothing.
pub(crate) fn descriptors(profile: &Profile, asked: u32) -> Result<(), Missing> {
    let mut limits = profile.limits.iter();
    let Some(limit) = limits.find(|limit| limit.resource == Resource::Nofile) else {
        return Ok(());
    };
    let mut limit = limit.of(0);
    if asked > 0 {
        let fewer = limit.maximum.map(|most| most.min(u64::from(asked)));
        limit = Rlimit {
            current: fewer,
            maximum: fewer,
        };
    }
    set(Resource::Nofile, limit)
}

// An inherited hard limit may be lower than the profile's: it stays.
fn set(resource: Resource, wanted: Rlimit) -> Result<(), Missing> {
    let held = rustix::process::getrlimit(resource)
        .maximum
        .unwrap_or(u64::MAX);
    let limit = wanted.maximum.map(|limit| limit.min(held));
    setrlimit(
        resource,
        Rlimit {
            current: limit,
            maximum: limit,
        },
    )
    .map_err(|e| Missing::new(Primitive::Limits, &format!("limiting {resource:?}"), e))
}
