//! `hyperty inspect` — everything known about one component and its sandbox.

use std::time::Duration;

use protocol::api::capabilities::Met;
use protocol::api::connections::{self, Select};
use protocol::api::sandboxes::{self, Listing, Sandbox};
use protocol::api::user_agent::{Component, Limit};
use serde::Serialize;
use serde_json::json;

use crate::cmd::{Outcome, grants, ps};
use crate::output::table::Cell;
use crate::output::{Column, Style, Table, Tone, cell, clean, time};
use crate::session::Session;
use crate::{Context, target};

const EXAMPLES: &str = "\
Examples:
  hyperty inspect echo
  hyperty inspect hyperty://acme.example/3f0c --json";

/// Show everything known about one component and its sandbox
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Its address, or its name when only one has it
    #[arg(value_name = "COMPONENT")]
    component: String,
}

/// A component and the sandbox it shares with its siblings.
#[derive(Debug, Serialize)]
struct Whole {
    component: Component,
    sandbox: Option<Sandbox>,
    network: connections::Listing,
}

/// Shows one component.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let component = target::component(&mut session, &args.component)?;
    let listing: Listing = session.ask(sandboxes::PATH, "read", &json!({}))?;
    let sandbox = listing
        .sandboxes
        .into_iter()
        .find(|one| Some(one.id) == component.sandbox)
        .map(measured);
    let select = Select {
        component: component.address.clone(),
    };
    // One whose package is still being read has no grants yet.
    let network = if component.address.is_empty() {
        connections::Listing::default()
    } else {
        session.ask(connections::PATH, "read", &select)?
    };
    let whole = Whole {
        component,
        sandbox,
        network,
    };
    context
        .out
        .answer("hyperty.inspect/1", &whole, |style| text(&whole, style))?;
    Ok(())
}

// The core reads no files; this program may look, since it runs on the same machine.
fn measured(mut sandbox: Sandbox) -> Sandbox {
    let private = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib * 1024)
    };
    sandbox.private_bytes = sandbox.private_bytes.or(sandbox.pid.and_then(private));
    sandbox
}

fn text(whole: &Whole, style: Style) -> String {
    let mut table = Table::new(&[Column::left(""), Column::left("")]);
    let mut fact = |label: &str, value: Cell| {
        table.row([cell(Tone::Faint, label), value]);
    };
    let component = &whole.component;
    fact("name", cell(Tone::Strong, clean(&component.name)));
    fact("address", cell(Tone::Name, clean(&component.address)));
    fact("provider", clean(&component.provider).into());
    fact("acts for", clean(&component.user).into());
    fact(
        "kind",
        format!(
            "{}, {}",
            ps::kind(component.kind),
            ps::engine(component.engine)
        )
        .into(),
    );
    fact("state", ps::state(component));
    if !component.reason.is_empty() {
        fact("because", clean(&component.reason).into());
    }
    if !component.session_desc.is_empty() {
        fact("it says", clean(&component.session_desc).into());
    }
    if let Some(ms) = component.running_ms {
        fact("running for", time::span(Duration::from_millis(ms)).into());
    }
    fact("restarts", component.restarts.to_string().into());
    fact("messages", traffic(component).into());
    fact("digest", clean(&component.digest).into());
    fact("source", clean(&component.source).into());
    fact("signed by", ps::signer(component));
    if !component.version.is_empty() {
        fact("version", clean(&component.version).into());
        fact("package", clean(&component.package).into());
    }
    if !component.waits.is_empty() {
        fact("waits", cell(Tone::Odd, clean(&component.waits)));
    }
    if !component.constraints.is_empty() {
        fact("asks for", constraints(component).into());
    }
    fact("level", ps::level(component.level));
    if let Some(sandbox) = &whole.sandbox {
        for (label, value) in sandbox_facts(sandbox) {
            fact(label, value.into());
        }
    }
    for limit in &component.limits {
        fact("limit", limit_of(limit, whole.sandbox.as_ref()).into());
    }
    for shown in &whole.network.grants {
        fact("may reach", grant(shown).into());
    }
    for socket in &whole.network.sockets {
        fact("connected", open(socket).into());
    }
    table.render(style)
}

// `memory 16777216 bytes (descriptor), 3200000 in use`
fn limit_of(limit: &Limit, sandbox: Option<&Sandbox>) -> String {
    let number = limit
        .most
        .map_or_else(|| "none".to_owned(), |number| number.to_string());
    let counted = match limit.name.as_str() {
        "memory" => sandbox.and_then(|sandbox| sandbox.private_bytes),
        _ => limit.used,
    };
    let used = counted.map_or_else(String::new, |used| format!(", {used} in use"));
    let (name, unit, origin) = (clean(&limit.name), clean(&limit.unit), clean(&limit.origin));
    format!("{name} {number} {unit} ({origin}){used}")
}

fn grant(shown: &connections::Shown) -> String {
    let pattern = &shown.grant.pattern;
    let place = grants::place(&pattern.host, pattern.port);
    let private = if pattern.private {
        ", also private addresses"
    } else {
        ""
    };
    match shown.source {
        connections::Source::Revoked => format!("not {place}: revoked"),
        connections::Source::Node => format!("{place}, as the node of its domain"),
        source => format!(
            "{place} ({}{private}), by the {}",
            pattern.protocol,
            source.word()
        ),
    }
}

fn open(socket: &connections::Socket) -> String {
    let place = grants::place(&socket.host, socket.port);
    let age = time::span(Duration::from_millis(socket.age_ms));
    let (protocol, peer) = (socket.protocol, clean(&socket.peer));
    format!("n{} {place} ({protocol}) at {peer}, for {age}", socket.id)
}

fn traffic(component: &Component) -> String {
    let Component {
        sent,
        received,
        refused,
        ..
    } = component;
    format!("{sent} sent, {received} received, {refused} refused")
}

// `browser, camera (refused in use)`
fn constraints(component: &Component) -> String {
    let all = component.constraints.iter().map(|(name, met)| {
        let name = clean(name);
        match met {
            Met::Here => name.into_owned(),
            Met::Granted => format!("{name} (where policy grants it)"),
            Met::RefusedInUse => format!("{name} (not here: refused when it is used)"),
        }
    });
    all.collect::<Vec<_>>().join(", ")
}

fn sandbox_facts(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let pid = sandbox
        .pid
        .map_or_else(|| "none".to_owned(), |pid| pid.to_string());
    let mut facts = vec![
        (
            "sandbox",
            format!(
                "{} ({}, profile {})",
                sandbox.id, sandbox.phase, sandbox.profile
            ),
        ),
        ("process", pid),
    ];
    if let Some(bytes) = sandbox.private_bytes {
        facts.push(("memory", size(bytes)));
    }
    if sandbox.components.len() > 1 {
        facts.push(("shared by", sandbox.components.join(", ")));
    }
    facts.push(("proved", sandbox.proofs.join(", ")));
    facts
        .iter()
        .map(|(label, value)| (*label, clean(value).into_owned()))
        .collect()
}

/// Bytes, in the unit that leaves one to four digits.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=10_239_999 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / (1024 * 1024)),
    }
}

#[cfg(test)]
mod tests {
    use protocol::frame::Level;
    use protocol::nursery::Engine;

    use super::*;
    use crate::cmd::ps::tests::component;

    #[test]
    fn everything_about_a_component_is_on_one_page() {
        let sandbox = Sandbox {
            id: 3,
            provider: "acme.example".to_owned(),
            engine: Engine::Script,
            profile: "script".to_owned(),
            phase: "running".to_owned(),
            level: Some(Level::L3),
            pid: Some(4242),
            components: vec!["hyperty://acme.example/1".to_owned()],
            private_bytes: Some(1_400_000),
            proofs: vec!["open".to_owned(), "socket".to_owned(), "ptrace".to_owned()],
        };
        let mut component = component("echo", "acme.example");
        let limit = |name: &str, most, unit: &str, origin: &str, used| Limit {
            name: name.to_owned(),
            most,
            unit: unit.to_owned(),
            origin: origin.to_owned(),
            used,
        };
        component.limits = vec![
            limit("messages", None, "a second", "default", Some(12)),
            limit("pending", Some(100), "requests", "hyperty.toml:3", Some(2)),
            limit("memory", Some(16_777_216), "bytes", "descriptor", None),
        ];
        let whole = Whole {
            component,
            sandbox: Some(sandbox),
            network: connections::Listing::default(),
        };

        insta::assert_snapshot!(text(&whole, Style::PLAIN));
    }
}
