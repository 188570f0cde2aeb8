//! # Shell — a terminal's own sandbox
//!
//! A nursery, one sandbox of the profile and level that were asked for, and a line at a
//! time between it and this process's standard input and output. The sandbox is made as
//! every other; what stands in the core's place here is this process, which grants nothing.
//!
//! | engine | a line is | because |
//! |---|---|---|
//! | native | a command of a static shell, run by itself | the profile executes one program, and forks none |
//! | script | JavaScript | the profile executes nothing |

mod native;
mod script;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use protocol::frame::{HostFrame, Level};
use protocol::nursery::Engine;

use crate::lockdown::Without;
use crate::probe::trial::{End, Line, Trial};
use crate::profile::Profile;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct ShellArgs {
    pub(crate) profile: &'static Profile,
    pub(crate) level: Level,
    /// The shell, for profiles that execute one.
    pub(crate) program: Option<PathBuf>,
    pub(crate) without: Without,
}

/// What runs in the sandbox.
trait Inside {
    /// Starts it.
    fn begin(&mut self, line: &mut Line) -> io::Result<()>;

    /// Has one line done, and writes what comes of it; `false` when the sandbox has ended.
    fn enter(&mut self, text: &str, line: &mut Line, out: &mut dyn Write) -> io::Result<bool>;
}

/// Serves the terminal until it or the sandbox ends.
pub(crate) fn run(args: &ShellArgs) -> ExitCode {
    match serve(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("sandbox-host shell: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &ShellArgs) -> Result<(), String> {
    let profile = args.profile;
    let (engine, mut inside): (Engine, Box<dyn Inside>) = match (&args.program, profile.program()) {
        (Some(program), Some(_)) if !profile.keeps_network() => {
            let program = native::sealed(program)
                .map_err(|error| format!("cannot take `{}`: {error}", program.display()))?;
            (Engine::Native, Box::new(native::Shell(program)))
        }
        (None, None) => (Engine::Script, Box::new(script::Prompt::default())),
        (None, Some(_)) => return Err(format!("profile `{}` needs --program", profile.name)),
        (Some(_), _) => return Err(format!("profile `{}` has no shell", profile.name)),
    };
    let own = std::env::current_exe().map_err(said("find this program"))?;
    let mut trial = Trial::start(&own, args.without, None).map_err(said("start a nursery"))?;
    let levels = (args.level, args.level);
    let mut line = trial
        .launch(engine, profile.name, levels)
        .map_err(said("start a sandbox"))?;
    if !is_confined(&mut line).map_err(said("hear of the sandbox"))? {
        return Err(format!("there is no sandbox: {}", how(&trial)));
    }
    inside.begin(&mut line).map_err(said("begin"))?;
    let talked = talk(inside.as_mut(), &mut line);
    if talked.map_err(said("talk to the sandbox"))? {
        return Ok(());
    }
    Err(format!("the sandbox ended: {}", how(&trial)))
}

fn said(doing: &'static str) -> impl Fn(io::Error) -> String {
    move |error| format!("cannot {doing}: {error}")
}

// Whether it is the terminal that ended.
fn talk(inside: &mut dyn Inside, line: &mut Line) -> io::Result<bool> {
    let (input, mut out) = (io::stdin().lock(), io::stdout().lock());
    let shows_prompt = input.is_terminal();
    let mut lines = input.lines();
    loop {
        if shows_prompt {
            out.write_all(b"sandbox> ")?;
        }
        out.flush()?;
        let Some(text) = lines.next() else {
            return Ok(true);
        };
        if !inside.enter(&text?, line, &mut out)? {
            out.flush()?;
            return Ok(false);
        }
    }
}

fn is_confined(line: &mut Line) -> io::Result<bool> {
    while let Some(frame) = line.hear()? {
        if let HostFrame::Confined(_) = frame {
            return Ok(true);
        }
    }
    Ok(false)
}

fn how(trial: &Trial) -> String {
    match trial.end() {
        Ok(End::Code(code)) => format!("with status {code}"),
        Ok(End::Signal(signal)) => format!("by signal {signal}"),
        Ok(End::Syscall(name)) => format!("killed for {name}, which is never granted"),
        Ok(End::NotLocked(reason)) => reason,
        Err(error) => format!("nobody knows how ({error})"),
    }
}

/// Waits as long as it takes: a command may compute for as long as its reader likes.
fn patiently<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match act() {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            result => return result,
        }
    }
}
