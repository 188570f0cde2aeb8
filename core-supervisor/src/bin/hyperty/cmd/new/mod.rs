//! `hyperty new` — a project that builds, runs and is tested at once.
//!
//! The files are templates in `templates/`, compiled in. So is what a project needs
//! of this runtime and no registry holds, the TypeScript declarations and the Rust
//! client: they are written into the project, which then needs nothing of ours but
//! this program. Who works on the runtime itself names a source tree instead.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::{Style, Tone};

mod source;
mod template;
mod vendored;

const EXAMPLES: &str = "\
Examples:
  hyperty new hyperty Echo
  hyperty new hyperty Chat --lang ts --provider chat.example
  hyperty new protostub Bridge --lang rust
  hyperty new idp-proxy Login --provider login.example --dir ./login

Then:  cd Echo && hyperty dev";

/// The longest name; the catalogue's own limit.
const NAME_CHARACTERS_MAX: usize = 64;

/// Write a project for a new component that builds and runs at once
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What it is to be
    #[arg(value_name = "KIND")]
    kind: Kind,

    /// Its name: letters, digits, `-` and `_`
    #[arg(value_name = "NAME")]
    name: String,

    /// What it is to be written in
    #[arg(long, value_name = "LANGUAGE", default_value = "js")]
    lang: Language,

    /// The domain of its provider
    #[arg(long, value_name = "DOMAIN", default_value = "my.example")]
    provider: String,

    /// Where the project is to be; must be absent or empty [default: ./NAME]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// For Rust: a checkout of this runtime, or its Git address, in place of a copy of its client
    #[arg(long, value_name = "DIR|URL")]
    runtime_source: Option<String>,
}

/// The kinds of components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Service logic
    Hyperty,
    /// A bridge to a domain's protocol
    Protostub,
    /// A bridge to an identity provider
    IdpProxy,
}

/// The languages there are templates for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// JavaScript, no build
    Js,
    /// TypeScript, built by esbuild
    Ts,
    /// Rust, a static program
    Rust,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    directory: String,
    component: String,
    provider: String,
    files: Vec<String>,
}

/// Writes the project, all of it or nothing.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    check_name(&args.name)?;
    check_provider(&args.provider)?;
    let directory = args.dir.clone().unwrap_or_else(|| args.name.clone().into());
    let protocol = match args.lang {
        Language::Rust => source::of_protocol(args.runtime_source.as_deref())?,
        Language::Js | Language::Ts => source::Source::default(),
    };
    let project = template::Project {
        kind: args.kind,
        language: args.lang,
        name: &args.name,
        provider: &args.provider,
        protocol: &protocol.table,
    };
    let mut files = project.files();
    files.extend(protocol.files);
    check_empty(&directory)?;
    for (path, text) in &files {
        write(&directory.join(path), text)?;
    }
    let written = Written {
        directory: directory.display().to_string(),
        component: project.component(),
        provider: args.provider.clone(),
        files: files.into_iter().map(|(path, _)| path).collect(),
    };
    context
        .out
        .answer("hyperty.new/1", &written, |style| text(&written, style))?;
    Ok(())
}

fn check_name(name: &str) -> Outcome {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && name.len() <= NAME_CHARACTERS_MAX && name.chars().all(plain) {
        return Ok(());
    }
    let what = format!("`{name}` cannot be the name of a component");
    Err(Failure::new(Id::Usage, what)
        .fact(
            "expected",
            format!("a letter, then letters, digits, `-` and `_`, at most {NAME_CHARACTERS_MAX}"),
        )
        .fix("for example", "hyperty new hyperty Echo"))
}

// As the catalogue has it: words of letters, digits and hyphens with dots between.
fn check_provider(provider: &str) -> Outcome {
    let is_word = |word: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !word.is_empty()
            && word.chars().all(plain)
            && !word.starts_with('-')
            && !word.ends_with('-')
    };
    if provider.contains('.') && provider.len() <= 253 && provider.split('.').all(is_word) {
        return Ok(());
    }
    let what = format!("`{provider}` is not the domain of a provider");
    Err(Failure::new(Id::Usage, what)
        .fact("expected", "lower-case words with dots between")
        .fix(
            "for example",
            "hyperty new hyperty Echo --provider echo.example",
        ))
}

fn check_empty(directory: &Path) -> Outcome {
    let is_empty = match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => {
            let what = format!("cannot write to `{}`: {error}", directory.display());
            return Err(Failure::new(Id::Local, what));
        }
    };
    if is_empty {
        return Ok(());
    }
    let what = format!(
        "`{}` is not empty: nothing was written",
        directory.display()
    );
    Err(Failure::new(Id::Local, what).fix("to write it elsewhere", "repeat it with --dir DIR"))
}

fn write(file: &Path, text: &str) -> Outcome {
    let made = file.parent().map_or(Ok(()), fs::create_dir_all);
    // Never over a file that somebody made meanwhile.
    let written = made.and_then(|()| {
        let mut new = fs::File::create_new(file)?;
        io::Write::write_all(&mut new, text.as_bytes())
    });
    written.map_err(|error| {
        let what = format!("cannot write `{}`: {error}", file.display());
        Failure::new(Id::Local, what)
    })
}

fn text(written: &Written, style: Style) -> String {
    let mut text = format!(
        "{} {} in {}\n",
        style.paint(Tone::Good, style.tick()),
        style.paint(Tone::Strong, &written.component),
        written.directory
    );
    // Whoever wants to know has them in JSON.
    let (copied, own): (Vec<_>, Vec<_>) = written.files.iter().partition(|file| {
        let path = Path::new(file.as_str());
        path.starts_with(vendored::FOLDER)
    });
    for file in own {
        text.push_str(&format!("  {}\n", style.paint(Tone::Faint, file)));
    }
    if !copied.is_empty() {
        let copied = format!(
            "{}/ ({} files, the runtime's client)",
            vendored::FOLDER,
            copied.len()
        );
        text.push_str(&format!("  {}\n", style.paint(Tone::Faint, &copied)));
    }
    text.push_str(&format!(
        "\nNext:  cd {} && hyperty dev\n",
        written.directory
    ));
    text
}

#[cfg(test)]
mod tests;
