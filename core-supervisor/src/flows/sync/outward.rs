//! Who says it goes along with what leaves this machine about an object.
//!
//! Between two components of one machine nobody needs to be told: both know the
//! runtime. Elsewhere nobody does, so the profile of the user goes along with each
//! change and each child (spec services §3.6), in the place of whatever the sender
//! said about itself, and never an assertion: it would be anybody's who reads it.

use std::cell::OnceCell;

use protocol::limits::BODY_BYTES_MAX;
use protocol::{Address, CoreFrame, Message, MessageKind};
use serde_json::{Map, Value, json};

use super::{body, identity, is_truthy};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge::Judgement;
use crate::flows::respond::{self, Refusal};
use crate::flows::{deliver, heartbeat, hold, observe};
use crate::ids::{LinkId, OwnerId};
use crate::ingress::AdmittedMessage;
use crate::party::PartyKind;

/// One message about an object, on its way to those who take part.
pub(super) struct Outward<'a> {
    admitted: &'a AdmittedMessage<'a>,
    judgement: &'a Judgement,
    /// What stubs are handed; made for the first of them.
    signed: OnceCell<Option<Vec<u8>>>,
}

impl<'a> Outward<'a> {
    /// A message that policy permits.
    pub(super) const fn new(admitted: &'a AdmittedMessage<'a>, judgement: &'a Judgement) -> Self {
        Self {
            admitted,
            judgement,
            signed: OnceCell::new(),
        }
    }

    /// Hands it to one receiver: as it came, or to a stub with whom it is from.
    pub(super) fn hand(
        &self,
        core: &mut Core,
        (to, owner): (LinkId, OwnerId),
        now: Now,
        out: &mut Actions,
    ) -> Result<(), Refusal> {
        let Self {
            admitted,
            judgement,
            ..
        } = *self;
        if !is_stub(core, owner) {
            return deliver::forward(core, admitted, to, owner, judgement, now, out);
        }
        let signed = self
            .signed
            .get_or_init(|| signed(core, admitted, judgement.sender));
        let Some(body) = signed else {
            return deliver::forward(core, admitted, to, owner, judgement, now, out);
        };
        hold::room_for(core, to, admitted.raw.bytes.len() + body.len())?;
        let left = AdmittedMessage {
            message: Message {
                header: admitted.message.header,
                body,
            },
            ..*admitted
        };
        respond::send(core, to, &CoreFrame::Deliver(left.message), out);
        heartbeat::heartbeat_soon(core, to, now);
        observe::delivered(core, &left, judgement, Some((owner, None)), now);
        Ok(())
    }
}

fn is_stub(core: &Core, owner: OwnerId) -> bool {
    let standing = core.rooms.registry.standing(owner);
    standing.is_some_and(|standing| standing.kind == PartyKind::ProtoStub)
}

// Its body with the identity of whoever sent it here. Nothing where it came in from
// elsewhere, since nobody here knows for whom, and where it would not fit any more.
fn signed(core: &Core, admitted: &AdmittedMessage<'_>, sender: OwnerId) -> Option<Vec<u8>> {
    let header = &admitted.message.header;
    if header.kind == MessageKind::Event {
        return None;
    }
    let from: Address = header.from.parse().ok()?;
    if core.rooms.registry.owner_of(&from) != Some(sender) {
        return None;
    }
    let mut members = body::members(admitted.message.body).ok()?;
    let identity = if is_truthy(
        members
            .get("value")
            .and_then(|value| value.get("anonymous")),
    ) {
        nobody(&members)
    } else {
        identity::of(core, &from)
    };
    members.insert("identity".to_owned(), identity);
    let text = serde_json::to_vec(&members).ok()?;
    (text.len() <= BODY_BYTES_MAX).then_some(text)
}

// Whoever shares without its name may have another for the occasion.
fn nobody(members: &Map<String, Value>) -> Value {
    let said = members.get("identity").and_then(|said| said.get("guid"));
    let guid = said.and_then(Value::as_str).unwrap_or("anonymous");
    json!({ "userProfile": { "guid": guid } })
}
