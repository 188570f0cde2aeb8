//! The program `core-supervisor`.

use std::process::ExitCode;

use clap::Parser;
use core_supervisor::rooms::policy::Problem;
use core_supervisor::shell::args::{Args, Options, Task};
use core_supervisor::shell::audit_log;
use core_supervisor::shell::policy_files::{self, PolicyDir};
use core_supervisor::shell::run_loop::Ending;
use core_supervisor::shell::start::{StartError, configuration, policy_dirs, supervise};
use core_supervisor::shell::{cgroup, descriptors, log};

fn main() -> ExitCode {
    let args = Args::parse();
    descriptors::close_inherited(args.options.leash());
    let outcome = match args.command {
        Some(Task::CheckPolicy { directories, json }) => {
            check_policy(&args.options, directories, json)
        }
        Some(Task::Audit { last, json }) => audit(&args.options, last, json),
        Some(Task::ProbeCgroup) => {
            println!("{}", serde_json::json!(cgroup::probe("wait")));
            Ok(ExitCode::SUCCESS)
        }
        Some(Task::Wait) => {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            Ok(ExitCode::SUCCESS)
        }
        Some(Task::ShowConfig { json }) => show_config(&args.options, json),
        None => run(&args.options),
    };
    outcome.unwrap_or_else(|error| {
        log::finish();
        eprintln!("error: {error}");
        ExitCode::from(error.exit_status())
    })
}

fn run(options: &Options) -> Result<ExitCode, StartError> {
    // Secrets of this process are nobody's to read, and its files nobody's to open.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // A parent may leave signals blocked, SIGTERM among them.
    let _ = nix::sys::signal::SigSet::all().thread_unblock();
    let ending = supervise(options)?;
    log::finish();
    Ok(match ending {
        Ending::Orderly => ExitCode::SUCCESS,
        Ending::Late => ExitCode::FAILURE,
        Ending::AskedTwice => ExitCode::from(130),
    })
}

fn check_policy(
    options: &Options,
    directories: Vec<std::path::PathBuf>,
    json: bool,
) -> Result<ExitCode, StartError> {
    let directories = if directories.is_empty() {
        policy_dirs(&configuration(options)?)
    } else {
        directories.into_iter().map(PolicyDir::named).collect()
    };
    let problems = policy_files::check(&directories).err().unwrap_or_default();
    if json {
        println!("{}", serde_json::to_value(&problems).unwrap_or_default());
    } else {
        for Problem {
            place,
            message,
            help,
        } in &problems.problems
        {
            println!("{place}: {message}");
            if !help.is_empty() {
                println!("  help: {help}");
            }
        }
    }
    let is_sound = problems.problems.is_empty();
    Ok(if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn audit(options: &Options, last: Option<usize>, json: bool) -> Result<ExitCode, StartError> {
    let path = audit_log::folder(&configuration(options)?.data_dir.value);
    let failed = |source| StartError::Audit {
        path: path.clone(),
        source,
    };
    if let Some(most) = last {
        for line in audit_log::last(&path, most).map_err(failed)? {
            println!("{line}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let checked = audit_log::check(&path).map_err(failed)?;
    if json {
        println!("{}", serde_json::to_value(&checked).unwrap_or_default());
    } else {
        for problem in &checked.problems {
            println!("{problem}");
        }
        println!(
            "{} entries in {} files hold",
            checked.lines,
            checked.files.len()
        );
    }
    Ok(if checked.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show_config(options: &Options, json: bool) -> Result<ExitCode, StartError> {
    let shown = configuration(options)?.show();
    if json {
        println!("{}", serde_json::to_value(&shown).unwrap_or_default());
    } else {
        for value in &shown.values {
            println!("{} = {}  # {}", value.key, value.value, value.origin);
        }
    }
    Ok(ExitCode::SUCCESS)
}
