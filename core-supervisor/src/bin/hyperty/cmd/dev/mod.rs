//! `hyperty dev` — a project that runs while it is written.
//!
//! build → deploy → (a file changes → build → reload → its log) …
//!
//! A component keeps its address and its sandbox. Code that does not build or
//! does not load is told with its place, and the old code goes on.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::Context;
use crate::args::Launch;
use crate::cmd::build::{self, Builder};
use crate::cmd::deploy::{self, How};
use crate::cmd::run::join_or_start;
use crate::cmd::{Outcome, up};
use crate::error::{Exit, Failure, Id};
use crate::output::Tone;
use crate::scratch::Scratch;
use crate::signals;
use crate::watch::{Ended, Watch};

mod tree;

use tree::Tree;

const EXAMPLES: &str = "\
Examples:
  hyperty dev
  hyperty dev ./echo --set greeting=hi

It builds what has a package.json with a script `build`, or a Cargo.toml; deploys every
component of DIR; and reloads each one whose code or descriptor changes, at the same address
and in the same sandbox. Stack traces name the files of your sources when there is a source map.";

/// How often the project's files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Run a project, and reload it whenever a file changes
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The project: a catalogue, and what it is built from
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,

    /// The provider, when the catalogue names none
    #[arg(long, value_name = "DOMAIN")]
    provider: Option<String>,

    /// For whom it acts: name@idp or user://idp/name [default: the runtime's user]
    #[arg(long, value_name = "USER")]
    user: Option<String>,

    /// Replace a member of the configuration; the value is JSON or text
    #[arg(long, value_name = "NAME=VALUE", value_parser = deploy::setting)]
    set: Vec<(String, serde_json::Value)>,

    #[command(flatten)]
    launch: Launch,
}

/// The project, and what was last seen of it.
struct Project {
    directory: PathBuf,
    builder: Option<Builder>,
    how: How,
    /// Everything.
    files: Tree,
    /// What runs: descriptors and code.
    code: Tree,
    looked: Instant,
}

/// Runs it until Ctrl-C.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    signals::take();
    let directory = PathBuf::from(deploy::absolute(&args.directory)?);
    let builder = Builder::of(&directory)?;
    if let Some(builder) = builder {
        builder.build(&directory, &context.out)?;
    }
    let how = How {
        catalogue: Some(directory.clone()),
        provider: args.provider.clone(),
        user: args.user.clone(),
        set: args.set.clone(),
    };
    let mut project = Project {
        files: Tree::of(&directory),
        code: Tree::of_files(&code_of(&directory)),
        directory,
        builder,
        how,
        looked: Instant::now(),
    };
    let scratch = Scratch::new("dev")?;
    let (mut supervisor, session) = join_or_start(&args.launch, &scratch, context)?;
    let mut watch = Watch::new(session, context.out)?;
    let outcome = follow(&mut project, &mut watch, supervisor.as_mut());
    match supervisor.as_mut() {
        Some(supervisor) => up::end(supervisor, context)?,
        None => watch.remove()?,
    }
    outcome
}

fn follow(
    project: &mut Project,
    watch: &mut Watch,
    supervisor: Option<&mut crate::supervisor::Supervisor>,
) -> Outcome {
    let wanted = watch.everything(&project.how)?;
    watch.deploy(wanted)?;
    watch.tell(Tone::Faint, "watching for changes; Ctrl-C ends it")?;
    let ended = watch.follow_with(supervisor, false, &mut |watch| {
        project.look(watch)?;
        Ok(false)
    });
    match ended? {
        Ended::Interrupted | Ended::NothingLeft | Ended::Satisfied => Ok(()),
        Ended::Supervisor(_) => Err(Failure::new(Id::LinkLost, "the supervisor ended")),
    }
}

impl Project {
    // Looks whether something changed, builds, and reloads what is other code now.
    fn look(&mut self, watch: &mut Watch) -> Outcome {
        if self.looked.elapsed() < LOOK_EVERY || watch.is_busy() {
            return Ok(());
        }
        self.looked = Instant::now();
        let now = Tree::of(&self.directory);
        let Some(first) = now
            .changed_since(&self.files)
            .first()
            .map(|file| self.short(file))
        else {
            return Ok(());
        };
        // An editor writes several files one after the other: the next look finds
        // the rest, unless all is quiet.
        self.files = now;
        watch.tell(Tone::Faint, &format!("{first} has changed"))?;
        if let Some(builder) = self.builder {
            let built = builder.build(&self.directory, &watch.out());
            // What the build wrote is no change of the author's.
            self.files = Tree::of(&self.directory);
            if let Err(failure) = built {
                return watch.complain(&failure);
            }
        }
        self.reload(watch)
    }

    fn reload(&mut self, watch: &mut Watch) -> Outcome {
        let code = Tree::of_files(&code_of(&self.directory));
        let before = std::mem::replace(&mut self.code, code);
        let changed = self.code.changed_since(&before);
        if changed.is_empty() {
            return Ok(());
        }
        let stems: Vec<_> = changed.iter().map(|file| file.with_extension("")).collect();
        let wanted = watch.everything(&self.how);
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(failure) if failure.exit() == Exit::Unreachable => return Err(failure),
            Err(failure) => return watch.complain(&failure),
        };
        for deploy in wanted {
            let is_changed = |code: &PathBuf| stems.contains(&code.with_extension(""));
            let code = deploy::code_files(&deploy);
            if code.iter().any(is_changed) {
                watch.renew(deploy)?;
            }
        }
        Ok(())
    }

    fn short(&self, file: &Path) -> String {
        let short = file.strip_prefix(&self.directory).unwrap_or(file);
        short.display().to_string()
    }
}

// Descriptors, and the code beside them.
fn code_of(directory: &Path) -> Vec<PathBuf> {
    let descriptors = build::descriptors(directory).into_iter();
    descriptors
        .flat_map(|descriptor| {
            let code = ["js", "elf"].map(|ending| descriptor.with_extension(ending));
            [vec![descriptor], code.to_vec()].concat()
        })
        .collect()
}
