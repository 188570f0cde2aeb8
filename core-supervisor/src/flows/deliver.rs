//! One message, from the link it came in on to those it is for.
//!
//! received → frame → message → (request | response | publication)
//!
//! A message that is not delivered is answered at once with a code and a reason
//! (invariant I11), by `flows/respond.rs`.

use protocol::address::BadAddress;
use protocol::{Code, HostFrame, Message, Reply, codec};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge::{self, Judgement, NotJudged, Target};
use crate::flows::respond::{self, Refusal};
use crate::flows::{
    answer, connect, dial, heartbeat, hold, lend, listen, load, observe, quotas, reach, refuse,
    registration, serve, supervise, sync,
};
use crate::ids::{LinkId, OwnerId, SlotId};
use crate::ingress::{self, AdmittedMessage, Fault};
use crate::limits::{PARTIAL_FRAME_MAX, UNREAD_BYTES_MAX};

/// Bytes came in on a link: every whole frame in them is acted on.
pub(crate) fn received(core: &mut Core, link: LinkId, bytes: &[u8], now: Now, out: &mut Actions) {
    let mut rest = bytes;
    while let Some(gate) = core.gates.get_mut(&link) {
        if gate.queued > UNREAD_BYTES_MAX {
            supervise::fault(core, link, &Fault::Unread, now, out);
            continue;
        }
        let step = match codec::split(rest) {
            Ok(None) => {
                // Only a frame that has begun is on its way.
                gate.partial_since = if rest.is_empty() {
                    None
                } else {
                    gate.partial_since.or(Some(now.mono))
                };
                if !rest.is_empty() {
                    core.check_by(now.mono + PARTIAL_FRAME_MAX);
                }
                break;
            }
            Ok(Some(raw)) => {
                gate.partial_since = None;
                rest = rest.get(raw.bytes.len()..).unwrap_or_default();
                out.frames = out.frames.saturating_add(1);
                frame(core, link, raw, now, out)
            }
            Err(malformed) => Err(Fault::Malformed(malformed)),
        };
        if let Err(fault) = step {
            supervise::fault(core, link, &fault, now, out);
        }
    }
    // What a link that was cut had to say is of no interest any more.
    out.consumed = if core.gates.contains_key(&link) {
        bytes.len() - rest.len()
    } else {
        bytes.len()
    };
}

fn frame(
    core: &mut Core,
    link: LinkId,
    raw: codec::RawFrame<'_>,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    let Some(gate) = core.gates.get(&link) else {
        return Ok(());
    };
    match ingress::admit(gate, raw)?.frame() {
        HostFrame::Send(sent) => message(
            core,
            AdmittedMessage {
                link,
                message: sent,
                raw,
                body_in: None,
            },
            now,
            out,
        ),
        HostFrame::Hello(hello) => connect::hello(core, link, &hello, now, out),
        HostFrame::Confined(confined) => connect::confined(core, link, &confined, now, out),
        HostFrame::Loaded { component } => load::loaded(core, link, component, now, out),
        HostFrame::LoadFailed(failed) => load::load_failed(core, link, &failed, now, out),
        // The component was taken out of the books when its removal was asked for.
        HostFrame::Unloaded { .. } => Ok(()),
        HostFrame::Listen { component, address } => {
            listen::listen(core, link, component, address, now, out)
        }
        HostFrame::Unlisten { component, address } => {
            listen::unlisten(core, link, component, address)
        }
        HostFrame::Log(log, text) => observe::log(core, link, &log, text, now, out),
        HostFrame::Pong { token } => {
            heartbeat::pong(core, link, token, now);
            Ok(())
        }
        HostFrame::TakeSlots { most } => {
            lend::take_slots(core, link, most, out);
            Ok(())
        }
        HostFrame::SendBy(sent) => {
            let (slot, header) = (SlotId(sent.slot), sent.header);
            let admitted = AdmittedMessage {
                link,
                message: Message { header, body: &[] },
                raw,
                body_in: Some((slot, sent.bytes as usize)),
            };
            lend::message(core, admitted, slot, now, out)
        }
        HostFrame::Return { slot } => {
            lend::returned(core, link, SlotId(slot), now, out);
            Ok(())
        }
        about_sockets @ (HostFrame::Dial(_)
        | HostFrame::Hangup { .. }
        | HostFrame::TakeRoots
        | HostFrame::Connected { .. }
        | HostFrame::Bound { .. }
        | HostFrame::Accepted { .. }
        | HostFrame::NotConnected { .. }) => dial::said(core, link, &about_sockets, now, out),
    }
}

/// A message: judged, then delivered or refused.
pub(crate) fn message(
    core: &mut Core,
    admitted: AdmittedMessage<'_>,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    let AdmittedMessage { link, message, .. } = admitted;
    let judgement = match judge::message(core, link, &message, now) {
        Ok(judgement) => judgement,
        Err(NotJudged::Forged) => return refuse::forged(core, &admitted, now, out),
        Err(NotJudged::From(bad)) => return bad_address(core, &admitted, "from", &bad, now, out),
        Err(NotJudged::To(bad)) => return bad_address(core, &admitted, "to", &bad, now, out),
    };
    if let Err(refusal) = quotas::charge(core, &admitted, now) {
        refuse::end_unanswerable(core, &admitted, &refusal, now, out);
        return refuse::refused(core, &admitted, Some(&judgement), &refusal, now, out);
    }
    sync::again::overtook(core, &judgement, message.header.to);
    if !judgement.permit {
        let reason = judge::reason(core, judgement.decision);
        let refusal = Refusal::new(Code::FORBIDDEN, "deny", reason).decided(judgement.decision);
        refuse::end_unanswerable(core, &admitted, &refusal, now, out);
        return refuse::refused(core, &admitted, Some(&judgement), &refusal, now, out);
    }
    let delivered = if message.header.kind.is_request() {
        request(core, &admitted, &judgement, now, out)
    } else {
        answer::response(core, &admitted, &judgement, now, out)
    };
    match delivered {
        Ok(()) => Ok(()),
        Err(refusal) => refuse::refused(core, &admitted, Some(&judgement), &refusal, now, out),
    }
}

fn bad_address(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    member: &str,
    bad: &BadAddress,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    let refusal = Refusal::bad_request(format!("`{member}`: {bad}"));
    refuse::refused(core, admitted, None, &refusal, now, out)
}

fn request(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let header = &admitted.message.header;
    match judgement.target {
        Target::Room(room) => {
            hold::reads_answers(core, admitted.link)?;
            observe::delivered(core, admitted, judgement, None, now);
            serve::room(core, room, admitted, judgement, now, out);
            Ok(())
        }
        Target::Link(to, _) if to == admitted.link && judgement.is_abroad => {
            registration::heard(core, admitted, out)
        }
        Target::Link(to, owner) => {
            let listeners = if judgement.is_listened {
                listen::permitted(core, header.to, Some(to), now)
            } else {
                Vec::new()
            };
            hold::hold(core, admitted, &[to], now)?;
            if let Err(refusal) = forward(core, admitted, to, owner, judgement, now, out) {
                hold::release(core, admitted);
                return Err(refusal);
            }
            for (link, owner) in listeners {
                // A listener whose queue is full misses it; the owner has it.
                let _ = forward(core, admitted, link, owner, judgement, now, out);
            }
            Ok(())
        }
        Target::Object(id, channel) => {
            sync::channel(core, admitted, judgement, (id, channel), now, out)
        }
        Target::Listeners => {
            registration::overhear(core, judgement.sender, &admitted.message, now, out);
            publish(core, admitted, judgement, None, now, out)
        }
        Target::Down(owner) => Err(refuse::down(core, owner, header.to)),
        Target::Absent => Err(Refusal::not_found(format!(
            "nobody has the address `{}`",
            header.to
        ))),
        Target::Foreign => abroad(core, admitted, judgement, now, out),
    }
}

// Its stub is not there, or not yet.
pub(crate) fn abroad(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    // It has been judged, so it is an address.
    let to = admitted.message.header.to.parse();
    let to = to.map_err(|bad: BadAddress| Refusal::bad_request(bad.to_string()))?;
    reach::wait(core, admitted, judgement.sender, &to, now, out)
}

// The sender owns the destination: it is for those who listen to it.
pub(crate) fn publish(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    except: Option<LinkId>,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let header = &admitted.message.header;
    let listeners = listen::permitted(core, header.to, except, now);
    let links: Vec<LinkId> = listeners.iter().map(|(link, _)| *link).collect();
    if links.is_empty() {
        // News without an audience are no failure; a question without one is.
        return match header.reply {
            Reply::Within(_) => Err(Refusal::not_found(format!(
                "nobody listens to `{}`",
                header.to
            ))),
            Reply::Unwanted | Reply::Untimed => {
                observe::delivered(core, admitted, judgement, None, now);
                Ok(())
            }
        };
    }
    hold::hold(core, admitted, &links, now)?;
    let mut refusal = None;
    let mut reached = 0;
    for (link, owner) in listeners {
        match forward(core, admitted, link, owner, judgement, now, out) {
            Ok(()) => reached += 1,
            Err(busy) => refusal = Some(busy),
        }
    }
    match refusal {
        Some(refusal) if reached == 0 => {
            hold::release(core, admitted);
            Err(refusal)
        }
        _ => Ok(()),
    }
}

/// Hands the bytes on as they came.
pub(crate) fn forward(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    to: LinkId,
    owner: OwnerId,
    judgement: &Judgement,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    hold::room_for(core, to, admitted.bytes())?;
    lend::pass(core, admitted, to)?;
    let start = out.bytes.len();
    codec::forward(admitted.raw, &mut out.bytes);
    respond::queued(core, to, start, out);
    heartbeat::heartbeat_soon(core, to, now);
    observe::delivered(core, admitted, judgement, Some((owner, None)), now);
    lend::offer(core, admitted, judgement, None, now, out);
    Ok(())
}
