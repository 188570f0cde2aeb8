//! One source map (version 3): a place in what runs → a place in what was written.

use serde::Deserialize;

use super::vlq;

/// Segments of a map: a bundle of the largest size that a catalogue may hold has
/// about this many; each takes 16 bytes here.
const SEGMENTS_MAX: usize = 4_000_000;

/// A map, ready to be asked.
#[derive(Debug, Default)]
pub(super) struct Map {
    sources: Vec<String>,
    /// By line of the code, from 0; each in order of column.
    lines: Vec<Vec<Segment>>,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    column: u32,
    // `None`: from here on nothing was written by a person.
    origin: Option<(u32, u32, u32)>,
}

/// The file's text, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Text {
    version: u32,
    #[serde(default, rename = "sourceRoot")]
    source_root: Option<String>,
    #[serde(default)]
    sources: Vec<Option<String>>,
    #[serde(default)]
    mappings: String,
    #[serde(default)]
    sections: Option<serde_json::Value>,
}

impl Map {
    /// Reads a map; the reason when it is none.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let text: Text = serde_json::from_slice(text).map_err(|bad| bad.to_string())?;
        if text.version != 3 {
            return Err(format!("it has version {}, not 3", text.version));
        }
        if text.sections.is_some() {
            return Err("it has sections; join them into one map".to_owned());
        }
        let root = text.source_root.unwrap_or_default();
        let sources = text.sources.into_iter();
        let sources: Vec<_> = sources
            .map(|source| named(&root, &source.unwrap_or_default()))
            .collect();
        let lines = lines(&text.mappings, sources.len())?;
        Ok(Self { sources, lines })
    }

    /// Where the character at this line and column (from 1) was written; without a
    /// column, where the line's first was.
    pub(super) fn find(&self, line: u32, column: Option<u32>) -> Option<(&str, u32, u32)> {
        let line = self
            .lines
            .get(usize::try_from(line.checked_sub(1)?).ok()?)?;
        let segment = match column {
            Some(column) => {
                let column = column.saturating_sub(1);
                let after = line.partition_point(|segment| segment.column <= column);
                line.get(after.checked_sub(1)?)?
            }
            None => line.iter().find(|segment| segment.origin.is_some())?,
        };
        let (source, line, column) = segment.origin?;
        let source = self.sources.get(usize::try_from(source).ok()?)?;
        Some((source, line + 1, column + 1))
    }
}

// What bundlers put before a path says nothing to a reader.
fn named(root: &str, source: &str) -> String {
    let path = match root {
        "" => source.to_owned(),
        root => format!("{}/{source}", root.trim_end_matches('/')),
    };
    let mut rest = path.as_str();
    for before in ["webpack://", "file://"] {
        rest = rest.strip_prefix(before).unwrap_or(rest);
    }
    while let Some(inner) = rest.strip_prefix("../").or(rest.strip_prefix("./")) {
        rest = inner;
    }
    rest.to_owned()
}

fn lines(mappings: &str, sources: usize) -> Result<Vec<Vec<Segment>>, String> {
    // Source, line, column: each number is a difference to the one before.
    let mut at = [0_i64; 3];
    let (mut lines, mut offset, mut count) = (Vec::new(), 0, 0);
    for text in mappings.split(';') {
        let (mut line, mut column) = (Vec::new(), 0_i64);
        for segment in text.split(',') {
            let wrong = |at: usize| format!("its mappings make no sense at byte {at}");
            let numbers = vlq::segment(segment.as_bytes(), offset).map_err(|bad| wrong(bad.at))?;
            offset += segment.len() + 1;
            let Some((moved, origin)) = numbers.split_first() else {
                continue;
            };
            column += moved;
            for (at, moved) in at.iter_mut().zip(origin) {
                *at += moved;
            }
            let origin = match origin.len() {
                0 => None,
                3 | 4 => Some(origin_of(at, sources).ok_or_else(|| wrong(offset))?),
                _ => return Err(wrong(offset)),
            };
            let column = u32::try_from(column).map_err(|_| wrong(offset))?;
            count += 1;
            if count > SEGMENTS_MAX {
                return Err(format!("it has more than {SEGMENTS_MAX} segments"));
            }
            line.push(Segment { column, origin });
        }
        // Nobody is obliged to write them in order.
        line.sort_by_key(|segment| segment.column);
        lines.push(line);
    }
    Ok(lines)
}

fn origin_of(at: [i64; 3], sources: usize) -> Option<(u32, u32, u32)> {
    let [source, line, column] = at.map(|number| u32::try_from(number).ok());
    let source = source.filter(|source| (*source as usize) < sources)?;
    Some((source, line?, column?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line 1: column 0 and 4 come from `a.ts` 1:1 and 3:3; line 2: column 2 is
    /// nobody's; line 3: column 1 comes from `b.ts` 2:1.
    const TEXT: &str = r#"{"version":3,"sourceRoot":"src/","sources":["a.ts","../b.ts"],
        "names":["x"],"mappings":"AAAA,IAEEA;E;CCDF"}"#;

    #[test]
    fn a_place_is_found_by_its_line_and_column() {
        let map = Map::parse(TEXT.as_bytes()).unwrap();

        assert_eq!(map.find(1, Some(1)), Some(("src/a.ts", 1, 1)));
        assert_eq!(map.find(1, Some(4)), Some(("src/a.ts", 1, 1)));
        assert_eq!(map.find(1, Some(5)), Some(("src/a.ts", 3, 3)));
        assert_eq!(map.find(1, None), Some(("src/a.ts", 1, 1)));
        assert_eq!(map.find(2, Some(9)), None);
        assert_eq!(map.find(3, Some(1)), None);
        assert_eq!(map.find(3, Some(2)), Some(("src/../b.ts", 2, 1)));
        assert_eq!(map.find(0, None), None);
        assert_eq!(map.find(99, Some(1)), None);
    }

    #[test]
    fn a_map_that_makes_no_sense_says_why() {
        let wrong = |text: &str| Map::parse(text.as_bytes()).unwrap_err();

        assert!(wrong("no").contains("expected"));
        assert_eq!(wrong(r#"{"version":2}"#), "it has version 2, not 3");
        assert!(wrong(r#"{"version":3,"mappings":"AAAA"}"#).contains("make no sense"));
        assert!(wrong(r#"{"version":3,"sources":["a"],"mappings":"A?"}"#).contains("at byte 1"));
        assert!(
            wrong(r#"{"version":3,"sources":["a"],"mappings":"AADA"}"#).contains("make no sense")
        );
        assert!(wrong(r#"{"version":3,"sections":[]}"#).contains("sections"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(mappings in "[A-Za-z0-9+/,;]{0,80}", column in 0_u32..200) {
            let text = serde_json::json!({"version": 3, "sources": ["a"], "mappings": mappings});
            if let Ok(map) = Map::parse(text.to_string().as_bytes()) {
                map.find(1, Some(column));
                map.find(column, None);
            }
        }
    }

    #[test]
    fn what_bundlers_put_before_a_path_is_left_out() {
        assert_eq!(named("", "../../src/echo.ts"), "src/echo.ts");
        assert_eq!(named("", "webpack://./src/echo.ts"), "src/echo.ts");
        assert_eq!(named("", "echo.ts"), "echo.ts");
    }
}
