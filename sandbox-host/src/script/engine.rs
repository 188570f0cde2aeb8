//! The engine of one sandbox: one heap, one global object, one turn at a time.

use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use protocol::Code;
use protocol::frame::{CoreFrame, HostFrame, LogLevel};
use rquickjs::{Context, Ctx, Function, Object, Persistent, Runtime};

use super::failure::{Failure, cut};
use super::framework::{AT_START, install};
use super::limits::{INTERRUPTIONS_MAX, Limits};
use super::natives;
use super::shared::{Clock, Shared};
use crate::link::Outbox;

/// Why an engine could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the script engine: {0}")]
pub struct EngineError(String);

/// What the loop does after a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Goes on.
    Continue,
    /// Ends; the core asked for it.
    Stop,
    /// Ends; the core said what it never says to a script host.
    Misunderstood,
}

/// The JavaScript engine of one sandbox, shared by the components of one provider.
pub struct Engine {
    // Before the context, which must be the last to go.
    pub(super) entry: Entry,
    pub(super) shared: Rc<Shared>,
    context: Context,
    runtime: Runtime,
}

/// The functions of the framework that the host calls.
pub(super) struct Entry {
    host: Persistent<Object<'static>>,
    pub(super) deliver: Persistent<Function<'static>>,
    fire: Persistent<Function<'static>>,
}

impl Engine {
    /// Makes an engine with the framework in it, and touches what the engine
    /// would otherwise open files for after the lock.
    pub fn new(limits: Limits, clock: Clock) -> Result<Self, EngineError> {
        let shared = Rc::new(Shared::new(limits, clock));
        let failed = |error: rquickjs::Error| EngineError(error.to_string());
        let runtime = Runtime::new().map_err(failed)?;
        bound(&runtime, &shared);
        let context = Context::full(&runtime).map_err(failed)?;
        shared.turn.begin(limits.load);
        let entry = context.with(|ctx| {
            let entry = boot(&ctx, &shared);
            entry.map_err(|error| EngineError(Failure::caught(&ctx, &error).reason))
        })?;
        Ok(Self {
            entry,
            shared,
            context,
            runtime,
        })
    }

    /// Gives the heap another bound than [`Limits`] did.
    pub fn limit_memory(&self, bytes: u64) {
        self.runtime
            .set_memory_limit(usize::try_from(bytes).unwrap_or(usize::MAX));
    }

    /// Lets components have so many timers armed at once; 0 leaves it at the usual number.
    pub fn limit_timers(&self, most: u32) {
        if most > 0 {
            self.shared.timers_max.set(most);
        }
    }

    /// Does what one frame of the core asks for.
    pub fn handle(&self, frame: CoreFrame<'_>) -> Next {
        match frame {
            CoreFrame::Deliver(message) => self.deliver(&message),
            CoreFrame::Load(load, source) => self.load(&load, source),
            CoreFrame::Unload { component } => self.unload(component),
            CoreFrame::Listening {
                address,
                code,
                reason,
            } => self.listening(address, code, reason),
            CoreFrame::Seed { component, items } => self.seed(component, items),
            CoreFrame::Socket { .. }
            | CoreFrame::NotDialled(_)
            | CoreFrame::Hungup { .. }
            | CoreFrame::Roots { .. }
            | CoreFrame::NoRoots { .. } => return self.hear(&frame),
            CoreFrame::Ping { token } => self.shared.say(&HostFrame::Pong { token }),
            CoreFrame::Stop { .. } => return Next::Stop,
            CoreFrame::Welcome { .. }
            | CoreFrame::Exec(_)
            | CoreFrame::Start(_)
            | CoreFrame::Borrow { .. }
            | CoreFrame::Lend(_)
            | CoreFrame::DeliverBy(_)
            | CoreFrame::Returned { .. }
            | CoreFrame::Unsent { .. }
            | CoreFrame::Revoke { .. }
            | CoreFrame::Bound { .. }
            | CoreFrame::Accepted { .. }
            | CoreFrame::Connect(_)
            | CoreFrame::Disconnect { .. } => return Next::Misunderstood,
        }
        Next::Continue
    }

    /// Calls the next timer that is due; false when none is.
    pub fn fire(&self) -> bool {
        let due = self.shared.timers.borrow_mut().take_due(self.shared.now());
        let Some(id) = due else {
            return false;
        };
        let fire = &self.entry.fire;
        self.settle(self.turn(self.shared.limits.turn, |ctx| {
            fire.clone().restore(&ctx)?.call::<_, ()>((id,))
        }));
        true
    }

    /// How long until the next timer is due.
    pub fn wait(&self) -> Option<Duration> {
        self.shared.timers.borrow().wait(self.shared.now())
    }

    /// Whether microtasks are left over from a turn that had too many.
    pub fn is_busy(&self) -> bool {
        self.runtime.is_job_pending()
    }

    /// Exchanges the frames that wait to be written, which costs nothing.
    pub fn swap_outbox(&self, outbox: &mut Outbox) {
        std::mem::swap(&mut *self.shared.outbox.borrow_mut(), outbox);
    }

    /// Reports what a turn threw, gives the listeners behind an interrupted one
    /// their turn, and runs the microtasks.
    pub(super) fn settle(&self, mut outcome: Result<(), Failure>) {
        for round in 0.. {
            let Err(failure) = outcome else {
                break;
            };
            self.shared.log_failure(&self.owner(), &failure);
            if !failure.is_interruption {
                break;
            }
            let rest = if round < INTERRUPTIONS_MAX {
                "resume"
            } else {
                "abandon"
            };
            outcome = self.turn(self.shared.limits.turn, |ctx| self.call(&ctx, rest, ()));
            if round > INTERRUPTIONS_MAX {
                break;
            }
        }
        self.run_jobs();
    }

    /// Runs microtasks, as many as one turn may.
    pub fn run_jobs(&self) {
        let end = Instant::now() + self.shared.limits.turn;
        for _ in 0..self.shared.limits.jobs_per_turn {
            self.shared.turn.begin(self.shared.limits.turn);
            match self.runtime.execute_pending_job() {
                Ok(false) => break,
                Ok(true) => {}
                Err(exception) => exception.0.with(|ctx| {
                    let failure = Failure::caught(&ctx, &rquickjs::Error::Exception);
                    self.shared.log_failure("", &failure);
                }),
            }
            if Instant::now() >= end {
                break;
            }
        }
        self.report_rejections();
    }

    fn report_rejections(&self) {
        if self.shared.rejections.borrow().is_empty() || self.is_busy() {
            return;
        }
        let rejections = self.shared.rejections.take();
        let owner = self.owner();
        self.shared.turn.begin(self.shared.limits.turn);
        self.context.with(|ctx| {
            for reason in rejections.reasons(&ctx) {
                let mut failure = Failure::thrown(&ctx, &reason);
                let heard = "a promise was rejected and nobody heard";
                failure.reason = format!("{heard}: {}", failure.reason);
                self.shared.log_failure(&owner, &failure);
            }
        });
    }

    // To somebody who asked for nothing it would be no answer.
    fn hear(&self, frame: &CoreFrame<'_>) -> Next {
        match self.shared.net.borrow_mut().as_mut() {
            Some(net) => net.hear(frame),
            None => return Next::Misunderstood,
        }
        Next::Continue
    }

    // Read when the component touches its `localStorage` first.
    fn seed(&self, component: &str, items: &[u8]) {
        let Ok(items) = std::str::from_utf8(items) else {
            return;
        };
        let outcome = self.turn(self.shared.limits.turn, |ctx| {
            self.call(&ctx, "seed", (component, items))
        });
        if let Err(failure) = outcome {
            self.shared.log_failure(component, &failure);
        }
    }

    fn listening(&self, address: &str, code: Code, reason: &str) {
        if code.0 < 300 {
            return;
        }
        let text = format!("hears nothing on `{address}`: {code} {reason}");
        let text = cut(text, protocol::limits::LOG_BYTES_MAX);
        for component in self.shared.listens.borrow().listeners(address) {
            self.shared
                .log(&component, LogLevel::Warn, "", text.trim_end());
        }
    }

    /// Runs `act` as one turn of so much time.
    pub(super) fn turn<R>(
        &self,
        budget: Duration,
        act: impl FnOnce(Ctx<'_>) -> rquickjs::Result<R>,
    ) -> Result<R, Failure> {
        self.shared.turn.begin(budget);
        self.context.with(|ctx| {
            act(ctx.clone()).map_err(|error| {
                // Reading the error is not the component's time any more.
                self.shared.turn.begin(self.shared.limits.turn);
                Failure::caught(&ctx, &error)
            })
        })
    }

    /// Calls a function of the framework by its name on `host`.
    pub(super) fn call<'js, A>(
        &self,
        ctx: &Ctx<'js>,
        name: &str,
        arguments: A,
    ) -> rquickjs::Result<()>
    where
        A: rquickjs::function::IntoArgs<'js>,
    {
        let host = self.entry.host.clone().restore(ctx)?;
        host.get::<_, Function<'js>>(name)?.call(arguments)
    }

    // Whose code ran last.
    fn owner(&self) -> String {
        let owner = self
            .context
            .with(|ctx| self.entry.host.clone().restore(&ctx)?.get("owner"));
        owner.unwrap_or_default()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Values must not outlive the heap they are in.
        self.shared.rejections.take();
    }
}

fn bound(runtime: &Runtime, shared: &Rc<Shared>) {
    let limits = shared.limits;
    runtime.set_memory_limit(limits.memory_bytes);
    runtime.set_max_stack_size(limits.stack_bytes);
    runtime.set_gc_threshold(limits.garbage_bytes);
    let it = Rc::clone(shared);
    runtime.set_interrupt_handler(Some(Box::new(move || it.turn.is_over())));
    let it = Rc::clone(shared);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(
        move |ctx, promise, reason, is_handled| {
            let mut rejections = it.rejections.borrow_mut();
            rejections.note(&ctx, promise, reason, is_handled);
        },
    )));
}

fn boot(ctx: &Ctx<'_>, shared: &Rc<Shared>) -> rquickjs::Result<Entry> {
    let host = natives::host(ctx, shared)?;
    for name in AT_START {
        install(ctx, &host, name)?;
    }
    // The first use of the local time opens `/etc/localtime`.
    ctx.eval::<(), _>("void new Date().toString()")?;
    let function = |name: &str| host.get::<_, Function<'_>>(name);
    Ok(Entry {
        deliver: Persistent::save(ctx, function("deliver")?),
        fire: Persistent::save(ctx, function("fire")?),
        host: Persistent::save(ctx, host),
    })
}
