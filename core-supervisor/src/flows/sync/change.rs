//! A reporter changes its object.
//!
//! told → the copy is changed → noted for the disk → the observers are told
//!
//! Changes are not acknowledged. One that is refused always is: the reporter has
//! applied it already and must read or replace what it has.

use protocol::api::sync::{Delta, Replace};
use protocol::message::Header;
use protocol::{Code, CoreFrame, Message, MessageKind, Reply};
use serde_json::{Value, json};

use super::{body, delete, fan_out, keep, relation, selected, shape};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge::Judgement;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Asked, Served};
use crate::flows::{observe, persist, sync};
use crate::ids::ObjectId;
use crate::ingress::AdmittedMessage;
use crate::rooms::sync::{Bad, Object, Role};

/// A message to `<object>/changes`.
pub(super) fn told(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    id: ObjectId,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let header = &admitted.message.header;
    let Some(object) = core.rooms.sync.get(id) else {
        return Err(Refusal::not_found("the object is gone"));
    };
    if object.role == Role::Followed {
        return followed(core, admitted, judgement, id, now, out);
    }
    if header.kind != MessageKind::Update {
        return Err(sync::not_understood("changes", header));
    }
    if !relation::is_reporter(core, judgement.sender, object) {
        let reason = format!("only `{}` changes this object", object.reporter);
        return Err(Refusal::new(Code::FORBIDDEN, "not-reporter", reason));
    }
    match changed(core, admitted, id, now, out) {
        Ok(()) => {
            keep::note_due(core);
            observe::delivered(core, admitted, judgement, None, now);
            fan_out::change(core, admitted, judgement, id, now, out);
            done(core, admitted, out);
        }
        Err(bad) => refused(core, admitted, judgement, id, bad, now, out),
    }
    Ok(())
}

// From the object's own domain: what cannot be applied is still handed on, and
// the copy is read anew when somebody asks for it.
fn followed(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    id: ObjectId,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let Some(object) = core.rooms.sync.get(id) else {
        return Err(Refusal::not_found("the object is gone"));
    };
    if !relation::is_reporter(core, judgement.sender, object) {
        let reason = format!("`{}` is reported elsewhere", object.address);
        return Err(Refusal::new(Code::FORBIDDEN, "not-reporter", reason));
    }
    observe::delivered(core, admitted, judgement, None, now);
    match admitted.message.header.kind {
        MessageKind::Delete => delete::end(core, id, now, out),
        MessageKind::Update => {
            if changed(core, admitted, id, now, out).is_err() {
                core.rooms.sync.note_missed(id);
            }
            keep::note_due(core);
            fan_out::change(core, admitted, judgement, id, now, out);
        }
        _ => return Err(sync::not_understood("changes", &admitted.message.header)),
    }
    Ok(())
}

/// Answers whoever asked for an answer within a time: scripts do not, and are
/// spared one for each of their changes.
pub(super) fn done(core: &mut Core, admitted: &AdmittedMessage<'_>, out: &mut Actions) {
    let header = &admitted.message.header;
    if header.kind.is_request() && matches!(header.reply, Reply::Within(_)) {
        respond::done(core, admitted.link, header, out);
    }
}

/// A reporter puts other data in the place of what there is (`update` to `/sm`).
pub(super) fn replaced(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let replace: Replace = body::read(asked)?;
    let id = selected(core, &replace.resource)?;
    own(core, asked, id)?;
    persist::has_room(core, asked.admitted.link)?;
    let changes = core
        .rooms
        .sync
        .replace(id, (replace.value, replace.version))?;
    fan_out::say_behind(core, id, asked.owner, asked.now, out);
    keep::and_answer(core, changes, asked, br#"{"code":200}"#.to_vec(), out)
}

/// Refuses whoever does not report the object.
pub(super) fn own(core: &Core, asked: &Asked<'_>, id: ObjectId) -> Result<(), Refusal> {
    let object = core.rooms.sync.get(id);
    match object {
        Some(object) if relation::is_reporter(core, asked.owner, object) => Ok(()),
        Some(object) => Err(Refusal::new(
            Code::FORBIDDEN,
            "not-reporter",
            format!("the object is `{}`'s", object.reporter),
        )),
        None => Err(Refusal::not_found("the object is gone")),
    }
}

fn changed(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    id: ObjectId,
    now: Now,
    out: &mut Actions,
) -> Result<(), Bad> {
    let text = admitted.message.body;
    let delta: Delta = serde_json::from_slice(text)
        .map_err(|bad| Bad::Malformed(format!("the body of a change: {bad}")))?;
    let mut warning = None;
    let judge = |object: &Object, path: &[String]| shape::judge(object, Some(path), &mut warning);
    core.rooms.sync.change(id, (delta, text), now.mono, judge)?;
    shape::warn(core, id, warning, now, out);
    Ok(())
}

// To the object itself, where its reporter listens, whether or not a reply was
// asked for.
fn refused(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    id: ObjectId,
    bad: Bad,
    now: Now,
    out: &mut Actions,
) {
    let version = core.rooms.sync.get(id).map_or(0, Object::version);
    let refusal = Refusal::from(bad);
    observe::refused(core, admitted, Some(judgement), &refusal, now);
    let told = json!({
        "code": refusal.code.0,
        "desc": refusal.reason,
        "description": refusal.reason,
        "version": version,
    });
    tell(core, admitted, refusal.code, &told, out);
}

fn tell(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    code: Code,
    told: &Value,
    out: &mut Actions,
) {
    let header: &Header<'_> = &admitted.message.header;
    let text = told.to_string();
    let asked = Message {
        header: *header,
        body: &[],
    };
    let answer = asked.answer(code, text.as_bytes());
    respond::send(core, admitted.link, &CoreFrame::Deliver(answer), out);
}
