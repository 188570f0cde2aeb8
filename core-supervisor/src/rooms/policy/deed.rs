//! The actions of the schema, as numbers: a rule's reach is a set of bits.

use super::question::Act;

/// The actions that can be asked for, in the order of their bits.
pub(super) const ACTIONS: [&str; 16] = [
    "create",
    "read",
    "update",
    "delete",
    "subscribe",
    "unsubscribe",
    "forward",
    "execute",
    "other",
    "response",
    "event",
    "listen",
    "deploy",
    "reach",
    "connect",
    "bind",
];

const OTHER: usize = 8;
const LISTEN: usize = 11;
const DEPLOY: usize = 12;
const REACH: usize = 13;
const CONNECT: usize = 14;
const BIND: usize = 15;

/// Every action.
pub(super) const ALL: u16 = u16::MAX >> (16 - ACTIONS.len());
const REQUEST: u16 = (1 << (OTHER + 1)) - 1;
const MESSAGE: u16 = (1 << LISTEN) - 1;

/// The place of an act in [`ACTIONS`].
pub(super) fn index(act: Act<'_>) -> usize {
    match act {
        // Only the words in front of `listen` are types of messages: one whose
        // type is `deploy` is a message of another type, not a deployment.
        Act::Message(word) => {
            let own = ACTIONS.iter().take(LISTEN).position(|&name| name == word);
            own.unwrap_or(OTHER)
        }
        Act::Listen => LISTEN,
        Act::Deploy => DEPLOY,
        Act::Reach => REACH,
        Act::Connect(_) => CONNECT,
        Act::Bind(_) => BIND,
    }
}

/// The name of an act in rules.
pub(super) fn name(act: Act<'_>) -> &'static str {
    ACTIONS.get(index(act)).copied().unwrap_or("other")
}

/// The actions that an action or a group of a rule stands for.
pub(super) fn bits(name: &str) -> u16 {
    match name {
        "message" => MESSAGE,
        "request" => REQUEST,
        _ => match ACTIONS.iter().position(|&action| action == name) {
            Some(at) => 1 << at,
            None => 0,
        },
    }
}

/// The same actions with only one of those on messages.
pub(super) fn one_message(bits: u16) -> u16 {
    let messages = bits & MESSAGE;
    (messages & messages.wrapping_neg()) | (bits & !MESSAGE)
}

/// The groups an action is in.
pub(super) fn groups(index: usize) -> &'static [&'static str] {
    match index {
        0..=OTHER => &["message", "request"],
        9..LISTEN => &["message"],
        _ => &[],
    }
}
