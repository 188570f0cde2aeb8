//! What goes into the audit log: who was let in, what was denied, what was cut off.
//!
//! An entry is one action; the shell chains and writes it. Denials are many and
//! alike when somebody is hostile: each link has a share of entries per second,
//! and the next one says how many were left out.

use std::time::Duration;

use protocol::api::audit::Entry;
use protocol::api::connections::{Grant, Pattern};

use crate::core::Core;
use crate::event::{Action, Actions, Now};
use crate::flows::judge::Judgement;
use crate::flows::respond::Refusal;
use crate::ids::{DeploymentId, LinkId, OwnerId};
use crate::ingress::{AdmittedMessage, Fault, LinkKind};
use crate::limits::DENIALS_AUDITED_PER_SECOND_MAX;

/// The supervisor runs, with these rules.
pub(crate) fn started(core: &Core, out: &mut Actions) {
    note(
        out,
        Entry {
            what: "started".to_owned(),
            who: core.settings.runtime.to_string(),
            detail: format!("build {}", protocol::version::BUILD),
            ..Entry::default()
        },
    );
}

/// A component runs.
pub(crate) fn deployed(core: &Core, id: DeploymentId, out: &mut Actions) {
    let standing = core.rooms.registry.standing(OwnerId::Component(id));
    let Some(standing) = standing else {
        return;
    };
    let restarts = core.rooms.user_agent.get(id).map_or(0, |it| it.restarts);
    let deployment = core.rooms.user_agent.get(id);
    let package = deployment.and_then(|deployment| deployment.package.as_ref());
    let signer = package.map_or("", |package| package.origin.signer.as_str());
    let what = format!("{} of {}, {signer}", standing.name, standing.provider);
    let detail = match restarts {
        0 => what,
        many => format!("{what}, restart {many}"),
    };
    let level = standing.level.map(|level| level.to_string());
    note(
        out,
        Entry {
            what: "deployed".to_owned(),
            who: standing.home.to_string(),
            detail,
            level: level.unwrap_or_default(),
            digest: standing.digest.clone(),
            ..Entry::default()
        },
    );
}

/// A deployment did not come to an end that it wanted.
pub(crate) fn not_deployed(core: &Core, id: DeploymentId, refusal: &Refusal, out: &mut Actions) {
    let Some(deployment) = core.rooms.user_agent.get(id) else {
        return;
    };
    let wanted = &deployment.wanted;
    note(
        out,
        Entry {
            what: "not-deployed".to_owned(),
            who: format!("{}/{}", wanted.provider, wanted.component),
            detail: refusal.reason.clone(),
            ..Entry::default()
        },
    );
}

/// Something was decided about a package: whose it is, and whether it may run.
pub(crate) fn package(who: &str, word: &str, detail: &str, out: &mut Actions) {
    note(
        out,
        Entry {
            what: format!("package-{word}"),
            who: who.to_owned(),
            detail: detail.to_owned(),
            ..Entry::default()
        },
    );
}

/// What a component may reach was changed: `granted`, `revoked`, or `withdrawn`.
pub(crate) fn grant(core: &Core, by: OwnerId, word: &str, grant: &Grant, out: &mut Actions) {
    let Pattern {
        host,
        port,
        protocol,
        private,
        count,
    } = &grant.pattern;
    let port = match port {
        0 => "any port".to_owned(),
        port => format!("port {port}"),
    };
    // What is revoked is revoked in every form.
    let form = match (word, private, count) {
        ("revoked", ..) => String::new(),
        (_, private, count) => {
            let private = if *private {
                ", also private addresses"
            } else {
                ""
            };
            let count = match count {
                0 => String::new(),
                count => format!(", {count} at once"),
            };
            format!(", {protocol}{private}{count}")
        }
    };
    note(
        out,
        Entry {
            what: word.to_owned(),
            who: home_of(core, by).unwrap_or_default(),
            whom: grant.component.clone(),
            detail: format!("{host} {port}{form}"),
            ..Entry::default()
        },
    );
}

/// What a component had kept was deleted with it.
pub(crate) fn purged(core: &Core, by: OwnerId, whose: &str, bytes: u64, out: &mut Actions) {
    note(
        out,
        Entry {
            what: "purged".to_owned(),
            who: home_of(core, by).unwrap_or_default(),
            whom: whose.to_owned(),
            detail: format!("{bytes} bytes of files and of what its script kept"),
            ..Entry::default()
        },
    );
}

/// A component is gone, with its address.
pub(crate) fn removed(core: &Core, id: DeploymentId, out: &mut Actions) {
    if let Some(home) = home_of(core, OwnerId::Component(id)) {
        note(
            out,
            Entry {
                what: "removed".to_owned(),
                who: home,
                ..Entry::default()
            },
        );
    }
}

/// A component's process ended by itself, or was ended.
pub(crate) fn ended(core: &Core, id: DeploymentId, reason: &str, out: &mut Actions) {
    if let Some(home) = home_of(core, OwnerId::Component(id)) {
        note(
            out,
            Entry {
                what: "ended".to_owned(),
                who: home,
                detail: format!("its sandbox {reason}"),
                ..Entry::default()
            },
        );
    }
}

/// A message was denied by policy, or its sender was forged.
pub(crate) fn denied(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: Option<&Judgement>,
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) {
    if !matches!(refusal.gate, "deny" | "forged-from") {
        return;
    }
    let Some(gate) = core.gates.get_mut(&admitted.link) else {
        return;
    };
    let count = gate.audited.count(now.mono, Duration::from_secs(1));
    if count > DENIALS_AUDITED_PER_SECOND_MAX {
        gate.left_out += 1;
        return;
    }
    let left_out = std::mem::take(&mut gate.left_out);
    let header = &admitted.message.header;
    let who = match judgement {
        Some(judgement) => home_of(core, judgement.sender),
        None => on_link(core, admitted.link),
    };
    note(
        out,
        Entry {
            what: "denied".to_owned(),
            who: who.unwrap_or_default(),
            whom: header.to.to_owned(),
            detail: format!(
                "{} from {}: {}",
                header.kind.as_str(),
                header.from,
                refusal.reason
            ),
            decision: refusal
                .decision
                .map(|id| id.to_string())
                .unwrap_or_default(),
            left_out,
            ..Entry::default()
        },
    );
}

/// A link broke the protocol.
pub(crate) fn fault(core: &Core, link: LinkId, fault: &Fault, out: &mut Actions) {
    let gate = core.gates.get(&link);
    let left_out = gate.map_or(0, |gate| gate.left_out);
    let who = on_link(core, link);
    note(
        out,
        Entry {
            what: "fault".to_owned(),
            who: who.unwrap_or_else(|| "a local process that had not said who it is".to_owned()),
            detail: fault.to_string(),
            left_out,
            ..Entry::default()
        },
    );
}

fn home_of(core: &Core, owner: OwnerId) -> Option<String> {
    let standing = core.rooms.registry.standing(owner)?;
    Some(standing.home.to_string())
}

// Whoever has a link: its owner, or the components of its sandbox.
fn on_link(core: &Core, link: LinkId) -> Option<String> {
    let gate = core.gates.get(&link)?;
    if let Some(owner) = gate.owner {
        return home_of(core, owner);
    }
    let LinkKind::Sandbox(sandbox) = gate.kind else {
        return None;
    };
    let components = &core.rooms.sandboxes.get(sandbox)?.components;
    let homes: Vec<String> = components
        .iter()
        .filter_map(|id| home_of(core, OwnerId::Component(*id)))
        .collect();
    Some(homes.join(" or "))
}

fn note(out: &mut Actions, entry: Entry) {
    out.list.push(Action::Audit {
        entry: Box::new(entry),
    });
}
