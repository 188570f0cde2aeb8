//! Names of files in a package: the same file to everybody who unpacks it.

use std::collections::BTreeSet;

use crate::limits::{DEPTH_MAX, NAME_BYTES_MAX};

/// Whether a name is a plain path below where the package is unpacked.
///
/// Letters, digits, `-`, `_`, `.` and `/`: nothing that a shell, a terminal or
/// another file system reads in a way of its own.
pub fn is_plain(name: &str) -> bool {
    let is_letter = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.ends_with('.')
            && part.bytes().all(is_letter)
    };
    name.len() <= NAME_BYTES_MAX
        && name.split('/').count() <= DEPTH_MAX
        && name.split('/').all(is_part)
}

/// The first name that is another's twin: in another case, or a folder of it.
pub(crate) fn twin<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut files = BTreeSet::new();
    let mut folders = BTreeSet::new();
    for name in names {
        let lower = name.to_ascii_lowercase();
        let mut above: Vec<String> = Vec::new();
        for (at, _) in lower.match_indices('/') {
            above.push(lower.chars().take(at).collect());
        }
        let is_twin = folders.contains(&lower) || above.iter().any(|folder| files.contains(folder));
        folders.extend(above);
        if is_twin || !files.insert(lower) {
            return Some(name);
        }
    }
    None
}

/// A foreign name as it may be printed.
pub(crate) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    text.chars()
        .take(64)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_but_below() {
        for good in ["Echo.hy.js", "assets/a.png", "a/b/c/d/e/f/g/h"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            ".hidden",
            "a/.x",
            "-rf",
            "a\\b",
            "C:x",
            "a b",
            "a\nb",
            "ä",
            "a.",
            "a/b/c/d/e/f/g/h/i",
            "con\u{202e}sj",
        ] {
            assert!(!is_plain(bad), "{bad}");
        }
        assert!(is_plain(&"a".repeat(NAME_BYTES_MAX)));
        assert!(!is_plain(&"a".repeat(NAME_BYTES_MAX + 1)));
    }

    #[test]
    fn names_that_some_file_system_takes_for_one_are_found() {
        let twin = |names: &[&'static str]| super::twin(names.iter().copied());

        assert_eq!(twin(&["a", "b", "c/a"]), None);
        assert_eq!(twin(&["a", "A"]), Some("A"));
        assert_eq!(twin(&["a", "a"]), Some("a"));
        assert_eq!(twin(&["a", "A/b"]), Some("A/b"));
        assert_eq!(twin(&["A/b", "a"]), Some("a"));
    }
}
