//! The table: what was measured, and what was to be reached.

use serde_json::{Value, json};

/// What a number is to be compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// No more than this.
    AtMost(f64),
    /// No less.
    AtLeast(f64),
    /// It is only told.
    None,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    place: &'static str,
    value: Option<f64>,
    unit: &'static str,
    target: Target,
    detail: String,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    /// Samples that were taken, and those of them that were thrown away.
    pub(crate) samples: (usize, usize),
}

impl Table {
    /// Adds a line.
    pub(crate) fn add(
        &mut self,
        what: &str,
        place: &'static str,
        (value, unit): (f64, &'static str),
        target: Target,
        detail: String,
    ) {
        let value = Some(value).filter(|value| value.is_finite());
        eprintln!("  {what}: {}{unit}", shown(value));
        self.rows.push(Row {
            what: what.to_owned(),
            place,
            value,
            unit,
            target,
            detail,
        });
    }

    /// Adds a line without a number, and why it has none.
    pub(crate) fn absent(&mut self, what: &str, place: &'static str, target: Target, why: &str) {
        self.add(what, place, (f64::NAN, ""), target, why.to_owned());
    }

    /// As people read it.
    pub(crate) fn print(&self) {
        println!(
            "{:<44} {:<8} {:>12}  {:>10}  {:<7}  detail",
            "what", "where", "measured", "target", ""
        );
        for row in &self.rows {
            println!(
                "{:<44} {:<8} {:>12}  {:>10}  {:<7}  {}",
                row.what,
                row.place,
                format!("{}{}", shown(row.value), row.unit),
                row.target.text(),
                row.verdict(),
                row.detail
            );
        }
        let (taken, dropped) = self.samples;
        println!("{dropped} of {taken} samples were disturbed by other load and thrown away");
    }

    /// As programs read it.
    pub(crate) fn json(&self) -> Value {
        let rows: Vec<_> = self.rows.iter().map(Row::json).collect();
        let (taken, dropped) = self.samples;
        json!({ "schema": "hyperty.bench/1", "rows": rows,
                "samples": taken, "dropped": dropped })
    }
}

impl Row {
    fn is_met(&self) -> Option<bool> {
        match (self.target, self.value?) {
            (Target::AtMost(limit), value) => Some(value <= limit),
            (Target::AtLeast(limit), value) => Some(value >= limit),
            (Target::None, _) => None,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.is_met() {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "",
        }
    }

    fn json(&self) -> Value {
        json!({ "what": self.what, "where": self.place, "value": self.value, "unit": self.unit,
                "target": self.target.text(), "met": self.is_met(), "detail": self.detail })
    }
}

impl Target {
    fn text(self) -> String {
        match self {
            Self::AtMost(limit) => format!("≤ {limit}"),
            Self::AtLeast(limit) => format!("≥ {limit}"),
            Self::None => String::new(),
        }
    }
}

fn shown(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value >= 1000.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.3}"),
    }
}
