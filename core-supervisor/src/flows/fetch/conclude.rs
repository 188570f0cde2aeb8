//! The end of a fetch: everybody who waits goes on, with what there is.

use protocol::api::catalogue::{Fetched, Update};
use protocol::frame::LogLevel;

use super::{Fetch, Key, Waiter, run, shown};
use crate::core::Core;
use crate::event::{Action, Actions, Job, Now};
use crate::flows::respond::{self, Refusal};
use crate::flows::{deploy, sync};
use crate::rooms::catalogue::elsewhere::Next;
use crate::rooms::catalogue::limits::SHUT_FOR;
use crate::rooms::catalogue::{Item, PackageFailure, Wanted};

/// A fetch has failed.
pub(super) fn end(
    core: &mut Core,
    key: &Key,
    failure: PackageFailure,
    now: Now,
    out: &mut Actions,
) {
    let Some(Fetch { waiters, held, .. }) = core.fetches.open.remove(key) else {
        return;
    };
    let who = (key.0.clone(), waiters);
    failed(core, who, held.is_some(), &failure, now, out);
    let until = now.mono + SHUT_FOR;
    let fetches = &mut core.fetches;
    fetches.shut_until(key.0.clone(), until, failure, now.mono);
}

/// Something cannot be had: an older copy serves, if there is one.
pub(super) fn failed(
    core: &mut Core,
    (item, waiters): (Item, Vec<Waiter>),
    has_copy: bool,
    failure: &PackageFailure,
    now: Now,
    out: &mut Actions,
) {
    let which = if has_copy {
        "; the older copy is used"
    } else {
        ""
    };
    let text = format!("catalogue: {}: {}{which}", shown(&item), failure.reason);
    let level = LogLevel::Warn;
    out.list.push(Action::Record { level, text });
    for waiter in waiters {
        match waiter {
            Waiter::Package(ticket, wanted) if has_copy => {
                read_here(core, ticket, wanted, out);
            }
            Waiter::Package(ticket, _) => {
                deploy::package_read(core, ticket, Err(failure.clone()), now, out);
            }
            Waiter::Schema(ticket, wanted) if has_copy => {
                let is_here = true;
                out.list.push(Action::Work(Job::ReadSchema {
                    ticket,
                    wanted,
                    is_here,
                }));
            }
            // An object whose schema cannot be had is made as it is.
            Waiter::Schema(ticket, _) => sync::read(core, ticket, Ok(None), now, out),
            Waiter::Asker(asker) => {
                let refusal = Refusal::new(failure.code, "fetch", failure.reason.clone());
                respond::later(core, &asker, Err(refusal), out);
            }
            Waiter::Run(id) => {
                let update = update(&item, "failed", failure.reason.clone(), String::new());
                run::went_on(core, id, update, now, out);
            }
        }
    }
}

/// Something is here.
pub(super) fn done(core: &mut Core, key: &Key, next: Next, now: Now, out: &mut Actions) {
    let Some(Fetch { waiters, .. }) = core.fetches.open.remove(key) else {
        return;
    };
    core.fetches.reopen(&key.0);
    let said = said(&key.0, next);
    let level = LogLevel::Info;
    let text = format!("catalogue: {}: {}", shown(&key.0), said.1.outcome);
    out.list.push(Action::Record { level, text });
    for waiter in waiters {
        match waiter {
            Waiter::Package(ticket, wanted) => read_here(core, ticket, wanted, out),
            Waiter::Schema(ticket, wanted) => {
                let is_here = true;
                out.list.push(Action::Work(Job::ReadSchema {
                    ticket,
                    wanted,
                    is_here,
                }));
            }
            Waiter::Asker(asker) => {
                let answer = match &said.0 {
                    Some(fetched) => Ok(respond::valued(fetched)),
                    None => Err(grown(&said.1)),
                };
                respond::later(core, &asker, answer, out);
            }
            Waiter::Run(id) => run::went_on(core, id, said.1.clone(), now, out),
        }
    }
}

fn said(item: &Item, next: Next) -> (Option<Fetched>, Update) {
    match next {
        Next::Kept(fetched, is_new) => {
            let outcome = if is_new { "changed" } else { "same" };
            let update = update(item, outcome, String::new(), fetched.digest.clone());
            (Some(*fetched), update)
        }
        Next::Grown(rights) => {
            let update = update(item, "grown", rights.join(", "), String::new());
            (None, update)
        }
        Next::Code(_) => (None, update(item, "failed", String::new(), String::new())),
    }
}

fn grown(update: &Update) -> Refusal {
    let reason = format!(
        "the new version asks for more: {}; take it with `hyperty catalogue update --accept`",
        update.reason
    );
    Refusal::new(protocol::Code::CONFLICT, "grown", reason)
}

fn update(item: &Item, outcome: &str, reason: String, digest: String) -> Update {
    Update {
        item: item.clone(),
        outcome: outcome.to_owned(),
        reason,
        digest,
    }
}

fn read_here(core: &mut Core, ticket: crate::ids::Ticket, wanted: Wanted, out: &mut Actions) {
    let _ = core;
    let wanted = Wanted {
        is_here: true,
        ..wanted
    };
    out.list
        .push(Action::Work(Job::ReadPackage { ticket, wanted }));
}
