//! # Output — data to stdout, everything else to stderr
//!
//! Data is a table for a person or JSON for a program, never both. A JSON
//! document starts with its schema and version; a stream is one JSON document a
//! line. Notes about what is going on go to stderr and fall silent with `--quiet`.

use std::io::{self, Write};

use serde::Serialize;

pub(crate) mod escape;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod time;

pub(crate) use escape::clean;
pub(crate) use style::{Style, Tone, When};
pub(crate) use table::{Column, Table, cell};

/// Where a command's output goes, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    style: Style,
    notes: Style,
}

/// A JSON document with its schema in front.
#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'a str,
    #[serde(flatten)]
    content: &'a T,
}

impl Output {
    /// What suits the streams of this process.
    pub(crate) fn new(json: bool, quiet: bool, colour: When) -> Self {
        let style = Style::of(&io::stdout(), colour);
        let notes = Style::of(&io::stderr(), colour);
        Self {
            json,
            quiet,
            style,
            notes,
        }
    }

    /// Whether the reader is a program.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// How to write on stdout.
    pub(crate) const fn style(&self) -> Style {
        self.style
    }

    /// How to write on stderr.
    pub(crate) const fn notes_style(&self) -> Style {
        self.notes
    }

    /// One answer: a JSON document, or the text that `human` makes.
    pub(crate) fn answer<T: Serialize>(
        &self,
        schema: &str,
        content: &T,
        human: impl FnOnce(Style) -> String,
    ) -> io::Result<()> {
        let text = if self.json {
            document(schema, content, true)?
        } else {
            human(self.style)
        };
        print(&text)
    }

    /// One item of a stream: a line of JSON, or the text that `human` makes.
    pub(crate) fn item<T: Serialize>(
        &self,
        schema: &str,
        content: &T,
        human: impl FnOnce(Style) -> String,
    ) -> io::Result<()> {
        let text = if self.json {
            document(schema, content, false)?
        } else {
            human(self.style)
        };
        print(&text)
    }

    /// Text for a person only, such as the head of a stream's table.
    pub(crate) fn human(&self, text: impl FnOnce(Style) -> String) -> io::Result<()> {
        if self.json {
            Ok(())
        } else {
            print(&text(self.style))
        }
    }

    /// Tells on stderr what is going on.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            // Nobody can be told when stderr is gone.
            let _ = writeln!(io::stderr(), "{}", self.notes.paint(Tone::Faint, text));
        }
    }
}

/// A document with its schema in front, and a line feed behind it.
pub(crate) fn document<T: Serialize>(
    schema: &str,
    content: &T,
    pretty: bool,
) -> io::Result<String> {
    let document = Document { schema, content };
    let mut text = if pretty {
        serde_json::to_string_pretty(&document)?
    } else {
        serde_json::to_string(&document)?
    };
    text.push('\n');
    Ok(text)
}

/// Writes data to stdout at once: a reader at the other end of a pipe waits for it.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
