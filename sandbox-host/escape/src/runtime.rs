//! A supervisor of our own, and what it says of the components that are tried in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use protocol::api::sandboxes::LogBatch;
use protocol::api::user_agent::{Component, Deploy, Listing};
use protocol::client::Incoming;
use protocol::client::blocking::Client;
use protocol::frame::{Level, Role};
use protocol::message::MessageKind;
use serde::Deserialize;
use serde_json::{Value, json};

/// How long anything may take before it counts as hung.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The provider of everything that attacks.
pub(crate) const PROVIDER: &str = "escape.example";

/// The provider of the component that is attacked over the bus.
const VICTIM: &str = "victim.example";

/// A running supervisor; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Runtime {
    child: Child,
    client: Client,
    lines: Arc<Mutex<Vec<(String, String)>>>,
    pub(crate) endpoint: PathBuf,
    pub(crate) store: PathBuf,
    catalogue: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Ready {
    endpoint: PathBuf,
}

impl Runtime {
    /// Starts it in `home`, with the attempts in its catalogue.
    pub(crate) fn start(home: &Path, attempts: &Path, level: Option<Level>) -> Result<Self> {
        let catalogue = home.join("catalogue");
        native(&catalogue, PROVIDER, "Attempts", attempts)?;
        script(
            &catalogue,
            PROVIDER,
            "Script",
            include_str!("../attempts/script.js"),
        )?;
        script(
            &catalogue,
            VICTIM,
            "Witness",
            include_str!("../attempts/witness.js"),
        )?;
        let (mut child, endpoint) = supervisor(home, &catalogue, level)?;
        let client = match Client::connect(&endpoint, Role::Operator) {
            Ok(client) => client,
            Err(error) => {
                let _ = child.kill();
                return Err(error).context("connecting to the supervisor");
            }
        };
        let lines = Arc::default();
        follow_logs(&endpoint, Arc::clone(&lines))?;
        Ok(Self {
            child,
            client,
            lines,
            store: home.join("data/state.redb"),
            endpoint,
            catalogue,
        })
    }

    /// The supervisor's process.
    pub(crate) fn core(&self) -> u32 {
        self.child.id()
    }

    /// Deploys an attacker, or the witness.
    pub(crate) fn deploy(&mut self, name: &str, configuration: Value) -> Result<Component> {
        let provider = if name == "Witness" { VICTIM } else { PROVIDER };
        let deploy = Deploy {
            catalogue: self.catalogue.display().to_string(),
            component: format!("hyperty/{name}"),
            provider: provider.to_owned(),
            configuration: Some(configuration),
            ..Deploy::default()
        };
        self.client
            .deploy(&deploy)
            .with_context(|| format!("deploying {provider}/hyperty/{name}"))
    }

    /// A component as it is now; nothing when it is gone.
    pub(crate) fn component(&mut self, address: &str) -> Result<Option<Component>> {
        let Listing { components } = self.client.components()?;
        Ok(components.into_iter().find(|it| it.address == address))
    }

    /// Removes a component and everything that it was.
    pub(crate) fn remove(&mut self, address: &str) -> Result<()> {
        Ok(self.client.remove(address)?)
    }

    /// Asks a component something, as the operator.
    pub(crate) fn ask(&mut self, address: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        let answer = self
            .client
            .request(MessageKind::Read, address, body.as_bytes(), PATIENCE)?;
        Ok(serde_json::from_slice(answer.body).unwrap_or_default())
    }

    /// Tells a component something that it does not answer.
    pub(crate) fn tell(&mut self, address: &str, body: &Value) -> Result<()> {
        let body = body.to_string();
        self.client
            .send(MessageKind::Update, address, body.as_bytes())?;
        Ok(self.client.flush()?)
    }

    /// The runtime's address.
    pub(crate) fn address(&self) -> String {
        self.client.runtime().to_owned()
    }

    /// What a component has said so far.
    pub(crate) fn said(&self, address: &str) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let own = lines.iter().filter(|(component, _)| component == address);
        own.map(|(_, line)| line.clone()).collect()
    }

    /// Forgets what was said.
    pub(crate) fn forget(&self) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clear();
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // Its leash is this process's end of its standard input.
        drop(self.child.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn supervisor(home: &Path, catalogue: &Path, level: Option<Level>) -> Result<(Child, PathBuf)> {
    let mut command = Command::new(beside("core-supervisor")?);
    command
        .env("HYPERTY_DATA_DIR", home.join("data"))
        .env("HYPERTY_RUNTIME_DIR", home.join("run"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .arg("--catalogue")
        .arg(catalogue)
        .args(["--leash-fd", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(home.join("log"))?);
    if let Some(level) = level {
        let level = level.to_string();
        command.args(["--min-level", &level, "--max-level", &level]);
    }
    let mut child = command.spawn().context("starting the supervisor")?;
    if let Some(ready) = ready(&mut child) {
        return Ok((child, ready.endpoint));
    }
    let _ = child.kill();
    let _ = child.wait();
    let log = fs::read_to_string(home.join("log")).unwrap_or_default();
    bail!("the supervisor did not become ready:\n{log}")
}

fn ready(child: &mut Child) -> Option<Ready> {
    use std::io::{BufRead as _, BufReader};
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take()?);
    stdout.read_line(&mut line).ok()?;
    // It says more later, and must not meet a closed pipe.
    thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    serde_json::from_str(&line).ok()
}

/// A program that was installed beside this one.
pub(crate) fn beside(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let program = own.with_file_name(name);
    if !program.is_file() {
        bail!(
            "`{}` is missing: build it with `make build`",
            program.display()
        );
    }
    Ok(program)
}

fn follow_logs(endpoint: &Path, lines: Arc<Mutex<Vec<(String, String)>>>) -> Result<()> {
    let mut client = Client::connect(endpoint, Role::Operator)?;
    let room = format!("{}/sandboxes", client.runtime());
    let filter = json!({ "last": 0, "follow": true }).to_string();
    client.request(MessageKind::Subscribe, &room, filter.as_bytes(), PATIENCE)?;
    thread::spawn(move || {
        while let Ok((incoming, _)) = client.recv() {
            let Incoming::Message(message) = incoming else {
                continue;
            };
            let body: Value = serde_json::from_slice(message.body).unwrap_or_default();
            let batch = body.get("value").cloned().unwrap_or_default();
            let batch: LogBatch = serde_json::from_value(batch).unwrap_or_default();
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.extend(
                batch
                    .lines
                    .into_iter()
                    .map(|line| (line.component, line.text)),
            );
        }
    });
    Ok(())
}

fn native(catalogue: &Path, provider: &str, name: &str, program: &Path) -> Result<()> {
    let folder = folder(catalogue, provider)?;
    let descriptor = json!({ "name": name, "language": "native", "configuration": {} });
    fs::write(
        folder.join(format!("{name}.hy.json")),
        descriptor.to_string(),
    )?;
    fs::copy(program, folder.join(format!("{name}.hy.elf")))?;
    Ok(())
}

fn script(catalogue: &Path, provider: &str, name: &str, source: &str) -> Result<()> {
    let folder = folder(catalogue, provider)?;
    let descriptor = json!({ "name": name, "language": "javascript", "configuration": {} });
    fs::write(
        folder.join(format!("{name}.hy.json")),
        descriptor.to_string(),
    )?;
    fs::write(folder.join(format!("{name}.hy.js")), source)?;
    Ok(())
}

fn folder(catalogue: &Path, provider: &str) -> Result<PathBuf> {
    let folder = catalogue.join(provider).join(".well-known/hyperty");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
