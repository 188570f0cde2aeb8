//! The whole run: each case with victims of its own, judged and shown as it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use protocol::frame::Level;
use serde_json::json;

use crate::args::Args;
use crate::case::{self, By, Case};
use crate::played::{self, Stage};
use crate::process;
use crate::report::{Line, Report};
use crate::runtime::{Runtime, Setup};
use crate::score::Score;
use crate::verdict::{self, Verdict, name};
use crate::victims::{self, Victims};
use crate::{arena, bus, script};

/// The program of attempts, as the build script made it.
const ATTEMPTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/attempts"));

/// Runs what was asked for.
pub(crate) fn run(args: &Args) -> Result<Score> {
    let home = tempfile::Builder::new()
        .prefix("hyperty-escape-")
        .tempdir()?;
    // The attempts of the control and of other sandboxes may run as anybody.
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755))?;
    let attempts = home.path().join("attempts");
    fs::write(&attempts, ATTEMPTS)?;
    fs::set_permissions(&attempts, fs::Permissions::from_mode(0o755))?;
    let cases = case::all(&attempts)?;
    let report = Report::new(args.json);
    if args.list {
        report.list(&cases)?;
        return Ok(Score::default());
    }
    let cases: Vec<Case> = cases
        .into_iter()
        .filter(|case| args.wants(&case.id))
        .collect();
    anyhow::ensure!(
        !cases.is_empty(),
        "no case is named `{}`: see --list",
        args.only.join(",")
    );
    let arena = match &args.with {
        Some(command) => Arena::Command(command.split_whitespace().map(str::to_owned).collect()),
        None => Arena::ours(home.path(), &attempts, args.level)?,
    };
    let suite = Suite {
        home: home.path().to_owned(),
        attempts,
        has_control: !args.no_control,
    };
    suite.run(arena, &cases, &report)
}

struct Suite {
    home: PathBuf,
    attempts: PathBuf,
    has_control: bool,
}

/// Whose sandbox it is.
enum Arena {
    Ours {
        runtime: Box<Runtime>,
        witness: String,
        level: Level,
    },
    Command(Vec<String>),
}

impl Arena {
    fn ours(home: &Path, attempts: &Path, level: Option<Level>) -> Result<Self> {
        let setup = Setup {
            level,
            env: secrets(),
            ..Setup::default()
        };
        let mut runtime = Box::new(Runtime::start(home, attempts, &setup)?);
        let witness = runtime.deploy("Witness", json!({}))?;
        let level = witness.level.context("the witness has reached no level")?;
        Ok(Self::Ours {
            runtime,
            witness: witness.address,
            level,
        })
    }
}

impl Suite {
    fn run(&self, mut arena: Arena, cases: &[Case], report: &Report) -> Result<Score> {
        let mut score = Score::default();
        report.begin(&match &arena {
            Arena::Ours { level, .. } => level.to_string(),
            Arena::Command(words) => words.join(" "),
        })?;
        let at_first = arena.core_size();
        for case in cases {
            let verdict = self.attempt(&mut arena, case);
            let verdict = verdict.unwrap_or_else(|error| Verdict::Broken(format!("{error:#}")));
            let control = self.control(case, &verdict);
            score.count(&verdict, control.as_deref());
            report.line(&Line {
                case,
                verdict,
                control,
            })?;
        }
        score.core = at_first.zip(arena.core_size());
        report.end(&score)?;
        Ok(score)
    }

    fn attempt(&self, arena: &mut Arena, case: &Case) -> Result<Verdict> {
        match arena {
            Arena::Ours {
                runtime,
                witness,
                level,
            } => match case.by {
                By::Frames(frames, times) => {
                    let (heard, harm) = bus::attempt(runtime, (frames, times), witness)?;
                    Ok(bus::judge(&heard, &harm))
                }
                By::Play(play) => {
                    let home = self.home.join(&case.id);
                    fs::create_dir_all(&home)?;
                    let mut stage = Stage {
                        runtime,
                        witness,
                        home: &home,
                        attempts: &self.attempts,
                        level: *level,
                    };
                    let verdict = played::act(&mut stage, play, case);
                    let _ = fs::remove_dir_all(&home);
                    verdict
                }
                By::Program => self.in_runtime(runtime, "Attempts", case, *level, witness),
                By::Script => {
                    let name = script::component(&case.id);
                    self.in_runtime(runtime, name, case, *level, witness)
                }
            },
            Arena::Command(prefix) if matches!(case.by, By::Program) => {
                let (heard, harm) = self.in_command(prefix, case)?;
                // Whatever it reaches, it claims to hold everything.
                Ok(verdict::judge(case, Level::L3, &heard, &harm))
            }
            Arena::Command(_) => Ok(Verdict::Skipped(
                "another sandbox has no bus and no script engine".to_owned(),
            )),
        }
    }

    fn in_runtime(
        &self,
        runtime: &mut Runtime,
        name: &str,
        case: &Case,
        level: Level,
        witness: &str,
    ) -> Result<Verdict> {
        let (endpoint, store) = (runtime.endpoint.clone(), runtime.store.clone());
        let victims = Victims::new(
            &self.home,
            &case.id,
            Some(runtime.core()),
            &endpoint,
            &store,
        )?;
        let mut configuration = victims.configuration(&case.id)?;
        if let Some(members) = configuration.as_object_mut() {
            members.insert("witness".to_owned(), json!(witness));
        }
        let heard = arena::in_runtime(runtime, name, configuration)?;
        let mut harm = victims.harm();
        harm.extend(left_behind());
        harm.extend(bus::harm_to(runtime, witness)?);
        Ok(verdict::judge(case, level, &heard, &harm))
    }

    fn in_command(&self, prefix: &[String], case: &Case) -> Result<(verdict::Report, Vec<String>)> {
        let victims = Victims::new(&self.home, &case.id, None, Path::new("/"), &self.attempts)?;
        let configuration = victims.configuration(&case.id)?;
        let heard = arena::in_command(prefix, &self.attempts, &configuration)?;
        let mut harm = victims.harm();
        harm.extend(left_behind());
        Ok((heard, harm))
    }

    // Without a sandbox the attempt must get through, or holding it proves nothing.
    fn control(&self, case: &Case, verdict: &Verdict) -> Option<String> {
        if !self.has_control || !case.has_control() || !matches!(verdict, Verdict::Held(_)) {
            return None;
        }
        let (heard, harm) = self.in_command(&[], case).ok()?;
        Some(match verdict::judge(case, Level::L3, &heard, &harm) {
            Verdict::Escaped(_) | Verdict::Gap(_) => "gets through".to_owned(),
            Verdict::Held(_) => format!("refused too: {}", heard.end.map(name).unwrap_or_default()),
            Verdict::Skipped(why) | Verdict::Broken(why) => format!("unclear: {why}"),
        })
    }
}

// What a supervisor may have in its environment, and nobody else may see.
fn secrets() -> Vec<(String, String)> {
    let names = [
        "AWS_SECRET_ACCESS_KEY",
        "NPM_TOKEN",
        "SSH_AUTH_SOCK",
        "DBUS_SESSION_BUS_ADDRESS",
        "LD_LIBRARY_PATH",
        "GCONV_PATH",
        "PYTHONPATH",
        "NODE_OPTIONS",
    ];
    let secret = |name: &&str| ((*name).to_owned(), "/nowhere/hyperty-escape".to_owned());
    names.iter().map(secret).collect()
}

impl Arena {
    // Resident bytes and descriptors of the core.
    fn core_size(&self) -> Option<(u64, usize)> {
        match self {
            Self::Ours { runtime, .. } => Some(process::size(runtime.core())),
            Self::Command(_) => None,
        }
    }
}

// A process that an attempt left behind; ending a whole tree takes the kernel a moment.
fn left_behind() -> Option<String> {
    for _ in 0..200 {
        if process::named(&victims::mark()).is_empty() {
            return None;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Some("a process was left behind".to_owned())
}
