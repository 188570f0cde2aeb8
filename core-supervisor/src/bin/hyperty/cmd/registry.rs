//! `hyperty registry` — who owns which address.

use clap::Subcommand;
use protocol::api::registry::{self, Entry, Listing, Resolve};
use serde_json::json;

use crate::cmd::Outcome;
use crate::output::{Column, Style, Table, Tone, cell, clean};
use crate::session::Session;
use crate::{Context, target};

const EXAMPLES: &str = "\
Examples:
  hyperty registry ls
  hyperty registry resolve hyperty://acme.example/42/chat
  hyperty registry resolve echo --json | jq -r '.route[]'";

/// Show who owns which address, and how a message gets there
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List every registered address
    Ls,
    /// Show who owns an address, and the way to it hop by hop
    Resolve {
        /// An address, the name of a component, or /ROOM
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
}

/// Asks the registry.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    match &args.what {
        What::Ls => {
            let listing: Listing = session.ask(registry::PATH, "read", &json!({}))?;
            context
                .out
                .answer("hyperty.registry/1", &listing, |style| {
                    table(&listing, style)
                })?;
        }
        What::Resolve { address } => {
            let resource = target::resolve(&mut session, address)?;
            let entry: Entry = session.ask(registry::PATH, "read", &Resolve { resource })?;
            context
                .out
                .answer("hyperty.resolve/1", &entry, |style| route(&entry, style))?;
        }
    }
    Ok(())
}

fn table(listing: &Listing, style: Style) -> String {
    let mut table = Table::new(&[
        Column::left("ADDRESS").cut_to(30),
        Column::left("KIND"),
        Column::left("NAME").cut_to(10),
        Column::left("PROVIDER").cut_to(10),
        Column::left("STATUS"),
    ]);
    for entry in &listing.entries {
        table.row([
            cell(Tone::Name, clean(&entry.address)),
            clean(&entry.kind).into(),
            cell(Tone::Strong, clean(&entry.name)),
            clean(&entry.provider).into(),
            cell(status_tone(&entry.status), clean(&entry.status)),
        ]);
    }
    table.render(style)
}

fn route(entry: &Entry, style: Style) -> String {
    let address = style.paint(Tone::Name, &clean(&entry.address));
    let status = style.paint(status_tone(&entry.status), &clean(&entry.status));
    let owner = match entry.provider.as_str() {
        "" => clean(&entry.name).into_owned(),
        provider => format!("{}@{}", clean(&entry.name), clean(provider)),
    };
    let kind = clean(&entry.kind);
    let mut text = format!("{address}\n  {kind} of {owner}, {status}\n");
    if entry.owner != entry.address && !entry.owner.is_empty() {
        text.push_str(&format!("  owned by {}\n", clean(&entry.owner)));
    }
    for (hop, place) in entry.route.iter().enumerate() {
        text.push_str(&format!(
            "  {:3$}{} {}\n",
            "",
            style.arrow(),
            clean(place),
            2 * hop
        ));
    }
    text
}

fn status_tone(status: &str) -> Tone {
    match status {
        "live" => Tone::Good,
        _ => Tone::Odd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(address: &str, kind: &str, name: &str, status: &str) -> Entry {
        Entry {
            address: address.to_owned(),
            kind: kind.to_owned(),
            provider: "acme.example".to_owned(),
            name: name.to_owned(),
            owner: "hyperty://acme.example/42".to_owned(),
            status: status.to_owned(),
            route: vec!["link k4".to_owned(), "sandbox s3 (L3)".to_owned()],
        }
    }

    #[test]
    fn addresses_are_listed_with_their_owners() {
        let entries = vec![
            entry("hyperty://acme.example/42", "hyperty", "echo", "live"),
            entry("comm://acme.example/7f3a", "object", "echo", "reserved"),
        ];

        insta::assert_snapshot!(table(&Listing { entries }, Style::PLAIN));
    }

    #[test]
    fn a_route_is_told_hop_by_hop() {
        let object = entry("comm://acme.example/7f3a", "object", "echo", "live");

        insta::assert_snapshot!(route(&object, Style::PLAIN));
    }
}
