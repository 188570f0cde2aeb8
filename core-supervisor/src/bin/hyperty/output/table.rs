//! Tables: aligned, two spaces between columns, cut to fit only on a terminal.

use unicode_width::UnicodeWidthStr;

use super::style::{Style, Tone};

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    right: bool,
    /// The width it has even when its fields are shorter.
    usual: usize,
    /// The width it may be cut to when the terminal is too narrow.
    least: Option<usize>,
}

impl Column {
    /// Text, at the left edge.
    pub(crate) const fn left(title: &'static str) -> Self {
        Self {
            title,
            right: false,
            usual: 0,
            least: None,
        }
    }

    /// A number, at the right edge.
    pub(crate) const fn right(title: &'static str) -> Self {
        Self {
            title,
            right: true,
            usual: 0,
            least: None,
        }
    }

    /// Gives it this width even when its fields are shorter, so that the lines of
    /// a stream stand below each other.
    pub(crate) const fn at_least(mut self, usual: usize) -> Self {
        self.usual = usual;
        self
    }

    /// Lets a narrow terminal cut it down to `least` columns.
    pub(crate) const fn cut_to(mut self, least: usize) -> Self {
        self.least = Some(least);
        self
    }
}

/// One field of a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

/// A field with a tone.
pub(crate) fn cell(tone: Tone, text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        tone,
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        cell(Tone::Plain, text)
    }
}

/// A table on its way to the terminal.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these columns and no rows.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; it has as many fields as the table has columns.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let row: Vec<_> = cells.into_iter().collect();
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// The table as text, each line ended.
    pub(crate) fn render(&self, style: Style) -> String {
        let widths = self.widths(style);
        let mut text = String::new();
        let titles: Vec<_> = self
            .columns
            .iter()
            .map(|column| cell(Tone::Faint, column.title))
            .collect();
        if self.columns.iter().any(|column| !column.title.is_empty()) {
            self.line(&titles, &widths, style, &mut text);
        }
        for row in &self.rows {
            self.line(row, &widths, style, &mut text);
        }
        text
    }

    /// One row alone, for a view that grows; columns keep the widths given.
    pub(crate) fn line(&self, row: &[Cell], widths: &[usize], style: Style, text: &mut String) {
        let mut pending = 0;
        for ((column, cell), &width) in self.columns.iter().zip(row).zip(widths) {
            let shown = cut(&cell.text, width, style);
            let gap = width.saturating_sub(shown.width());
            let before = if column.right { gap } else { 0 };
            // Blanks wait until something follows them: no line ends in blanks.
            if shown.is_empty() {
                pending += gap + 2;
                continue;
            }
            text.extend(std::iter::repeat_n(' ', pending + before));
            text.push_str(&style.paint(cell.tone, &shown));
            pending = gap - before + 2;
        }
        text.push('\n');
    }

    fn widths(&self, style: Style) -> Vec<usize> {
        let mut widths: Vec<_> = self
            .columns
            .iter()
            .map(|column| column.title.width().max(column.usual))
            .collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        if let Some(room) = style.width {
            self.squeeze(&mut widths, room);
        }
        widths
    }

    // Takes one column after another off the widest field that may be cut, so
    // that several long fields end up equally long.
    fn squeeze(&self, widths: &mut [usize], room: usize) {
        let gaps = 2 * self.columns.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > room {
            let widest = widths
                .iter_mut()
                .zip(&self.columns)
                .filter(|(width, column)| column.least.is_some_and(|least| **width > least))
                .map(|(width, _)| width)
                .max_by_key(|width| **width);
            match widest {
                Some(width) => *width -= 1,
                None => return,
            }
        }
    }
}

/// The text in at most so many columns; the middle goes first, for an address
/// is told from its neighbours by its domain and by its last segment.
pub(crate) fn cut(text: &str, width: usize, style: Style) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let dots = style.ellipsis();
    let keep = width.saturating_sub(dots.width());
    let (head, tail) = (keep - keep / 3, keep / 3);
    let head = take(text.chars(), head);
    let tail: String = take(text.chars().rev(), tail).chars().rev().collect();
    format!("{head}{dots}{tail}")
}

/// The text in at most so many columns; its beginning tells most.
pub(crate) fn cut_end(text: &str, width: usize, style: Style) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let dots = style.ellipsis();
    take(text.chars(), width.saturating_sub(dots.width())) + dots
}

fn take(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = String::new();
    for c in chars {
        taken.push(c);
        if taken.width() > width {
            taken.pop();
            break;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Table {
        let mut table = Table::new(&[
            Column::left("NAME"),
            Column::right("PID"),
            Column::left("ADDRESS").cut_to(12),
        ]);
        table.row([
            "echo".into(),
            "7".into(),
            "hyperty://acme.example/0123456789".into(),
        ]);
        table.row([cell(Tone::Bad, "日本"), "4242".into(), "".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_and_no_line_ends_in_blanks() {
        assert_eq!(
            people().render(Style::PLAIN),
            "NAME   PID  ADDRESS\n\
             echo     7  hyperty://acme.example/0123456789\n\
             日本  4242\n"
        );
    }

    #[test]
    fn a_narrow_terminal_cuts_the_middle_of_what_may_be_cut() {
        let narrow = Style {
            colour: false,
            unicode: true,
            width: Some(32),
        };

        assert_eq!(
            people().render(narrow),
            "NAME   PID  ADDRESS\n\
             echo     7  hyperty://acm…456789\n\
             日本  4242\n"
        );
    }

    #[test]
    fn nothing_is_cut_below_its_least_width() {
        let tiny = Style {
            colour: false,
            unicode: true,
            width: Some(5),
        };

        assert!(people().render(tiny).contains("hyperty:…789\n"));
    }
}
