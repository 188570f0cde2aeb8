//! `hyperty logs` — what components wrote, and what became of them.

use std::time::Duration;

use protocol::api::sandboxes::{self, LogBatch, LogFilter, LogLine};
use protocol::frame::LogLevel;
use serde::Serialize;
use serde_json::{Value, json};

use crate::Context;
use crate::cmd::Outcome;
use crate::names::Names;
use crate::output::{Output, Style, Tone, clean, time};
use crate::session::{Next, Session, value};
use crate::sourcemap::Places;

const EXAMPLES: &str = "\
Examples:
  hyperty logs
  hyperty logs echo -f
  hyperty logs -n 500 --json | jq -r 'select(.level == \"error\") | .text'";

/// A long wait; a stream only ends by its end or by Ctrl-C.
pub(crate) const PATIENCE: Duration = Duration::from_hours(1);

/// Show what components wrote, and what became of them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Part of a component's address or name [default: all]
    #[arg(
        value_name = "COMPONENT",
        default_value = "",
        hide_default_value = true
    )]
    component: String,

    /// Go on with what is written from now on
    #[arg(long, short)]
    follow: bool,

    /// How many lines of the past
    #[arg(long = "lines", short = 'n', value_name = "N", default_value_t = 100)]
    last: u32,
}

/// A line of the stream; times are RFC 3339.
#[derive(Debug, Serialize)]
struct Line<'a> {
    at: String,
    component: &'a str,
    level: LogLevel,
    text: &'a str,
    place: &'a str,
}

/// Shows the log.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let names = super::names_of(&mut session)?;
    let mut log = Log::new(names);
    let filter = LogFilter {
        component: args.component.clone(),
        last: args.last,
        follow: args.follow,
    };
    let _: Value = session.ask(sandboxes::PATH, "subscribe", &filter)?;
    if !args.follow {
        // The link keeps the order: when this is answered, everything kept is here.
        let _: Value = session.ask(sandboxes::PATH, "unsubscribe", &json!({}))?;
    }
    let wait = if args.follow {
        PATIENCE
    } else {
        Duration::ZERO
    };
    show(&mut session, &mut log, wait, &context.out)
}

fn show(session: &mut Session, log: &mut Log, wait: Duration, out: &Output) -> Outcome {
    loop {
        match session.next(wait)? {
            Next::Message(heard) => {
                let batch: LogBatch = value(&heard.body).unwrap_or_default();
                let speakers = batch.lines.iter().map(|line| line.component.as_str());
                super::learn_news(session, &mut log.names, speakers)?;
                log.print(&batch, out)?;
            }
            Next::Nothing if wait.is_zero() => return Ok(()),
            Next::Answered(..) | Next::Nothing => {}
            Next::End => {
                out.note("the supervisor has ended");
                return Ok(());
            }
        }
    }
}

/// What is known for reading log lines: who speaks, and where code was written.
#[derive(Debug)]
pub(crate) struct Log {
    /// Who speaks.
    pub(crate) names: Names,
    /// Where its code was written.
    pub(crate) places: Places,
}

impl Log {
    /// Knows these names, and no places yet.
    pub(crate) fn new(names: Names) -> Self {
        Self {
            names,
            places: Places::default(),
        }
    }

    /// Reads the maps of what runs now.
    pub(crate) fn learn_places(&mut self, out: &Output) {
        for note in self.places.learn(self.names.components()) {
            out.note(&note);
        }
    }

    /// Prints a batch, and says so when it does not hold everything.
    pub(crate) fn print(&mut self, batch: &LogBatch, out: &Output) -> Outcome {
        self.learn_places(out);
        for line in &batch.lines {
            let line = self.places.line(line);
            let item = Line {
                at: time::rfc3339(line.at_us),
                component: &line.component,
                level: line.level,
                text: &line.text,
                place: &line.place,
            };
            out.item("hyperty.log/1", &item, |style| {
                text(&line, &self.names, style)
            })?;
        }
        if batch.missed > 0 {
            out.note(&format!("{} more lines were not kept", batch.missed));
        }
        Ok(())
    }
}

/// One line for people.
pub(crate) fn text(line: &LogLine, names: &Names, style: Style) -> String {
    let (word, tone) = match line.level {
        LogLevel::Debug => ("debug", Tone::Faint),
        LogLevel::Info => ("info ", Tone::Plain),
        LogLevel::Warn => ("warn ", Tone::Odd),
        LogLevel::Error => ("error", Tone::Bad),
    };
    let place = match line.place.as_str() {
        "" => String::new(),
        place => style.paint(Tone::Faint, &format!("  ({})", clean(place))),
    };
    let mut lines = line.text.lines();
    let first = clean(lines.next().unwrap_or_default());
    let mut text = format!(
        "{}  {}  {}  {first}{place}\n",
        style.paint(Tone::Faint, &time::clock(line.at_us)),
        style.paint(tone, word),
        style.paint(Tone::Name, &names.short(&line.component)),
    );
    // A stack, mostly: below its error, moved in.
    for more in lines {
        text.push_str(&format!(
            "{:14}{}\n",
            "",
            style.paint(Tone::Faint, &clean(more))
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_when_how_bad_who_what_and_where() {
        let line = LogLine {
            at_us: 1_795_252_894_123_456,
            component: "hyperty://acme.example/42".to_owned(),
            level: LogLevel::Error,
            text: "cannot read `x` of undefined\u{1b}[2J\n    at start\r".to_owned(),
            place: "echo.hy.js:12".to_owned(),
        };

        assert_eq!(
            text(&line, &Names::new("", ""), Style::PLAIN),
            "09:21:34.123  error  hyperty://acme.example/42  \
             cannot read `x` of undefined\\u{1b}[2J  (echo.hy.js:12)\n                  at start\\r\n"
        );
    }
}
