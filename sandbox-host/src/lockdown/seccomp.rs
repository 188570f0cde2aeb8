//! Step 8: the filter of the profile, compiled at build time.

use seccompiler::apply_filter;

use super::{Missing, Order, Primitive, Without};
use crate::profile::Watch;

pub(super) fn apply(order: &Order, watch: Watch) -> Result<(), Missing> {
    if order.without.seccomp {
        return Err(Missing::pretended(Primitive::Seccomp));
    }
    apply_filter(&order.profile.filter(watch))
        .map_err(|e| Missing::new(Primitive::Seccomp, "installing the filter", e))
}

/// Installs the shortest filter there is, one that permits everything.
pub(crate) fn try_out(without: Without) -> Result<(), Missing> {
    if without.seccomp {
        return Err(Missing::pretended(Primitive::Seccomp));
    }
    let permit = seccompiler::sock_filter {
        code: 0x06,
        jt: 0,
        jf: 0,
        k: 0x7fff_0000,
    };
    apply_filter(&[permit]).map_err(|e| Missing::new(Primitive::Seccomp, "installing a filter", e))
}
