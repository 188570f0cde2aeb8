//! `hyperty grants` — which hosts components may reach, and what is open.

use clap::Subcommand;
use protocol::api::connections::{self, Grant, Listing, Pattern, Revoke, Revoked, Select, Source};
use protocol::dial::Transport;
use serde_json::{Value, json};

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::{Column, Style, Table, Tone, cell, clean};
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  hyperty grants
  hyperty grants ls echo
  hyperty grants add acme.example/echo api.acme.example:443
  hyperty grants add echo '*.acme.example:443' --count 4
  hyperty grants add echo nas.lan:445 --private
  hyperty grants add echo 0.0.0.0:8080 --protocol listen
  hyperty grants revoke echo
  hyperty grants rm echo nas.lan:445

What a descriptor asks for (`network`) is granted for public addresses unless it is
revoked; addresses of this machine and its networks, and listening, take `add`. What is
granted and revoked is kept. A node of `hyperty up --node URL` is granted by that to the
stub of its domain, private or not (`node`). Revoking closes what is open. Rules have the
last word: action `connect` and `bind`, resource `Host`.";

/// Show and change which hosts components may reach
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List grants, and the sockets that are open by them
    Ls {
        /// Only of this one: a name, `provider/name` or an address
        #[arg(value_name = "COMPONENT")]
        component: Option<String>,
    },
    /// Grant a place to a component
    Add {
        #[command(flatten)]
        place: Place,
        /// Addresses of this machine and its networks, too
        #[arg(long)]
        private: bool,
        /// So many sockets at a time
        #[arg(
            long,
            value_name = "NUMBER",
            default_value_t = 0,
            hide_default_value = true
        )]
        count: u32,
    },
    /// Take back what was granted or revoked; the descriptor counts again
    Rm {
        #[command(flatten)]
        place: Place,
    },
    /// Take a place away, whoever asked for it, and close what is open
    Revoke {
        /// Whose: a name, `provider/name` or an address
        #[arg(value_name = "COMPONENT")]
        component: String,
        /// The place; everything when it is left out
        #[arg(value_name = "HOST[:PORT]")]
        place: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Whose: a name, `provider/name` or an address
    #[arg(value_name = "COMPONENT")]
    component: String,
    /// A name, an address, `*.example.org` or `*`; without a port, any
    #[arg(value_name = "HOST[:PORT]")]
    at: String,
    /// tcp, udp, or listen to be called
    #[arg(long, value_name = "PROTOCOL", default_value_t = Transport::Tcp, hide_default_value = true)]
    protocol: Transport,
}

/// Does what was asked.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    match &args.what {
        None => list(&mut session, String::new(), context),
        Some(What::Ls { component }) => {
            list(&mut session, component.clone().unwrap_or_default(), context)
        }
        Some(What::Add {
            place,
            private,
            count,
        }) => {
            let grant = place.grant(*private, *count)?;
            let _: Value = session.ask(connections::PATH, "create", &grant)?;
            done("granted", &grant, 0, context)
        }
        Some(What::Rm { place }) => {
            let grant = place.grant(false, 0)?;
            let revoked: Revoked = session.ask(connections::PATH, "delete", &grant)?;
            done("removed", &grant, revoked.closed, context)
        }
        Some(What::Revoke { component, place }) => {
            let (host, port) = match place {
                Some(place) => split(place)?,
                None => (String::new(), 0),
            };
            let revoke = Revoke {
                method: "revoke".to_owned(),
                component: component.clone(),
                host: host.clone(),
                port,
            };
            let revoked: Revoked = session.ask(connections::PATH, "execute", &revoke)?;
            let host = if host.is_empty() {
                "*".to_owned()
            } else {
                host
            };
            let pattern = Pattern {
                host,
                port,
                protocol: Transport::Tcp,
                private: false,
                count: 0,
            };
            let component = component.clone();
            done(
                "revoked",
                &Grant { component, pattern },
                revoked.closed,
                context,
            )
        }
    }
}

impl Place {
    fn grant(&self, private: bool, count: u32) -> Result<Grant, Failure> {
        let (host, port) = split(&self.at)?;
        Ok(Grant {
            component: self.component.clone(),
            pattern: Pattern {
                host,
                port,
                protocol: self.protocol,
                private,
                count,
            },
        })
    }
}

// `host`, `host:port`, `[address]:port`, or an address of IPv6 alone.
fn split(text: &str) -> Result<(String, u16), Failure> {
    let bad = || {
        Failure::new(Id::Usage, format!("`{text}` is no HOST[:PORT]")).fix(
            "for instance",
            "hyperty grants add echo api.example.org:443",
        )
    };
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(bad)?;
            (host, rest.strip_prefix(':'))
        }
        None if text.matches(':').count() > 1 => (text, None),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        None | Some("*") => 0,
        Some(port) => port.parse().map_err(|_| bad())?,
    };
    Ok((host.to_owned(), port))
}

fn list(session: &mut Session, component: String, context: &Context) -> Outcome {
    let listing: Listing = session.ask(connections::PATH, "read", &Select { component })?;
    context
        .out
        .answer("hyperty.grants/1", &listing, |style| text(&listing, style))?;
    Ok(())
}

fn done(what: &str, grant: &Grant, closed: usize, context: &Context) -> Outcome {
    let said = json!({"outcome": what, "grant": grant, "closed": closed});
    context.out.answer("hyperty.grant/1", &said, |style| {
        let tick = style.paint(Tone::Good, style.tick());
        let name = style.paint(Tone::Strong, &clean(&grant.component));
        let place = place(&grant.pattern.host, grant.pattern.port);
        let shut = match closed {
            0 => String::new(),
            1 => "; 1 socket was shut".to_owned(),
            many => format!("; {many} sockets were shut"),
        };
        format!("{tick} {name}  {place} {what}{shut}\n")
    })?;
    Ok(())
}

/// The listing for people.
fn text(listing: &Listing, style: Style) -> String {
    let mut grants = Table::new(&[
        Column::left("COMPONENT").cut_to(12),
        Column::left("HOST").cut_to(12),
        Column::left("PORT"),
        Column::left("PROTOCOL"),
        Column::left("PRIVATE"),
        Column::left("BY"),
        Column::left("OPEN"),
    ]);
    for shown in &listing.grants {
        let pattern = &shown.grant.pattern;
        let is_revoked = shown.source == Source::Revoked;
        let open = match pattern.count {
            0 => shown.open.to_string(),
            count => format!("{} of {count}", shown.open),
        };
        let protocol = if is_revoked {
            "any"
        } else {
            pattern.protocol.name()
        };
        grants.row([
            cell(Tone::Strong, clean(&shown.grant.component)),
            cell(Tone::Name, clean(&pattern.host)),
            port(pattern.port).into(),
            protocol.into(),
            if pattern.private && !is_revoked {
                "yes"
            } else {
                "no"
            }
            .into(),
            cell(source_tone(shown.source), shown.source.word()),
            open.into(),
        ]);
    }
    let mut text = grants.render(style);
    if !listing.sockets.is_empty() {
        text.push('\n');
        text.push_str(&sockets(&listing.sockets, style));
    }
    text
}

/// The open sockets for people.
pub(crate) fn sockets(open: &[connections::Socket], style: Style) -> String {
    let mut table = Table::new(&[
        Column::left("SOCKET"),
        Column::left("COMPONENT").cut_to(16),
        Column::left("HOST").cut_to(12),
        Column::left("PROTOCOL"),
        Column::left("PEER").cut_to(12),
        Column::left("AGE"),
        Column::left("DECISION"),
    ]);
    for socket in open {
        let age = std::time::Duration::from_millis(socket.age_ms);
        table.row([
            format!("n{}", socket.id).into(),
            cell(Tone::Name, clean(&socket.component)),
            clean(&place(&socket.host, socket.port)).into_owned().into(),
            socket.protocol.name().into(),
            clean(&socket.peer).into(),
            crate::output::time::span(age).into(),
            clean(&socket.decision).into(),
        ]);
    }
    table.render(style)
}

/// `host:port`, readable again.
pub(crate) fn place(host: &str, number: u16) -> String {
    let host = clean(host);
    match number {
        0 => host.into_owned(),
        _ if host.contains(':') => format!("[{host}]:{number}"),
        _ => format!("{host}:{number}"),
    }
}

fn port(number: u16) -> String {
    match number {
        0 => "any".to_owned(),
        number => number.to_string(),
    }
}

const fn source_tone(source: Source) -> Tone {
    match source {
        Source::Descriptor => Tone::Faint,
        Source::Operator | Source::Node => Tone::Good,
        Source::Revoked => Tone::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(host: &str, number: u16, source: Source, open: usize) -> connections::Shown {
        connections::Shown {
            grant: Grant {
                component: "acme.example/echo".to_owned(),
                pattern: Pattern {
                    host: host.to_owned(),
                    port: number,
                    protocol: Transport::Tcp,
                    private: matches!(source, Source::Operator | Source::Node),
                    count: u32::try_from(open).unwrap() * 2,
                },
            },
            source,
            open,
        }
    }

    #[test]
    fn grants_and_open_sockets_are_two_tables() {
        let listing = Listing {
            grants: vec![
                shown("*.acme.example", 443, Source::Descriptor, 1),
                shown("nas.lan", 445, Source::Operator, 0),
                shown("node.lan", 4222, Source::Node, 1),
                shown("tracker.example", 0, Source::Revoked, 0),
            ],
            sockets: vec![connections::Socket {
                id: 7,
                component: "hyperty://acme.example/42".to_owned(),
                host: "api.acme.example".to_owned(),
                port: 443,
                protocol: Transport::Tcp,
                peer: "[2001:db8::1]:443".to_owned(),
                listener: None,
                age_ms: 61_000,
                decision: "d-1-9".to_owned(),
            }],
            pending: 0,
            connector: "running".to_owned(),
        };

        insta::assert_snapshot!(text(&listing, Style::PLAIN));
    }

    #[test]
    fn a_place_is_read_as_people_write_it() {
        let read = |text: &str| split(text).map_err(|_| ());

        assert_eq!(read("h.example"), Ok(("h.example".to_owned(), 0)));
        assert_eq!(read("h.example:443"), Ok(("h.example".to_owned(), 443)));
        assert_eq!(read("h.example:*"), Ok(("h.example".to_owned(), 0)));
        assert_eq!(
            read("[2001:db8::1]:443"),
            Ok(("2001:db8::1".to_owned(), 443))
        );
        assert_eq!(read("2001:db8::1"), Ok(("2001:db8::1".to_owned(), 0)));
        assert_eq!(read("*.h.example:1"), Ok(("*.h.example".to_owned(), 1)));
        assert!(read("h.example:99999").is_err());
        assert!(read("h.example:x").is_err());
        assert!(read("[::1").is_err());
    }
}
