//! `hyperty catalogue fetch`, `pin`, `unpin` and `update` — things of other domains.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::api::catalogue::{self, Fetched, Listing, Query, Update, Updated};

use super::elsewhere;
use crate::Context;
use crate::cmd::{Outcome, inspect};
use crate::error::{Exit, Failure};
use crate::output::time::span;
use crate::output::{Column, Style, Table, Tone, cell, clean};
use crate::session::Session;

/// What the supervisor itself waits for a fetch, and a moment more.
const FETCH_WITHIN: Duration = Duration::from_secs(310);

/// How often it is asked how far it has come.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Something of another domain
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// DOMAIN/KIND/NAME, or https://DOMAIN/.well-known/KIND/NAME
    #[arg(value_name = "WHAT")]
    what: String,

    /// Where a copy of the domain's catalogue is: https://HOST:PORT
    #[arg(long, value_name = "URL")]
    catalogue: Option<String>,

    /// Whose it is, where that is not said otherwise
    #[arg(long, value_name = "DOMAIN")]
    provider: Option<String>,
}

/// Something of another domain, or everything that was fetched
#[derive(Debug, clap::Args)]
pub(super) struct Several {
    /// DOMAIN/KIND/NAME, or https://DOMAIN/.well-known/KIND/NAME [default: everything]
    #[arg(value_name = "WHAT")]
    what: Option<String>,

    /// Where a copy of the domain's catalogue is: https://HOST:PORT
    #[arg(long, value_name = "URL", requires = "what")]
    catalogue: Option<String>,

    /// Whose it is, where that is not said otherwise
    #[arg(long, value_name = "DOMAIN", requires = "what")]
    provider: Option<String>,
}

impl Several {
    /// What is named, if anything is.
    pub(super) fn named(&self) -> Option<Named> {
        self.what.clone().map(|what| Named {
            what,
            catalogue: self.catalogue.clone(),
            provider: self.provider.clone(),
        })
    }
}

impl Named {
    fn item(&self) -> Result<catalogue::Item, Failure> {
        elsewhere::item(
            &self.what,
            self.catalogue.as_deref(),
            self.provider.as_deref(),
        )
    }
}

/// Fetches one thing, pins it, or lets it go.
pub(super) fn one(
    method: &str,
    named: &Named,
    (digest, accept): (Option<&str>, bool),
    context: &Context,
) -> Outcome {
    let query = Query {
        method: method.to_owned(),
        item: Some(named.item()?),
        digest: digest.unwrap_or_default().to_owned(),
        accept,
        ..Query::default()
    };
    let fetched: Fetched = watched(context, &query)?;
    context.out.answer("hyperty.fetched/1", &fetched, |style| {
        let tick = style.paint(Tone::Good, style.tick());
        let pinned = if fetched.pinned { ", pinned" } else { "" };
        format!(
            "{tick} {}  {}  {}{pinned}\n",
            style.paint(Tone::Strong, &clean(&fetched.item.name)),
            inspect::size(fetched.bytes),
            clean(&fetched.digest),
        )
    })?;
    Ok(())
}

/// Looks whether what was fetched has changed; fetches it unless only looking.
pub(super) fn update(
    named: Option<&Named>,
    (only_look, accept): (bool, bool),
    context: &Context,
) -> Outcome {
    let query = Query {
        method: if only_look { "look" } else { "update" }.to_owned(),
        item: named.map(Named::item).transpose()?,
        accept,
        ..Query::default()
    };
    let updated: Updated = watched(context, &query)?;
    context.out.answer("hyperty.update/1", &updated, |style| {
        updates(&updated, style)
    })?;
    let has_failed = |update: &Update| update.outcome == "failed";
    if updated.items.iter().any(has_failed) {
        return Err(Failure::silent(Exit::Failed));
    }
    if updated.items.iter().any(|update| update.outcome == "grown") {
        return Err(Failure::silent(Exit::Consent));
    }
    Ok(())
}

fn updates(updated: &Updated, style: Style) -> String {
    if updated.items.is_empty() {
        return "Nothing was fetched from other domains.\n".to_owned();
    }
    let mut text = String::new();
    for update in &updated.items {
        let (tone, word) = match update.outcome.as_str() {
            "same" => (Tone::Faint, "unchanged"),
            "pinned" => (Tone::Faint, "pinned"),
            "changed" => (Tone::Good, "changed"),
            "grown" => (Tone::Odd, "asks for more"),
            _ => (Tone::Bad, "failed"),
        };
        let what = format!(
            "{}/{}/{}",
            update.item.provider, update.item.kind, update.item.name
        );
        text.push_str(&format!("{}  {}", style.paint(tone, word), clean(&what)));
        if !update.reason.is_empty() {
            text.push_str(&format!("  {}", clean(&update.reason)));
        }
        text.push('\n');
    }
    if updated.items.iter().any(|update| update.outcome == "grown") {
        text.push_str("to take what asks for more:  hyperty catalogue update --accept\n");
    }
    text
}

// Asks, and tells how far it has come while that takes its time.
fn watched<A: serde::de::DeserializeOwned>(context: &Context, query: &Query) -> Result<A, Failure> {
    let mut session = Session::open(context)?;
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let beside = context.clone();
        let is_done = &is_done;
        scope.spawn(move || tell_progress(&beside, is_done));
        let answer = session.ask_within(catalogue::PATH, "execute", query, FETCH_WITHIN);
        is_done.store(true, Ordering::Relaxed);
        answer
    })
}

fn tell_progress(context: &Context, is_done: &AtomicBool) {
    let mut said = String::new();
    let mut session = None;
    loop {
        let step = LOOK_EVERY / 20;
        for _ in 0..20 {
            std::thread::sleep(step);
            if is_done.load(Ordering::Relaxed) {
                return;
            }
        }
        // Progress is a courtesy: without it the answer comes all the same.
        let Ok(link) = session.get_or_insert_with(|| Session::open(context)) else {
            return;
        };
        let listing: Result<Listing, _> = link.ask(catalogue::PATH, "read", &Query::default());
        let Ok(listing) = listing else { return };
        for one in &listing.underway {
            let of = one
                .total
                .map(|total| format!(" of {}", inspect::size(total)));
            let line = format!(
                "{}/{}: {} {}{}",
                clean(&one.item.provider),
                clean(&one.item.name),
                one.stage,
                inspect::size(one.bytes),
                of.unwrap_or_default(),
            );
            if line != said {
                context.out.note(&line);
                said = line;
            }
        }
    }
}

/// What was fetched, as a table.
pub(super) fn table(fetched: &[Fetched], style: Style) -> String {
    if fetched.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        Column::left("FETCHED").cut_to(10),
        Column::left("PROVIDER").cut_to(10),
        Column::left("KIND"),
        Column::right("SIZE"),
        Column::right("AGE"),
        Column::left(""),
        Column::left("FROM").cut_to(20),
    ]);
    for one in fetched {
        let (tone, mark) = match (one.pinned, one.grown.is_empty()) {
            (true, _) => (Tone::Strong, "pinned"),
            (false, false) => (Tone::Odd, "update asks for more"),
            (false, true) => (Tone::Faint, ""),
        };
        table.row([
            cell(Tone::Strong, clean(&one.item.name)),
            clean(&one.item.provider).into(),
            clean(&one.item.kind).into(),
            inspect::size(one.bytes).into(),
            span(Duration::from_secs(one.age_s)).into(),
            cell(tone, mark),
            cell(Tone::Faint, clean(&one.item.base)),
        ]);
    }
    format!("\n{}", table.render(style))
}

/// A digest as `pin` takes it.
pub(super) fn digest(text: &str) -> Result<String, String> {
    let hex = text
        .strip_prefix("sha256:")
        .unwrap_or(text)
        .to_ascii_lowercase();
    if hex.len() == 64 && hex.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Ok(format!("sha256:{hex}"));
    }
    Err(format!("`{text}` is not `sha256:` and 64 hex digits"))
}
