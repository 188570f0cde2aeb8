//! The schema of an object, as a catalogue has it: read before the object is made.
//!
//! wanted → (read) → fitted → create::made
//!
//! An object whose schema is in no catalogue is made as it is. One whose schema
//! is there and cannot be used is not made: nobody could say that it fits.

use std::sync::Arc;

use protocol::Code;
use protocol::frame::LogLevel;

use super::create;
use crate::core::{Core, Waiting};
use crate::event::{Action, Actions, Job, Now};
use crate::flows::observe;
use crate::flows::respond::{self, Refusal};
use crate::ids::{ObjectId, Ticket};
use crate::rooms::catalogue::{SchemaWanted, names};
use crate::rooms::sync::shape::{Shape, Strictness};
use crate::rooms::sync::{Bad, New, Object, schema};
use crate::rooms::user_agent::Asker;

/// What waits for a schema.
#[derive(Debug, Clone)]
pub(crate) enum After {
    /// A new object, and who makes it.
    Make(Box<(New, Asker)>),
    /// An object that was resumed: it has lived without it for a moment.
    Again(ObjectId),
}

/// A schema as it was found: `None` where no catalogue has it.
type Found = Result<Option<Arc<Shape>>, String>;

/// Finds the schema of an object, and goes on.
pub(super) fn wanted(core: &mut Core, url: &str, after: After, now: Now, out: &mut Actions) {
    if let Ok(known) = core.rooms.sync.shapes.get(url, now.mono) {
        return fitted(core, after, Ok(known), now, out);
    }
    let Some(wanted) = place(url) else {
        return fitted(core, after, Ok(None), now, out);
    };
    let ticket = core.next_ticket();
    let waiting = Waiting::Shape(url.to_owned(), after);
    core.waiting.push((ticket, waiting));
    let is_here = false;
    out.list.push(Action::Work(Job::ReadSchema {
        ticket,
        wanted,
        is_here,
    }));
}

/// The catalogues have been asked.
pub(crate) fn read(
    core: &mut Core,
    ticket: Ticket,
    result: Result<Option<Vec<u8>>, String>,
    now: Now,
    out: &mut Actions,
) {
    let Some(at) = core.waiting.iter().position(|(known, _)| *known == ticket) else {
        return;
    };
    let (_, Waiting::Shape(url, after)) = core.waiting.swap_remove(at) else {
        return;
    };
    let found = result.and_then(|text| match text {
        Some(text) => Shape::read(&text).map(|shape| Some(Arc::new(shape))),
        None => Ok(None),
    });
    if let Ok(found) = &found {
        core.rooms.sync.shapes.put(&url, found.clone(), now.mono);
    }
    fitted(core, after, found, now, out);
}

/// Whether data of an object may be as it is; the reporter's log hears why not.
pub(super) fn judge(
    object: &Object,
    path: Option<&[String]>,
    warning: &mut Option<String>,
) -> Result<(), Bad> {
    let Some(shape) = &object.shape else {
        return Ok(());
    };
    if shape.strictness == Strictness::Off {
        return Ok(());
    }
    match (shape.check(object.data(), path), shape.strictness) {
        (Err(why), Strictness::Reject) => Err(Bad::Shape(why)),
        (fit, _) => {
            *warning = fit.err();
            Ok(())
        }
    }
}

/// Tells a reporter's log what does not fit.
pub(super) fn warn(
    core: &mut Core,
    id: ObjectId,
    warning: Option<String>,
    now: Now,
    out: &mut Actions,
) {
    let object = core.rooms.sync.get(id);
    if let (Some(why), Some(object)) = (warning, object) {
        let reporter = object.reporter.clone();
        let text = format!("`{}`: {why}", object.address);
        let owner = core.rooms.registry.owner_of(&reporter);
        let standing = owner.and_then(|owner| core.rooms.registry.standing(owner));
        let name = standing.map(|s| s.name.clone()).unwrap_or_default();
        observe::note(core, &reporter, &name, LogLevel::Warn, &text, now, out);
    }
}

fn fitted(core: &mut Core, after: After, found: Found, now: Now, out: &mut Actions) {
    match (after, found) {
        (After::Make(making), Ok(shape)) => {
            let (new, asker) = *making;
            create::made(core, new, shape, asker, now, out);
        }
        (After::Make(making), Err(why)) => {
            let (new, asker) = *making;
            let reason = format!("the schema `{}` cannot be used: {why}", new.schema);
            let refusal = Refusal::new(Code::UNPROCESSABLE, "schema", reason);
            respond::later(core, &asker, Err(refusal), out);
        }
        (After::Again(id), found) => {
            if let Some(object) = core.rooms.sync.get_mut(id) {
                object.shape = found.ok().flatten();
            }
        }
    }
}

// In the catalogue of the domain that the schema's URL names, which published
// descriptors write `catalogue.<domain>`.
fn place(url: &str) -> Option<SchemaWanted> {
    let (_, rest) = url.split_once("://")?;
    let (domain, _) = rest.split_once('/')?;
    let name = schema::name(url);
    let is_named = url.contains("/dataschema/") && names::check_name(name).is_ok();
    let own = domain.strip_prefix("catalogue.");
    let providers = [Some(domain), own].into_iter().flatten();
    is_named.then(|| SchemaWanted {
        name: name.to_owned(),
        providers: providers.map(str::to_owned).collect(),
    })
}
