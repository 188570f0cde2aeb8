//! A package that was read runs, waits for somebody's word, or is refused.
//!
//! package_read → (runs | the release in use is read in its place | refused)
//! approve, roll_back → that release is read, and takes the place of what runs
//!
//! The shell has verified the signature before; what is decided here stands in
//! rooms/catalogue/trust.

use protocol::Code;
use protocol::api::catalogue::{Keys, KnownKey, Query};
use protocol::frame::LogLevel;

use crate::core::Core;
use crate::event::{Action, Actions, Job, Now};
use crate::flows::persist::{self, Then};
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Answer, Asked, Served, value};
use crate::flows::{audit, deploy, reload};
use crate::ids::{DeploymentId, Ticket};
use crate::party::PartyKind;
use crate::rooms::catalogue::names::RELEASE;
use crate::rooms::catalogue::trust::{Judged, Seal, Signed};
use crate::rooms::catalogue::{PackageFailure, PackageRead, Wanted};
use crate::rooms::user_agent::Origin;
use crate::store::Change;

/// A package was read. `true` when another release is read in its place, and this
/// result is nobody's.
pub(crate) fn package_read(
    core: &mut Core,
    ticket: Ticket,
    result: &mut Result<PackageRead, PackageFailure>,
    now: Now,
    out: &mut Actions,
) -> bool {
    let Ok(read) = result else {
        return false;
    };
    let provider = read.descriptor.provider.clone();
    let what = named(read);
    let judged = core
        .trust
        .judge(&provider, &read.seal, now.wall_us / 1_000_000);
    match judged {
        Judged::Runs(changes, told) => {
            write(core, changes, out);
            let told = told.into_iter().map(|what| ("trusted", what));
            let old = expired(&read.seal).map(|day| ("expired", day));
            for (word, detail) in told.chain(old) {
                tell(&what, word, &detail, out);
            }
            false
        }
        Judged::Waits {
            release,
            why,
            changes,
        } => {
            write(core, changes, out);
            tell(&what, "waits", &why, out);
            deploy::forget(read, out);
            if core.rooms.user_agent.is_rereading(ticket) {
                let name = &read.descriptor.name;
                let reason = format!("{why}. To take it: `hyperty approve {name}`");
                *result = Err(failure(Code::UNAUTHORIZED, reason));
                return false;
            }
            let wanted = wanted(&what, &provider, &release);
            out.list
                .push(Action::Work(Job::ReadPackage { ticket, wanted }));
            true
        }
        Judged::Refused(why) => {
            tell(&what, "not-trusted", &why, out);
            deploy::forget(read, out);
            if let Seal::Signed(signed) = &read.seal {
                drop_unused(core, &signed.digest, out);
            }
            *result = Err(failure(Code::FORBIDDEN, format!("`{what}`: {why}")));
            false
        }
    }
}

/// Somebody has seen what a newer release asks for, and wants it.
pub(crate) fn approve(
    core: &mut Core,
    asked: &Asked<'_>,
    id: DeploymentId,
    out: &mut Actions,
) -> Served {
    let item = item_of(core, id)?;
    reload::may_begin(core, id)?;
    persist::has_room(core, asked.admitted.link)?;
    let (digest, grown, change) = core.trust.approve(&item).map_err(nothing)?;
    let detail = if grown.is_empty() {
        "no more rights".to_owned()
    } else {
        grown.join("; ")
    };
    tell(&item, "approved", &detail, out);
    take(core, asked, (id, &item, &digest, change), out)
}

/// Somebody wants the release before.
pub(crate) fn roll_back(
    core: &mut Core,
    asked: &Asked<'_>,
    id: DeploymentId,
    out: &mut Actions,
) -> Served {
    let item = item_of(core, id)?;
    reload::may_begin(core, id)?;
    persist::has_room(core, asked.admitted.link)?;
    let (digest, version, change) = core.trust.roll_back(&item).map_err(nothing)?;
    tell(&item, "rolled-back", &format!("to {version}"), out);
    take(core, asked, (id, &item, &digest, change), out)
}

/// Answers `keys`, `trust` and `distrust`: which keys are known, and the operator's word.
pub(crate) fn serve(
    core: &mut Core,
    asked: &Asked<'_>,
    query: &Query,
    out: &mut Actions,
) -> Served {
    let standing = core.rooms.registry.standing(asked.owner);
    if query.method != "keys" && !standing.is_some_and(|one| one.kind == PartyKind::Operator) {
        let reason = "only the operator says whose keys are known";
        return Err(Refusal::new(Code::FORBIDDEN, "keys", reason));
    }
    persist::has_room(core, asked.admitted.link)?;
    let change = match query.method.as_str() {
        "trust" => core
            .trust
            .keys
            .add(&query.key, asked.now.wall_us / 1_000_000),
        "distrust" => core.trust.keys.remove(&query.provider, &query.key),
        _ => return value(&keys(core)),
    };
    let change = change.map_err(Refusal::bad_request)?;
    let said = if query.method == "trust" {
        &query.key
    } else {
        &query.provider
    };
    tell(said, &query.method, "by the operator", out);
    let answer = respond::valued(&keys(core));
    persist::persist(core, vec![change], Then::Answer(asked.asker(), answer), out);
    Ok(Answer::Later)
}

/// Who stands for a package, as people are told.
pub(crate) fn origin(seal: &Seal) -> Origin {
    match seal {
        Seal::Own => Origin {
            signer: "shipped".to_owned(),
            ..Origin::default()
        },
        Seal::Unsigned { .. } => Origin {
            signer: "unsigned".to_owned(),
            ..Origin::default()
        },
        Seal::Signed(signed) => Origin {
            signer: signed.key_id.clone(),
            item: signed.item.clone(),
            version: signed.version.to_string(),
            package: signed.digest.clone(),
        },
    }
}

/// What the shell may throw away at the start: everything but these.
pub(crate) fn begin(core: &Core, out: &mut Actions) {
    let digests = core.trust.releases();
    out.list.push(Action::Work(Job::KeepReleases { digests }));
}

fn keys(core: &Core) -> Keys {
    let known = core.trust.keys.iter();
    let keys = known.map(|(provider, known)| KnownKey {
        provider: provider.clone(),
        key: known.key.clone(),
        id: known.id.clone(),
        by: known.by.clone(),
        since_s: known.since_s,
    });
    Keys {
        unsigned: core.trust.unsigned.to_string(),
        keys: keys.collect(),
    }
}

fn take(
    core: &mut Core,
    asked: &Asked<'_>,
    (id, item, digest, change): (DeploymentId, &str, &str, Change),
    out: &mut Actions,
) -> Served {
    write(core, vec![change], out);
    let provider = item.split('/').next().unwrap_or_default();
    let wanted = wanted(item, provider, digest);
    reload::begin_with(core, id, asked.asker(), wanted, out)?;
    Ok(Answer::Later)
}

fn item_of(core: &Core, id: DeploymentId) -> Result<String, Refusal> {
    let deployment = core.rooms.user_agent.get(id);
    let package = deployment.and_then(|deployment| deployment.package.as_ref());
    let item = package.map(|package| package.origin.item.clone());
    let unsigned = || nothing("it is not signed: it has no releases".to_owned());
    item.filter(|item| !item.is_empty()).ok_or_else(unsigned)
}

fn nothing(reason: String) -> Refusal {
    Refusal::new(Code::CONFLICT, "release", reason)
}

// `provider/kind/name`: the shell finds the release by its digest.
fn wanted(item: &str, provider: &str, release: &str) -> Wanted {
    let component = item
        .split_once('/')
        .map_or(item, |(_, component)| component);
    Wanted {
        catalogue: format!("{RELEASE}{release}"),
        component: component.to_owned(),
        provider: provider.to_owned(),
        is_exact: false,
        is_here: true,
    }
}

fn named(read: &PackageRead) -> String {
    match &read.seal {
        Seal::Signed(signed) => signed.item.clone(),
        Seal::Own | Seal::Unsigned { .. } => {
            format!("{}/{}", read.descriptor.provider, read.descriptor.name)
        }
    }
}

fn expired(seal: &Seal) -> Option<String> {
    let Seal::Signed(signed) = seal else {
        return None;
    };
    let Signed {
        version, expired, ..
    } = &**signed;
    let day = expired.as_ref()?;
    Some(format!(
        "version {version} was to be replaced by {day}: its catalogue stands still, or somebody keeps newer versions from you"
    ))
}

fn drop_unused(core: &Core, digest: &str, out: &mut Actions) {
    if !core.trust.releases().iter().any(|kept| kept == digest) {
        let digest = digest.to_owned();
        out.list.push(Action::Work(Job::DropRelease { digest }));
    }
}

fn write(core: &mut Core, changes: Vec<Change>, out: &mut Actions) {
    if !changes.is_empty() {
        persist::persist(core, changes, Then::Nothing, out);
    }
}

fn tell(what: &str, word: &str, detail: &str, out: &mut Actions) {
    let level = match word {
        "not-trusted" | "expired" => LogLevel::Warn,
        _ => LogLevel::Info,
    };
    let text = format!("package=`{what}` {word}: {detail}");
    out.list.push(Action::Record { level, text });
    audit::package(what, word, detail, out);
}

fn failure(code: Code, reason: String) -> PackageFailure {
    PackageFailure {
        code,
        reason,
        elsewhere: None,
    }
}
