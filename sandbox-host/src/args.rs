//! The command line. Only our own programs and curious operators write it.

use protocol::frame::Level;

use crate::lockdown::Without;
use crate::lockdown::namespaces::Network;
use crate::profile::Profile;
use crate::shell::ShellArgs;

/// What the program is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Start sandboxes for the supervisor on descriptor 0.
    Nursery(Without, Network),
    /// Be one sandbox with the script engine; the link is descriptor 0.
    Script(ScriptArgs),
    /// Say which level can be reached here.
    Probe(Without, Form),
    /// Serve a terminal from a sandbox of its own.
    Shell(ShellArgs),
    /// Say how to call it.
    Help,
    /// Say what it is.
    Version,
}

/// How the probe answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For humans.
    Lines,
    /// For programs.
    Json,
}

/// How a script host is to lock itself.
#[derive(Debug)]
pub(crate) struct ScriptArgs {
    pub(crate) profile: &'static Profile,
    pub(crate) min_level: Level,
    pub(crate) max_level: Level,
    /// 0 takes the profile's number.
    pub(crate) memory_bytes: u64,
    /// Likewise.
    pub(crate) descriptors: u32,
    /// 0 takes the usual number.
    pub(crate) timers: u32,
    /// Whether it runs in namespaces of its own already.
    pub(crate) housed: bool,
    /// Whether the nursery started it and listens on descriptor 2.
    pub(crate) nursed: bool,
    pub(crate) without: Without,
}

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
usage: sandbox-host nursery [--with-network] [--pretend-without landlock|seccomp|userns]…
       sandbox-host script --profile NAME [--min-level L2] [--max-level L3 | --level L3]
                           [--memory BYTES] [--descriptors NUMBER] [--timers NUMBER]
       sandbox-host probe [--json]
       sandbox-host shell [--profile NAME] [--level L3] [--program FILE]

The link to the core is descriptor 0.";

/// Reads the arguments, the program's name left out.
pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut args = args.peekable();
    match args.next().as_deref() {
        Some("nursery") => {
            let keeps = args.next_if(|word| word == "--with-network").is_some();
            let network = if keeps { Network::Kept } else { Network::Empty };
            only_without(args).map(|without| Command::Nursery(without, network))
        }
        Some("script") => script(args).map(Command::Script),
        Some("shell") => shell(args).map(Command::Shell),
        Some("probe") => {
            let json = args.next_if(|word| word == "--json").is_some();
            let form = if json { Form::Json } else { Form::Lines };
            only_without(args).map(|without| Command::Probe(without, form))
        }
        Some("--help" | "-h" | "help") => Ok(Command::Help),
        Some("--version" | "-V") => Ok(Command::Version),
        Some(other) => Err(format!("unknown command `{other}`")),
        None => Err("no command".into()),
    }
}

fn only_without(mut args: impl Iterator<Item = String>) -> Result<Without, String> {
    let mut without = Without::default();
    while let Some(word) = args.next() {
        match word.as_str() {
            "--pretend-without" => without.add(&value(&word, &mut args)?)?,
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    Ok(without)
}

fn script(mut args: impl Iterator<Item = String>) -> Result<ScriptArgs, String> {
    let mut read = ScriptArgs {
        profile: Profile::named("script").ok_or("no profile `script`")?,
        min_level: Level::L2,
        max_level: Level::L3,
        memory_bytes: 0,
        descriptors: 0,
        timers: 0,
        housed: false,
        nursed: false,
        without: Without::default(),
    };
    while let Some(word) = args.next() {
        match word.as_str() {
            "--housed" => read.housed = true,
            "--nursed" => read.nursed = true,
            "--profile" => {
                let name = value(&word, &mut args)?;
                read.profile = Profile::named(&name).ok_or(format!("no profile `{name}`"))?;
            }
            "--min-level" => read.min_level = value(&word, &mut args)?.parse()?,
            "--max-level" | "--level" => read.max_level = value(&word, &mut args)?.parse()?,
            "--memory" => read.memory_bytes = number(&word, &mut args)?,
            "--descriptors" => read.descriptors = number(&word, &mut args)?,
            "--timers" => read.timers = number(&word, &mut args)?,
            "--pretend-without" => read.without.add(&value(&word, &mut args)?)?,
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    Ok(read)
}

fn shell(mut args: impl Iterator<Item = String>) -> Result<ShellArgs, String> {
    let mut read = ShellArgs {
        profile: Profile::named("script").ok_or("no profile `script`")?,
        level: Level::L3,
        program: None,
        without: Without::default(),
    };
    while let Some(word) = args.next() {
        match word.as_str() {
            "--profile" => {
                let name = value(&word, &mut args)?;
                read.profile = Profile::named(&name).ok_or(format!("no profile `{name}`"))?;
            }
            "--level" => read.level = value(&word, &mut args)?.parse()?,
            "--program" => read.program = Some(value(&word, &mut args)?.into()),
            "--pretend-without" => read.without.add(&value(&word, &mut args)?)?,
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    Ok(read)
}

fn value(word: &str, args: &mut impl Iterator<Item = String>) -> Result<String, String> {
    args.next().ok_or(format!("`{word}` needs a value"))
}

fn number<T: std::str::FromStr>(
    word: &str,
    args: &mut impl Iterator<Item = String>,
) -> Result<T, String> {
    let text = value(word, args)?;
    text.parse()
        .map_err(|_| format!("`{word}` needs a number, not `{text}`"))
}
