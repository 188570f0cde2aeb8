//! A few lines at the bottom of the terminal that are kept up to date, with
//! everything else scrolling by above them. Without a terminal: each line once,
//! and again when it has changed.

use std::io;

use crate::output::table::{Cell, Column, Table};
use crate::output::{Output, Tone, print};

/// More would push the log off the screen.
const LINES_MAX: usize = 12;

/// The lines, and how many of them are on the screen now.
#[derive(Debug)]
pub(crate) struct Live {
    out: Output,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    drawn: usize,
    // Whether the cursor may be moved.
    moves: bool,
}

impl Live {
    /// No lines yet.
    pub(crate) fn new(out: Output, columns: &[Column]) -> Self {
        let style = out.style();
        let moves = style.width.is_some() && style.colour && !out.is_json();
        Self {
            out,
            columns: columns.to_vec(),
            rows: Vec::new(),
            drawn: 0,
            moves,
        }
    }

    /// Whether the lines stay at the bottom of a terminal.
    pub(crate) const fn moves(&self) -> bool {
        self.moves
    }

    /// Prints text that stays, above the lines.
    pub(crate) fn above(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.erase()?;
        print(text)?;
        self.draw()
    }

    /// Replaces the lines. Without a terminal those at `changed` are printed.
    pub(crate) fn set(&mut self, rows: Vec<Vec<Cell>>, changed: &[usize]) -> io::Result<()> {
        if self.moves {
            self.erase()?;
            self.rows = rows;
            return self.draw();
        }
        let mut table = Table::new(&self.columns);
        for row in changed.iter().filter_map(|&index| rows.get(index)) {
            table.row(row.clone());
        }
        self.out.human(|style| table.render(style))
    }

    /// Leaves the lines where they are; what follows is printed below them.
    pub(crate) fn leave(&mut self) {
        self.drawn = 0;
        self.rows.clear();
    }

    fn erase(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.drawn) {
            0 => Ok(()),
            // Up to the first of them, then clear to the end of the screen.
            lines => print(&format!("\u{1b}[{lines}A\u{1b}[J")),
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(&self.columns);
        for row in self.rows.iter().take(LINES_MAX) {
            table.row(row.clone());
        }
        let style = self.out.style();
        let mut text = table.render(style);
        let hidden = self.rows.len().saturating_sub(LINES_MAX);
        if hidden > 0 {
            text.push_str(&style.paint(Tone::Faint, &format!("  and {hidden} more: hyperty ps")));
            text.push('\n');
        }
        self.drawn = text.lines().count();
        print(&text)
    }
}

/// The columns of a deployment's line.
pub(crate) const COLUMNS: [Column; 6] = [
    Column::left("").at_least(2),
    Column::left("").at_least(24).cut_to(16),
    Column::left("").at_least(8).cut_to(12),
    Column::left("").at_least(2),
    Column::right("").at_least(9),
    Column::left("").cut_to(20),
];
