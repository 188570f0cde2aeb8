//! One runtime: what it runs, what it says, and how it ends.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::OnceLock;
use std::thread;

use protocol::api::bus::TapEntry;
use protocol::api::sandboxes::{LogLine, Sandbox};
use protocol::api::user_agent::{Component, Deploy};
use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::command::{self, Outcome, Running, hyperty};
use super::hosts::Host;
use super::operator::{Answer, Operator};
use super::options::{Options, child_status, environment};
use super::place::TempDir;
use super::process::{Process, children_of};
use super::wait::eventually;
use super::watcher::Watcher;

/// A running runtime; it is killed when it is dropped.
#[derive(Debug)]
pub struct Runtime {
    operator: Operator,
    watcher: OnceLock<Watcher>,
    catalogue: Catalogue,
    endpoint: PathBuf,
    child: Child,
    home: TempDir,
    host: Host,
}

impl Runtime {
    /// A supervisor that has said that it is ready.
    #[track_caller]
    pub(super) fn over(
        child: Child,
        home: TempDir,
        catalogue: Catalogue,
        endpoint: PathBuf,
        host: Host,
    ) -> Self {
        Self {
            operator: Operator::connect(&endpoint),
            watcher: OnceLock::new(),
            catalogue,
            endpoint,
            child,
            home,
            host,
        }
    }

    /// A runtime with this catalogue, yet to be started.
    pub fn with(catalogue: Catalogue) -> Options {
        Options::with(catalogue)
    }

    /// Deploys `provider/kind/NAME` from its catalogue.
    ///
    /// # Panics
    ///
    /// When it does not run in the end.
    #[track_caller]
    pub fn deploy(&self, name: &str) -> Component {
        self.deploy_with(name, &Value::Null)
    }

    /// The same with members for the component's configuration.
    ///
    /// # Panics
    ///
    /// When it does not run in the end.
    #[track_caller]
    pub fn deploy_with(&self, name: &str, configuration: &Value) -> Component {
        let answer = self.try_deploy_with(name, configuration);
        assert_eq!(
            answer.code,
            200,
            "{name} does not run: {}\n{}",
            answer.reason(),
            self.log()
        );
        serde_json::from_value(answer.value().clone()).expect("a component")
    }

    /// Deploys `provider/kind/NAME` for a user, `name@idp`.
    ///
    /// # Panics
    ///
    /// When it does not run in the end.
    #[track_caller]
    pub fn deploy_for(&self, name: &str, user: &str) -> Component {
        let mut wish = self.wish(name, &Value::Null);
        wish["user"] = json!(user);
        let answer = self.operator.ask_room("create", "ua", &wish);
        assert_eq!(answer.code, 200, "{name} does not run: {}", answer.reason());
        serde_json::from_value(answer.value().clone()).expect("a component")
    }

    /// Tries to deploy; whatever comes back.
    ///
    /// # Panics
    ///
    /// When nothing comes back.
    #[track_caller]
    pub fn try_deploy(&self, name: &str) -> Answer {
        self.try_deploy_with(name, &Value::Null)
    }

    /// The same with members for the component's configuration.
    ///
    /// # Panics
    ///
    /// When nothing comes back.
    #[track_caller]
    pub fn try_deploy_with(&self, name: &str, configuration: &Value) -> Answer {
        self.operator
            .ask_room("create", "ua", &self.wish(name, configuration))
    }

    /// The request that deploys `provider/kind/NAME`.
    ///
    /// # Panics
    ///
    /// When the name has no provider.
    pub fn wish(&self, name: &str, configuration: &Value) -> Value {
        let (provider, component) = name.split_once('/').expect("provider/kind/NAME");
        let configuration = Some(configuration.clone()).filter(|it| !it.is_null());
        let deploy = Deploy {
            catalogue: self.catalogue.path().display().to_string(),
            component: component.to_owned(),
            provider: provider.to_owned(),
            configuration,
            ..Deploy::default()
        };
        json!(deploy)
    }

    /// The operator's link.
    pub const fn operator(&self) -> &Operator {
        &self.operator
    }

    /// A component as the runtime sees it now.
    ///
    /// # Panics
    ///
    /// When there is none at this address.
    #[track_caller]
    pub fn component(&self, address: &str) -> Component {
        let answer = self
            .operator
            .ask_room("read", "ua", &json!({ "resource": address }));
        assert_eq!(answer.code, 200, "no component at {address}: {answer:?}");
        serde_json::from_value(answer.value().clone()).expect("a component")
    }

    /// Every component.
    ///
    /// # Panics
    ///
    /// When they cannot be listed.
    #[track_caller]
    pub fn components(&self) -> Vec<Component> {
        let mut listing = self.operator.read_room("ua");
        serde_json::from_value(listing["components"].take()).expect("components")
    }

    /// Every sandbox.
    ///
    /// # Panics
    ///
    /// When they cannot be listed.
    #[track_caller]
    pub fn sandboxes(&self) -> Vec<Sandbox> {
        let mut listing = self.operator.read_room("sandboxes");
        serde_json::from_value(listing["sandboxes"].take()).expect("sandboxes")
    }

    /// The process that runs a component.
    ///
    /// # Panics
    ///
    /// When none does.
    #[track_caller]
    pub fn process_of(&self, component: &Component) -> Process {
        Process::of(self.component(&component.address).pid.expect("a process"))
    }

    /// Whether a component's log has a line with this text.
    pub fn log_says(&self, component: &Component, text: &str) -> bool {
        let said = |line: &LogLine| line.component == component.address && line.text.contains(text);
        self.log_lines().iter().any(said)
    }

    /// Every line that components logged, and the runtime about them.
    pub fn log_lines(&self) -> Vec<LogLine> {
        self.watcher().lines()
    }

    /// Every message that passed or was refused since it was first asked for.
    pub fn traffic(&self) -> Vec<TapEntry> {
        self.watcher().traffic()
    }

    /// The runtime works as if nothing had been; needs [`Catalogue::with_witness`].
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn assert_unharmed(&self) {
        let witness = self.deploy("good.example/hyperty/Witness");
        let answer = self
            .operator
            .ask("read", &witness.address, &json!({ "n": 1 }));
        assert_eq!(
            (answer.code, answer.value()),
            (200, &json!({ "n": 1 })),
            "{}",
            self.log()
        );
    }

    /// Starts to watch logs and traffic; what comes before is not in [`Self::traffic`].
    pub fn watch(&self) {
        self.watcher();
    }

    /// The supervisor's own log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    /// The supervisor's process.
    pub fn supervisor(&self) -> Process {
        Process::of(self.child.id())
    }

    /// Every process that it started.
    pub fn descendants(&self) -> BTreeSet<Process> {
        children_of(self.child.id())
    }

    /// Where applications connect.
    pub fn endpoint(&self) -> &Path {
        &self.endpoint
    }

    /// Its catalogue.
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Its directories.
    pub const fn home(&self) -> &TempDir {
        &self.home
    }

    /// The machine that it runs on.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Kills the supervisor as the kernel would, and gives back its directories for
    /// the next one.
    ///
    /// # Panics
    ///
    /// When it does not end.
    #[track_caller]
    pub fn killed(mut self) -> TempDir {
        self.supervisor().kill();
        self.ended();
        std::mem::take(&mut self.home)
    }

    /// The file in which it keeps what outlives it.
    pub fn store(&self) -> PathBuf {
        self.home.join("data").join("state.redb")
    }

    /// Waits until this text is on the disk, with whatever was to be written before it.
    ///
    /// Changes of data objects are acknowledged to nobody: they are gathered and written a
    /// moment later.
    ///
    /// # Panics
    ///
    /// When it is not kept.
    #[track_caller]
    pub fn keeps(&self, text: &str) {
        let file = self.store();
        eventually(&format!("`{text}` is written"), || {
            let bytes = fs::read(&file).unwrap_or_default();
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        });
        // It may be in a transaction that is not at its end. They follow each other, and this
        // one is answered at its end.
        let room = "address-allocation";
        let asked = json!({ "scheme": "comm", "value": { "number": 1 } });
        assert_eq!(self.operator.ask_room("create", room, &asked).code, 200);
    }

    /// Waits until the supervisor has ended.
    ///
    /// # Panics
    ///
    /// When it does not end.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        child_status(&mut self.child)
    }

    /// Runs the command line against this runtime.
    pub fn hyperty(&self, arguments: &[&str]) -> Outcome {
        hyperty(arguments, environment(&self.home))
    }

    /// Starts the command line against this runtime and does not wait for it.
    pub fn start_hyperty(&self, arguments: &[&str]) -> Running {
        command::start(arguments, environment(&self.home))
    }

    /// Runs the command line against this runtime, with something to read.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn hyperty_reading(&self, arguments: &[&str], text: &str) -> Outcome {
        command::reading(arguments, environment(&self.home), text)
    }

    fn watcher(&self) -> &Watcher {
        self.watcher.get_or_init(|| Watcher::start(&self.endpoint))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let handles: Vec<_> = self
            .descendants()
            .into_iter()
            .filter_map(Process::handle)
            .collect();
        let _ = self.child.kill();
        let _ = self.child.wait();
        for handle in handles {
            let _ = rustix::process::pidfd_send_signal(handle, rustix::process::Signal::KILL);
        }
        if thread::panicking() {
            eprintln!("log of the supervisor:\n{}", self.log());
        }
    }
}
