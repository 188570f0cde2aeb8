//! One file per verb. Each has its arguments, its `run`, and plain functions
//! that turn what a room answered into text.

pub(crate) mod api;
pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod call;
pub(crate) mod catalogue;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod control;
pub(crate) mod debug;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod escape;
pub(crate) mod grants;
pub(crate) mod help;
pub(crate) mod home;
pub(crate) mod inspect;
pub(crate) mod keys;
pub(crate) mod listen;
pub(crate) mod logs;
pub(crate) mod new;
pub(crate) mod package;
pub(crate) mod policy;
pub(crate) mod ps;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod resolve;
pub(crate) mod run;
pub(crate) mod send;
pub(crate) mod shell;
pub(crate) mod tap;
pub(crate) mod test;
pub(crate) mod up;
pub(crate) mod version;
pub(crate) mod why;

use protocol::api::{registry as addresses_api, user_agent};

use crate::Context;
use crate::args::Command;
use crate::error::Failure;
use crate::names::Names;
use crate::session::Session;

/// Done, or why not.
pub(crate) type Outcome = Result<(), Failure>;

/// Does what was asked.
pub(crate) fn run(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Up(args) => up::run(&args, context),
        Command::Run(args) => run::run(&args, context),
        Command::Down(args) => down::run(&args, context),
        Command::Demo(args) => demo::run(&args, context),
        Command::Ps(args) => ps::run(&args, context),
        Command::Inspect(args) => inspect::run(&args, context),
        Command::Deploy(args) => deploy::run(&args, context),
        Command::Start(args) => control::run(control::Verb::Start, &args, context),
        Command::Stop(args) => control::run(control::Verb::Stop, &args, context),
        Command::Restart(args) => control::run(control::Verb::Restart, &args, context),
        Command::Reload(args) => control::run(control::Verb::Reload, &args, context),
        Command::Approve(args) => control::run(control::Verb::Approve, &args, context),
        Command::Rollback(args) => control::run(control::Verb::Rollback, &args, context),
        Command::Rm(args) => control::remove(&args, context),
        Command::Logs(args) => logs::run(&args, context),
        Command::Debug(args) => debug::run(&args, context),
        Command::Shell(args) => shell::run(&args, context),
        Command::Send(args) => send::run(&args, context),
        Command::Call(args) => call::run(&args, context),
        Command::Api(args) => api::run(&args, context),
        Command::Listen(args) => listen::run(&args, context),
        Command::Tap(args) => tap::run(&args, context),
        Command::Why(args) => why::run(&args, context),
        Command::Package(args) => package::run(&args, context),
        Command::Policy(args) => policy::run(&args, context),
        Command::Grants(args) => grants::run(&args, context),
        Command::Keys(args) => keys::run(&args, context),
        Command::Registry(args) => registry::run(&args, context),
        Command::Resolve(args) => resolve::run(&args, context),
        Command::Catalogue(args) => catalogue::run(&args, context),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Audit(args) => audit::run(&args, context),
        Command::Escape(args) => escape::run(&args, context),
        Command::Config(args) => config::run(&args, context),
        Command::Completions(args) => completions::run(&args),
        Command::New(args) => new::run(&args, context),
        Command::Build(args) => build::run(&args, context),
        Command::Dev(args) => dev::run(&args, context),
        Command::Test(args) => test::run(&args, context),
        Command::Record(args) => record::run(&args, context),
        Command::Version(args) => version::run(&args, context),
        Command::Help(args) => help::run(&args),
    }
}

/// What the components of this runtime and their data objects are called.
pub(crate) fn names_of(session: &mut Session) -> Result<Names, Failure> {
    let mut names = Names::new(&session.runtime(), &session.address());
    learn(session, &mut names)?;
    Ok(names)
}

/// Asks again when one of these addresses was never seen before: once for each,
/// for what is not of this runtime never gets a name.
pub(crate) fn learn_news<'a>(
    session: &mut Session,
    names: &mut Names,
    addresses: impl Iterator<Item = &'a str>,
) -> Outcome {
    let mut has_news = false;
    for address in addresses {
        has_news |= names.is_news(address);
    }
    if has_news {
        learn(session, names)
    } else {
        Ok(())
    }
}

fn learn(session: &mut Session, names: &mut Names) -> Outcome {
    let nothing = serde_json::json!({});
    let components: user_agent::Listing = session.ask(user_agent::PATH, "read", &nothing)?;
    names.learn(&components.components);
    let addresses: addresses_api::Listing = session.ask(addresses_api::PATH, "read", &nothing)?;
    names.learn_objects(&addresses.entries);
    Ok(())
}
