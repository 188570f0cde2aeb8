//! `hyperty registry` — who owns which address.

use std::time::Duration;

use clap::Subcommand;
use protocol::api::registry::{self, Domain, Entry, FarEntry, Listing, Remote, Resolve};
use serde_json::json;

use crate::cmd::Outcome;
use crate::output::table::Cell;
use crate::output::{Column, Style, Table, Tone, cell, clean, time};
use crate::session::Session;
use crate::{Context, target};

const EXAMPLES: &str = "\
Examples:
  hyperty registry ls
  hyperty registry ls --remote
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
    Ls {
        /// List what the registries of other domains have been told, and have said
        #[arg(long)]
        remote: bool,
    },
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
        What::Ls { remote: true } => {
            let remote: Remote = session.ask(registry::PATH, "read", &json!({"remote": true}))?;
            context.out.answer("hyperty.remote/1", &remote, |style| {
                remote_text(&remote, style)
            })?;
        }
        What::Ls { remote: false } => {
            let listing: Listing = session.ask(registry::PATH, "read", &json!({}))?;
            context
                .out
                .answer("hyperty.registry/1", &listing, |style| {
                    table(&listing, style)
                })?;
        }
        What::Resolve { address } => {
            let wanted = Resolve {
                resource: target::resolve(&mut session, address)?,
                ..Resolve::default()
            };
            let entry: Entry = session.ask(registry::PATH, "read", &wanted)?;
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

fn remote_text(remote: &Remote, style: Style) -> String {
    if remote.domains.is_empty() {
        return "No domain is reached. To belong to one: hyperty up --domain D --node URL\n"
            .to_owned();
    }
    let mut domains = Table::new(&[
        Column::left("DOMAIN").cut_to(16),
        Column::left("SESSION"),
        Column::left("HOME"),
        Column::right("WAITING"),
        Column::left("WHY").cut_to(20),
    ]);
    for domain in &remote.domains {
        domains.row(domain_row(domain));
    }
    if remote.entries.is_empty() {
        return domains.render(style);
    }
    let mut entries = Table::new(&[
        Column::left("ADDRESS").cut_to(30),
        Column::left("KIND"),
        Column::left("DOMAIN").cut_to(12),
        Column::left("STATUS"),
        Column::right("NEXT"),
        Column::left("WHY").cut_to(16),
    ]);
    for entry in &remote.entries {
        entries.row(far_row(entry));
    }
    format!("{}\n{}", domains.render(style), entries.render(style))
}

fn domain_row(domain: &Domain) -> [Cell; 5] {
    let session = match (domain.session.as_str(), domain.next_try_ms) {
        ("", Some(ms)) => format!("shut {}", time::span(Duration::from_millis(ms))),
        ("", None) => "-".to_owned(),
        (session, _) => session.to_owned(),
    };
    [
        cell(Tone::Strong, clean(&domain.name)),
        cell(status_tone(&domain.session), clean(&session)),
        if domain.is_home { "yes" } else { "no" }.into(),
        domain.waiting.to_string().into(),
        clean(&domain.fault).into(),
    ]
}

fn far_row(entry: &FarEntry) -> [Cell; 6] {
    let next = entry.next_ms.map(Duration::from_millis);
    [
        cell(Tone::Name, clean(&entry.address)),
        clean(&entry.kind).into(),
        clean(&entry.domain).into(),
        cell(status_tone(&entry.status), clean(&entry.status)),
        next.map_or_else(|| "-".to_owned(), time::span).into(),
        clean(&entry.fault).into(),
    ]
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
    fn domains_are_listed_with_what_they_were_told() {
        let remote = Remote {
            domains: vec![
                Domain {
                    name: "acme.example".to_owned(),
                    is_home: true,
                    session: "live".to_owned(),
                    ..Domain::default()
                },
                Domain {
                    name: "gone.example".to_owned(),
                    fault: "no protocol stub speaks for `gone.example`".to_owned(),
                    next_try_ms: Some(4_200),
                    ..Domain::default()
                },
            ],
            entries: vec![FarEntry {
                address: "hyperty://acme.example/42".to_owned(),
                kind: "hyperty".to_owned(),
                domain: "acme.example".to_owned(),
                status: "live".to_owned(),
                next_ms: Some(1_636_000),
                ..FarEntry::default()
            }],
        };

        let text = remote_text(&remote, Style::PLAIN);

        assert!(text.contains("shut 4.2s"), "{text}");
        assert!(text.contains("27m 16s"), "{text}");
    }

    #[test]
    fn a_route_is_told_hop_by_hop() {
        let object = entry("comm://acme.example/7f3a", "object", "echo", "live");

        insta::assert_snapshot!(route(&object, Style::PLAIN));
    }
}
