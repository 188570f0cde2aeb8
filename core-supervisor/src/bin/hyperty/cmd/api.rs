//! `hyperty api` — what can be called on a hyperty.

use protocol::api::rpc::Description;
use protocol::client::rpc::Target;
use serde::Serialize;

use crate::Context;
use crate::cmd::Outcome;
use crate::output::{Column, Style, Table, Tone, cell, clean};
use crate::session::Session;
use crate::target;

const EXAMPLES: &str = "\
Examples:
  hyperty api clock
  hyperty api clock zones.local
  hyperty api hyperty://acme.example/42 --json | jq -r '.methods[].name'

Names that begin with `_` are the hyperty's own and are not shown. To call one: hyperty call";

/// Show what can be called on a hyperty
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An address, or the name of a component
    #[arg(value_name = "TO")]
    to: String,

    /// Of this member
    #[arg(value_name = "PATH")]
    path: Option<String>,
}

#[derive(Debug, Serialize)]
struct Whole<'a> {
    address: &'a str,
    #[serde(flatten)]
    description: &'a Description,
}

/// Shows the methods and members.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let address = target::hyperty(&mut session, &args.to)?;
    let path: Vec<&str> = args.path.iter().flat_map(|path| path.split('.')).collect();
    let description = session.describe(&args.to, Target::instance(&address).at(&path))?;
    let whole = Whole {
        address: &address,
        description: &description,
    };
    context.out.answer("hyperty.api/1", &whole, |style| {
        text(&whole, &args.to, style)
    })?;
    Ok(())
}

fn text(whole: &Whole<'_>, written: &str, style: Style) -> String {
    let Description {
        name,
        methods,
        properties,
    } = whole.description;
    // A bundle's class may have no name.
    let name = if name.is_empty() { written } else { name };
    let title = style.paint(Tone::Strong, &clean(name));
    let address = style.paint(Tone::Name, &clean(whole.address));
    let mut text = format!("{title}  {address}\n");
    if !methods.is_empty() {
        let mut table = Table::new(&[Column::left("METHOD"), Column::right("ARGUMENTS")]);
        for method in methods {
            table.row([
                cell(Tone::Plain, clean(&method.name)),
                method.arity.to_string().into(),
            ]);
        }
        text.push_str(&format!("\n{}", table.render(style)));
    }
    if !properties.is_empty() {
        let mut table = Table::new(&[Column::left("MEMBER"), Column::left("TYPE")]);
        for property in properties {
            table.row([
                cell(Tone::Plain, clean(&property.name)),
                cell(Tone::Faint, clean(&property.kind)),
            ]);
        }
        text.push_str(&format!("\n{}", table.render(style)));
    }
    text
}

#[cfg(test)]
mod tests {
    use protocol::api::rpc::{Method, Property};

    use super::*;

    #[test]
    fn methods_and_members_are_two_tables() {
        let method = |name: &str, arity| Method {
            name: name.to_owned(),
            arity,
        };
        let description = Description {
            name: "Clock".to_owned(),
            methods: vec![method("add", 2), method("onTick", 1)],
            properties: vec![Property {
                name: "volume".to_owned(),
                kind: "number".to_owned(),
            }],
        };
        let whole = Whole {
            address: "hyperty://acme.example/42",
            description: &description,
        };

        insta::assert_snapshot!(text(&whole, "clock", Style::PLAIN));
    }
}
