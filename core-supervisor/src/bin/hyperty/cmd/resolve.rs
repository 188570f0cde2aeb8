//! `hyperty resolve` — where a message for an address goes now.

use protocol::api::registry::{self, Hop, Resolve, Way};

use crate::cmd::Outcome;
use crate::error::{Exit, Failure};
use crate::output::{Style, Tone, clean};
use crate::session::Session;
use crate::{Context, target};

const EXAMPLES: &str = "\
Examples:
  hyperty resolve hyperty://there.example/42
  hyperty resolve --explain hyperty://there.example/42
  hyperty resolve --explain fitness://ann@google.com --json | jq -r '.hops[].text'

Nothing is sent, started or asked. Exit status 0 when a message has a way, 1 when not.";

/// Show where a message for an address goes now
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An address, the name of a component, or /ROOM
    #[arg(value_name = "ADDRESS")]
    address: String,

    /// Tell every step that was looked at
    #[arg(long)]
    explain: bool,
}

/// Shows the way.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let wanted = Resolve {
        resource: target::resolve(&mut session, &args.address)?,
        explain: true,
        remote: false,
    };
    let way: Way = session.ask(registry::PATH, "read", &wanted)?;
    context.out.answer("hyperty.way/1", &way, |style| {
        text(&way, args.explain, style)
    })?;
    if way.reachable {
        return Ok(());
    }
    Err(Failure::silent(Exit::Failed))
}

fn text(way: &Way, is_explained: bool, style: Style) -> String {
    let mut text = format!("{}\n", style.paint(Tone::Name, &clean(&way.address)));
    let last = way.hops.len().saturating_sub(1);
    for (at, hop) in way.hops.iter().enumerate() {
        if is_explained || at == last {
            text.push_str(&line(hop, style));
        }
    }
    let verdict = if way.reachable {
        style.paint(Tone::Good, "a message has a way")
    } else {
        style.paint(Tone::Bad, "a message has no way")
    };
    text.push_str(&format!("{verdict}\n"));
    text
}

fn line(hop: &Hop, style: Style) -> String {
    let tone = if hop.found { Tone::Good } else { Tone::Faint };
    let step = style.paint(tone, &format!("{:<13}", clean(&hop.step)));
    format!("  {step} {}\n", clean(&hop.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Way {
        let hop = |step: &str, found, text: &str| Hop {
            step: step.to_owned(),
            found,
            text: text.to_owned(),
        };
        Way {
            address: "hyperty://there.example/42".to_owned(),
            reachable: true,
            hops: vec![
                hop("here", false, "nobody in this runtime has it"),
                hop(
                    "stub",
                    true,
                    "stub nats speaks for there.example: running, live",
                ),
            ],
        }
    }

    #[test]
    fn the_way_is_told_in_one_line_or_hop_by_hop() {
        let plain = Style::PLAIN;

        assert_eq!(
            text(&way(), false, plain),
            "hyperty://there.example/42\n  \
             stub          stub nats speaks for there.example: running, live\n\
             a message has a way\n"
        );
        assert_eq!(text(&way(), true, plain).lines().count(), 4);
    }
}
