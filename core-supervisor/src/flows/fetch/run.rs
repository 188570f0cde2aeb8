//! An update of what was fetched: one thing after the other, and a line about each.

use protocol::api::catalogue::{Fetched, Update, Updated};

use super::books::Run;
use super::{Waiter, absent};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::respond;
use crate::rooms::catalogue::Item;
use crate::rooms::catalogue::elsewhere::{AskedFor, Elsewhere, Mode, Tags};
use crate::rooms::user_agent::Asker;

/// Begins with the first.
pub(super) fn begin(
    core: &mut Core,
    (asker, mode): (Asker, Mode),
    (fetched, only): (Vec<Fetched>, Option<Item>),
    now: Now,
    out: &mut Actions,
) {
    let mut run = Run {
        asker,
        mode,
        rest: Vec::new(),
        done: Vec::new(),
    };
    for one in fetched {
        if only.as_ref().is_some_and(|only| *only != one.item) {
            continue;
        }
        if one.pinned {
            run.done.push(Update {
                item: one.item,
                outcome: "pinned".to_owned(),
                reason: String::new(),
                digest: one.digest,
            });
        } else {
            let Fetched { etag, modified, .. } = one;
            run.rest.push((one.item, Tags { etag, modified }));
        }
    }
    run.rest.reverse();
    let id = core.next_ticket().0;
    core.fetches.runs.insert(id, run);
    next(core, id, now, out);
}

/// One of them is done.
pub(super) fn went_on(core: &mut Core, id: u64, update: Update, now: Now, out: &mut Actions) {
    if let Some(run) = core.fetches.runs.get_mut(&id) {
        run.done.push(update);
        next(core, id, now, out);
    }
}

fn next(core: &mut Core, id: u64, now: Now, out: &mut Actions) {
    let Some(run) = core.fetches.runs.get_mut(&id) else {
        return;
    };
    // Whoever asked is gone: the rest is of no interest.
    let is_wanted = core.gates.contains_key(&run.asker.link);
    if let Some(item) = run.rest.pop().filter(|_| is_wanted) {
        let mode = run.mode;
        let (item, tags) = item;
        let elsewhere = Elsewhere {
            item,
            held: Some(tags),
            asked: AskedFor::Nothing,
        };
        return absent(core, elsewhere, (Waiter::Run(id), mode), now, out);
    }
    if let Some(run) = core.fetches.runs.remove(&id) {
        let updated = Updated { items: run.done };
        respond::later(core, &run.asker, Ok(respond::valued(&updated)), out);
    }
}
