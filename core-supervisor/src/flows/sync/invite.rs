//! A reporter has somebody invited to its object.
//!
//! asked → invited

use protocol::api::sync::{Create, PATH, SUBSCRIPTION};
use protocol::{Address, Code, MessageKind};
use serde_json::json;

use super::ask::{self, Answer, Purpose, Words};
use super::{change, from, identity, parse, selected};
use crate::core::Core;
use crate::event::Actions;
use crate::flows::judge;
use crate::flows::reach;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{self, Asked, Served};
use crate::rooms::policy::Act;
use crate::rooms::user_agent::Asker;

/// A `create` with `authorise`.
pub(super) fn asked(
    core: &mut Core,
    asked: &Asked<'_>,
    create: &Create,
    invited: &[String],
    out: &mut Actions,
) -> Served {
    let id = selected(core, &create.resource)?;
    change::own(core, asked, id)?;
    // One number can be answered once: published libraries invite one at a time.
    let [invited] = invited else {
        return Err(Refusal::bad_request(
            "`authorise` must name one hyperty: invite each by a message of its own",
        ));
    };
    let invited: Address = parse("authorise", invited)?;
    let inviter = from(asked)?;
    let act = Act::Message("create");
    let parties = (&inviter, &invited);
    let (permit, _, decision) = judge::decide(core, act, asked.owner, parties, &[], asked.now);
    if !permit {
        let reason = judge::reason(core, decision);
        return Err(Refusal::new(Code::FORBIDDEN, "deny", reason).decided(decision));
    }
    if reach::is_unreached(core, &invited) {
        let (admitted, now) = (asked.admitted, asked.now);
        reach::wait(core, admitted, asked.owner, &invited, now, out)?;
        return Ok(serve::Answer::Later);
    }
    let Some(object) = core.rooms.sync.get(id) else {
        return Err(serve::not_understood(PATH, asked.header()));
    };
    let from = format!("{}/{SUBSCRIPTION}", object.address);
    let mut value = object.record();
    value.remove("data");
    value.remove("version");
    let mut body = json!({
        "p2p": create.p2p,
        "source": asked.header().from,
        "schema": object.schema,
        "value": value,
        "identity": identity::of(core, &inviter),
    });
    if let (Some(mutual), Some(body)) = (create.mutual, body.as_object_mut()) {
        body.insert("mutual".to_owned(), mutual.into());
    }
    let words = Words {
        kind: MessageKind::Create,
        from: &from,
        to: &invited,
        body: &body,
    };
    let purpose = Purpose::Invite(asked.asker());
    ask::ask(core, words, (asked.admitted.link, purpose), asked.now, out)?;
    Ok(serve::Answer::Later)
}

/// An invited hyperty has answered, or nobody will.
pub(super) fn invited(core: &mut Core, asker: &Asker, mut answer: Answer, out: &mut Actions) {
    answer.body.insert("code".to_owned(), answer.code.0.into());
    let body = serde_json::to_vec(&answer.body).unwrap_or_default();
    respond::later_with(core, asker, answer.code, &body, out);
}
