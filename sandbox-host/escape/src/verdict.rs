//! What became of a case.

use nix::errno::Errno;
use protocol::frame::Level;
use serde::Serialize;

use crate::case::Case;

/// What was heard of one attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Whether it came as far as to begin.
    pub(crate) began: bool,
    /// What its harmless twin got: 0, or the number of what refused it.
    pub(crate) twin: Option<i32>,
    /// What the attempt got, when it came back from it.
    pub(crate) end: Option<i32>,
    /// What else it said.
    pub(crate) said: Vec<String>,
    /// How its process ended, when it did.
    pub(crate) ended: Option<Ended>,
}

/// How the process of an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself: after an attempt to become another program, that is success.
    Itself(String),
    /// It was killed, or cut off; by whom and why.
    Killed(String),
    /// It did neither come back nor end in time.
    Hung,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Nothing was touched; what refused it.
    Held(String),
    /// It got through, as is known of this level; why.
    Gap(String),
    /// It got through; what was done.
    Escaped(String),
    /// It was not tried; why.
    Skipped(String),
    /// It cannot be told; why.
    Broken(String),
}

/// Judges one case by what was heard, and by what was done to the victims.
pub(crate) fn judge(case: &Case, level: Level, report: &Report, harm: &[String]) -> Verdict {
    let escaped = |what: String| match case.gap(level) {
        Some(why) => Verdict::Gap(format!("{what}: {why}")),
        None => Verdict::Escaped(what),
    };
    if !harm.is_empty() {
        return escaped(harm.join("; "));
    }
    if let Some(number) = report.twin.filter(|number| *number != 0) {
        return Verdict::Broken(format!("its harmless twin was refused: {}", name(number)));
    }
    if !report.began {
        return Verdict::Broken(match &report.ended {
            Some(Ended::Itself(how) | Ended::Killed(how)) => format!("it did not begin: {how}"),
            Some(Ended::Hung) | None => "it did not begin".to_owned(),
        });
    }
    match (&report.end, &report.ended) {
        (Some(0), _) if case.counts_success() => {
            let said = report.said.first().map(|line| format!(": {line}"));
            escaped(format!("it succeeded{}", said.unwrap_or_default()))
        }
        (Some(0), _) => Verdict::Held("without effect".to_owned()),
        (Some(number), _) => Verdict::Held(in_words(report, *number)),
        (None, Some(Ended::Killed(why))) => Verdict::Held(why.clone()),
        (None, Some(Ended::Itself(how))) => {
            escaped(format!("it became another program, which {how}"))
        }
        (None, Some(Ended::Hung)) => Verdict::Broken("it did not come back".to_owned()),
        (None, None) => Verdict::Broken("nothing was heard of it".to_owned()),
    }
}

// A script tells why in words.
fn in_words(report: &Report, number: i32) -> String {
    let refused = report
        .said
        .iter()
        .find_map(|line| line.strip_prefix("refused "));
    refused.map_or_else(|| name(number), str::to_owned)
}

/// `EPERM` for 1.
pub(crate) fn name(number: i32) -> String {
    match Errno::from_raw(number) {
        Errno::UnknownErrno => format!("error {number}"),
        known => format!("{known:?}"),
    }
}

/// Reads `twin N …`, `begin` and `end N …` off what an attempt says.
pub(crate) fn read(lines: &[String]) -> Report {
    let mut report = Report::default();
    for line in lines {
        let number = |rest: &str| rest.split(' ').next().and_then(|it| it.parse().ok());
        if let Some(rest) = line.strip_prefix("twin ") {
            report.twin = number(rest);
        } else if let Some(rest) = line.strip_prefix("end ") {
            report.end = number(rest);
        } else if line == "begin" {
            report.began = true;
        } else {
            report.said.push(line.clone());
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::By;

    fn case(id: &str) -> Case {
        Case {
            id: id.to_owned(),
            title: String::new(),
            by: By::Program,
        }
    }

    fn heard(lines: &[&str]) -> Report {
        read(&lines.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_refused_attempt_is_held_by_what_refused_it() {
        let report = heard(&["twin 0 Success", "begin", "end 1 Operation not permitted"]);

        assert_eq!(
            judge(&case("FS-01"), Level::L2, &report, &[]),
            Verdict::Held("EPERM".into())
        );
    }

    #[test]
    fn harm_is_an_escape_whatever_the_attempt_believes() {
        let report = heard(&["begin", "end 1 Operation not permitted"]);
        let harm = ["the secret file was changed".to_owned()];

        let verdict = judge(&case("FS-02"), Level::L3, &report, &harm);

        assert_eq!(
            verdict,
            Verdict::Escaped("the secret file was changed".into())
        );
    }

    #[test]
    fn success_is_an_escape_but_where_it_proves_nothing() {
        let report = heard(&["begin", "read 5 bytes", "end 0 Success"]);

        assert_eq!(
            judge(&case("FS-01"), Level::L2, &report, &[]),
            Verdict::Escaped("it succeeded: read 5 bytes".into())
        );
        assert!(matches!(
            judge(&case("PR-13"), Level::L2, &report, &[]),
            Verdict::Held(_)
        ));
        assert!(matches!(
            judge(&case("FS-01"), Level::L1, &report, &[]),
            Verdict::Gap(_)
        ));
    }

    #[test]
    fn an_attempt_that_is_neither_refused_nor_seen_to_end_proves_nothing() {
        assert!(matches!(
            judge(&case("FS-01"), Level::L2, &Report::default(), &[]),
            Verdict::Broken(_)
        ));
        let refused_twin = heard(&["twin 13 Permission denied", "end 13 Permission denied"]);
        assert!(matches!(
            judge(&case("FS-01"), Level::L2, &refused_twin, &[]),
            Verdict::Broken(_)
        ));
    }

    #[test]
    fn becoming_another_program_is_an_escape_and_being_killed_is_not() {
        let ended = |ended| Report {
            began: true,
            ended: Some(ended),
            ..Report::default()
        };

        let other = judge(
            &case("KR-07"),
            Level::L2,
            &ended(Ended::Itself("exited".into())),
            &[],
        );
        let killed = judge(
            &case("KR-02"),
            Level::L2,
            &ended(Ended::Killed("was killed for `bpf`".into())),
            &[],
        );

        assert!(matches!(other, Verdict::Escaped(_)));
        assert_eq!(killed, Verdict::Held("was killed for `bpf`".into()));
    }
}
