//! What the engine's native functions and the loop around it both work on.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use protocol::frame::{HostFrame, Log, LogLevel};
use protocol::limits::LOG_BYTES_MAX;

use super::crypto::Keys;
use super::failure::{self, Failure, cut};
use super::limits::{Limits, TIMERS_MAX};
use super::listens::Listens;
use super::net::Net;
use super::random::Random;
use super::rejections::Rejections;
use super::timers::Timers;
use super::turn::Turn;
use crate::link::Outbox;

/// The time since the sandbox began; tests turn it by hand.
pub type Clock = Rc<dyn Fn() -> Duration>;

pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) outbox: RefCell<Outbox>,
    pub(super) timers: RefCell<Timers>,
    /// Timers that components may have armed.
    pub(super) timers_max: Cell<u32>,
    pub(super) random: RefCell<Random>,
    pub(super) keys: RefCell<Keys>,
    pub(super) listens: RefCell<Listens>,
    /// Address of each component, and the file its stack lines name.
    pub(super) components: RefCell<BTreeMap<String, String>>,
    /// Made when a script first wants it.
    pub(super) net: RefCell<Option<Box<Net>>>,
    /// Promises that were rejected and have no handler yet.
    pub(super) rejections: RefCell<Rejections>,
    /// The time of the code that runs now.
    pub(super) turn: Turn,
    lost_lines: Cell<u64>,
}

impl Shared {
    pub(super) fn new(limits: Limits, clock: Clock) -> Self {
        Self {
            limits,
            clock,
            outbox: RefCell::default(),
            timers: RefCell::default(),
            timers_max: Cell::new(TIMERS_MAX),
            random: RefCell::default(),
            keys: RefCell::default(),
            listens: RefCell::default(),
            components: RefCell::default(),
            net: RefCell::default(),
            rejections: RefCell::default(),
            turn: Turn::of(limits.load),
            lost_lines: Cell::new(0),
        }
    }

    pub(super) fn now(&self) -> Duration {
        (self.clock)()
    }

    pub(super) fn is_full(&self) -> bool {
        self.outbox.borrow().bytes() >= self.limits.outbox_bytes
    }

    /// Says a frame whose parts are known to fit.
    pub(super) fn say(&self, frame: &HostFrame<'_>) {
        if let Err(error) = self.outbox.borrow_mut().push(frame) {
            debug_assert!(false, "a frame of our own is too large: {error}");
        }
    }

    /// One line of a component's log.
    pub(super) fn log(&self, component: &str, level: LogLevel, place: &str, text: &str) {
        if self.is_full() {
            self.lost_lines.set(self.lost_lines.get() + 1);
            return;
        }
        let lost = self.lost_lines.take();
        if lost > 0 {
            self.line(
                "",
                LogLevel::Warn,
                "",
                &format!("{lost} log lines were lost: too many in one turn"),
            );
        }
        self.line(
            self.author(place).as_deref().unwrap_or(component),
            level,
            place,
            text,
        );
    }

    /// Whether an address is that of a component here, or lies below it.
    pub(super) fn is_of_a_component(&self, address: &str) -> bool {
        let is_within = |component: &String| {
            let rest = address.strip_prefix(component.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.components.borrow().keys().any(is_within)
    }

    pub(super) fn log_failure(&self, component: &str, failure: &Failure) {
        let text = match failure.stack.as_str() {
            "" => failure.reason.clone(),
            stack => format!("{}\n{stack}", failure.reason),
        };
        self.log(component, LogLevel::Error, &failure.place, &text);
    }

    fn line(&self, component: &str, level: LogLevel, place: &str, text: &str) {
        let text = cut(text.to_owned(), LOG_BYTES_MAX);
        let place = cut(place.to_owned(), PLACE_BYTES_MAX);
        let log = Log {
            component,
            level,
            place: &place,
        };
        self.say(&HostFrame::Log(log, text.as_bytes()));
    }

    /// The component whose file a place names.
    ///
    /// After an `await` nobody knows whose code runs, but its file tells, unless
    /// two components come from files of the same name.
    pub(super) fn author(&self, place: &str) -> Option<String> {
        let file = failure::file(place);
        let components = self.components.borrow();
        let mut of_file = components.iter().filter(|(_, name)| name.as_str() == file);
        let (component, _) = of_file.next()?;
        of_file.next().is_none().then(|| component.clone())
    }
}

// A file name comes from the catalogue and may be long.
const PLACE_BYTES_MAX: usize = 512;

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
