//! A component wants a socket of the network.

use protocol::dial::{Dial, NotDialled};
use protocol::{Code, CoreFrame};

use crate::core::Core;
use crate::event::Actions;
use crate::flows::respond;
use crate::ids::LinkId;

/// Answers a dial: nothing here can make sockets yet.
pub(crate) fn dial(core: &mut Core, link: LinkId, dial: &Dial<'_>, out: &mut Actions) {
    let told = CoreFrame::NotDialled(NotDialled {
        request: dial.request,
        code: Code::UNAVAILABLE,
        reason: "this runtime has no connector",
        decision: "",
    });
    respond::send(core, link, &told, out);
}

/// Answers a request for certificates in the same way.
pub(crate) fn take_roots(core: &mut Core, link: LinkId, out: &mut Actions) {
    let reason = "this runtime has no connector";
    respond::send(core, link, &CoreFrame::NoRoots { reason }, out);
}
