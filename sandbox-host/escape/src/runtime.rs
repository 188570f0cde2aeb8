//! A supervisor of our own, and what it says of the components that are tried in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
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

use crate::script::GRANTED;

/// How long anything may take before it counts as hung.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The provider of everything that attacks.
pub(crate) const PROVIDER: &str = "escape.example";

/// The provider of the component that is attacked over the bus.
pub(crate) const VICTIM: &str = "victim.example";

/// How a supervisor is started besides.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    pub(crate) level: Option<Level>,
    /// Rules of the operator's own, in `policy/10-case.cedar` of its home.
    pub(crate) rules: Option<String>,
    /// Variables of its environment.
    pub(crate) env: Vec<(String, String)>,
    /// What else stands in its hyperty.toml.
    pub(crate) config: String,
}

/// A running supervisor; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Runtime {
    child: Child,
    client: Client,
    lines: Arc<Mutex<Vec<(String, String)>>>,
    pub(crate) endpoint: PathBuf,
    pub(crate) store: PathBuf,
    pub(crate) catalogue: PathBuf,
    pub(crate) policy: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Ready {
    endpoint: PathBuf,
}

impl Runtime {
    /// Starts it in `home`, with the attempts in its catalogue.
    pub(crate) fn start(home: &Path, attempts: &Path, setup: &Setup) -> Result<Self> {
        let catalogue = home.join("catalogue");
        native(&catalogue, PROVIDER, "Attempts", attempts)?;
        let attempts = include_str!("../attempts/script.js");
        let witness = include_str!("../attempts/witness.js");
        let player = include_str!("../attempts/player.js");
        let every_host = json!([{ "host": "*" }]);
        script(&catalogue, (PROVIDER, "Script"), attempts, &json!([]))?;
        script(&catalogue, (PROVIDER, GRANTED), attempts, &every_host)?;
        script(&catalogue, (VICTIM, "Witness"), witness, &json!([]))?;
        for provider in [PROVIDER, VICTIM] {
            script(&catalogue, (provider, "Player"), player, &json!([]))?;
        }
        let (mut child, endpoint) = supervisor(home, &catalogue, setup)?;
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
            policy: home.join("policy"),
        })
    }

    /// The supervisor's process.
    pub(crate) fn core(&self) -> u32 {
        self.child.id()
    }

    /// Deploys an attacker, or the witness.
    pub(crate) fn deploy(&mut self, name: &str, configuration: Value) -> Result<Component> {
        let provider = if name == "Witness" { VICTIM } else { PROVIDER };
        self.deploy_of(provider, name, configuration)
    }

    /// Deploys a component of this provider.
    pub(crate) fn deploy_of(
        &mut self,
        provider: &str,
        name: &str,
        configuration: Value,
    ) -> Result<Component> {
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

    /// Asks a room something, as the operator: the number of the answer, and its body.
    pub(crate) fn room(
        &mut self,
        kind: MessageKind<'_>,
        room: &str,
        body: &Value,
    ) -> Result<(u16, Value)> {
        let to = format!("{}/{room}", self.address());
        let body = body.to_string();
        let answer = self.client.request(kind, &to, body.as_bytes(), PATIENCE)?;
        let code = answer.code.0;
        Ok((
            code,
            serde_json::from_slice(answer.body).unwrap_or_default(),
        ))
    }

    /// Has the rules read again: the number of the answer, and its body.
    pub(crate) fn reload(&mut self) -> Result<(u16, Value)> {
        self.room(MessageKind::Execute, "pep", &json!({ "method": "reload" }))
    }

    /// Writes rules of the operator's own.
    pub(crate) fn write_rules(&self, name: &str, rules: &str) -> Result<()> {
        Ok(fs::write(self.policy.join(name), rules)?)
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

    /// The last thing that was said of a component, by anybody.
    pub(crate) fn said_by_core(&self, address: &str) -> String {
        self.said(address).last().cloned().unwrap_or_default()
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

fn supervisor(home: &Path, catalogue: &Path, setup: &Setup) -> Result<(Child, PathBuf)> {
    let mut command = Command::new(beside("core-supervisor")?);
    if let Some(rules) = &setup.rules {
        let policy = home.join("policy");
        fs::create_dir_all(&policy)?;
        fs::set_permissions(&policy, fs::Permissions::from_mode(0o755))?;
        fs::write(policy.join("10-case.cedar"), rules)?;
        command.arg("--policy").arg(policy);
    }
    // Its own processors are then nobody's to change, and so a victim.
    let config = home.join("hyperty.toml");
    fs::write(&config, format!("placement = false\n{}", setup.config))?;
    command.arg("--config").arg(config);
    command
        .envs(setup.env.iter().map(|(name, value)| (name, value)))
        .env("HYPERTY_DATA_DIR", home.join("data"))
        .env("HYPERTY_RUNTIME_DIR", home.join("run"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .arg("--catalogue")
        .arg(catalogue)
        .args(["--leash-fd", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(home.join("log"))?);
    if let Some(level) = setup.level {
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

pub(crate) fn native(catalogue: &Path, provider: &str, name: &str, program: &Path) -> Result<()> {
    let folder = folder(catalogue, provider)?;
    let descriptor = json!({ "name": name, "language": "native", "configuration": {} });
    fs::write(
        folder.join(format!("{name}.hy.json")),
        descriptor.to_string(),
    )?;
    fs::copy(program, folder.join(format!("{name}.hy.elf")))?;
    Ok(())
}

pub(crate) fn script(
    catalogue: &Path,
    (provider, name): (&str, &str),
    source: &str,
    network: &Value,
) -> Result<()> {
    let folder = folder(catalogue, provider)?;
    let descriptor = json!({
        "name": name, "language": "javascript", "configuration": {}, "network": network,
    });
    fs::write(
        folder.join(format!("{name}.hy.json")),
        descriptor.to_string(),
    )?;
    fs::write(folder.join(format!("{name}.hy.js")), source)?;
    Ok(())
}

pub(crate) fn folder(catalogue: &Path, provider: &str) -> Result<PathBuf> {
    let folder = catalogue.join(provider).join(".well-known/hyperty");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
