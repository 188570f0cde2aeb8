//! Makes foreign text safe to print.
//!
//! Names, addresses and log lines come from components, and a component is
//! hostile: a terminal must see neither its escape sequences nor characters that
//! change the order or the look of what stands beside them.

use std::borrow::Cow;

/// The text with everything a terminal would act on written out as an escape.
///
/// A line feed is escaped as well: one name stays on one line.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_treacherous(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// The same, for text of several lines that is to stay so (a stack, a rule).
pub(crate) fn clean_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(clean).collect();
    lines.join("\n")
}

fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200e}' | '\u{200f}'   // direction marks
            | '\u{202a}'..='\u{202e}'              // embeddings and overrides
            | '\u{2066}'..='\u{2069}'              // isolates
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' // no width
            | '\u{2028}' | '\u{2029}'              // line and paragraph separators
            | '\u{00ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' // look like nothing
            | '\u{e0000}'..='\u{e007f}') // tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(
            clean("hyperty://acme.example/42 – ünï 日本"),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn escape_sequences_and_control_characters_are_written_out() {
        assert_eq!(
            clean("a\u{1b}[2Jb\u{7}\r\n\tc"),
            "a\\u{1b}[2Jb\\u{7}\\r\\n\\tc"
        );
        assert_eq!(clean("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn characters_that_turn_the_line_around_or_hide_are_written_out() {
        assert_eq!(clean("user\u{202e}txt.exe"), "user\\u{202e}txt.exe");
        assert_eq!(clean("pay\u{200b}pal"), "pay\\u{200b}pal");
    }

    #[test]
    fn several_lines_stay_several_lines() {
        assert_eq!(clean_lines("a\n\u{1b}b"), "a\n\\u{1b}b");
    }
}
