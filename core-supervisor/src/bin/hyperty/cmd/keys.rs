//! `hyperty keys` — whose signatures are believed.

use std::path::Path;

use clap::Subcommand;
use protocol::api::catalogue::{self, Keys, Query};

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::{Column, Style, Table, Tone, cell, clean};
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  hyperty keys                                   what is known, and who said so
  hyperty keys add acme.example minisign.pub     acme.example signs with this key, too
  hyperty keys rm acme.example 9B3F7A11C0FFEE42  and not with that one any more

The first key that a provider's package brings is its key, unless one was added before.";

/// Show and change whose signatures are believed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the keys that are known
    Ls,
    /// Believe what is signed with a key
    Add {
        /// The provider's domain
        provider: String,
        /// The key: the line `RW…`, or the `.pub` file
        key: String,
    },
    /// Forget a key of a provider, or all
    Rm {
        /// The provider's domain
        provider: String,
        /// Its number, or the key; all when left out
        key: Option<String>,
    },
}

/// Does what was asked.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let query = match &args.what {
        None | Some(What::Ls) => query("keys", "", ""),
        Some(What::Add { provider, key }) => {
            query("trust", "", &format!("{provider}={}", line(key)?))
        }
        Some(What::Rm { provider, key }) => {
            query("distrust", provider, key.as_deref().unwrap_or_default())
        }
    };
    let keys: Keys = session.ask(catalogue::PATH, "execute", &query)?;
    let schema = "hyperty.keys/1";
    Ok(context
        .out
        .answer(schema, &keys, |style| text(&keys, style))?)
}

fn query(method: &str, provider: &str, key: &str) -> Query {
    Query {
        method: method.to_owned(),
        provider: provider.to_owned(),
        key: key.to_owned(),
        ..Query::default()
    }
}

// The key itself, or the one in a file.
fn line(said: &str) -> Result<String, Failure> {
    if !Path::new(said).is_file() {
        return Ok(said.to_owned());
    }
    let text = std::fs::read_to_string(said).map_err(|e| {
        let what = format!("cannot read `{said}`: {e}");
        Failure::new(Id::Local, what)
    })?;
    let key = text.parse::<hyperty_package::Key>();
    let key = key.map_err(|e| Failure::new(Id::Usage, format!("`{said}`: {e}")))?;
    Ok(key.to_string())
}

fn text(keys: &Keys, style: Style) -> String {
    let mut table = Table::new(&[
        Column::left("PROVIDER"),
        Column::left("NUMBER"),
        Column::left("BY"),
        Column::left("KEY"),
    ]);
    for known in &keys.keys {
        table.row([
            cell(Tone::Strong, clean(&known.provider)),
            clean(&known.id).into(),
            clean(&known.by).into(),
            cell(Tone::Faint, clean(&known.key)),
        ]);
    }
    let unsigned = clean(&keys.unsigned);
    table.render(style) + &format!("unsigned packages: {unsigned}\n")
}
