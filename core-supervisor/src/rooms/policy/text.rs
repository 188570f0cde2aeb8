//! Where one rule ends and the next begins, and at which line that is.
//!
//! Cedar's parser reads each rule by itself, so that one broken rule does not
//! hide the others, and so that each has a known place. Cutting decides nothing:
//! a wrong cut is a syntax error, because every piece must be one whole rule.

/// A policy file: its name as it is to be printed, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// For humans, e.g. `policy.d/50-mine.cedar`.
    pub name: String,
    /// Cedar rules, UTF-8.
    pub text: String,
}

/// One rule as it stands in its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// Its first byte in the file.
    pub(super) start: usize,
    /// Operators: each may nest the rule one deeper.
    pub(super) links: usize,
    /// Dots after each other, as in `context.body.method`.
    pub(super) dots: usize,
    /// Brackets within brackets.
    pub(super) depth: usize,
}

/// Cuts a file into its rules; comments between them belong to none.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut cutter = Cutter::default();
    let mut pieces = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '/' if matches!(chars.peek(), Some((_, '/'))) => {
                while chars.next_if(|&(_, c)| c != '\n').is_some() {}
            }
            '"' => {
                cutter.token(at);
                skip_string(&mut chars);
            }
            c if c.is_whitespace() => {}
            c => {
                cutter.token(at);
                if cutter.bracket(c) {
                    pieces.extend(cutter.cut(text, at + 1));
                }
            }
        }
    }
    pieces.extend(cutter.cut(text, text.trim_end().len()));
    pieces
}

fn skip_string(chars: &mut impl Iterator<Item = (usize, char)>) {
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => return,
            _ => {}
        }
    }
}

#[derive(Default)]
struct Cutter {
    start: Option<usize>,
    halves: usize,
    dots: usize,
    dots_max: usize,
    open: usize,
    depth: usize,
}

impl Cutter {
    fn token(&mut self, at: usize) {
        self.start.get_or_insert(at);
    }

    /// Whether the rule ends with this character.
    fn bracket(&mut self, c: char) -> bool {
        match c {
            '(' | '[' | '{' => self.open += 1,
            ')' | ']' | '}' => self.open = self.open.saturating_sub(1),
            '&' | '|' => self.halves += 1,
            '+' | '-' | '*' | '!' => self.halves += 2,
            '.' => self.dots += 1,
            _ => {}
        }
        if "&|+-*!=<>,;{}".contains(c) {
            self.dots = 0;
        }
        self.dots_max = self.dots_max.max(self.dots);
        self.depth = self.depth.max(self.open);
        c == ';' && self.open == 0
    }

    fn cut<'a>(&mut self, text: &'a str, end: usize) -> Option<Piece<'a>> {
        let done = std::mem::take(self);
        let start = done.start?;
        let text = text.get(start..end)?;
        let words = text.split(|c: char| !c.is_alphanumeric());
        Some(Piece {
            text,
            start,
            links: done.halves / 2 + words.filter(|&word| word == "else").count(),
            dots: done.dots_max,
            depth: done.depth,
        })
    }
}

/// Turns bytes of a file into lines and columns.
pub(super) struct Lines<'a> {
    file: &'a PolicyFile,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(file: &'a PolicyFile) -> Self {
        let ends = file.text.bytes().enumerate().filter(|&(_, b)| b == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        Self {
            file,
            starts: starts.collect(),
        }
    }

    /// `file:line:column`, counted from 1, the column in characters.
    pub(super) fn place(&self, at: usize) -> String {
        let at = at.min(self.file.text.len());
        let line = self.starts.partition_point(|&start| start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied();
        let before = self.file.text.get(start.unwrap_or(0)..at);
        let column = before.map_or(1, |text| text.chars().count() + 1);
        format!("{}:{line}:{column}", self.file.name)
    }

    /// `file:line`.
    pub(super) fn line(&self, at: usize) -> String {
        let line = self.starts.partition_point(|&start| start <= at);
        format!("{}:{line}", self.file.name)
    }
}
