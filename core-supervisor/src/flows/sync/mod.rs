//! Data objects: made, observed, changed, resumed and ended, across rooms.
//!
//! | what | where |
//! |---|---|
//! | a request to `<runtime>/sm` | `sm` below, then the file of its kind |
//! | a message to `<object>/changes` or `<object>/children/` | `channel` |
//! | a message to `<object>/subscription`, from another runtime | `remote.rs` |
//! | what the core asks a component, and the answer | `ask.rs`, `answered` |
//! | what is kept, and when | `keep.rs` |
//!
//! A subscription is decided twice: by policy, `subscribe` from the observer to
//! the object, and by the reporter, who is asked each time. What follows from it
//! (changes, children, calls) is permitted by the relation (`relation.rs`).

pub(crate) mod again;
pub(crate) mod ask;
mod body;
mod change;
mod children;
mod create;
mod delete;
mod fan_out;
mod far;
mod identity;
mod invite;
pub(crate) mod keep;
mod leave;
mod offline;
mod outward;
mod read;
mod register;
pub(crate) mod relation;
mod remote;
mod resume;
pub(crate) mod route;
mod shape;
mod subscribe;

use protocol::api::sync::PATH;
use protocol::{Address, Code, MessageKind};
use serde_json::Value;

pub(crate) use ask::{Answer, Purpose, Questions, Words, answered, ask, tell};
pub(crate) use fan_out::drained;
pub(crate) use leave::{left, stub_up, taken_down};
pub(crate) use shape::{After, read};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge::Judgement;
use crate::flows::respond::Refusal;
use crate::flows::serve::{Asked, Served, not_understood};
use crate::ids::ObjectId;
use crate::ingress::AdmittedMessage;
use crate::rooms::sync::{Bad, Channel};

/// Messages to `/sm`, and to objects that the room answers for.
pub(crate) fn serve(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let to: Address = parse("to", asked.header().to)?;
    if core.rooms.sync.find(to.as_str()).is_some() {
        let reason = format!("the reporter of `{to}` is not running now");
        return Err(Refusal::new(Code::UNAVAILABLE, "down", reason));
    }
    if !to.is_runtime() {
        return remote::asked(core, asked, &to, out);
    }
    match asked.header().kind {
        MessageKind::Create => create::asked(core, asked, out),
        MessageKind::Subscribe => subscribe::asked(core, asked, out),
        MessageKind::Update => change::replaced(core, asked, out),
        MessageKind::Read => read::asked(core, asked, out),
        MessageKind::Unsubscribe => leave::unsubscribed(core, asked, out),
        MessageKind::Delete => delete::asked(core, asked, out),
        MessageKind::Execute => read::called(core, asked),
        _ => Err(not_understood(PATH, asked.header())),
    }
}

/// A message to one of the channels of an object.
pub(crate) fn channel(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    (object, channel): (ObjectId, Channel),
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    match channel {
        Channel::Changes => change::told(core, admitted, judgement, object, now, out),
        Channel::Children => children::told(core, admitted, judgement, object, now, out),
    }
}

/// The object that a request names in `resource`.
fn selected(core: &Core, resource: &str) -> Result<ObjectId, Refusal> {
    if resource.is_empty() {
        return Err(Refusal::bad_request(
            "`resource` is missing: say the object's address",
        ));
    }
    let address: Address = parse("resource", resource)?;
    let unknown = || Refusal::not_found(format!("there is no data object `{address}` here"));
    core.rooms.sync.find(address.as_str()).ok_or_else(unknown)
}

fn parse(member: &str, text: &str) -> Result<Address, Refusal> {
    text.parse()
        .map_err(|bad| Refusal::bad_request(format!("`{member}` `{text}`: {bad}")))
}

fn from(asked: &Asked<'_>) -> Result<Address, Refusal> {
    parse("from", asked.header().from)
}

/// A member that peers leave out, or set to something false.
fn is_truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(is)) => *is,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::Array(_) | Value::Object(_)) => true,
    }
}

impl From<Bad> for Refusal {
    fn from(bad: Bad) -> Self {
        let reason = bad.to_string();
        match bad {
            Bad::Malformed(_) => Self::bad_request(reason),
            Bad::NoPlace(_) | Bad::Version(_) => Self::new(Code::CONFLICT, "conflict", reason),
            Bad::Shape(_) => Self::new(Code::UNPROCESSABLE, "schema", reason),
            Bad::TooLarge(_) => Self::new(Code::TOO_LARGE, "too-large", reason),
            Bad::Share(_) => Self::busy(reason),
            Bad::NotYours(_) => Self::new(Code::FORBIDDEN, "not-yours", reason),
            Bad::Unknown(_) => Self::not_found(reason),
        }
    }
}
