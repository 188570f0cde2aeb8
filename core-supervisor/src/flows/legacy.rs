//! Is an address one of a foreign network, which a stub translates for?
//!
//! ask → read … → noted → the way goes on under its name
//!
//! The descriptor of the user's identity provider says so, in `interworking` (spec
//! messaging §6.5). It is looked for where identity proxies are; none means no.

use protocol::Address;

use crate::core::{Core, Waiting};
use crate::event::{Action, Actions, Job, Now};
use crate::flows::{deploy, reach};
use crate::ids::Ticket;
use crate::rooms::catalogue::{PackageFailure, PackageRead, Wanted};
use crate::rooms::registry::legacy_name;

/// Who wants to know, and of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The way that waits.
    domain: String,
    /// The identity provider.
    provider: String,
    /// Whether the provider's own catalogue has been asked.
    is_second: bool,
}

/// Has the descriptor read that tells; `false` when there is nothing to ask.
pub(crate) fn ask(core: &mut Core, domain: &str, to: &Address, out: &mut Actions) -> bool {
    let is_open = core.rooms.registry.ways.is_legacy(to.domain()).is_none();
    if !is_open || legacy_name(to).as_deref() != Some(domain) {
        return false;
    }
    let asked = Asked {
        domain: domain.to_owned(),
        provider: to.domain().to_owned(),
        is_second: false,
    };
    look(core, asked, out);
    true
}

/// A package was read that no deployment waits for: it may be such a descriptor.
pub(crate) fn read(
    core: &mut Core,
    ticket: Ticket,
    result: Result<PackageRead, PackageFailure>,
    now: Now,
    out: &mut Actions,
) {
    let waits = |(waiting, what): &(Ticket, Waiting)| {
        *waiting == ticket && matches!(what, Waiting::Legacy(_))
    };
    let at = core.waiting.iter().position(waits);
    if let Ok(read) = &result {
        deploy::forget(read, out);
    }
    let Some((_, Waiting::Legacy(asked))) = at.map(|at| core.waiting.swap_remove(at)) else {
        return;
    };
    match result {
        Err(_) if !asked.is_second => {
            let is_second = true;
            look(core, Asked { is_second, ..asked }, out);
        }
        Ok(read) => found(core, &asked, read.descriptor.interworking, now, out),
        Err(_) => found(core, &asked, false, now, out),
    }
}

fn look(core: &mut Core, asked: Asked, out: &mut Actions) {
    let (name, provider) = if asked.is_second {
        (asked.provider.as_str(), core.settings.runtime.domain())
    } else {
        ("default", asked.provider.as_str())
    };
    let wanted = Wanted {
        catalogue: String::new(),
        component: format!("idp-proxy/{name}"),
        provider: provider.to_owned(),
        is_exact: true,
        is_here: false,
    };
    let ticket = core.next_ticket();
    core.waiting.push((ticket, Waiting::Legacy(asked)));
    out.list
        .push(Action::Work(Job::ReadPackage { ticket, wanted }));
}

fn found(core: &mut Core, asked: &Asked, is_legacy: bool, now: Now, out: &mut Actions) {
    let ways = &mut core.rooms.registry.ways;
    ways.note_legacy(&asked.provider, is_legacy);
    core.epoch += 1;
    if is_legacy {
        return reach::go_on(core, &asked.domain, now, out);
    }
    // What waits is for the provider's own domain, and goes there under its name.
    ways.forget(&asked.domain);
    reach::release(core, &asked.domain, now, out);
}
