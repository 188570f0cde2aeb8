//! What the demo plays on: a supervisor of its own, and everything seen so far.

use std::path::Path;
use std::time::{Duration, Instant};

use protocol::api::bus::{self, TapBatch, TapEntry, TapFilter};
use protocol::api::sandboxes::{self, LogBatch, LogFilter, LogLine};
use protocol::api::user_agent::{self, Component, Deploy, Listing};
use serde_json::{Value, json};

use super::catalogue;
use crate::args::Launch;
use crate::cmd::{deploy, learn_news, tap};
use crate::error::{Exit, Failure, Id};
use crate::names::Names;
use crate::output::{Output, Style, Tone, clean, time};
use crate::scratch::Scratch;
use crate::session::{Next, Session, value};
use crate::supervisor::{Plan, Supervisor};
use crate::{Context, signals};

/// How long one step may take. Everything together takes seconds; a machine that
/// is busy building takes longer.
const STEP_WITHIN: Duration = Duration::from_secs(15);

/// Columns that everything below a heading is moved in.
const MARGIN: usize = 3;

/// How long one look at the link lasts.
const LOOK: Duration = Duration::from_millis(50);

/// The stage, and what was seen on it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) out: Output,
    pub(super) session: Session,
    pub(super) supervisor: Supervisor,
    pub(super) names: Names,
    /// Every message that the tap showed.
    pub(super) messages: Vec<TapEntry>,
    /// Every line that was logged.
    pub(super) lines: Vec<LogLine>,
    /// The level that the first component reached.
    pub(super) level: String,
    view: tap::View,
    catalogue: String,
    own_log: Vec<String>,
    steps: u32,
    // Dropped last: the supervisor's directories are in it.
    scratch: Scratch,
}

impl Stage {
    /// Starts a supervisor in directories of its own.
    pub(super) fn open(named: Option<&Path>, context: &Context) -> Result<Self, Failure> {
        let scratch = Scratch::new("demo")?;
        let catalogue = catalogue::ready(named, &scratch)?;
        let out = context.out;
        heading(&out, 1, "A supervisor starts, in directories of its own")?;
        let started = Instant::now();
        let supervisor = Supervisor::start(&plan(&catalogue, &scratch)?)?;
        let took = time::span(started.elapsed());
        let mut session = Session::open_at(&supervisor.ready.endpoint, context.timeout)?;
        let _: Value = session.ask(bus::PATH, "subscribe", &TapFilter::default())?;
        let follow = LogFilter {
            follow: true,
            ..LogFilter::default()
        };
        let _: Value = session.ask(sandboxes::PATH, "subscribe", &follow)?;
        let stage = Self {
            out,
            names: Names::new(&session.runtime(), &session.address()),
            session,
            messages: Vec::new(),
            lines: Vec::new(),
            level: String::new(),
            view: tap::View::new(out.style(), MARGIN),
            catalogue: deploy::absolute(&catalogue)?,
            own_log: Vec::new(),
            steps: 1,
            supervisor,
            scratch,
        };
        let pid = stage.supervisor.ready.pid;
        let runtime = stage.session.runtime();
        stage.good(&format!("ready in {took}: pid {pid}, {runtime}"))?;
        Ok(stage)
    }

    /// Opens the next step.
    pub(super) fn step(&mut self, title: &str) -> Result<(), Failure> {
        self.steps += 1;
        heading(&self.out, self.steps, title)
    }

    /// Says that something happened as it should.
    pub(super) fn good(&self, text: &str) -> Result<(), Failure> {
        let said = json!({"step": self.steps, "happened": text});
        self.out.item("hyperty.demo/1", &said, |style| {
            format!(
                "   {} {}\n",
                style.paint(Tone::Good, style.tick()),
                clean(text)
            )
        })?;
        Ok(())
    }

    /// Says that something was refused, which is as it should be, too.
    pub(super) fn refused(&self, text: &str) -> Result<(), Failure> {
        let said = json!({"step": self.steps, "refused": text});
        self.out.item("hyperty.demo/1", &said, |style| {
            format!(
                "   {} {}\n",
                style.paint(Tone::Bad, style.cross()),
                clean(text)
            )
        })?;
        Ok(())
    }

    /// Shows text of several lines, for people.
    pub(super) fn show(&self, text: impl FnOnce(Style) -> String) -> Result<(), Failure> {
        self.out.human(|style| {
            let width = style.width.map(|width| width.saturating_sub(MARGIN));
            indent(&text(Style { width, ..style }))
        })?;
        Ok(())
    }

    /// The head of the live view.
    pub(super) fn show_head(&self) -> Result<(), Failure> {
        self.show(|style| self.view.head(style))
    }

    /// One message of the live view.
    pub(super) fn show_message(&self, entry: &TapEntry) -> Result<(), Failure> {
        self.show(|style| self.view.line(entry, Some(&self.names), style))
    }

    /// Deploys a component and learns its name.
    pub(super) fn deploy(
        &mut self,
        (provider, component): (&str, &str),
        configuration: Value,
    ) -> Result<Component, Failure> {
        let wanted = Deploy {
            catalogue: self.catalogue.clone(),
            component: component.to_owned(),
            provider: provider.to_owned(),
            min_level: None,
            configuration: Some(configuration),
            user: None,
        };
        let component = deploy::one(&mut self.session, &wanted)?;
        self.names.learn(std::slice::from_ref(&component));
        Ok(component)
    }

    /// What is deployed now.
    pub(super) fn components(&mut self) -> Result<Listing, Failure> {
        self.session.ask(user_agent::PATH, "read", &json!({}))
    }

    /// One component as it is now; `None` when it is gone.
    pub(super) fn component(&mut self, address: &str) -> Result<Option<Component>, Failure> {
        let listing = self.components()?;
        Ok(listing
            .components
            .into_iter()
            .find(|component| component.address == address))
    }

    /// Looks at what comes until `done` says so; `what` names it when it does not.
    pub(super) fn until(
        &mut self,
        what: &str,
        mut done: impl FnMut(&mut Self) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + STEP_WITHIN;
        while !done(self)? {
            if signals::count() > 0 {
                return Err(Failure::silent(Exit::Interrupted));
            }
            if Instant::now() > deadline {
                return Err(self.stuck(what));
            }
            self.look()?;
        }
        Ok(())
    }

    /// Takes in everything that is here, or comes soon.
    pub(super) fn look(&mut self) -> Result<(), Failure> {
        while let Some(line) = self.supervisor.log_line() {
            self.own_log.push(line);
        }
        let mut wait = LOOK;
        while self.take(wait)? {
            // Whatever is here already belongs to the same look.
            wait = Duration::ZERO;
        }
        Ok(())
    }

    // Takes one message; false when there is none.
    fn take(&mut self, wait: Duration) -> Result<bool, Failure> {
        match self.session.next(wait)? {
            Next::Message(heard) if heard.from.ends_with(bus::PATH) => {
                let batch: TapBatch = value(&heard.body).unwrap_or_default();
                let addresses = batch
                    .messages
                    .iter()
                    .flat_map(|entry| [&*entry.from, &*entry.to]);
                learn_news(&mut self.session, &mut self.names, addresses)?;
                self.messages.extend(batch.messages);
            }
            Next::Message(heard) => {
                let batch: LogBatch = value(&heard.body).unwrap_or_default();
                self.lines.extend(batch.lines);
            }
            Next::Answered(..) => {}
            Next::Nothing => return Ok(false),
            Next::End => return Err(self.stuck("the supervisor going on")),
        }
        Ok(true)
    }

    /// A step that did not happen, with what was logged last.
    pub(super) fn stuck(&self, what: &str) -> Failure {
        let last = |lines: Vec<String>| {
            let from = lines.len().saturating_sub(6);
            lines.get(from..).unwrap_or_default().join("\n")
        };
        let lines = self
            .lines
            .iter()
            .map(|line| format!("{}: {}", line.component, line.text));
        Failure::new(Id::DemoFailed, format!("waited in vain for {what}"))
            .fact("waited", time::span(STEP_WITHIN))
            .fact("logged", last(lines.collect()))
            .fact("supervisor", last(self.own_log.clone()))
            .fix("to look for the cause", "hyperty doctor")
    }

    /// Hands over what must outlive the link: the supervisor and its directories.
    pub(super) fn close(self) -> (Supervisor, Scratch, Output) {
        (self.supervisor, self.scratch, self.out)
    }
}

fn plan(catalogue: &Path, scratch: &Scratch) -> Result<Plan, Failure> {
    // An empty configuration: the demo must not depend on the reader's own.
    let config = scratch.path().join("hyperty.toml");
    std::fs::write(&config, "").map_err(|error| {
        Failure::new(
            Id::Local,
            format!("cannot write `{}`: {error}", config.display()),
        )
    })?;
    let launch = Launch {
        config: Some(config),
        data_dir: Some(scratch.path().join("data")),
        policy: vec![catalogue.join("policy.d")],
        ..Launch::default()
    };
    let runtime_dir = Some(scratch.path().join("run"));
    Ok(Plan {
        launch,
        runtime_dir,
        catalogues: vec![catalogue.to_path_buf()],
        user: None,
        ..Plan::default()
    })
}

fn heading(out: &Output, number: u32, title: &str) -> Result<(), Failure> {
    let blank = if number == 1 { "" } else { "\n" };
    out.human(|style| {
        let number = style.paint(Tone::Name, &number.to_string());
        format!("{blank}{number}  {}\n", style.paint(Tone::Strong, title))
    })?;
    Ok(())
}

fn indent(text: &str) -> String {
    let margin = " ".repeat(MARGIN);
    text.lines()
        .map(|line| format!("{margin}{line}\n"))
        .collect()
}
