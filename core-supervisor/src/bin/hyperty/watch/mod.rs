//! What `up` and `run` do while everything runs: deploy, show logs and a line
//! per deployment, until somebody wants an end.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use protocol::api::sandboxes::{self, LogFilter};
use protocol::api::user_agent::{self, Component, Deploy, Listing};
use serde_json::{Value, json};

use crate::cmd::{deploy, logs, ps};
use crate::error::Failure;
use crate::names::Names;
use crate::output::table::Cell;
use crate::output::{Output, Tone, cell, clean};
use crate::session::{Answer, DEPLOY_WITHIN, Next, Session, value};
use crate::signals;
use crate::supervisor::Supervisor;

mod live;
mod show;

use live::Live;

/// How long one look at the link may last; Ctrl-C and the supervisor's own log
/// are looked at between two.
const LOOK: Duration = Duration::from_millis(100);

/// How often the lines are brought up to date when the log tells of nothing.
const REFRESH: Duration = Duration::from_secs(1);

/// Why the watch ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Ctrl-C, or a polite kill.
    Interrupted,
    /// The supervisor ended; how, when it was ours.
    Supervisor(Option<ExitStatus>),
    /// Nothing that was deployed here runs any more, or will.
    NothingLeft,
    /// What was waited for has happened.
    Satisfied,
}

/// What an answer will be about.
#[derive(Debug)]
enum Asked {
    Deployment,
    Reload(String),
}

/// A watch over one runtime.
#[derive(Debug)]
pub(crate) struct Watch {
    session: Session,
    out: Output,
    log: logs::Log,
    live: Live,
    components: Vec<Component>,
    // What was asked for and is not answered yet.
    asked: BTreeMap<u64, Asked>,
    // What a line of the log is waited for, and whether it has come.
    awaited: Option<String>,
    has_come: bool,
    /// Addresses that this watch deployed.
    pub(crate) deployed: Vec<String>,
    /// Deployments that failed.
    pub(crate) failed: usize,
}

impl Watch {
    /// Starts to follow the runtime's log.
    pub(crate) fn new(mut session: Session, out: Output) -> Result<Self, Failure> {
        let filter = LogFilter {
            follow: true,
            ..LogFilter::default()
        };
        let _: Value = session.ask(sandboxes::PATH, "subscribe", &filter)?;
        let log = logs::Log::new(Names::new(&session.runtime(), &session.address()));
        let live = Live::new(out, &live::COLUMNS);
        Ok(Self {
            session,
            out,
            log,
            live,
            components: Vec::new(),
            asked: BTreeMap::new(),
            awaited: None,
            has_come: false,
            deployed: Vec::new(),
            failed: 0,
        })
    }

    /// Asks for these deployments; [`Self::follow`] sees what becomes of them.
    pub(crate) fn deploy(&mut self, wanted: Vec<Deploy>) -> Result<(), Failure> {
        for deploy in wanted {
            // One that never runs is in no listing, and its reason has places as well.
            for code in deploy::code_files(&deploy) {
                self.log.places.learn_file(&code);
            }
            let asked = self
                .session
                .ask_later(user_agent::PATH, "create", &deploy, DEPLOY_WITHIN);
            let asked = asked?;
            self.asked.insert(asked, Asked::Deployment);
        }
        Ok(())
    }

    /// Deploys one component and waits until it runs.
    pub(crate) fn deploy_now(&mut self, wanted: &Deploy) -> Result<Component, Failure> {
        for code in deploy::code_files(wanted) {
            self.log.places.learn_file(&code);
        }
        let component = deploy::one(&mut self.session, wanted)?;
        self.deployed.push(component.address.clone());
        Ok(component)
    }

    /// What the configured catalogues, or one directory, hold.
    pub(crate) fn everything(&mut self, how: &deploy::How) -> Result<Vec<Deploy>, Failure> {
        deploy::everything(&mut self.session, how)
    }

    /// Watches until somebody wants an end. With `until_idle` that is also when
    /// nothing of what was deployed here runs any more.
    pub(crate) fn follow(
        &mut self,
        supervisor: Option<&mut Supervisor>,
        until_idle: bool,
    ) -> Result<Ended, Failure> {
        self.follow_with(supervisor, until_idle, &mut |_| Ok(false))
    }

    /// The same, with something to be done between two looks; `true` ends it.
    pub(crate) fn follow_with(
        &mut self,
        mut supervisor: Option<&mut Supervisor>,
        until_idle: bool,
        between: &mut dyn FnMut(&mut Self) -> Result<bool, Failure>,
    ) -> Result<Ended, Failure> {
        let mut refreshed: Option<Instant> = None;
        loop {
            if signals::count() > 0 {
                self.live.leave();
                return Ok(Ended::Interrupted);
            }
            if between(self)? {
                self.live.leave();
                return Ok(Ended::Satisfied);
            }
            if let Some(supervisor) = supervisor.as_deref_mut() {
                self.show_own_log(supervisor)?;
            }
            let news = match self.session.next(LOOK)? {
                Next::Message(heard) => self.show(&heard)?,
                Next::Answered(id, answer) => self.answered(id, &answer)?,
                Next::Nothing => false,
                Next::End => {
                    self.live.leave();
                    let status = supervisor.and_then(|supervisor| supervisor.wait(LOOK * 20));
                    return Ok(Ended::Supervisor(status));
                }
            };
            if news || refreshed.is_none_or(|at| at.elapsed() > REFRESH) {
                self.refresh()?;
                refreshed = Some(Instant::now());
                if until_idle && self.is_idle() {
                    self.live.leave();
                    return Ok(Ended::NothingLeft);
                }
            }
        }
    }

    /// Reloads a component of ours, or deploys it when there is none yet.
    pub(crate) fn renew(&mut self, deploy: Deploy) -> Result<(), Failure> {
        let code = deploy::code_files(&deploy);
        let is_its = |component: &&Component| {
            let source = std::path::Path::new(&component.source).with_extension("");
            let is_ours = self.deployed.contains(&component.address);
            is_ours && code.iter().any(|code| code.with_extension("") == source)
        };
        let Some(component) = self.components.iter().find(is_its).cloned() else {
            return self.deploy(vec![deploy]);
        };
        for note in code.iter().filter_map(|code| {
            let places = &mut self.log.places;
            places.renew(&component.address, code)
        }) {
            self.out.note(&note);
        }
        let method = user_agent::Method {
            method: "reload".to_owned(),
            resource: component.address,
        };
        let asked = self
            .session
            .ask_later(user_agent::PATH, "execute", &method, DEPLOY_WITHIN)?;
        self.asked.insert(asked, Asked::Reload(component.name));
        Ok(())
    }

    /// Whether something was asked for that is not answered yet.
    pub(crate) fn is_busy(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Where the output goes.
    pub(crate) const fn out(&self) -> Output {
        self.out
    }

    /// Removes what this watch deployed, from a supervisor that goes on.
    pub(crate) fn remove(&mut self) -> Result<(), Failure> {
        for resource in std::mem::take(&mut self.deployed) {
            let select = user_agent::Select {
                resource,
                ..user_agent::Select::default()
            };
            let _: Value =
                self.session
                    .ask_within(user_agent::PATH, "delete", &select, DEPLOY_WITHIN)?;
        }
        Ok(())
    }

    fn answered(&mut self, id: u64, answer: &Answer) -> Result<bool, Failure> {
        let Some(asked) = self.asked.remove(&id) else {
            return Ok(false);
        };
        if answer.code.is_success() {
            if let Some(component) = value::<Component>(&answer.body) {
                self.runs(&asked, component)?;
            }
            return Ok(true);
        }
        let kind = match asked {
            Asked::Deployment => {
                self.failed += 1;
                "create"
            }
            Asked::Reload(_) => "execute",
        };
        let to = self.session.room(user_agent::PATH);
        let failure = self.session.explain(kind, &to, answer);
        let failure = failure.in_words(|text| self.log.places.text("", text).into_owned());
        self.complain(&failure)?;
        Ok(true)
    }

    fn runs(&mut self, asked: &Asked, component: Component) -> Result<(), Failure> {
        match asked {
            Asked::Deployment => self.deployed.push(component.address),
            Asked::Reload(name) => self.tell(Tone::Good, &format!("{name} runs its new code"))?,
        }
        Ok(())
    }

    fn refresh(&mut self) -> Result<(), Failure> {
        let listing: Listing = self.session.ask(user_agent::PATH, "read", &json!({}))?;
        self.log.names.learn(&listing.components);
        let changed: Vec<_> = listing
            .components
            .iter()
            .enumerate()
            .filter(|(_, now)| !self.components.iter().any(|before| is_same(before, now)))
            .map(|(index, _)| index)
            .collect();
        if self.out.is_json() {
            for component in changed
                .iter()
                .filter_map(|&index| listing.components.get(index))
            {
                self.out
                    .item("hyperty.component/1", component, |_| String::new())?;
            }
        } else {
            let rows = listing
                .components
                .iter()
                .map(|component| self.row(component))
                .collect();
            self.live.set(rows, &changed)?;
        }
        self.components = listing.components;
        Ok(())
    }

    fn row(&self, component: &Component) -> Vec<Cell> {
        let style = self.out.style();
        let (tone, mark) = match component.state.as_str() {
            "running" => (Tone::Good, style.tick()),
            "failed" => (Tone::Bad, style.cross()),
            _ => (Tone::Odd, style.ellipsis()),
        };
        let pid = component
            .pid
            .map_or_else(String::new, |pid| format!("pid {pid}"));
        let name = match component.address.as_str() {
            "" => clean(&component.name).into_owned(),
            address => self.log.names.short(address),
        };
        let rest = match component.reason.as_str() {
            "" => format!("{} sent, {} received", component.sent, component.received),
            reason => clean(reason).into_owned(),
        };
        vec![
            cell(tone, mark),
            cell(Tone::Strong, name),
            ps::state(component),
            ps::level(component.level),
            pid.into(),
            cell(Tone::Faint, rest),
        ]
    }

    fn is_idle(&self) -> bool {
        let ours = |component: &&Component| self.deployed.contains(&component.address);
        self.asked.is_empty()
            && self
                .components
                .iter()
                .filter(ours)
                .all(|component| matches!(component.state.as_str(), "failed" | "stopped"))
    }
}

// Whether nothing changed that a reader of a log file would want a line for.
fn is_same(before: &Component, now: &Component) -> bool {
    before.address == now.address
        && before.state == now.state
        && before.pid == now.pid
        && before.reason == now.reason
}
