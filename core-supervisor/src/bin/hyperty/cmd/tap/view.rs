//! The bus as columns: time, who, whom, type and latency, decision and its rule.

use protocol::api::bus::TapEntry;
use unicode_width::UnicodeWidthStr;

use crate::names::Names;
use crate::output::{Style, Tone, clean, table, time};
use crate::redact;

/// Columns of a type and a latency: `subscribe  1.24ms`.
const KIND: usize = 16;

/// The columns of the live view. A stream cannot wait for its longest field, so
/// they are set by the width of the terminal alone; a pipe gets every field whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    who: usize,
    whom: usize,
    decision: usize,
    cuts: bool,
}

impl View {
    /// Columns for this terminal, beside a margin; for 100 when there is none.
    pub(crate) fn new(style: Style, margin: usize) -> Self {
        let width = style.width.unwrap_or(100).max(80) - margin;
        // What is left beside time, arrow, type with latency, mark and the gaps.
        let free = width - (9 + 1 + 3 + 1 + KIND + 1 + 1 + 1);
        let who = (free * 9 / 25).min(32);
        let whom = (free * 9 / 25).min(44);
        let cuts = style.width.is_some();
        Self {
            who,
            whom,
            decision: free - who - whom,
            cuts,
        }
    }

    /// The titles.
    pub(crate) fn head(self, style: Style) -> String {
        let texts = ["TIME", "FROM", "TO", "TYPE     LATENCY", "", "DECISION"];
        let fields = texts.map(|text| (Tone::Faint, text.to_owned()));
        self.fields(&fields, &" ".repeat(style.arrow().width()), style)
    }

    /// One message, and its body below it when there is one.
    pub(crate) fn line(self, entry: &TapEntry, names: Option<&Names>, style: Style) -> String {
        let who = |address: &str| match names {
            Some(names) => names.short(address),
            None => clean(address).into_owned(),
        };
        let is_permitted = entry.verdict == "permit";
        let (mark, mark_tone, why_tone) = if is_permitted {
            (style.tick(), Tone::Good, Tone::Faint)
        } else {
            (style.cross(), Tone::Bad, Tone::Bad)
        };
        // Minutes and seconds tell the order; the hour is the reader's own.
        let clock = time::clock(entry.at_us).split_off(3);
        let fields = [
            (Tone::Faint, clock),
            (Tone::Name, who(&entry.from)),
            (Tone::Name, who(&entry.to)),
            (Tone::Plain, kind(entry, style)),
            (mark_tone, mark.to_owned()),
            (why_tone, decision(entry)),
        ];
        let mut text = self.fields(&fields, style.arrow(), style);
        if let Some(body) = &entry.body {
            let body = clean(&redact::body(body).to_string()).into_owned();
            text.push_str(&format!("{:10}{}\n", "", style.paint(Tone::Faint, &body)));
        }
        text
    }

    fn fields(self, fields: &[(Tone, String); 6], arrow: &str, style: Style) -> String {
        let [clock, from, to, kind, mark, decision] = fields;
        let left = |(tone, text): &(Tone, String), width: usize| {
            let text = if self.cuts {
                table::cut(text, width, style)
            } else {
                text.clone()
            };
            let gap = width.saturating_sub(text.width());
            format!("{}{:gap$}", style.paint(*tone, &text), "")
        };
        let why = if self.cuts {
            table::cut_end(&decision.1, self.decision, style)
        } else {
            decision.1.clone()
        };
        let line = [
            left(clock, 9),
            left(from, self.who),
            style.paint(Tone::Faint, arrow),
            left(to, self.whom),
            left(kind, KIND),
            left(mark, style.tick().width()),
            style.paint(decision.0, &why),
        ];
        let line = line.join(" ");
        format!("{}\n", line.trim_end())
    }
}

// The type at the left edge and the latency of an answer at the right one.
fn kind(entry: &TapEntry, style: Style) -> String {
    let kind = clean(&entry.kind).into_owned();
    match entry.latency_us.map(|us| time::latency(us, style.unicode)) {
        Some(latency) => {
            let gap = KIND.saturating_sub(kind.width() + latency.width()).max(1);
            format!("{kind}{:gap$}{latency}", "")
        }
        None => kind,
    }
}

// The id, and the rule it rests on: `d-1-7 same-provider`; or the gate that
// refused, and why. Where the rule stands is told by `hyperty why`.
fn decision(entry: &TapEntry) -> String {
    let rule = match entry.rule.split_once(".cedar:") {
        Some((_, place)) => place.split_once(' ').map_or(&*entry.rule, |(_, id)| id),
        None => &entry.rule,
    };
    let gate = match entry.verdict.as_str() {
        "permit" | "deny" => "",
        gate => gate,
    };
    let parts = [gate, &entry.decision, rule].map(clean);
    let parts: Vec<_> = parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(AsRef::as_ref)
        .collect();
    parts.join(" ")
}
