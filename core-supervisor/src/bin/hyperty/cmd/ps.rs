//! `hyperty ps` — what is deployed.

use std::time::Duration;

use protocol::api::user_agent::{self, Component, Listing};
use protocol::frame::{ComponentKind, Level};
use protocol::nursery::Engine;
use serde_json::json;

use crate::Context;
use crate::cmd::Outcome;
use crate::output::table::Cell;
use crate::output::{Column, Style, Table, Tone, cell, clean, time};
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  hyperty ps
  hyperty ps --wide
  hyperty ps --json | jq -r '.components[] | select(.state != \"running\") | .name'

States: reading, launching, locking, loading, running, waiting (with the time to the next
try), stopped, failed (is not tried again). Behind it stands how a protocol stub stands to
its domain: created, in-progress, live, failed, disconnected. AGAIN counts restarts, OUT and IN messages
that were delivered, REFUSED those that were not.";

/// List what is deployed: state, sandbox level, process, traffic
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Show engines, users, addresses and digests as well
    #[arg(long, short)]
    wide: bool,
}

/// Lists what is deployed.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let listing: Listing = session.ask(user_agent::PATH, "read", &json!({}))?;
    context.out.answer("hyperty.ps/1", &listing, |style| {
        table(&listing, args.wide, style)
    })?;
    Ok(())
}

/// The listing as a table, and below it why something does not run.
pub(crate) fn table(listing: &Listing, wide: bool, style: Style) -> String {
    if listing.components.is_empty() {
        return "Nothing is deployed. To deploy: hyperty deploy NAME --catalogue DIR\n".to_owned();
    }
    let mut columns = vec![
        Column::left("NAME").cut_to(8),
        Column::left("PROVIDER").cut_to(8),
        Column::left("KIND"),
        Column::left("STATE"),
        Column::left("LEVEL"),
        Column::right("PID"),
        Column::right("UP"),
        Column::right("AGAIN"),
        Column::right("OUT"),
        Column::right("IN"),
        Column::right("REFUSED"),
        Column::left("SIGNER"),
    ];
    let with_users = wide || acts_for_several(listing);
    if with_users {
        columns.push(Column::left("USER").cut_to(12));
    }
    if wide {
        columns.extend([
            Column::left("ENGINE"),
            Column::left("ADDRESS").cut_to(24),
            Column::left("DIGEST").cut_to(19),
        ]);
    }
    let mut table = Table::new(&columns);
    for component in &listing.components {
        let mut row = row(component);
        if with_users {
            row.push(clean(&component.user).into());
        }
        if wide {
            row.push(engine(component.engine).into());
            row.push(cell(Tone::Name, clean(&component.address)));
            row.push(cell(Tone::Faint, clean(&component.digest)));
        }
        table.row(row);
    }
    table.render(style) + &reasons(listing, style)
}

// One user's name on each line would say nothing.
fn acts_for_several(listing: &Listing) -> bool {
    let mut users = listing.components.iter().map(|component| &component.user);
    let first = users.next();
    users.any(|user| Some(user) != first)
}

fn row(component: &Component) -> Vec<Cell> {
    let refused = if component.refused > 0 {
        Tone::Bad
    } else {
        Tone::Plain
    };
    vec![
        cell(Tone::Strong, clean(&component.name)),
        clean(&component.provider).into(),
        kind(component.kind).into(),
        state(component),
        level(component.level),
        number(component.pid),
        component
            .running_ms
            .map_or_else(String::new, milliseconds)
            .into(),
        component.restarts.to_string().into(),
        component.sent.to_string().into(),
        component.received.to_string().into(),
        cell(refused, component.refused.to_string()),
        signer(component),
    ]
}

fn reasons(listing: &Listing, style: Style) -> String {
    let waits = |component: &&Component| !component.waits.is_empty();
    let waiting: String = listing
        .components
        .iter()
        .filter(waits)
        .map(|component| {
            let name = clean(&component.name);
            let shown = style.paint(Tone::Strong, &name);
            let waits = clean(&component.waits);
            format!("{shown}: version {waits} waits; to take it: hyperty approve {name}\n")
        })
        .collect();
    let troubled = listing
        .components
        .iter()
        .filter(|component| !component.reason.is_empty());
    let troubled: String = troubled
        .map(|component| {
            let name = style.paint(Tone::Strong, &clean(&component.name));
            format!("{name}: {}\n", clean(&component.reason))
        })
        .collect();
    troubled + &waiting
}

/// Who signed it: nobody is to be seen.
pub(crate) fn signer(component: &Component) -> Cell {
    match component.signer.as_str() {
        "" => cell(Tone::Faint, "-"),
        "unsigned" => cell(Tone::Odd, "unsigned"),
        signer => clean(signer).into(),
    }
}

/// The state, with the time to the next try.
pub(crate) fn state(component: &Component) -> Cell {
    let text = match (component.next_try_ms, component.session.as_str()) {
        (Some(ms), _) => format!("{} {}", component.state, milliseconds(ms)),
        (None, "") => component.state.clone(),
        (None, session) => format!("{}, {session}", component.state),
    };
    let tone = match component.session.as_str() {
        "" | "live" | "created" => state_tone(&component.state),
        "failed" => Tone::Bad,
        _ => Tone::Odd,
    };
    cell(tone, clean(&text))
}

/// The tone of a state.
pub(crate) fn state_tone(state: &str) -> Tone {
    match state {
        "running" => Tone::Good,
        "failed" => Tone::Bad,
        "stopped" => Tone::Faint,
        _ => Tone::Odd,
    }
}

/// The sandbox level; none at all is red everywhere.
pub(crate) fn level(level: Option<Level>) -> Cell {
    match level {
        Some(Level::L0) => cell(Tone::Bad, "L0 none"),
        Some(level) => level.to_string().into(),
        None => cell(Tone::Faint, "-"),
    }
}

/// What the component is.
pub(crate) const fn kind(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Hyperty => "hyperty",
        ComponentKind::ProtoStub => "stub",
        ComponentKind::IdpProxy => "idp",
    }
}

/// What runs it.
pub(crate) const fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Script => "script",
        Engine::Native => "native",
    }
}

fn number(value: Option<u32>) -> Cell {
    value.map_or_else(|| cell(Tone::Faint, "-"), |value| value.to_string().into())
}

fn milliseconds(ms: u64) -> String {
    time::span(Duration::from_millis(ms))
}

#[cfg(test)]
#[path = "ps_tests.rs"]
pub(crate) mod tests;
