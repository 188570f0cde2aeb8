//! One part of what is fetched, from the stub's first word to its last.
//!
//! head → headed → (more → came) … → hand_over

use protocol::api::catalogue::remote::{Get, Head, More};
use protocol::{Code, MessageKind};
use serde_json::Value;

use super::books::{Key, Part, Step};
use super::conclude;
use super::{failure, stub};
use crate::core::Core;
use crate::event::{Action, Actions, Job, Now};
use crate::flows::sync;
use crate::ids::{LinkId, OwnerId};
use crate::rooms::catalogue::elsewhere::{self, Arrived, Piece, Tags};
use crate::rooms::catalogue::limits::{DESCRIPTOR_BYTES_MAX, FETCHED_BYTES_MAX, PROGRAM_BYTES_MAX};

// The stub asks for the head of a part.
pub(super) fn head(core: &mut Core, key: &Key, link: LinkId, now: Now, out: &mut Actions) {
    let Some(fetch) = core.fetches.open.get_mut(key) else {
        return;
    };
    fetch.step = Step::Head;
    let get = match &fetch.part {
        // Without tags: what is held may be the descriptor's.
        Part::Whole(url) => Get {
            urls: vec![url.clone()],
            most: PROGRAM_BYTES_MAX as u64,
            ..Get::default()
        },
        Part::Descriptor => {
            let Tags { etag, modified } = fetch.held.clone().unwrap_or_default();
            Get {
                urls: elsewhere::descriptor_urls(&key.0),
                etag,
                modified,
                most: DESCRIPTOR_BYTES_MAX as u64,
                is_json: true,
            }
        }
        Part::Code(code) => Get {
            urls: code.urls.clone(),
            etag: code.tags.etag.clone(),
            modified: code.tags.modified.clone(),
            most: code.most as u64,
            is_json: code.is_wrapped,
        },
    };
    ask(core, key, (link, MessageKind::Read), &get, now, out);
}

pub(super) fn ask<T: serde::Serialize>(
    core: &mut Core,
    key: &Key,
    (link, kind): (LinkId, MessageKind<'_>),
    question: &T,
    now: Now,
    out: &mut Actions,
) {
    let standing = core.fetches.stub.map(OwnerId::Component);
    let standing = standing.and_then(|stub| core.rooms.registry.standing(stub));
    let Some(to) = standing.map(|standing| standing.home.clone()) else {
        return;
    };
    let from = core.room_address(protocol::api::catalogue::PATH);
    let body = serde_json::to_value(question).unwrap_or(Value::Null);
    let words = sync::Words {
        kind,
        from: &from,
        to: &to,
        body: &body,
    };
    if kind == MessageKind::Delete {
        return sync::tell(core, words, now, out);
    }
    let purpose = sync::Purpose::Fetch(Box::new(key.clone()));
    if let Err(refusal) = sync::ask(core, words, (link, purpose), now, out) {
        let failure = failure(refusal.code, refusal.reason);
        conclude::end(core, key, failure, now, out);
    }
}

/// The stub has answered, or nobody will.
pub(crate) fn answered(
    core: &mut Core,
    key: &Key,
    answer: &sync::Answer,
    now: Now,
    out: &mut Actions,
) {
    let Some(step) = core.fetches.open.get(key).map(|fetch| fetch.step.clone()) else {
        return;
    };
    if answer.code == Code::NOT_FOUND && has_no_package(core, key) {
        match stub(core, now, out) {
            Ok(Some(link)) => return head(core, key, link, now, out),
            Ok(None) => return,
            Err(failure) => return conclude::end(core, key, failure, now, out),
        }
    }
    if answer.code != Code::OK {
        let failure = failure(answer.code, answer.reason().to_owned());
        return conclude::end(core, key, failure, now, out);
    }
    match step {
        Step::Head => headed(core, key, &answer.bytes, now, out),
        Step::Body(transfer) => came(core, key, transfer, &answer.bytes, now, out),
        Step::Stub | Step::Keeping(_) => {}
    }
}

// A catalogue without packages may still have the component in its files.
fn has_no_package(core: &mut Core, key: &Key) -> bool {
    let fetch = core.fetches.open.get_mut(key);
    let Some(fetch) = fetch.filter(|fetch| matches!(fetch.part, Part::Whole(_))) else {
        return false;
    };
    fetch.part = Part::Descriptor;
    fetch.step = Step::Stub;
    true
}

fn headed(core: &mut Core, key: &Key, bytes: &[u8], now: Now, out: &mut Actions) {
    let read = serde_json::from_slice::<protocol::api::Valued<Head>>(bytes);
    let (Some(fetch), Ok(head)) = (core.fetches.open.get_mut(key), read) else {
        let reason = "the component that fetches says what nobody understands";
        let failure = failure(Code::FAILED, reason.to_owned());
        return conclude::end(core, key, failure, now, out);
    };
    let head = head.value;
    fetch.total = head.bytes;
    fetch.bytes = Vec::new();
    fetch.piece = Piece {
        bytes: None,
        url: head.url,
        tags: Tags {
            etag: head.etag,
            modified: head.modified,
        },
    };
    match head.transfer {
        Some(transfer) => {
            fetch.step = Step::Body(transfer);
            more(core, key, transfer, now, out);
        }
        None => hand_over(core, key, out),
    }
}

fn came(core: &mut Core, key: &Key, transfer: u64, bytes: &[u8], now: Now, out: &mut Actions) {
    let held: usize = core.fetches.open.values().map(|f| f.bytes.len()).sum();
    let Some(fetch) = core.fetches.open.get_mut(key) else {
        return;
    };
    if bytes.is_empty() {
        fetch.piece.bytes = Some(std::mem::take(&mut fetch.bytes));
        return hand_over(core, key, out);
    }
    let most = match &fetch.part {
        Part::Whole(_) => PROGRAM_BYTES_MAX,
        Part::Descriptor => DESCRIPTOR_BYTES_MAX,
        Part::Code(code) => code.most,
    };
    let is_full = held + bytes.len() > FETCHED_BYTES_MAX;
    // What the stub says is not believed: the bound is kept here as well.
    if fetch.bytes.len() + bytes.len() > most || is_full {
        let reason = if is_full {
            "too much is being fetched at once; try later".to_owned()
        } else {
            format!("`{}` has more than {most} bytes", fetch.piece.url)
        };
        give_up(core, key, transfer, now, out);
        let failure = failure(Code::TOO_LARGE, reason);
        return conclude::end(core, key, failure, now, out);
    }
    fetch.bytes.extend_from_slice(bytes);
    more(core, key, transfer, now, out);
}

pub(super) fn more(core: &mut Core, key: &Key, transfer: u64, now: Now, out: &mut Actions) {
    if let Ok(Some(link)) = stub(core, now, out) {
        let more = More { transfer };
        return ask(core, key, (link, MessageKind::Read), &more, now, out);
    }
    let reason = "the component that fetches ended in the middle".to_owned();
    conclude::end(core, key, failure(Code::UNAVAILABLE, reason), now, out);
}

/// Tells the stub that nobody wants the rest.
pub(super) fn give_up(core: &mut Core, key: &Key, transfer: u64, now: Now, out: &mut Actions) {
    if let Ok(Some(link)) = stub(core, now, out) {
        let more = More { transfer };
        ask(core, key, (link, MessageKind::Delete), &more, now, out);
    }
}

// A part is whole: the shell looks at it, and keeps it when it is the last one.
pub(super) fn hand_over(core: &mut Core, key: &Key, out: &mut Actions) {
    let ticket = core.next_ticket();
    let Some(fetch) = core.fetches.open.get_mut(key) else {
        return;
    };
    fetch.step = Step::Keeping(ticket);
    let piece = std::mem::take(&mut fetch.piece);
    let (descriptor, code) = match &fetch.part {
        Part::Whole(_) | Part::Descriptor => {
            fetch.descriptor = piece.clone();
            (piece, None)
        }
        Part::Code(code) => (
            std::mem::take(&mut fetch.descriptor),
            Some((piece, code.is_wrapped)),
        ),
    };
    let arrived = Arrived {
        item: key.0.clone(),
        descriptor,
        code,
        mode: fetch.mode,
    };
    out.list.push(Action::Work(Job::Keep {
        ticket,
        arrived: Box::new(arrived),
    }));
}
