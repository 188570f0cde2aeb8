//! Colour and arrows, when the reader is a terminal that shows them.

use std::ffi::OsString;
use std::io::IsTerminal;

use unicode_width::UnicodeWidthStr;

use super::escape::clean;

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl std::str::FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            other => Err(format!("`{other}` is none of auto, always and never")),
        }
    }
}

/// What a piece of text is, from which its colour follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary text.
    #[default]
    Plain,
    /// What the eye should find first.
    Strong,
    /// What is there for completeness.
    Faint,
    /// Went well.
    Good,
    /// Odd, or on its way.
    Odd,
    /// Refused or failed.
    Bad,
    /// A name or an address.
    Name,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Odd => "33",
            Self::Bad => "1;31",
            Self::Name => "36",
        }
    }
}

/// How to print on one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether to colour.
    pub(crate) colour: bool,
    /// Whether arrows and lines may leave ASCII.
    pub(crate) unicode: bool,
    /// Columns to fit into; none when nobody looks.
    pub(crate) width: Option<usize>,
}

impl Style {
    /// For a file or a pipe: no colour, nothing cut off.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self {
        colour: false,
        unicode: false,
        width: None,
    };

    /// What suits this stream.
    pub(crate) fn of(stream: &(impl IsTerminal + std::os::fd::AsFd), when: When) -> Self {
        let terminal = stream.is_terminal();
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let colour = match when {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                let dumb = variable("TERM").is_none_or(|term| term == "dumb");
                terminal && !dumb && variable("NO_COLOR").is_none()
            }
        };
        let width = terminal
            .then(|| rustix::termios::tcgetwinsize(stream).ok())
            .flatten()
            .map(|size| usize::from(size.ws_col))
            // Some pseudo-terminals say 0.
            .map(|columns| if columns < 20 { 100 } else { columns });
        Self {
            colour,
            unicode: terminal && speaks_utf8(variable),
            width,
        }
    }

    /// The text in the colour of its tone.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        match tone.code() {
            "" => text.to_owned(),
            _ if !self.colour || text.is_empty() => text.to_owned(),
            code => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    /// `──kind──▶`, or `--kind-->` where that cannot be shown.
    pub(crate) fn labelled_arrow(self, label: &str) -> String {
        if self.unicode {
            format!("──{label}──▶")
        } else {
            format!("--{label}-->")
        }
    }

    /// Who wants what of whom, on one line or, where that is too long, on two.
    pub(crate) fn who_line(self, from: &str, kind: &str, to: &str) -> String {
        let [from, kind, to] = [from, kind, to].map(clean);
        let arrow = self.labelled_arrow(&kind);
        let columns = [&*from, &*arrow, &*to].map(UnicodeWidthStr::width);
        let is_long = self
            .width
            .is_some_and(|width| columns.iter().sum::<usize>() + 10 > width);
        let gap = if is_long { "\n    " } else { "  " };
        let [from, to] = [from, to].map(|name| self.paint(Tone::Name, &name));
        format!("  {from}{gap}{arrow}  {to}\n")
    }

    /// `→` or `->`.
    pub(crate) const fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    /// Marks a step that went well.
    pub(crate) const fn tick(self) -> &'static str {
        if self.unicode { "✓" } else { "ok" }
    }

    /// Marks what was refused or failed.
    pub(crate) const fn cross(self) -> &'static str {
        if self.unicode { "✗" } else { "x" }
    }

    /// Stands for what was cut off.
    pub(crate) const fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }
}

// The first of the three that is set decides, as in every C library.
fn speaks_utf8(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(variable);
    let locale = locale
        .and_then(|value| value.into_string().ok())
        .unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_variable_decides_about_utf8() {
        let of = |set: &'static [(&str, &str)]| {
            speaks_utf8(|name| {
                set.iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, value)| OsString::from(value))
            })
        };

        assert!(of(&[("LANG", "en_GB.UTF-8")]));
        assert!(of(&[("LC_CTYPE", "C.utf8"), ("LANG", "C")]));
        assert!(!of(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]));
        assert!(!of(&[]));
    }

    #[test]
    fn text_is_painted_only_where_colour_is_wanted() {
        let colourful = Style {
            colour: true,
            ..Style::PLAIN
        };

        assert_eq!(Style::PLAIN.paint(Tone::Bad, "denied"), "denied");
        assert_eq!(
            colourful.paint(Tone::Bad, "denied"),
            "\u{1b}[1;31mdenied\u{1b}[0m"
        );
        assert_eq!(colourful.paint(Tone::Plain, "fine"), "fine");
    }
}
