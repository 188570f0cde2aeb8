//! What is asked of the catalogue about things of other domains.

use protocol::Code;
use protocol::api::catalogue::Query;

use super::{Waiter, absent, failure, grant_named, run};
use crate::core::{Core, Waiting};
use crate::event::{Action, Actions, Job, Now};
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Answer, Asked, Served};
use crate::ids::Ticket;
use crate::rooms::catalogue::elsewhere::{self, AskedFor, Elsewhere, Mode, Next};
use crate::rooms::catalogue::{CatalogueListing, Item, Managed, PackageFailure};
use crate::rooms::user_agent::Asker;

/// Answers `fetch`, `update`, `look`, `pin` and `unpin`.
pub(crate) fn serve(core: &mut Core, asked: &Asked<'_>, query: Query, out: &mut Actions) -> Served {
    let item = query.item.as_ref().map(elsewhere::checked).transpose();
    let item = item.map_err(|bad| Refusal::bad_request(bad.reason))?;
    let needed = || Refusal::bad_request("say which `item`");
    match query.method.as_str() {
        "fetch" => {
            let item = item.ok_or_else(needed)?;
            let named = (item.base.as_str(), item.provider.as_str());
            grant_named(core, &asked.asker(), named, out)?;
            let elsewhere = Elsewhere {
                item,
                held: None,
                asked: AskedFor::Nothing,
            };
            let mode = mode(false, query.accept);
            let waiter = (Waiter::Asker(asked.asker()), mode);
            absent(core, elsewhere, waiter, asked.now, out);
        }
        word @ ("update" | "look") => {
            let mode = mode(word == "look", query.accept);
            let ticket = core.next_ticket();
            let waiting = Waiting::Update(asked.asker(), mode, item);
            core.waiting.push((ticket, waiting));
            out.list.push(Action::Work(Job::ReadCatalogue {
                ticket,
                catalogue: String::new(),
                check: false,
            }));
        }
        word @ ("pin" | "unpin") => {
            let item = item.ok_or_else(needed)?;
            let managed = match word {
                "pin" => Managed::Pin(item, query.digest),
                _ => Managed::Unpin(item),
            };
            let ticket = core.next_ticket();
            core.waiting.push((ticket, Waiting::Managed(asked.asker())));
            out.list.push(Action::Work(Job::Manage { ticket, managed }));
        }
        other => {
            return Err(Refusal::bad_request(format!(
                "`{other}` is not a method: say check, fetch, update, look, pin or unpin"
            )));
        }
    }
    Ok(Answer::Later)
}

const fn mode(is_look: bool, accepts: bool) -> Mode {
    match (is_look, accepts) {
        (true, _) => Mode::Look,
        (false, true) => Mode::Accept,
        (false, false) => Mode::Take,
    }
}

/// What is here has been listed: an update begins.
pub(crate) fn listed(
    core: &mut Core,
    (asker, mode, only): (Asker, Mode, Option<Item>),
    listing: CatalogueListing,
    now: Now,
    out: &mut Actions,
) {
    let is_known = |only: &Item| listing.fetched.iter().any(|one| one.item == *only);
    if let Some(only) = only.as_ref().filter(|only| !is_known(only)) {
        let reason = format!("{} was never fetched", super::shown(only));
        return respond::later(core, &asker, Err(Refusal::not_found(reason)), out);
    }
    run::begin(core, (asker, mode), (listing.fetched, only), now, out);
}

/// Something was pinned or unpinned.
pub(super) fn managed(
    core: &mut Core,
    ticket: Ticket,
    result: Result<Next, PackageFailure>,
    out: &mut Actions,
) {
    let at = core.waiting.iter().position(|(known, _)| *known == ticket);
    let Some((_, Waiting::Managed(asker))) = at.map(|at| core.waiting.swap_remove(at)) else {
        return;
    };
    let answer = match result {
        Ok(Next::Kept(fetched, _)) => Ok(respond::valued(&*fetched)),
        Ok(_) => Err(failure(Code::FAILED, "nothing was done".to_owned())),
        Err(failure) => Err(failure),
    };
    let answer = answer.map_err(|why| Refusal::new(why.code, "catalogue", why.reason));
    respond::later(core, &asker, answer, out);
}
