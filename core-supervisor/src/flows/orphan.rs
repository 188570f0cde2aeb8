//! Requests whose receiver is gone: each is answered once, at once.

use protocol::{Address, Code};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::hold;
use crate::flows::respond::{self, Refusal};
use crate::flows::sync;
use crate::ids::{LinkId, OwnerId};
use crate::rooms::bus::{Goes, Request};
use crate::rooms::registry::Route;

/// A request that ended without its answer.
#[derive(Debug)]
pub(crate) struct Orphan {
    asker: LinkId,
    is_cores: bool,
    from: String,
    to: String,
    id: u64,
}

impl Orphan {
    /// To whom it was.
    pub(crate) fn to(&self) -> &str {
        &self.to
    }

    pub(crate) fn of(request: &Request) -> Self {
        Self {
            asker: request.asker,
            is_cores: request.goes == Goes::In,
            from: request.from.clone(),
            to: request.to.clone(),
            id: request.id,
        }
    }
}

/// Answers 503 for a link that is gone, and forgets what its peers had asked.
pub(crate) fn end_requests(core: &mut Core, link: LinkId, now: Now, out: &mut Actions) {
    let mut unanswered = Vec::new();
    core.rooms.bus.pending.end_where(
        |request| {
            request.answerers.retain(|answerer| *answerer != link);
            request.asker == link || request.answerers.is_empty()
        },
        |request| {
            // What the core asked for somebody who is gone ends in the core as well.
            if request.asker != link || request.goes == Goes::In {
                unanswered.push(Orphan::of(request));
            }
        },
    );
    let reason = "the receiver ended before it answered";
    answer_all(
        core,
        unanswered,
        &Refusal::new(Code::UNAVAILABLE, "down", reason),
        now,
        out,
    );
}

/// The same for one component of a link that lives on.
pub(crate) fn end_requests_to(
    core: &mut Core,
    link: LinkId,
    component: &Address,
    now: Now,
    out: &mut Actions,
) {
    let is_its = |text: &str| {
        text.parse::<Address>()
            .is_ok_and(|address| address.is_within(component))
    };
    let mut unanswered = Vec::new();
    core.rooms.bus.pending.end_where(
        |request| {
            let is_asker =
                request.asker == link && request.goes != Goes::In && is_its(&request.from);
            is_asker || (request.answerers.contains(&link) && is_its(&request.to))
        },
        |request| unanswered.push(Orphan::of(request)),
    );
    let reason = "the receiver was removed before it answered";
    answer_all(
        core,
        unanswered,
        &Refusal::new(Code::UNAVAILABLE, "down", reason),
        now,
        out,
    );
}

/// A stub cannot carry what it was handed: whoever waits for an answer through it is
/// told now. What is sent after that is handed to it when it has begun anew.
pub(crate) fn end_requests_through(
    core: &mut Core,
    stub: OwnerId,
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) {
    let registry = &core.rooms.registry;
    let Some(link) = registry.standing(stub).and_then(|standing| standing.link) else {
        return;
    };
    let runtime = &core.settings.runtime;
    let is_through = |to: &str| {
        let to = to.parse();
        to.is_ok_and(|to| registry.resolve(&to, runtime) == Route::Stub(stub))
    };
    let mut unanswered = Vec::new();
    core.rooms.bus.pending.end_where(
        |request| {
            if !request.answerers.contains(&link) || !is_through(&request.to) {
                return false;
            }
            request.answerers.retain(|answerer| *answerer != link);
            request.answerers.is_empty()
        },
        |request| unanswered.push(Orphan::of(request)),
    );
    answer_all(core, unanswered, refusal, now, out);
}

/// Answers a number of requests that ended without their receiver.
pub(crate) fn answer_all(
    core: &mut Core,
    requests: Vec<Orphan>,
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) {
    let body = refusal.body();
    for Orphan {
        asker,
        is_cores,
        from,
        to,
        id,
    } in requests
    {
        hold::uncharge(core, asker);
        if is_cores {
            sync::answered(core, &from, id, refusal.into(), now, out);
            continue;
        }
        let asked =
            protocol::Message::new(protocol::MessageKind::Execute, &from, &to, &[]).with_id(id);
        respond::answer(core, asker, &asked.header, refusal.code, &body, out);
    }
}
