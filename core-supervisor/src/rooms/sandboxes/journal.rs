//! Log lines of components: the last ones are kept, followers are told.

use std::collections::VecDeque;

use protocol::api::sandboxes::{LogFilter, LogLine};

use crate::ids::LinkId;
use crate::limits::{LOG_LINES_MAX, WATCHERS_MAX};

/// One line and the name of its component, by which followers may ask for it.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) line: LogLine,
    pub(crate) name: String,
}

/// Somebody who is told of new lines.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) link: LinkId,
    pub(crate) address: String,
    filter: LogFilter,
}

/// The kept lines and the followers.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    lines: VecDeque<Line>,
    followers: Vec<Follower>,
}

impl Journal {
    /// Keeps a line.
    pub(crate) fn keep(&mut self, line: Line) {
        if self.lines.len() >= LOG_LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Who wants this line.
    pub(crate) fn followers_of<'j>(&'j self, line: &'j Line) -> impl Iterator<Item = &'j Follower> {
        self.followers
            .iter()
            .filter(|follower| matches(&follower.filter, line))
    }

    /// The kept lines that a filter asks for first.
    pub(crate) fn last(&self, filter: &LogFilter) -> Vec<LogLine> {
        let wanted = usize::try_from(filter.last).unwrap_or(usize::MAX);
        let mut lines: Vec<LogLine> = self
            .lines
            .iter()
            .rev()
            .filter(|line| matches(filter, line))
            .take(wanted)
            .map(|line| line.line.clone())
            .collect();
        lines.reverse();
        lines
    }

    /// Adds a follower; `false` when there are too many.
    pub(crate) fn follow(&mut self, link: LinkId, address: &str, filter: LogFilter) -> bool {
        self.unfollow(link, address);
        if self.followers.len() >= WATCHERS_MAX {
            return false;
        }
        self.followers.push(Follower {
            link,
            address: address.to_owned(),
            filter,
        });
        true
    }

    /// Removes a follower.
    pub(crate) fn unfollow(&mut self, link: LinkId, address: &str) {
        self.followers
            .retain(|follower| follower.link != link || follower.address != address);
    }

    /// Removes every follower of a link.
    pub(crate) fn close_link(&mut self, link: LinkId) {
        self.followers.retain(|follower| follower.link != link);
    }
}

fn matches(filter: &LogFilter, line: &Line) -> bool {
    line.line.component.contains(&filter.component) || line.name.contains(&filter.component)
}

/// Makes a text of a component harmless for terminals: no control characters, no
/// characters that turn the direction of writing, at most `max` bytes.
pub(crate) fn escape(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    for c in text.chars() {
        if out.len() >= max {
            out.push('…');
            break;
        }
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() || turns => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}
