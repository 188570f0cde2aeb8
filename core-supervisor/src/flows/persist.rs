//! What rooms want kept is written, and then whoever waits is told.
//!
//! persist → persisted

use protocol::Code;
use protocol::frame::LogLevel;

use crate::core::{Core, Waiting};
use crate::event::{Action, Actions};
use crate::flows::respond::{self, Refusal};
use crate::ids::Ticket;
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

/// Has changes written, all or none, and remembers what follows.
pub(crate) fn persist(core: &mut Core, changes: Vec<Change>, then: Then, out: &mut Actions) {
    let ticket = core.next_ticket();
    core.waiting.push((ticket, Waiting::Persist(then)));
    out.list.push(Action::Persist { ticket, changes });
}

/// Changes are on the disk, or could not be written.
pub(crate) fn persisted(
    core: &mut Core,
    ticket: Ticket,
    result: Result<(), String>,
    out: &mut Actions,
) {
    let Some(at) = core.waiting.iter().position(|(known, _)| *known == ticket) else {
        return;
    };
    let (_, Waiting::Persist(then)) = core.waiting.swap_remove(at) else {
        return;
    };
    let failure = result.err();
    if let Some(reason) = &failure {
        let text = format!("act=persist reason=`{reason}`");
        out.list.push(Action::Record {
            level: LogLevel::Error,
            text,
        });
    }
    match then {
        Then::Nothing => {}
        Then::Answer(asker, body) => {
            let answer = match failure {
                None => Ok(body),
                Some(reason) => Err(not_kept(&reason)),
            };
            respond::later(core, &asker, answer, out);
        }
    }
}

fn not_kept(reason: &str) -> Refusal {
    let text = format!("could not be kept, so it was not done: {reason}");
    Refusal::new(Code::FAILED, "store", text)
}
