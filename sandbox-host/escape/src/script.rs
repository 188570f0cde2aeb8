//! What a script tries: the functions of `attempts/script.js`, by id.

use crate::case::{By, Case};

const SOURCE: &str = include_str!("../attempts/script.js");

/// The component whose descriptor asks for every public host: its attempts are aimed at
/// what holds a granted dial.
pub(crate) const GRANTED: &str = "Granted";

/// The component that tries a case.
pub(crate) fn component(id: &str) -> &'static str {
    match id {
        "NW-10s" | "NW-10t" | "NW-12t" => GRANTED,
        _ => "Script",
    }
}

/// The cases of the script: lines of the form `"FS-01s": { title: "…",`.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    SOURCE.lines().filter_map(|line| {
        let (id, rest) = line
            .trim()
            .strip_prefix('"')?
            .split_once("\": { title: \"")?;
        let (title, _) = rest.split_once('"')?;
        Some(Case {
            id: id.to_owned(),
            title: format!("script: {title}"),
            by: By::Script,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::cases;

    #[test]
    fn the_cases_of_the_script_are_found() {
        assert!(cases().count() >= 20);
        assert!(cases().all(|case| case.id.ends_with(['s', 't'])));
    }
}
