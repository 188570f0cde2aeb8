//! # Source maps — places as the author wrote them
//!
//! A script runs as a bundler made it; its author knows it by other files. The
//! code's last `//# sourceMappingURL=` names the map between the two: a file
//! beside the code in the catalogue, or the map itself as a `data:` address.
//!
//! A place is `FILE:LINE:COLUMN`, alone, in brackets at the end of a line of a
//! stack, or behind `at` in the reason of a failed load. A map that is missing
//! or makes no sense is told once, and places stay as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use protocol::api::sandboxes::LogLine;
use protocol::api::user_agent::Component;

use crate::error::Failure;

mod map;
mod vlq;

use map::Map;

/// Bytes of a code file or a map that is read: four times the longest script that
/// a catalogue may hold. A map is about as long as the sources it has in it.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Maps that are kept: as many as components that fit on a screen. Those beyond
/// show the places of their bundles.
const MAPS_MAX: usize = 64;

/// What marks the map in the code.
const MARK: &str = "//# sourceMappingURL=";

/// What every place in a script has.
const MARKS_PLACE: &str = ".js:";

/// Columns that a script of the UMD form is moved by on its first line: the
/// sandbox host runs it as the body of a function.
const WRAPPED_COLUMNS: u32 = 37;

/// The maps of the components that were seen.
#[derive(Debug, Default)]
pub(crate) struct Places {
    known: BTreeMap<String, Known>,
}

/// The map of one component's code.
#[derive(Debug)]
struct Known {
    /// The code's digest: a reloaded component has another map.
    digest: String,
    /// The code's name in stacks.
    file: String,
    // Where the columns of the first line begin.
    wrapped: u32,
    map: Option<Map>,
}

/// Why a component does not run, with places as its author wrote them. Where its code
/// is, is asked only when there are places.
pub(crate) fn in_words(failure: Failure, files: impl FnOnce() -> Vec<PathBuf>) -> Failure {
    if !failure.says(MARKS_PLACE) {
        return failure;
    }
    let mut places = Places::default();
    for file in files() {
        places.learn_file(&file);
    }
    failure.in_words(|text| places.text("", text).into_owned())
}

impl Places {
    /// Reads the maps of components that are new or have new code; gives back what
    /// is to be told about maps that cannot be used.
    pub(crate) fn learn(&mut self, components: &[Component]) -> Vec<String> {
        let mut notes = Vec::new();
        for component in components {
            let source = Path::new(&component.source);
            let known = self.known.get(&component.address);
            if known.is_some_and(|known| known.digest == component.digest)
                || (known.is_none() && self.known.len() >= MAPS_MAX)
                || source.extension().is_none_or(|ending| ending != "js")
            {
                continue;
            }
            let (known, note) = read(source, &component.digest);
            notes.extend(note);
            self.known.insert(component.address.clone(), known);
        }
        notes
    }

    /// Reads the map of a code file whose component never ran, and has no address
    /// that a listing would show.
    pub(crate) fn learn_file(&mut self, source: &Path) -> Option<String> {
        let (known, note) = read(source, "");
        self.known.insert(source.display().to_string(), known);
        note
    }

    /// The same for a component whose code has just changed.
    pub(crate) fn renew(&mut self, component: &str, source: &Path) -> Option<String> {
        let (known, note) = read(source, "");
        self.known.insert(component.to_owned(), known);
        note
    }

    /// A line of the log with its places as the author wrote them.
    pub(crate) fn line<'a>(&self, line: &'a LogLine) -> Cow<'a, LogLine> {
        if self.known.is_empty() {
            return Cow::Borrowed(line);
        }
        let text = self.text(&line.component, &line.text);
        let place = self.place(&line.component, &line.place);
        match (text, place) {
            (Cow::Borrowed(_), None) => Cow::Borrowed(line),
            (text, place) => Cow::Owned(LogLine {
                text: text.into_owned(),
                place: place.unwrap_or_else(|| line.place.clone()),
                ..line.clone()
            }),
        }
    }

    /// Any text about a component, each place in it replaced; the address may be
    /// unknown, then the file's name decides.
    pub(crate) fn text<'a>(&self, component: &str, text: &'a str) -> Cow<'a, str> {
        if !text.contains(MARKS_PLACE) {
            return Cow::Borrowed(text);
        }
        let mut changed = false;
        let words = text.split_inclusive([' ', '(', ')', '\n', ',', ';']);
        let replaced: String = words
            .map(|word| {
                let place = word.trim_end_matches([' ', '(', ')', '\n', ',', ';']);
                match self.place(component, place) {
                    Some(better) => {
                        changed = true;
                        let rest = word.get(place.len()..).unwrap_or_default();
                        format!("{better}{rest}")
                    }
                    None => word.to_owned(),
                }
            })
            .collect();
        if changed {
            Cow::Owned(replaced)
        } else {
            Cow::Borrowed(text)
        }
    }

    fn place(&self, component: &str, place: &str) -> Option<String> {
        let (file, line, column) = split(place)?;
        let known = match self.known.get(component) {
            Some(known) if known.file == file => known,
            _ => self.of_file(file)?,
        };
        let map = known.map.as_ref()?;
        let moved = if line == 1 { known.wrapped } else { 0 };
        let column = column.map(|column| column.saturating_sub(moved));
        let (source, line, column) = map.find(line, column)?;
        Some(format!("{source}:{line}:{column}"))
    }

    // Two components may come from files of one name: then neither is meant.
    fn of_file(&self, file: &str) -> Option<&Known> {
        let mut named = self.known.values().filter(|known| known.file == file);
        let first = named.next()?;
        named
            .all(|other| other.digest == first.digest || other.digest.is_empty())
            .then_some(first)
    }
}

/// `echo.hy.js:3:14` or `echo.hy.js:3`.
fn split(place: &str) -> Option<(&str, u32, Option<u32>)> {
    let (before, last) = place.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    match before
        .rsplit_once(':')
        .map(|(file, line)| (file, line.parse()))
    {
        Some((file, Ok(line))) => Some((file, line, Some(last))),
        _ => Some((before, last, None)),
    }
}

fn read(source: &Path, digest: &str) -> (Known, Option<String>) {
    let file = source.file_name().unwrap_or_default().to_string_lossy();
    let mut known = Known {
        digest: digest.to_owned(),
        file: file.into_owned(),
        wrapped: 0,
        map: None,
    };
    // Code that cannot be read here is no reason to say anything: it may be another's.
    let Ok(code) = contents(source) else {
        return (known, None);
    };
    let code = String::from_utf8_lossy(&code);
    if !code.contains("System.register") {
        known.wrapped = WRAPPED_COLUMNS;
    }
    let Some(named) = marked(&code) else {
        return (known, None);
    };
    let map = found(source, named).and_then(|text| Map::parse(&text));
    let note = map.as_ref().err().map(|why| {
        format!(
            "the source map of `{}` cannot be used: {why}; places are those of the bundle",
            source.display()
        )
    });
    known.map = map.ok();
    (known, note)
}

// The last mark counts: a bundle may hold others' code with marks of its own.
fn marked(code: &str) -> Option<&str> {
    let (_, named) = code.rsplit_once(MARK)?;
    let named = named.lines().next()?.trim();
    (!named.is_empty()).then_some(named)
}

fn found(source: &Path, named: &str) -> Result<Vec<u8>, String> {
    if let Some(data) = named.strip_prefix("data:") {
        let (kind, text) = data.split_once(',').ok_or("it is no `data:` address")?;
        return if kind.ends_with(";base64") {
            vlq::base64(text).ok_or_else(|| "it is not base 64".to_owned())
        } else {
            Err("a `data:` address must be base 64".to_owned())
        };
    }
    // A map may be anybody's text: it names a file beside the code and no other.
    if named.contains(['/', '\\']) {
        return Err(format!("`{named}` is not beside the code"));
    }
    let file = source.with_file_name(named);
    contents(&file).map_err(|error| format!("`{}`: {error}", file.display()))
}

fn contents(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(file)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::other("it is too long"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
