//! Messages to `/storage`: files, and what scripts keep.
//!
//! create, update → taken → (answered | written → answered)
//! seed → what a script keeps goes to its sandbox, before its code does

use protocol::api::storage::{self, BASE64, Create, File, Keep, Part, Select};
use protocol::{Address, Code, CoreFrame, MessageKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::core::Core;
use crate::event::Actions;
use crate::flows::persist::{self, Then};
use crate::flows::quotas;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Answer, Asked, Served, done, not_understood, value};
use crate::ids::LinkId;
use crate::quota::Quota;
use crate::rooms::storage::{Kept, Refused, Taken};
use crate::store::Change;

// A list of items this long is below the body of a frame also when each of its
// characters is one that JSON writes with six.
const SEED_BYTES: usize = protocol::limits::BODY_BYTES_MAX / 8;

/// A message to the room.
pub(crate) fn storage(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    match asked.header().kind {
        MessageKind::Create => create(core, asked, out),
        MessageKind::Update => update(core, asked, out),
        MessageKind::Read => read(core, asked),
        MessageKind::Delete => delete(core, asked, out),
        _ => Err(not_understood(storage::PATH, asked.header())),
    }
}

/// Sends what a script keeps to its sandbox.
pub(crate) fn seed(core: &mut Core, link: LinkId, address: &Address, out: &mut Actions) {
    let component = address.published();
    for items in core.rooms.storage.items.seed(address.as_str(), SEED_BYTES) {
        let text = serde_json::to_vec(&items).unwrap_or_default();
        let component = &component;
        respond::send(
            core,
            link,
            &CoreFrame::Seed {
                component,
                items: &text,
            },
            out,
        );
    }
}

fn create(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let Create { value: file } = body(asked)?;
    persist::has_room(core, asked.admitted.link)?;
    let owner = owner(core, asked)?;
    let url = place(core, &owner, &file)?;
    let most = quotas::count_of(core, asked.owner, Quota::Files);
    let taken = core.rooms.storage.files.create(&owner, &url, file, most);
    took(core, asked, taken.map_err(refusal)?, &url, out)
}

fn update(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Update {
        Part(Part),
        Keep(Keep),
    }
    let update = body(asked)?;
    persist::has_room(core, asked.admitted.link)?;
    let owner = owner(core, asked)?;
    match update {
        Update::Part(mut part) => {
            part.resource = canonical(&part.resource);
            let url = part.resource.clone();
            let most = quotas::count_of(core, asked.owner, Quota::Files);
            let taken = core.rooms.storage.files.append(&owner, part, most);
            took(core, asked, taken.map_err(refusal)?, &url, out)
        }
        Update::Keep(keep) => {
            let most = quotas::count_of(core, asked.owner, Quota::Storage);
            match core.rooms.storage.items.keep(&owner, keep, most) {
                Ok(Kept::Begun) => done(),
                Ok(Kept::Done(changes)) => {
                    written(core, asked, changes, br#"{"code":200}"#.to_vec(), out)
                }
                Err(refused) => Err(refusal(refused)),
            }
        }
    }
}

fn read(core: &Core, asked: &Asked<'_>) -> Served {
    let Select { resource, part, .. } = body(asked)?;
    let url = canonical(&resource);
    let (file, content) = core.rooms.storage.files.read(&url, part).ok_or_else(|| {
        Refusal::not_found(format!(
            "there is no file `{resource}`, or no part {part} of it"
        ))
    })?;
    let content_encoding = file.content_encoding.clone();
    let parts = file.parts;
    let value = if part == 0 {
        serde_json::to_value(File {
            content,
            content_url: vec![resource],
            ..file
        })
    } else {
        let resource = String::new();
        serde_json::to_value(Part {
            resource,
            part,
            content,
            content_encoding,
        })
    };
    let mut value = value.unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.insert("parts".to_owned(), parts.into());
        members.insert("part".to_owned(), part.into());
    }
    let body = json!({"code": 200, "p2p": true, "value": value});
    Ok(Answer::Body(body.to_string().into_bytes()))
}

fn delete(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let Select {
        resource,
        mut resources,
        ..
    } = body(asked)?;
    if !resource.is_empty() {
        resources.push(resource);
    }
    if resources.is_empty() {
        return Err(Refusal::bad_request("say `resource` or `resources`"));
    }
    persist::has_room(core, asked.admitted.link)?;
    let owner = owner(core, asked)?;
    let mut changes = Vec::new();
    let mut refused = None;
    for resource in &resources {
        match core
            .rooms
            .storage
            .files
            .delete(&owner, &canonical(resource))
        {
            Ok(more) => changes.extend(more),
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        // What could be deleted is, and must not come back with a restart.
        Some(why) => {
            persist::persist(core, changes, Then::Nothing, out);
            Err(refusal(why))
        }
        None => written(core, asked, changes, br#"{"code":200}"#.to_vec(), out),
    }
}

fn took(core: &mut Core, asked: &Asked<'_>, taken: Taken, url: &str, out: &mut Actions) -> Served {
    let url = url
        .parse()
        .map_or_else(|_| url.to_owned(), |url: Address| url.published());
    match taken {
        Taken::Part => value(&url),
        Taken::Whole(changes) => written(core, asked, changes, respond::valued(&url), out),
    }
}

// A `Served`, so that an arm of a `match` can end in it.
#[allow(clippy::unnecessary_wraps)]
fn written(
    core: &mut Core,
    asked: &Asked<'_>,
    changes: Vec<Change>,
    body: Vec<u8>,
    out: &mut Actions,
) -> Served {
    persist::persist(core, changes, Then::Answer(asked.asker(), body), out);
    Ok(Answer::Later)
}

// Where a new file is kept: where the asker had it before, or at a fresh address.
fn place(core: &mut Core, owner: &str, file: &File) -> Result<String, Refusal> {
    if !matches!(file.content_encoding.as_str(), "" | BASE64) {
        return Err(Refusal::bad_request(
            "`contentEncoding` is `base64` or absent",
        ));
    }
    let before = file.content_url.first().map(|url| canonical(url));
    if let Some(url) = before.filter(|url| core.rooms.storage.files.is_of(owner, url)) {
        return Ok(url);
    }
    let runtime = core.settings.runtime.clone();
    let id = core.rooms.allocation.identifier();
    let url = runtime.join(&format!("{}/{id}", storage::PATH));
    url.map(|url| url.as_str().to_owned())
        .map_err(|bad| Refusal::bad_request(bad.to_string()))
}

// A component's home, which it has again after a restart.
fn owner(core: &Core, asked: &Asked<'_>) -> Result<String, Refusal> {
    let standing = core.rooms.registry.standing(asked.owner);
    let gone = || Refusal::new(Code::UNAVAILABLE, "gone", "whoever asked for it is gone");
    Ok(standing.ok_or_else(gone)?.home.as_str().to_owned())
}

// One spelling: `runtime://` and `hyperty-runtime://` are the same address.
fn canonical(url: &str) -> String {
    url.parse()
        .map_or_else(|_| url.to_owned(), |url: Address| url.as_str().to_owned())
}

// A part may fill a message, which other requests to rooms may not.
fn body<T: DeserializeOwned>(asked: &Asked<'_>) -> Result<T, Refusal> {
    let body = asked.admitted.message.body;
    let text = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|bad| Refusal::bad_request(format!("body: {bad}")))
}

fn refusal((code, reason): Refused) -> Refusal {
    Refusal::new(code, "storage", reason)
}
