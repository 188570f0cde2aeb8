//! The domains that a runtime belongs to, as `hyperty up` waits for them.

use std::time::{Duration, Instant};

use protocol::api::registry::{self, Domain, Remote};
use serde_json::json;

use crate::Context;
use crate::cmd::Outcome;
use crate::output::{Tone, clean, time};
use crate::session::Session;

/// How long the start of everything else waits for the domains.
///
/// A connection across the world with TLS and a session takes half a second.
const LIVE_WITHIN: Duration = Duration::from_secs(5);

/// How often they are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until the domains of this runtime are live, and says how long that took;
/// those that are not go on in the background.
pub(crate) fn wait(session: &mut Session, context: &Context) -> Outcome {
    let deadline = Instant::now() + LIVE_WITHIN;
    let mut told = Vec::new();
    loop {
        let remote: Remote = session.ask(registry::PATH, "read", &json!({"remote": true}))?;
        let homes = remote.domains.into_iter().filter(|domain| domain.is_home);
        let (live, late): (Vec<_>, Vec<_>) = homes.partition(|domain| domain.session == "live");
        for domain in live {
            if !told.contains(&domain.name) {
                say_live(&domain, context)?;
                told.push(domain.name);
            }
        }
        if late.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            for domain in late {
                say_late(&domain, context);
            }
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn say_live(domain: &Domain, context: &Context) -> Outcome {
    let said = json!({"domain": domain.name, "live_ms": domain.session_ms});
    context.out.item("hyperty.live/1", &said, |style| {
        let tick = style.paint(Tone::Good, style.tick());
        let name = style.paint(Tone::Strong, &clean(&domain.name));
        let after = Duration::from_millis(domain.session_ms.unwrap_or_default());
        format!(
            "{tick} {name} is live, {} after the start\n",
            time::span(after)
        )
    })?;
    Ok(())
}

fn say_late(domain: &Domain, context: &Context) {
    let how = match (domain.session.as_str(), domain.fault.as_str()) {
        (_, fault) if !fault.is_empty() => fault,
        ("", _) => "its stub is on its way",
        (session, _) => session,
    };
    let name = clean(&domain.name);
    context.out.note(&format!(
        "{name} is not live yet: {}; `hyperty registry ls --remote` shows how it goes on",
        clean(how)
    ));
}
