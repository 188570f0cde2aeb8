//! A runtime for tests: the component in its sandbox, and a stub for each domain
//! of a peer, through which this program speaks and hears in the peers' names.
//!
//! Everything is real but the far ends: the core routes, decides and counts as
//! always. The rules permit what the test's peers are for, and nothing more.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::address::Address;
use protocol::api::sandboxes::{self, LogBatch, LogFilter, LogLine};
use protocol::api::user_agent::{self, Component, Deploy, Select};
use serde::Deserialize;
use serde_json::{Value, json};

use super::plan::Plan;
use crate::args::Launch;
use crate::cmd::{deploy, learn_news, logs, run};
use crate::error::{Exit, Failure, Id};
use crate::names::Names;
use crate::scratch::Scratch;
use crate::session::{DEPLOY_WITHIN, Next, Session, value};
use crate::supervisor::Supervisor;
use crate::{Context, signals};

/// How long one look at the link lasts.
const LOOK: Duration = Duration::from_millis(50);

/// How long a stub may take to say an echo back.
const ECHO_WITHIN: Duration = Duration::from_secs(10);

/// Messages that are kept before a step takes them: a component that floods is
/// told to be one instead of filling the memory.
const KEPT_MAX: usize = 10_000;

const PEER: &str = include_str!("peer.js");

/// The runtime, and what was heard from it.
pub(super) struct Stage {
    session: Session,
    log: logs::Log,
    stubs: Vec<(String, String)>,
    /// Messages of the component to peers that no step has taken yet.
    pub(super) heard: VecDeque<Value>,
    /// What the component logged in this test.
    pub(super) lines: Vec<LogLine>,
    echoes: u64,
    heard_echoes: u64,
    // Dropped in this order: the supervisor before its directories.
    _supervisor: Supervisor,
    _scratch: Scratch,
}

/// What a stub tells.
#[derive(Deserialize)]
struct Told {
    peer: Option<Value>,
    echo: Option<u64>,
}

impl Stage {
    /// Starts a runtime with the peers of a test file.
    pub(super) fn open(plan: &Plan, launch: &Launch, context: &Context) -> Result<Self, Failure> {
        let scratch = Scratch::new("test")?;
        let domains = plan.domains();
        let catalogue = scratch.path().join("peers");
        for domain in &domains {
            write_stub(&catalogue, domain)?;
        }
        let mut launch = launch.clone();
        launch.policy.push(write_rules(scratch.path(), &domains)?);
        let (supervisor, mut session) = run::temporary(&launch, &scratch, context)?;
        let follow = LogFilter {
            follow: true,
            ..LogFilter::default()
        };
        let _: Value = session.ask(sandboxes::PATH, "subscribe", &follow)?;
        let mut stubs = Vec::new();
        for domain in domains {
            let stub = deploy_stub(&mut session, &catalogue, &domain)?;
            // In the spelling that it listens under.
            let address: Result<Address, _> = stub.address.parse();
            let address = address.map_or(stub.address, |address| address.published());
            stubs.push((domain, address));
        }
        let names = Names::new(&session.runtime(), &session.address());
        Ok(Self {
            session,
            log: logs::Log::new(names),
            stubs,
            heard: VecDeque::new(),
            lines: Vec::new(),
            echoes: 0,
            heard_echoes: 0,
            _supervisor: supervisor,
            _scratch: scratch,
        })
    }

    /// The runtime's address.
    pub(super) fn runtime(&self) -> String {
        self.session.runtime()
    }

    /// Starts the component; its reason with places as its author wrote them.
    pub(super) fn start(&mut self, wanted: &Deploy) -> Result<Component, Failure> {
        for code in deploy::code_files(wanted) {
            self.log.places.learn_file(&code);
        }
        let component = deploy::one(&mut self.session, wanted)?;
        self.log.places.learn(std::slice::from_ref(&component));
        Ok(component)
    }

    /// Ends the component and waits until nothing of it is under way any more.
    pub(super) fn end(&mut self, component: &Component) -> Result<(), Failure> {
        let select = Select {
            resource: component.address.clone(),
            ..Select::default()
        };
        let _: Value =
            self.session
                .ask_within(user_agent::PATH, "delete", &select, DEPLOY_WITHIN)?;
        self.settle()?;
        self.heard.clear();
        self.lines.clear();
        Ok(())
    }

    /// Lets a peer say something.
    pub(super) fn say(&mut self, message: &Value) -> Result<(), Failure> {
        let from = message["from"].as_str().unwrap_or_default();
        let domain = from
            .parse::<Address>()
            .map(|address| address.domain().to_owned())
            .map_err(|bad| Failure::new(Id::Usage, format!("`from` of a message: {bad}")))?;
        let stub = self.stubs.iter().find(|(of, _)| *of == domain);
        let Some((_, stub)) = stub.cloned() else {
            let what = format!("`{from}` is no peer of this test file");
            return Err(Failure::new(Id::Usage, what)
                .fact("peers are of", self.domains())
                .fix("to add it", "name its address under `peers`"));
        };
        let body = json!({ "post": message });
        self.session.send("event", &stub, &body, Duration::ZERO)?;
        Ok(())
    }

    /// Takes in what comes for a short time.
    pub(super) fn look(&mut self) -> Result<(), Failure> {
        if signals::count() > 0 {
            return Err(Failure::silent(Exit::Interrupted));
        }
        let mut wait = LOOK;
        while self.take(wait)? {
            wait = Duration::ZERO;
        }
        Ok(())
    }

    // Whatever the stubs had to tell is here when each has said an echo back.
    fn settle(&mut self) -> Result<(), Failure> {
        self.echoes += 1;
        self.heard_echoes = 0;
        let stubs = self.stubs.clone();
        for (_, stub) in &stubs {
            let body = json!({ "echo": self.echoes });
            self.session.send("event", stub, &body, Duration::ZERO)?;
        }
        let deadline = Instant::now() + ECHO_WITHIN;
        while self.heard_echoes < stubs.len() as u64 {
            if Instant::now() > deadline {
                return Err(Failure::new(Id::TimedOut, "the peers' stubs do not answer"));
            }
            self.look()?;
        }
        Ok(())
    }

    // Takes one message; false when there is none.
    fn take(&mut self, wait: Duration) -> Result<bool, Failure> {
        let heard = match self.session.next(wait)? {
            Next::Message(heard) => heard,
            Next::Answered(..) => return Ok(true),
            Next::Nothing => return Ok(false),
            Next::End => return Err(Failure::new(Id::LinkLost, "the supervisor ended")),
        };
        if heard.from.ends_with(sandboxes::PATH) {
            let batch: LogBatch = value(&heard.body).unwrap_or_default();
            let speakers = batch.lines.iter().map(|line| line.component.as_str());
            learn_news(&mut self.session, &mut self.log.names, speakers)?;
            let lines = batch
                .lines
                .iter()
                .map(|line| self.log.places.line(line).into_owned());
            self.lines.extend(lines);
        } else if let Ok(told) = serde_json::from_slice::<Told>(&heard.body) {
            self.heard_echoes += u64::from(told.echo == Some(self.echoes));
            self.heard.extend(told.peer.map(canonical));
        }
        if self.heard.len() > KEPT_MAX {
            let what =
                format!("the component sent more than {KEPT_MAX} messages that no step takes");
            return Err(Failure::new(Id::TestFailed, what));
        }
        Ok(true)
    }

    fn domains(&self) -> String {
        let domains = self.stubs.iter().map(|(domain, _)| domain.as_str());
        domains.collect::<Vec<_>>().join(", ")
    }
}

fn deploy_stub(
    session: &mut Session,
    catalogue: &Path,
    domain: &str,
) -> Result<Component, Failure> {
    let tester = session.address();
    let wanted = Deploy {
        catalogue: catalogue.display().to_string(),
        component: "protocolstub/peer".to_owned(),
        provider: domain.to_owned(),
        configuration: Some(json!({ "tester": tester })),
        ..Deploy::default()
    };
    deploy::one(session, &wanted)
}

fn write_stub(catalogue: &Path, domain: &str) -> Result<(), Failure> {
    let folder = catalogue.join(domain).join(".well-known/protocolstub");
    let descriptor = json!({ "name": "peer", "language": "javascript", "configuration": {} });
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("peer.ps.js"), PEER))
        .and_then(|()| fs::write(folder.join("peer.ps.json"), descriptor.to_string()))
        .map_err(|error| unwritable(&folder, &error))
}

// What peers are for: to speak and to be spoken to. Between the component and
// anybody else the shipped rules decide, and those of `--policy`.
fn write_rules(scratch: &Path, domains: &[String]) -> Result<PathBuf, Failure> {
    let folder = scratch.join("policy.d");
    let list = json!(domains).to_string();
    let rules = format!(
        "@id(\"test-peers-speak\")\n@why(\"the peers of the test file say what it says\")\n\
         permit (principal is Remote, action in Action::\"message\", resource)\n\
         when {{ {list}.contains(principal.domain) }};\n\n\
         @id(\"test-peers-hear\")\n@why(\"the component speaks to the peers of the test file\")\n\
         permit (principal, action in [Action::\"message\", Action::\"listen\"], resource is Remote)\n\
         when {{ {list}.contains(resource.domain) }};\n\n\
         @id(\"test-stubs-tell\")\n@why(\"what comes for a peer is told to the tester\")\n\
         permit (principal is ProtoStub, action in Action::\"message\", resource is Operator)\n\
         when {{ {list}.contains(principal.provider) }};\n"
    );
    // Without peers there is nothing to permit, and an empty set has no type.
    let rules = if domains.is_empty() {
        String::new()
    } else {
        rules
    };
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("50-test.cedar"), rules))
        .map_err(|error| unwritable(&folder, &error))?;
    Ok(folder)
}

fn unwritable(folder: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot write to `{}`: {error}", folder.display());
    Failure::new(Id::Local, what)
}

// Scripts write `runtime://`, which is the same as what we print.
fn canonical(message: Value) -> Value {
    match message {
        Value::String(text) => Value::String(match text.strip_prefix("runtime://") {
            Some(rest) => format!("hyperty-runtime://{rest}"),
            None => text,
        }),
        Value::Array(items) => items.into_iter().map(canonical).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (name, canonical(member)))
            .collect(),
        other => other,
    }
}
