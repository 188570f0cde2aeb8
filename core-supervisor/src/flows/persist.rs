//! What rooms want kept is written, and then whoever waits is told.
//!
//! has_room → persist → persisted
//!
//! The room's own state changes first, and the disk follows: nobody is told that
//! something is kept before it is. What the disk did not take is tried again in
//! front of what comes next, so that whoever is told 200 knows that all before it
//! is on the disk as well.

use std::collections::BTreeMap;

use protocol::Code;
use protocol::frame::LogLevel;

use crate::core::Core;
use crate::event::{Action, Actions};
use crate::flows::respond::{self, Refusal};
use crate::ids::{LinkId, Ticket};
use crate::limits::{PERSIST_BYTES_MAX, PERSISTS_MAX, PERSISTS_PER_LINK_MAX};
use crate::rooms::user_agent::Asker;
use crate::store::Change;

/// What follows once changes are on the disk.
#[derive(Debug, Clone)]
pub(crate) enum Then {
    /// Nobody waits for it.
    Nothing,
    /// Somebody is answered with this body; when it could not be written, with 500.
    Answer(Asker, Vec<u8>),
}

/// What is on its way to the disk.
#[derive(Debug, Default)]
pub(crate) struct Persisting {
    under_way: BTreeMap<Ticket, UnderWay>,
    // What is under way, and what the disk did not take.
    bytes: usize,
    refused: usize,
    is_failing: bool,
}

#[derive(Debug)]
struct UnderWay {
    then: Then,
    bytes: usize,
}

impl Persisting {
    /// How many writes are under way.
    pub(crate) fn len(&self) -> usize {
        self.under_way.len()
    }

    fn of_link(&self, link: LinkId) -> usize {
        let is_its =
            |write: &&UnderWay| matches!(&write.then, Then::Answer(asker, _) if asker.link == link);
        self.under_way.values().filter(is_its).count()
    }
}

/// Whether one more change may be asked for by this link; to be called before the
/// room's state is changed. A disk that cannot keep up makes askers hear 429.
pub(crate) fn has_room(core: &Core, link: LinkId) -> Result<(), Refusal> {
    let persisting = &core.persisting;
    if persisting.len() >= PERSISTS_MAX || persisting.bytes >= PERSIST_BYTES_MAX {
        let reason = format!(
            "the disk has {} changes of {} bytes to write already",
            persisting.len(),
            persisting.bytes
        );
        return Err(Refusal::busy(reason));
    }
    if persisting.of_link(link) >= PERSISTS_PER_LINK_MAX {
        let reason = format!("{PERSISTS_PER_LINK_MAX} changes of yours wait for the disk already");
        return Err(Refusal::busy(reason));
    }
    Ok(())
}

/// Whether what nobody waits for may be written now, or gathers on: half of the
/// way to the disk is left to those who wait.
pub(crate) fn has_space(core: &Core) -> bool {
    let persisting = &core.persisting;
    persisting.len() < PERSISTS_MAX / 2 && persisting.bytes < PERSIST_BYTES_MAX / 2
}

/// Has changes written, all or none, and remembers what follows.
///
/// Without changes it waits for those that are under way: what was done already is
/// acknowledged again only when it is kept.
pub(crate) fn persist(core: &mut Core, changes: Vec<Change>, then: Then, out: &mut Actions) {
    let persisting = &mut core.persisting;
    if changes.is_empty() && persisting.under_way.is_empty() && persisting.refused == 0 {
        return follow(core, then, None, out);
    }
    let bytes = changes.iter().map(Change::bytes).sum();
    persisting.bytes += bytes;
    let ticket = core.next_ticket();
    let under_way = UnderWay { then, bytes };
    core.persisting.under_way.insert(ticket, under_way);
    out.list.push(Action::Persist { ticket, changes });
}

/// Changes are on the disk, or could not be written.
pub(crate) fn persisted(
    core: &mut Core,
    ticket: Ticket,
    result: Result<(), String>,
    out: &mut Actions,
) {
    let persisting = &mut core.persisting;
    let Some(UnderWay { then, bytes }) = persisting.under_way.remove(&ticket) else {
        return;
    };
    let failure = result.err();
    if let Some(reason) = &failure {
        persisting.refused += bytes;
        // Once, and not again for each that asks while the disk is full.
        if !std::mem::replace(&mut persisting.is_failing, true) {
            let text = format!("act=persist reason=`{reason}`");
            record(LogLevel::Error, text, out);
        }
    } else {
        // With it went everything that the disk had not taken before.
        persisting.bytes -= bytes + std::mem::take(&mut persisting.refused);
        if std::mem::take(&mut persisting.is_failing) {
            let text = "act=persist the disk takes changes again".to_owned();
            record(LogLevel::Info, text, out);
        }
    }
    follow(core, then, failure.as_deref(), out);
}

fn record(level: LogLevel, text: String, out: &mut Actions) {
    out.list.push(Action::Record { level, text });
}

fn follow(core: &mut Core, then: Then, failure: Option<&str>, out: &mut Actions) {
    match then {
        Then::Nothing => {}
        Then::Answer(asker, body) => {
            let answer = match failure {
                None => Ok(body),
                Some(reason) => Err(not_kept(reason)),
            };
            respond::later(core, &asker, answer, out);
        }
    }
}

fn not_kept(reason: &str) -> Refusal {
    let text = format!("done, but not kept until the disk takes it: {reason}");
    Refusal::new(Code::FAILED, "store", text)
}
