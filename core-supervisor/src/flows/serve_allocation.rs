//! Messages to `/address-allocation`: addresses are asked for, or given back.
//!
//! create → (known block | fresh) → assigned → kept when it has a key
//! delete → all are the asker's → unassigned → forgotten when it was a key

use protocol::address::BadAddress;
use protocol::api::allocation::{self, Allocate, Allocated, NUMBER_MAX, Release};
use protocol::{Address, Code, MessageKind};

use crate::core::Core;
use crate::event::Actions;
use crate::flows::persist::{self, Then};
use crate::flows::quotas;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Answer, Asked, Served, done, not_understood, value};
use crate::ids::OwnerId;
use crate::limits::ALLOCATION_KEY_BYTES_MAX;
use crate::quota::Quota;
use crate::rooms::allocation::ReuseKey;
use crate::rooms::registry::Standing;
use crate::store::Change;

/// Addresses are asked for, or given back.
pub(crate) fn allocation(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    match asked.header().kind {
        MessageKind::Create => create(core, asked, &asked.body()?, out),
        MessageKind::Delete => delete(core, asked, &asked.body()?, out),
        _ => Err(not_understood(allocation::PATH, asked.header())),
    }
}

fn create(core: &mut Core, asked: &Asked<'_>, wanted: &Allocate, out: &mut Actions) -> Served {
    if !(1..=NUMBER_MAX).contains(&wanted.number) {
        let reason = format!("`number` must be 1 to {NUMBER_MAX}");
        return Err(Refusal::bad_request(reason));
    }
    let key = block_key(core, asked.owner, wanted)?;
    let Some(key) = key else {
        let addresses = fresh(core, asked.owner, wanted)?;
        return value(&allocated(&addresses));
    };
    persist::has_room(core, asked.admitted.link)?;
    let (addresses, change) = block(core, asked.owner, key, wanted)?;
    // Told only once it is on the disk; a known block may still be on its way there.
    let then = Then::Answer(asked.asker(), respond::valued(&allocated(&addresses)));
    persist::persist(core, change.into_iter().collect(), then, out);
    Ok(Answer::Later)
}

// The block that this key had before, unless somebody else of the same name and
// user has it now: that one keeps it, and this one gets others that are not kept.
fn block(
    core: &mut Core,
    owner: OwnerId,
    key: ReuseKey,
    wanted: &Allocate,
) -> Result<(Vec<Address>, Option<Change>), Refusal> {
    let known = core.rooms.allocation.reuse.of(&key).to_vec();
    let registry = &core.rooms.registry;
    if let Some(other) = known
        .iter()
        .find(|address| address.scheme() != wanted.scheme)
    {
        let reason = format!("the block of this key has the scheme `{}`", other.scheme());
        return Err(Refusal::new(Code::CONFLICT, "conflict", reason));
    }
    let is_taken = |address: &Address| registry.owner_of(address).is_some_and(|o| o != owner);
    if known.is_empty() {
        let addresses = fresh(core, owner, wanted)?;
        let change = core.rooms.allocation.reuse.keep(key, addresses.clone());
        let full = || Refusal::busy("your provider has too many kept blocks; delete some by key");
        let change = change.ok_or_else(|| {
            release(core, owner, &addresses);
            full()
        })?;
        return Ok((addresses, Some(change)));
    }
    if known.iter().any(is_taken) {
        return Ok((fresh(core, owner, wanted)?, None));
    }
    let is_new = |address: &&Address| registry.owner_of(address).is_none();
    has_share(core, owner, known.iter().filter(is_new).count())?;
    for address in &known {
        core.rooms.registry.assign(address, owner);
    }
    core.epoch += 1;
    Ok((known, None))
}

fn fresh(core: &mut Core, owner: OwnerId, wanted: &Allocate) -> Result<Vec<Address>, Refusal> {
    has_share(core, owner, usize::from(wanted.number))?;
    let provider = core.rooms.registry.standing(owner).map(|s| &s.provider);
    let provider = provider.filter(|provider| !provider.is_empty()).cloned();
    let domain = provider.unwrap_or_else(|| core.settings.runtime.domain().to_owned());
    let mut addresses = Vec::new();
    for _ in 0..wanted.number {
        let address = core.rooms.allocation.object(&wanted.scheme, &domain);
        let address = address.map_err(|bad| Refusal::bad_request(bad.to_string()))?;
        core.rooms.registry.assign(&address, owner);
        addresses.push(address);
    }
    core.epoch += 1;
    Ok(addresses)
}

fn has_share(core: &Core, owner: OwnerId, more: usize) -> Result<(), Refusal> {
    let held = core.rooms.registry.objects_of(owner);
    let most = quotas::count_of(core, owner, Quota::Addresses);
    if held + more > most {
        return Err(Refusal::busy(format!(
            "you hold {held} of {most} addresses (`limits.addresses`); release some"
        )));
    }
    Ok(())
}

fn delete(core: &mut Core, asked: &Asked<'_>, named: &Release, out: &mut Actions) -> Served {
    let mut addresses = Vec::new();
    for text in &named.resources {
        addresses.push(text.parse().map_err(not_address)?);
    }
    let children = named.children_resources.iter().flatten();
    for text in children
        .chain(&named.resource)
        .filter(|text| is_address(text))
    {
        addresses.push(text.parse().map_err(not_address)?);
    }
    all_its_own(core, asked.owner, &addresses)?;
    let Some(key) = named.resource.as_deref().filter(|text| !is_address(text)) else {
        release(core, asked.owner, &addresses);
        return done();
    };
    persist::has_room(core, asked.admitted.link)?;
    let standing = core.rooms.registry.standing(asked.owner);
    let forgotten = standing
        .map(|standing| key_of(standing, key))
        .and_then(|key| core.rooms.allocation.reuse.forget(&key));
    let Some((block, change)) = forgotten else {
        let reason = format!("no block was given to you for `{key}`");
        return Err(Refusal::not_found(reason));
    };
    addresses.extend(block);
    release(core, asked.owner, &addresses);
    let then = Then::Answer(asked.asker(), br#"{"code":200}"#.to_vec());
    persist::persist(core, vec![change], then, out);
    Ok(Answer::Later)
}

fn release(core: &mut Core, owner: OwnerId, addresses: &[Address]) {
    for address in addresses {
        core.rooms.registry.unassign(address, owner);
    }
    core.epoch += 1;
}

fn all_its_own(core: &Core, owner: OwnerId, addresses: &[Address]) -> Result<(), Refusal> {
    let registry = &core.rooms.registry;
    let home = registry.standing(owner).map(|standing| &standing.home);
    let is_its = |address: &&Address| registry.owns(address, owner) && home != Some(*address);
    match addresses.iter().find(|address| !is_its(address)) {
        None => Ok(()),
        Some(other) => Err(Refusal::not_found(format!(
            "`{other}` was not given to you"
        ))),
    }
}

// A component's keys are its own: another one, or the same one for another user,
// may use the same word.
fn block_key(core: &Core, owner: OwnerId, wanted: &Allocate) -> Result<Option<ReuseKey>, Refusal> {
    if wanted.key.is_empty() {
        return Ok(None);
    }
    if wanted.key.len() > ALLOCATION_KEY_BYTES_MAX {
        let reason = format!("`allocationKey` is longer than {ALLOCATION_KEY_BYTES_MAX} bytes");
        return Err(Refusal::bad_request(reason));
    }
    let standing = core.rooms.registry.standing(owner);
    Ok(standing.map(|standing| key_of(standing, &wanted.key)))
}

fn key_of(standing: &Standing, key: &str) -> ReuseKey {
    let user = standing
        .user
        .as_ref()
        .map_or("", |user| user.url().as_str());
    let parts = [standing.kind.as_str(), &standing.name, user, "block", key];
    ReuseKey::new(&standing.provider, &parts)
}

fn allocated(addresses: &[Address]) -> Allocated {
    let texts = addresses.iter().map(|address| address.as_str().to_owned());
    Allocated {
        allocated: texts.collect(),
    }
}

fn is_address(text: &str) -> bool {
    text.contains("://")
}

// By value: it stands in `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn not_address(bad: BadAddress) -> Refusal {
    Refusal::bad_request(bad.to_string())
}
