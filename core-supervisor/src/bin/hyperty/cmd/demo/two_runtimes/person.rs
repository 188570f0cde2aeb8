//! One person: a runtime, its stub, and a component that talks.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use protocol::api::sandboxes::{self, LogBatch, LogFilter, LogLine};
use protocol::api::user_agent::{Component, Deploy};
use protocol::code::Code;
use serde_json::{Value, json};

use super::broker::Broker;
use super::{STEP_WITHIN, failed};
use crate::args::Launch;
use crate::cmd::deploy;
use crate::error::{Exit, Failure, Id};
use crate::scratch::Scratch;
use crate::session::{Next, Session, value};
use crate::supervisor::{Plan, Supervisor};
use crate::{Context, signals};

/// The domain that both belong to.
const DOMAIN: &str = "talk.example";

const TALKER: &str = include_str!("talker.js");

/// One person, whose runtime may be gone.
pub(super) struct Person {
    name: &'static str,
    folder: PathBuf,
    node: String,
    running: Option<Running>,
    talker: String,
    lines: Vec<LogLine>,
    told: usize,
}

struct Running {
    supervisor: Supervisor,
    session: Session,
}

impl Person {
    /// Starts the runtime, and waits until it has reached its domain.
    pub(super) fn arrive(
        name: &'static str,
        broker: &Broker,
        scratch: &Scratch,
        context: &Context,
    ) -> Result<Self, Failure> {
        let folder = scratch.path().join(name);
        catalogue(&folder)?;
        let mut person = Self {
            name,
            folder,
            node: broker.url(),
            running: None,
            talker: String::new(),
            lines: Vec::new(),
            told: 0,
        };
        person.comes_back(context)?;
        Ok(person)
    }

    /// Starts the runtime in the directories it had before.
    pub(super) fn comes_back(&mut self, context: &Context) -> Result<(), Failure> {
        let supervisor = Supervisor::start(&self.plan()?)?;
        let mut session = Session::open_at(&supervisor.ready.endpoint, context.timeout)?;
        let follow = LogFilter {
            follow: true,
            ..LogFilter::default()
        };
        let _: Value = session.ask(sandboxes::PATH, "subscribe", &follow)?;
        self.running = Some(Running {
            supervisor,
            session,
        });
        let from = self.lines.len();
        self.until("its domain", |person| {
            let lines = person.lines.get(from..).unwrap_or_default();
            lines
                .iter()
                .any(|line| line.text.contains("live: the domain"))
        })?;
        self.talker = self.deploy("hyperty/Talker")?.address;
        Ok(())
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn pid(&self) -> Option<u32> {
        Some(self.running.as_ref()?.supervisor.ready.pid)
    }

    pub(super) fn address(&self) -> String {
        self.talker.clone()
    }

    pub(super) fn introduction(&self) -> String {
        let pid = self.pid().unwrap_or_default();
        format!(
            "{} is {}, in a runtime of its own (pid {pid})",
            self.name, self.talker
        )
    }

    pub(super) fn says(&mut self, text: &str, to: &Self) -> Result<(), Failure> {
        self.says_to(text, &to.address())
    }

    pub(super) fn says_to(&mut self, text: &str, to: &str) -> Result<(), Failure> {
        let own = self.address();
        let body = json!({ "to": to, "text": text });
        let answer = self.session()?.call("execute", &own, &body)?;
        if answer.code != Code::OK {
            return Err(failed(&format!("{} could not say `{text}`", self.name)));
        }
        let line = format!("says: {text}");
        self.until(&line, |person| {
            person.lines.iter().any(|known| known.text == line)
        })
    }

    /// Waits until it has heard this.
    pub(super) fn hears(&mut self, text: &str) -> Result<(), Failure> {
        let what = format!("{} hearing `{text}`", self.name);
        let line = format!("hears {text}");
        self.until(&what, |person| {
            person.lines.iter().any(|known| known.text == line)
        })
    }

    /// Whether it has heard this once and not again.
    pub(super) fn heard_once(&self, text: &str) -> Result<(), Failure> {
        let count = self
            .lines
            .iter()
            .filter(|line| line.text.ends_with(text) && line.text.starts_with("hears"))
            .count();
        if count == 1 {
            return Ok(());
        }
        Err(failed(&format!(
            "{} heard `{text}` {count} times",
            self.name
        )))
    }

    /// What its talker said and heard since this was asked last.
    pub(super) fn news(&mut self) -> Vec<String> {
        let lines = self.lines.get(self.told..).unwrap_or_default();
        let spoken = lines.iter().filter(|line| line.component == self.talker);
        let spoken =
            spoken.filter(|line| line.text.starts_with("says") || line.text.starts_with("hears"));
        let news = spoken.map(|line| line.text.clone()).collect();
        self.told = self.lines.len();
        news
    }

    /// Its runtime is killed, and all that ran in it.
    pub(super) fn is_killed(&mut self) -> String {
        let pid = self.pid().unwrap_or_default();
        if let Some(mut running) = self.running.take() {
            running.supervisor.kill();
        }
        format!("killed: pid {pid}, its sandboxes with it")
    }

    /// Ends the runtime; whether that was in order.
    pub(super) fn leaves(mut self) -> bool {
        let running = self.running.take();
        running.is_none_or(|mut running| running.supervisor.end(|| signals::count() > 0))
    }

    fn deploy(&mut self, component: &str) -> Result<Component, Failure> {
        let wanted = Deploy {
            catalogue: deploy::absolute(&self.folder.join("catalogue"))?,
            component: component.to_owned(),
            provider: DOMAIN.to_owned(),
            user: Some(format!("{}@{DOMAIN}", self.name)),
            configuration: Some(json!({ "person": self.name })),
            ..Deploy::default()
        };
        deploy::one(self.session()?, &wanted)
    }

    fn session(&mut self) -> Result<&mut Session, Failure> {
        let running = self.running.as_mut();
        running
            .map(|running| &mut running.session)
            .ok_or_else(|| failed("the runtime is gone"))
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + STEP_WITHIN;
        while !done(self) {
            if signals::count() > 0 {
                return Err(Failure::silent(Exit::Interrupted));
            }
            if Instant::now() > deadline {
                return Err(self.stuck(what));
            }
            match self.session()?.next(Duration::from_millis(50))? {
                Next::Message(heard) => {
                    let batch: LogBatch = value(&heard.body).unwrap_or_default();
                    self.lines.extend(batch.lines);
                }
                Next::Answered(..) | Next::Nothing => {}
                Next::End => return Err(self.stuck("the runtime going on")),
            }
        }
        Ok(())
    }

    fn stuck(&self, what: &str) -> Failure {
        let last = self.lines.len().saturating_sub(6);
        let lines = self.lines.get(last..).unwrap_or_default().iter();
        let lines: Vec<_> = lines
            .map(|line| format!("{}: {}", line.component, line.text))
            .collect();
        failed(&format!("waited in vain for {what}")).fact("logged", lines.join("\n"))
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let config = self.folder.join("hyperty.toml");
        fs::write(&config, "").map_err(|error| {
            Failure::new(
                Id::Local,
                format!("cannot write `{}`: {error}", config.display()),
            )
        })?;
        let launch = Launch {
            config: Some(config),
            data_dir: Some(self.folder.join("data")),
            ..Launch::default()
        };
        Ok(Plan {
            launch,
            runtime_dir: Some(self.folder.join("run")),
            catalogues: vec![self.folder.join("catalogue")],
            user: Some(format!("{}@{DOMAIN}", self.name)),
            domain: Some(DOMAIN.to_owned()),
            nodes: vec![self.node.clone()],
            ..Plan::default()
        })
    }
}

// A catalogue with the talker; the stub comes with the runtime.
fn catalogue(folder: &std::path::Path) -> Result<(), Failure> {
    let known = folder.join("catalogue").join(DOMAIN).join(".well-known");
    let talker = json!({ "name": "Talker", "language": "javascript", "configuration": {} });
    let written = || {
        fs::create_dir_all(known.join("hyperty"))?;
        fs::write(known.join("hyperty/Talker.hy.json"), talker.to_string())?;
        fs::write(known.join("hyperty/Talker.hy.js"), TALKER)
    };
    written().map_err(|error| failed(&format!("cannot make the catalogue: {error}")))
}
