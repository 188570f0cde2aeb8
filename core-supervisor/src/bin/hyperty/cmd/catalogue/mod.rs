//! `hyperty catalogue` — what can be deployed, and whether it is sound.

use std::path::PathBuf;

use clap::Subcommand;
use protocol::api::catalogue::{self, Listing, Query};

use crate::Context;
use crate::cmd::{Outcome, deploy, inspect, ps};
use crate::error::{Exit, Failure};
use crate::output::{Column, Style, Table, Tone, cell, clean};
use crate::session::Session;

pub(crate) mod elsewhere;
mod fetched;
mod serve;

const EXAMPLES: &str = "\
Examples:
  hyperty catalogue ls
  hyperty catalogue check ./shop
  hyperty catalogue ls ./shop --json | jq -r '.entries[].name'
  hyperty catalogue serve ./shop
  hyperty catalogue fetch alice.example/hyperty/Chat
  hyperty catalogue pin alice.example/hyperty/Chat
  hyperty catalogue update --check

A catalogue is a directory that holds .well-known/{hyperty,protocolstub,idp-proxy}/;
hyperty help files shows how it is laid out.";

/// Show what can be deployed, and whether it is sound
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List what can be deployed
    Ls {
        /// A catalogue [default: the configured ones]
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },
    /// Read and verify every entry; exit status 1 when one has problems
    Check {
        /// A catalogue [default: the configured ones]
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },
    /// Fetch something of another domain now, and keep it
    Fetch {
        #[command(flatten)]
        named: fetched::Named,
        /// Take it also when it asks for more than the version that is here
        #[arg(long)]
        accept: bool,
    },
    /// Keep the version that is here until it is unpinned
    Pin {
        #[command(flatten)]
        named: fetched::Named,
        /// Only if its code has this digest
        #[arg(long, value_name = "SHA256", value_parser = fetched::digest)]
        digest: Option<String>,
    },
    /// Let a pinned version change again
    Unpin {
        #[command(flatten)]
        named: fetched::Named,
    },
    /// Fetch what has changed; exit status 4 when something asks for more
    Update {
        #[command(flatten)]
        several: fetched::Several,
        /// Only say what has changed
        #[arg(long)]
        check: bool,
        /// Take also what asks for more than the version that is here
        #[arg(long, conflicts_with = "check")]
        accept: bool,
    },
    /// Serve a catalogue over HTTPS, as runtimes elsewhere fetch it
    Serve(serve::Args),
}

/// Asks the catalogue.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let (directory, method, kind) = match &args.what {
        What::Ls { directory } => (directory, "", "read"),
        What::Check { directory } => (directory, "check", "execute"),
        What::Serve(args) => return serve::run(args, context),
        What::Fetch { named, accept } => {
            return fetched::one("fetch", named, (None, *accept), context);
        }
        What::Pin { named, digest } => {
            return fetched::one("pin", named, (digest.as_deref(), false), context);
        }
        What::Unpin { named } => return fetched::one("unpin", named, (None, false), context),
        What::Update {
            several,
            check,
            accept,
        } => return fetched::update(several.named().as_ref(), (*check, *accept), context),
    };
    let catalogue = directory
        .as_deref()
        .map(deploy::absolute)
        .transpose()?
        .unwrap_or_default();
    let mut session = Session::open(context)?;
    let query = Query {
        catalogue,
        method: method.to_owned(),
        ..Query::default()
    };
    let listing: Listing = session.ask(catalogue::PATH, kind, &query)?;
    context
        .out
        .answer("hyperty.catalogue/1", &listing, |style| {
            table(&listing, style)
        })?;
    let is_sound = listing
        .entries
        .iter()
        .all(|entry| entry.problems.is_empty());
    if method == "check" && !is_sound {
        return Err(Failure::silent(Exit::Failed));
    }
    Ok(())
}

/// The entries, and below them what is wrong with some.
pub(crate) fn table(listing: &Listing, style: Style) -> String {
    if listing.entries.is_empty() && !listing.fetched.is_empty() {
        return fetched::table(&listing.fetched, style);
    }
    if listing.entries.is_empty() {
        return "The catalogue is empty. How it is laid out: hyperty help files\n".to_owned();
    }
    let mut table = Table::new(&[
        Column::left("NAME").cut_to(10),
        Column::left("PROVIDER").cut_to(10),
        Column::left("KIND"),
        Column::left("ENGINE"),
        Column::right("SIZE"),
        Column::left(""),
        Column::left("DESCRIPTOR").cut_to(24),
    ]);
    for entry in &listing.entries {
        let is_sound = entry.problems.is_empty();
        let (tone, mark) = if is_sound {
            (Tone::Good, style.tick())
        } else {
            (Tone::Bad, style.cross())
        };
        table.row([
            cell(Tone::Strong, clean(&entry.name)),
            clean(&entry.provider).into(),
            ps::kind(entry.kind).into(),
            ps::engine(entry.engine).into(),
            inspect::size(entry.bytes).into(),
            cell(tone, mark),
            cell(Tone::Faint, clean(&entry.descriptor)),
        ]);
    }
    table.render(style) + &problems(listing, style) + &fetched::table(&listing.fetched, style)
}

fn problems(listing: &Listing, style: Style) -> String {
    let mut text = String::new();
    for entry in &listing.entries {
        for problem in &entry.problems {
            let name = style.paint(Tone::Bad, &clean(&entry.name));
            text.push_str(&format!("{name}: {}\n", clean(problem)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use protocol::api::catalogue::Entry;
    use protocol::frame::ComponentKind;
    use protocol::nursery::Engine;

    use super::*;

    #[test]
    fn what_cannot_be_deployed_is_marked_and_told_why() {
        let entry = |name: &str, kind, engine, bytes, problems: &[&str]| Entry {
            name: name.to_owned(),
            kind,
            engine,
            provider: "acme.example".to_owned(),
            descriptor: format!("acme.example/.well-known/hyperty/{name}.hy.json"),
            code: format!("acme.example/.well-known/hyperty/{name}.hy.js"),
            bytes,
            digest: String::new(),
            problems: problems.iter().map(|text| (*text).to_owned()).collect(),
        };
        let entries = vec![
            entry("echo", ComponentKind::Hyperty, Engine::Script, 812, &[]),
            entry(
                "loopback",
                ComponentKind::ProtoStub,
                Engine::Native,
                912_384,
                &[],
            ),
            entry(
                "broken",
                ComponentKind::Hyperty,
                Engine::Script,
                0,
                &["no code file"],
            ),
        ];

        let listing = Listing {
            entries,
            ..Listing::default()
        };
        insta::assert_snapshot!(table(&listing, Style::PLAIN));
    }
}
