//! `hyperty test` — a component in its sandbox, among peers that are played.
//!
//! plan (what the file says) → stage (a runtime, stubs for the peers) → play
//! (step by step) → told here

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use protocol::api::user_agent::Deploy;
use serde::Serialize;

use crate::args::Launch;
use crate::cmd::build::Builder;
use crate::cmd::{Outcome, deploy};
use crate::error::{Failure, Id};
use crate::output::{Style, Tone, clean, time};
use crate::{Context, signals};

mod pattern;
mod plan;
mod play;
pub(crate) mod recording;
mod stage;
mod whose;

use plan::Plan;
use play::Why;
use stage::Stage;
use whose::Whose;

const EXAMPLES: &str = "\
Examples:
  hyperty test
  hyperty test ./echo --only greets
  hyperty test Echo.test.json --policy policy.d
  hyperty record Echo talk.jsonl --for 1m && hyperty test talk.jsonl --catalogue ./shop

In a folder: every NAME.test.json and NAME.jsonl of it and of its folder `tests`.
`hyperty help tests` explains what stands in them.";

/// Run a component's tests in a sandbox, with peers that are played
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A project, a test file or a recording
    #[arg(value_name = "DIR|FILE", default_value = ".")]
    what: PathBuf,

    /// The catalogue with the component [default: the folder of the test file]
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,

    /// Only the tests whose name has this text
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    only: String,

    /// Do not build the project first
    #[arg(long)]
    no_build: bool,

    #[command(flatten)]
    whose: Whose,

    #[command(flatten)]
    launch: Launch,
}

/// What became of one test.
#[derive(Debug, Serialize)]
struct Told<'a> {
    file: &'a str,
    component: &'a str,
    name: &'a str,
    outcome: &'static str,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Why>,
}

/// What became of all.
#[derive(Debug, Default, Serialize)]
struct Sum {
    tests: usize,
    failed: usize,
}

/// Runs the tests; the first file that cannot be used ends it.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    signals::take();
    let what = PathBuf::from(deploy::absolute(&args.what)?);
    let folder = if what.is_dir() {
        what.clone()
    } else {
        folder_of(&what)
    };
    let catalogue = match &args.catalogue {
        Some(catalogue) => PathBuf::from(deploy::absolute(catalogue)?),
        None => folder,
    };
    let files = files(&what)?;
    if !args.no_build
        && let Some(builder) = Builder::of(&catalogue)?
    {
        builder.build(&catalogue, &context.out)?;
    }
    let mut sum = Sum::default();
    for file in files {
        one_file(&file, &catalogue, args, context, &mut sum)?;
    }
    finish(&sum, args, context)
}

fn finish(sum: &Sum, args: &Args, context: &Context) -> Outcome {
    context.out.item("hyperty.tests/1", sum, |style| {
        let tone = if sum.failed > 0 {
            Tone::Bad
        } else {
            Tone::Good
        };
        let text = format!("{} tests, {} failed", sum.tests, sum.failed);
        format!("\n{}\n", style.paint(tone, &text))
    })?;
    match (sum.tests, sum.failed) {
        (0, _) => Err(Failure::new(
            Id::NotFound,
            format!("no test has `{}` in its name", args.only),
        )),
        (_, 0) => Ok(()),
        (tests, failed) => Err(Failure::new(
            Id::TestFailed,
            format!("{failed} of {tests} tests failed"),
        )),
    }
}

fn one_file(
    file: &Path,
    catalogue: &Path,
    args: &Args,
    context: &Context,
    sum: &mut Sum,
) -> Outcome {
    let plan = Plan::read(file, &args.whose, catalogue)?;
    let shown = file.file_name().unwrap_or_default().to_string_lossy();
    context.out.human(|style| {
        let head = style.paint(Tone::Strong, &clean(&shown));
        format!("{head}  {}\n", clean(&plan.component))
    })?;
    let wanted = Deploy {
        catalogue: catalogue.display().to_string(),
        component: plan.component.clone(),
        provider: plan.provider.clone(),
        user: plan.user.clone(),
        configuration: plan.configuration.clone(),
        ..Deploy::default()
    };
    let tests: Vec<_> = plan
        .tests
        .iter()
        .filter(|test| test.name.contains(&args.only))
        .collect();
    if tests.is_empty() {
        return Ok(());
    }
    let mut stage = Stage::open(&plan, &args.launch, context)?;
    for test in tests {
        let started = Instant::now();
        let failure = play::play(&mut stage, &plan, test, &wanted)?.err();
        let took = started.elapsed();
        sum.tests += 1;
        sum.failed += usize::from(failure.is_some());
        let told = Told {
            file: &shown,
            component: &plan.component,
            name: &test.name,
            outcome: if failure.is_some() { "failed" } else { "ok" },
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            failure,
        };
        context
            .out
            .item("hyperty.test/1", &told, |style| text(&told, style))?;
    }
    Ok(())
}

/// One test for people.
fn text(told: &Told<'_>, style: Style) -> String {
    let took = time::span(std::time::Duration::from_millis(told.ms));
    let (tone, mark) = match told.failure {
        None => (Tone::Good, style.tick()),
        Some(_) => (Tone::Bad, style.cross()),
    };
    let mut text = format!(
        "  {} {}  {}\n",
        style.paint(tone, mark),
        clean(told.name),
        style.paint(Tone::Faint, &took)
    );
    let Some(why) = &told.failure else {
        return text;
    };
    let mut line = |label: &str, value: &str| {
        let label = style.paint(Tone::Faint, &format!("{label:8}"));
        text.push_str(&format!("      {label}  {}\n", clean(value)));
    };
    line(&why.step, &why.what);
    if let Some(wanted) = &why.wanted {
        line("wanted", &wanted.to_string());
    }
    if let Some(closest) = &why.closest {
        line("seen", &closest.to_string());
    }
    for difference in &why.differences {
        let was = match &difference.was {
            Some(was) => format!("is {was}"),
            None => "is not there".to_owned(),
        };
        line(
            "differs",
            &format!("{} {was}, wanted {}", difference.path, difference.wanted),
        );
    }
    for said in &why.log {
        for part in said.lines() {
            line("log", part);
        }
    }
    text
}

fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(file);
    match (folder.file_name(), folder.parent()) {
        (Some(name), Some(above)) if name == "tests" => above.to_path_buf(),
        _ => folder.to_path_buf(),
    }
}

fn files(what: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !what.is_dir() {
        return Ok(vec![what.to_path_buf()]);
    }
    let mut files = Vec::new();
    for folder in [what.to_path_buf(), what.join("tests")] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".test.json") || name.ends_with(".jsonl") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    if files.is_empty() {
        let what = format!("`{}` has no tests", what.display());
        return Err(Failure::new(Id::NotFound, what)
            .fact("looked for", "*.test.json and *.jsonl, here and in `tests`")
            .fix("to see what stands in one", "hyperty help tests"));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::pattern::Difference;
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_failed_test_shows_the_step_what_was_seen_and_where_it_differs() {
        let why = Why {
            step: "then 1: expect".to_owned(),
            what: "not seen within 5 s".to_owned(),
            wanted: Some(json!({"body": {"value": "hello"}})),
            closest: Some(json!({"body": {"value": "hi\u{1b}"}})),
            differences: vec![Difference {
                path: "body.value".to_owned(),
                wanted: json!("hello"),
                was: Some(json!("hi\u{1b}")),
            }],
            log: vec!["asked\n    at src/echo.ts:3:5".to_owned()],
        };
        let told = Told {
            file: "echo.test.json",
            component: "hyperty/Echo",
            name: "it greets",
            outcome: "failed",
            ms: 5_012,
            failure: Some(why),
        };

        insta::assert_snapshot!(text(&told, Style::PLAIN));
    }

    #[test]
    fn the_tests_of_a_project_stand_in_it_or_in_its_tests() {
        let scratch = Scratch::new("test").unwrap();
        let write = |file: &str| fs::write(scratch.path().join(file), "").unwrap();
        fs::create_dir(scratch.path().join("tests")).unwrap();
        assert!(files(scratch.path()).is_err());
        for file in [
            "a.test.json",
            "other.json",
            "tests/b.test.json",
            "tests/c.jsonl",
        ] {
            write(file);
        }

        let found = files(scratch.path()).unwrap();

        let names: Vec<_> = found.iter().filter_map(|file| file.file_name()).collect();
        assert_eq!(names, ["a.test.json", "b.test.json", "c.jsonl"]);
        assert_eq!(folder_of(&found[1]), scratch.path());
    }
}
