//! One row of the roll: how something is to stand at a registry, and how it does.

use std::time::Duration;

use crate::limits::{ENROL_RESTS, ENROL_TRIES};

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It is there.
    Live,
    /// It will be back.
    Down,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A hyperty of this runtime.
    Hyperty,
    /// A data object that is reported here.
    Object,
    /// A data object elsewhere that is observed here.
    Followed,
    /// A registration elsewhere that somebody here wants to hear of.
    Topic,
}

/// What is said next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The node is to bring what is sent to it.
    Subscribe,
    /// The registry is to know it.
    Create,
    /// The registry knows it, and is told how it stands.
    Update,
    /// It is still there.
    Refresh,
    /// It is not there any more.
    Leave,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is about.
    pub what: What,
    /// The domain that is told.
    pub domain: String,
    /// How it is to stand; `None` once it is gone.
    pub wanted: Option<Stands>,
    /// How the registry was told that it stands, since its stub last became live.
    pub told: Option<Stands>,
    /// Seconds that its registration holds.
    pub expires_s: u64,
    /// What is wrong, in one sentence, or empty.
    pub fault: String,
    /// When the registry is told again that it is there.
    pub keep_at: Option<Duration>,
    /// Whether the registry is to know it, and the node to bring what is for it.
    pub(super) enters: (bool, bool),
    pub(super) is_subscribed: bool,
    pub(super) is_known: bool,
    pub(super) asked: Option<Step>,
    pub(super) tries: u8,
    pub(super) number: Option<u64>,
    pub(super) rests_until: Duration,
    // What the question that is open says.
    pub(super) saying: Option<Stands>,
    // Where it stands in its session's `due`.
    pub(super) due: Option<Duration>,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Done.
    Yes,
    /// There is no such entry.
    Unknown,
    /// Try again.
    Later(String),
    /// No, and why.
    No(String),
}

impl Row {
    /// A row of which nothing has been told; `enters`: whether the registry is to know
    /// it, and whether the node is to bring what is for it.
    pub fn new(what: What, domain: &str, enters: (bool, bool)) -> Self {
        Self {
            what,
            domain: domain.to_owned(),
            wanted: Some(Stands::Live),
            told: None,
            expires_s: 3600,
            fault: String::new(),
            keep_at: None,
            enters,
            is_subscribed: false,
            is_known: false,
            asked: None,
            tries: 0,
            number: None,
            rests_until: Duration::ZERO,
            saying: None,
            due: None,
        }
    }

    /// The same, of which the node has been told already.
    #[must_use]
    pub fn subscribed(mut self) -> Self {
        self.is_subscribed = true;
        self
    }

    /// The number of the question that is to be repeated, if it is.
    pub const fn number(&self) -> Option<u64> {
        self.number
    }

    pub(super) fn next(&self) -> Option<(Duration, Step)> {
        if self.asked.is_some() {
            return None;
        }
        let (enters, routes) = self.enters;
        let at_once = |step| Some((self.rests_until, step));
        let Some(wanted) = self.wanted else {
            return at_once(Step::Leave);
        };
        if routes && !self.is_subscribed {
            return at_once(Step::Subscribe);
        }
        if !enters {
            return None;
        }
        match self.told {
            None if !self.is_known => at_once(Step::Create),
            None => at_once(Step::Update),
            Some(told) if told != wanted => at_once(Step::Update),
            Some(Stands::Live) => Some((self.keep_at?.max(self.rests_until), Step::Refresh)),
            Some(Stands::Down) => None,
        }
    }

    pub(super) fn answered(&mut self, step: Step, said: Said, now: Duration) {
        self.asked = None;
        if let Said::Later(_) = said {
            self.tries += 1;
            if self.tries < ENROL_TRIES {
                return;
            }
        }
        self.tries = 0;
        self.number = None;
        match (step, said) {
            // Published nodes do not bring more for having said yes (spec messaging §7.1).
            (Step::Subscribe, said) => {
                self.is_subscribed = true;
                self.fault = said.fault();
            }
            (_, Said::Yes) => {
                self.fault.clear();
                self.is_known = true;
                if step != Step::Refresh {
                    self.told = self.saying;
                }
                self.keep_at = Some(now + period(self.expires_s));
            }
            (Step::Create, Said::Unknown) => {
                "the registry says 404 to a new entry".clone_into(&mut self.fault);
                self.rests_until = now + ENROL_RESTS;
            }
            // It has forgotten the entry: it is told anew.
            (_, Said::Unknown) => {
                self.is_known = false;
                self.told = None;
            }
            (_, said) => {
                self.fault = said.fault();
                self.rests_until = now + ENROL_RESTS;
            }
        }
    }
}

impl Said {
    fn fault(self) -> String {
        match self {
            Self::Yes | Self::Unknown => String::new(),
            Self::Later(why) | Self::No(why) => why,
        }
    }
}

// Half of the time it holds, and a little less (spec messaging §6.2).
fn period(expires_s: u64) -> Duration {
    Duration::from_millis(expires_s.clamp(10, 7 * 24 * 3600) * 10_000 / 22)
}
