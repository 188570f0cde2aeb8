//! Opening and resuming a session, and the pauses between attempts (spec §10.1).

use protocol::Code;

use super::{Effect, Session};
use crate::limits::{
    OPEN_LOST_MS, OPEN_MS, PAUSE_MS, PAUSE_MS_MAX, REASON_BYTES_MAX, STEADY_MS, TOKEN_BYTES_MAX,
};
use crate::wire::{Inbound, quoted};

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Until the next attempt.
    Pausing {
        until: u64,
    },
    /// A connection is being made, or its handshake.
    Connecting,
    /// The question was put to the node.
    Opening {
        id: u64,
        since: u64,
        is_resumption: bool,
        is_late: bool,
    },
    Live,
    Stopped,
}

impl Session {
    /// The address under which this session speaks: the runtime's, with the token.
    pub fn session_url(&self) -> String {
        match &self.token {
            Some(token) => format!("{}/{token}", self.config.runtime),
            None => self.config.runtime.clone(),
        }
    }

    /// Whether messages are carried now.
    pub fn is_live(&self) -> bool {
        self.state == State::Live
    }

    /// The socket is open.
    pub fn opened(&mut self, now: u64) {
        if self.config.dialect.is_ready_at_once() {
            self.ready(now);
        }
    }

    /// The socket can be spoken on.
    pub(super) fn ready(&mut self, now: u64) {
        if self.state != State::Connecting {
            return;
        }
        self.status("in-progress", String::new());
        self.ask(self.token.is_some(), now);
    }

    /// The connection has ended, or could not be made.
    pub fn lost(&mut self, why: &str, now: u64) {
        if matches!(self.state, State::Stopped | State::Pausing { .. }) {
            return;
        }
        let kept = why.floor_char_boundary(REASON_BYTES_MAX);
        let why = why.get(..kept).unwrap_or_default().to_owned();
        self.status("disconnected", why);
        self.pause(now);
    }

    /// Ends it for good: says so to the node, and answers what is unanswered.
    pub fn stop(&mut self) {
        if self.state == State::Live {
            let id = self.next_id();
            self.say("close", id);
        }
        self.state = State::Stopped;
        self.waiting.clear();
        self.waiting_bytes = 0;
        let all = self.requests.take_all();
        self.refuse_all(all, "the protocol stub stops");
    }

    pub(super) fn session_answer(&mut self, inbound: &Inbound, now: u64) {
        let State::Opening {
            id, is_resumption, ..
        } = self.state
        else {
            return;
        };
        if inbound.kind != "response" || inbound.id != id {
            return;
        }
        if inbound.code == Code::OK {
            self.begin(inbound, is_resumption, now);
        } else if is_resumption {
            // The node has forgotten the session: a new one, over the same connection.
            self.token = None;
            self.ask(false, now);
        } else {
            let why = reason(inbound);
            self.status("failed", why);
            self.effects.push(Effect::Hangup);
            self.pause(now);
        }
    }

    fn begin(&mut self, inbound: &Inbound, is_resumption: bool, now: u64) {
        let token = token(inbound);
        let is_new = token.is_some() || !is_resumption;
        if token.is_some() {
            self.token = token;
        }
        self.state = State::Live;
        self.live_since = now;
        if is_new {
            let lost = self.requests.take_sent();
            self.refuse_all(
                lost,
                "the node has lost the session: it may have been delivered",
            );
            self.renew();
        }
        self.status("live", String::new());
    }

    fn ask(&mut self, is_resumption: bool, now: u64) {
        let id = self.next_id();
        self.say(if is_resumption { "re-open" } else { "open" }, id);
        self.state = State::Opening {
            id,
            since: now,
            is_resumption,
            is_late: false,
        };
    }

    fn say(&mut self, kind: &str, id: u64) {
        let from = quoted(&self.session_url());
        let text = format!(
            r#"{{"id":{id},"type":"{kind}","from":{from},"to":"mn:/session","body":{{}}}}"#
        );
        self.control.push_back(self.config.dialect.write(text));
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn age(&mut self, now: u64) {
        match self.state {
            State::Pausing { until } if until <= now => {
                self.state = State::Connecting;
                let urls = &self.config.urls;
                let url = urls.iter().cycle().nth(self.attempts % urls.len().max(1));
                let connect = url.cloned().map(Effect::Connect);
                self.attempts += 1;
                self.effects.extend(connect);
            }
            State::Opening { since, .. } if now.saturating_sub(since) >= OPEN_LOST_MS => {
                self.effects.push(Effect::Hangup);
                self.pause(now);
            }
            State::Opening {
                id,
                since,
                is_resumption,
                is_late: false,
            } if now.saturating_sub(since) >= OPEN_MS => {
                // An answer may still come, and then the session is live.
                self.status("disconnected", "Timeout from mn:/session".to_owned());
                self.state = State::Opening {
                    id,
                    since,
                    is_resumption,
                    is_late: true,
                };
            }
            _ => {}
        }
    }

    pub(super) const fn due(&self) -> u64 {
        match self.state {
            State::Pausing { until } => until,
            State::Opening { since, is_late, .. } if is_late => since + OPEN_LOST_MS,
            State::Opening { since, .. } => since + OPEN_MS,
            State::Connecting | State::Live | State::Stopped => u64::MAX,
        }
    }

    /// How it stands, for a sentence.
    pub(super) const fn standing(&self) -> &'static str {
        match self.state {
            State::Live => "slow",
            State::Stopped => "left",
            State::Pausing { .. } | State::Connecting | State::Opening { .. } => "away",
        }
    }

    // Doubled each time, and between half and whole, so that a thousand runtimes do not
    // come back in the same moment.
    fn pause(&mut self, now: u64) {
        let was_steady =
            self.state == State::Live && now.saturating_sub(self.live_since) >= STEADY_MS;
        self.pauses = if was_steady { 0 } else { self.pauses + 1 };
        let doubled = PAUSE_MS << self.pauses.min(16);
        let whole = doubled.min(PAUSE_MS_MAX);
        let pause = whole / 2 + self.roll(whole / 2);
        self.control.clear();
        self.state = State::Pausing { until: now + pause };
    }

    // SplitMix64: nothing depends on its being unforeseeable.
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }
}

#[derive(serde::Deserialize)]
struct Said {
    #[serde(rename = "runtimeToken")]
    runtime_token: Option<String>,
    desc: Option<String>,
    description: Option<String>,
    error: Option<String>,
}

// One segment of an address: it becomes part of ours.
fn token(inbound: &Inbound) -> Option<String> {
    let said: Said = serde_json::from_str(&inbound.body).ok()?;
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_token = |token: &String| {
        !token.is_empty() && token.len() <= TOKEN_BYTES_MAX && token.bytes().all(is_letter)
    };
    said.runtime_token.filter(is_token)
}

fn reason(inbound: &Inbound) -> String {
    let said: Option<Said> = serde_json::from_str(&inbound.body).ok();
    let said = said.and_then(|said| said.desc.or(said.description).or(said.error));
    let said = said.unwrap_or_else(|| format!("the node answered {}", inbound.code));
    let kept = said.floor_char_boundary(REASON_BYTES_MAX);
    said.get(..kept).unwrap_or_default().to_owned()
}
