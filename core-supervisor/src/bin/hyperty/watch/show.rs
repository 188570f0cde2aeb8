//! What a watch prints besides its lines: logs, messages, and sentences of our own.

use std::io::Write;

use protocol::api::bus::{self, TapBatch, TapEntry, TapFilter};
use protocol::api::sandboxes::LogBatch;
use serde_json::Value;

use super::{LOOK, Watch};
use crate::cmd::{learn_news, logs, tap};
use crate::error::Failure;
use crate::output::{Tone, clean};
use crate::session::{Heard, Next, value};
use crate::supervisor::Supervisor;

impl Watch {
    /// Shows the messages between components as well.
    pub(crate) fn show_messages(&mut self) -> Result<(), Failure> {
        let _: Value = self
            .session
            .ask(bus::PATH, "subscribe", &TapFilter::default())?;
        Ok(())
    }

    /// Shows what is still on its way: a tap tells several messages at once.
    pub(crate) fn show_rest(&mut self) -> Result<(), Failure> {
        while let Next::Message(heard) = self.session.next(LOOK * 3)? {
            self.show(&heard)?;
        }
        self.live.leave();
        Ok(())
    }

    /// Shows a message of one of the streams that this watch follows.
    pub(super) fn show(&mut self, heard: &Heard) -> Result<bool, Failure> {
        if heard.from.ends_with(bus::PATH) {
            return self.show_traffic(&value(&heard.body).unwrap_or_default());
        }
        self.show_log(&value(&heard.body).unwrap_or_default())
    }

    /// Waits for a line of the log with this text.
    pub(crate) fn wait_for(&mut self, text: Option<&str>) {
        self.awaited = text.map(str::to_owned);
    }

    /// Whether the line has come.
    pub(crate) const fn has_come(&self) -> bool {
        self.has_come
    }

    /// Says a sentence of our own: above the lines on a terminal, else as a note.
    pub(crate) fn tell(&mut self, tone: Tone, text: &str) -> Result<(), Failure> {
        if self.live.moves() {
            let line = self.out.style().paint(tone, &clean(text));
            self.live.above(&format!("{line}\n"))?;
        } else {
            self.out.note(text);
        }
        Ok(())
    }

    /// Tells of a failure and goes on.
    pub(crate) fn complain(&mut self, failure: &Failure) -> Result<(), Failure> {
        if self.live.moves() {
            self.live.above(&failure.text(self.out.style()))?;
        } else {
            failure.print(self.out.is_json(), self.out.notes_style());
        }
        Ok(())
    }

    pub(super) fn show_own_log(&mut self, supervisor: &Supervisor) -> Result<(), Failure> {
        while let Some(line) = supervisor.log_line() {
            if self.live.moves() {
                let line = self.out.style().paint(Tone::Faint, &clean(&line));
                self.live.above(&format!("{line}\n"))?;
            } else {
                // Logs are no data.
                let _ = writeln!(std::io::stderr(), "{}", clean(&line));
            }
        }
        Ok(())
    }

    // Messages between components; what they ask of the runtime is not theirs.
    fn show_traffic(&mut self, batch: &TapBatch) -> Result<bool, Failure> {
        let addresses = batch
            .messages
            .iter()
            .flat_map(|entry| [&*entry.from, &*entry.to]);
        learn_news(&mut self.session, &mut self.log.names, addresses)?;
        let is_runtimes = |address: &str| self.log.names.short(address).starts_with('/');
        let is_between = |entry: &&TapEntry| !is_runtimes(&entry.from) && !is_runtimes(&entry.to);
        let entries: Vec<_> = batch.messages.iter().filter(is_between).collect();
        let view = tap::View::new(self.out.style(), 0);
        for entry in entries {
            if self.out.is_json() {
                self.out
                    .item("hyperty.tap/1", &tap::item(entry), |_| String::new())?;
            } else {
                let line = view.line(entry, Some(&self.log.names), self.out.style());
                self.live.above(&line)?;
            }
        }
        Ok(false)
    }

    // A line about a component may mean that its state has changed.
    fn show_log(&mut self, batch: &LogBatch) -> Result<bool, Failure> {
        if let Some(awaited) = &self.awaited {
            self.has_come |= batch.lines.iter().any(|line| line.text.contains(awaited));
        }
        let speakers = batch.lines.iter().map(|line| line.component.as_str());
        learn_news(&mut self.session, &mut self.log.names, speakers)?;
        if self.out.is_json() {
            self.log.print(batch, &self.out)?;
            return Ok(true);
        }
        self.log.learn_places(&self.out);
        let style = self.out.style();
        let lines = batch
            .lines
            .iter()
            .map(|line| logs::text(&self.log.places.line(line), &self.log.names, style));
        self.live.above(&lines.collect::<String>())?;
        Ok(true)
    }
}
