//! `hyperty build` — a project's code, made and put where the catalogue has it.
//!
//! A folder with a `package.json` that has a script `build` is built by npm, which
//! writes into the catalogue itself. One with a `Cargo.toml` is built by cargo;
//! its program then takes the place of the `.elf` of the same name.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::{Output, Tone};

const EXAMPLES: &str = "\
Examples:
  hyperty build
  hyperty build ./echo

A project is what `hyperty new` writes: package.json with a script `build`, or Cargo.toml.";

/// How deep below a project its catalogue's files are looked for:
/// PROVIDER/.well-known/KIND/FILE.
const DEPTH_MAX: usize = 4;

/// Build a project and put its code in the catalogue
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The project
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

#[derive(Debug, Serialize)]
struct Built {
    directory: String,
    by: &'static str,
}

/// How a project is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builder {
    /// `npm run build`.
    Npm,
    /// `cargo build`.
    Cargo,
}

/// Builds it, or says that there is nothing to build.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let directory = &args.directory;
    let Some(builder) = Builder::of(directory)? else {
        let what = format!("`{}` has nothing to build", directory.display());
        return Err(Failure::new(Id::NotFound, what)
            .fact(
                "looked for",
                "package.json with a script `build`, Cargo.toml",
            )
            .fix(
                "to run it as it is",
                format!("hyperty run {}", directory.display()),
            ));
    };
    builder.build(directory, &context.out)?;
    let built = Built {
        directory: directory.display().to_string(),
        by: builder.name(),
    };
    context.out.answer("hyperty.build/1", &built, |style| {
        let tick = style.paint(Tone::Good, style.tick());
        format!("{tick} built by {}\n", built.by)
    })?;
    Ok(())
}

impl Builder {
    /// What builds this folder, if anything does.
    pub(crate) fn of(directory: &Path) -> Result<Option<Self>, Failure> {
        #[derive(Deserialize)]
        struct Package {
            #[serde(default)]
            scripts: serde_json::Map<String, serde_json::Value>,
        }
        let manifest = directory.join("package.json");
        if let Ok(text) = fs::read(&manifest) {
            let package: Package = serde_json::from_slice(&text).map_err(|bad| {
                Failure::new(
                    Id::BuildFailed,
                    format!("cannot read `{}`: {bad}", manifest.display()),
                )
            })?;
            if package.scripts.contains_key("build") {
                return Ok(Some(Self::Npm));
            }
        }
        Ok(directory
            .join("Cargo.toml")
            .is_file()
            .then_some(Self::Cargo))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm run build",
            Self::Cargo => "cargo build",
        }
    }

    /// Builds; what the tools say goes to stderr.
    pub(crate) fn build(self, directory: &Path, out: &Output) -> Outcome {
        out.note(self.name());
        match self {
            Self::Npm => {
                if !directory.join("node_modules").is_dir() {
                    out.note("npm install");
                    let install = ["install", "--no-audit", "--no-fund"];
                    execute("npm", &install, directory)?;
                }
                execute("npm", &["run", "--silent", "build"], directory).map(|_| ())
            }
            Self::Cargo => {
                let arguments = ["build", "--message-format=json-render-diagnostics"];
                let said = execute("cargo", &arguments, directory)?;
                put_programs(&programs(&said), directory)
            }
        }
    }
}

// Runs a tool and gives back the lines it printed; its errors are shown as they come.
fn execute(
    tool: &'static str,
    arguments: &[&str],
    directory: &Path,
) -> Result<Vec<String>, Failure> {
    let mut command = Command::new(tool);
    command
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let started = crate::signals::spawn(&mut command);
    let mut child = started.map_err(|error| {
        Failure::new(Id::BuildFailed, format!("cannot execute `{tool}`: {error}")).fix(
            "to go on",
            format!("install {tool}, and see that it is on the PATH"),
        )
    })?;
    let stdout = child.stdout.take().into_iter();
    let lines: Vec<_> = stdout
        .flat_map(|stdout| BufReader::new(stdout).lines().map_while(Result::ok))
        .collect();
    let status = child.wait().map_err(|error| {
        Failure::new(
            Id::BuildFailed,
            format!("cannot wait for `{tool}`: {error}"),
        )
    })?;
    if status.success() {
        return Ok(lines);
    }
    let what = format!("`{tool} {}` ended with {status}", arguments.join(" "));
    let mut last: Vec<_> = lines.iter().rev().take(20).cloned().collect();
    last.reverse();
    let said = if tool == "cargo" {
        String::new()
    } else {
        last.join("\n")
    };
    Err(Failure::new(Id::BuildFailed, what)
        .fact("in", directory.display().to_string())
        .fact("said", said))
}

// The programs that cargo says it has made.
fn programs(said: &[String]) -> Vec<PathBuf> {
    #[derive(Deserialize)]
    struct Said {
        executable: Option<PathBuf>,
    }
    let said = said.iter();
    said.filter_map(|line| serde_json::from_str::<Said>(line).ok()?.executable)
        .collect()
}

fn put_programs(programs: &[PathBuf], directory: &Path) -> Outcome {
    let mut put = 0;
    for descriptor in descriptors(directory) {
        let file = descriptor.file_name().unwrap_or_default().to_string_lossy();
        let name = file.split('.').next().unwrap_or_default();
        let named = |program: &&PathBuf| program.file_name().is_some_and(|file| file == name);
        let Some(program) = programs.iter().find(named) else {
            continue;
        };
        let place = descriptor.with_extension("elf");
        // A program that is read right now must not change under its reader.
        let beside = descriptor.with_extension("new");
        let moved = fs::copy(program, &beside).and_then(|_| fs::rename(&beside, &place));
        moved.map_err(|error| {
            Failure::new(
                Id::BuildFailed,
                format!("cannot write `{}`: {error}", place.display()),
            )
        })?;
        put += 1;
    }
    if put > 0 {
        return Ok(());
    }
    Err(
        Failure::new(Id::BuildFailed, "no program has the name of a component")
            .fact("in", directory.display().to_string())
            .fact("expected", "a [[bin]] called as the NAME of NAME.hy.json"),
    )
}

/// The descriptors of a project's catalogue.
pub(crate) fn descriptors(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(directory, DEPTH_MAX, &mut found);
    found.sort();
    found
}

fn collect(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_catalogued = path
            .components()
            .any(|part| part.as_os_str() == ".well-known");
        if path.is_dir() && depth > 1 {
            let skipped = path.ends_with("node_modules") || path.ends_with("target");
            if !skipped {
                collect(&path, depth - 1, found);
            }
        } else if is_catalogued && path.extension().is_some_and(|ending| ending == "json") {
            found.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_files_of_a_folder_tell_what_builds_it() {
        let scratch = Scratch::new("test").unwrap();
        let write = |file: &str, text: &str| fs::write(scratch.path().join(file), text).unwrap();
        let of = || Builder::of(scratch.path());

        assert_eq!(of(), Ok(None));
        write("Cargo.toml", "");
        assert_eq!(of(), Ok(Some(Builder::Cargo)));
        write("package.json", "{}");
        assert_eq!(of(), Ok(Some(Builder::Cargo)));
        write("package.json", r#"{"scripts":{"build":"true"}}"#);
        assert_eq!(of(), Ok(Some(Builder::Npm)));
        write("package.json", "{");
        assert!(of().unwrap_err().what().contains("package.json"));
    }

    #[test]
    fn a_program_goes_to_the_component_of_its_name() {
        let scratch = Scratch::new("test").unwrap();
        let folder = scratch.path().join("a.example/.well-known/hyperty");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("Echo.hy.json"), "{}").unwrap();
        let program = scratch.path().join("Echo");
        fs::write(&program, "program").unwrap();
        let line = format!(r#"{{"reason":"compiler-artifact","executable":{program:?}}}"#);

        put_programs(&programs(&[line, "noise".to_owned()]), scratch.path()).unwrap();
        let other = put_programs(&[scratch.path().join("Other")], scratch.path());

        assert_eq!(
            fs::read_to_string(folder.join("Echo.hy.elf")).unwrap(),
            "program"
        );
        assert!(
            other
                .unwrap_err()
                .what()
                .contains("no program has the name")
        );
    }
}
