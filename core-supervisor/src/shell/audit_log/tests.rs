//! The log on a real disk.

use std::fs;
use std::path::PathBuf;

use super::file::Files;
use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("hyperty-audit-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("00000001.jsonl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn noted(detail: &str) -> Noted {
    Noted {
        at_us: 1_000_001,
        entry: Entry {
            what: "denied".to_owned(),
            who: "hyperty://a.example/1".to_owned(),
            detail: detail.to_owned(),
            ..Entry::default()
        },
    }
}

#[test]
fn entries_are_lines_that_follow_each_other_across_restarts() {
    let folder = Folder::new("follow");

    for _ in 0..3 {
        let mut files = Files::open(folder.0.clone()).unwrap();
        files.append(&[noted("one"), noted("two\nlines")]).unwrap();
    }

    let checked = check(&folder.0).unwrap();
    assert_eq!((checked.lines, checked.first), (6, 1));
    assert_eq!(checked.problems, [""; 0]);
    let lines = last(&folder.0, 2).unwrap();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].contains("1970-01-01T00:00:01.000001Z"),
        "{}",
        lines[1]
    );
}

#[test]
fn a_line_that_was_changed_is_named() {
    let folder = Folder::new("changed");
    let mut files = Files::open(folder.0.clone()).unwrap();
    files
        .append(&[noted("first"), noted("second"), noted("third")])
        .unwrap();

    let text = fs::read_to_string(folder.file()).unwrap();
    fs::write(folder.file(), text.replace("second", "nothing")).unwrap();

    let checked = check(&folder.0).unwrap();
    assert_eq!(checked.lines, 1);
    assert!(
        checked.problems[0].contains("00000001.jsonl:2: was changed"),
        "{checked:?}"
    );
}

#[test]
fn a_line_that_was_removed_is_missed_by_the_next() {
    let folder = Folder::new("removed");
    let mut files = Files::open(folder.0.clone()).unwrap();
    files
        .append(&[noted("first"), noted("second"), noted("third")])
        .unwrap();

    let text = fs::read_to_string(folder.file()).unwrap();
    let kept: String = text
        .lines()
        .filter(|line| !line.contains("second"))
        .fold(String::new(), |all, line| all + line + "\n");
    fs::write(folder.file(), kept).unwrap();

    let checked = check(&folder.0).unwrap();
    assert!(
        checked.problems[0].contains("does not follow entry 1"),
        "{checked:?}"
    );
}

#[test]
fn a_line_that_its_writer_did_not_finish_is_left_and_gone_round() {
    let folder = Folder::new("torn");
    let mut files = Files::open(folder.0.clone()).unwrap();
    files.append(&[noted("first"), noted("second")]).unwrap();
    let whole = fs::read(folder.file()).unwrap();
    fs::write(folder.file(), &whole[..whole.len() - 20]).unwrap();

    let mut files = Files::open(folder.0.clone()).unwrap();
    files.append(&[noted("third")]).unwrap();

    let checked = check(&folder.0).unwrap();
    assert_eq!(checked.lines, 2, "{checked:?}");
    assert_eq!(
        checked.problems.len(),
        1,
        "the torn line is told: {checked:?}"
    );
}

#[test]
fn a_long_log_goes_on_in_another_file_and_the_oldest_goes() {
    let folder = Folder::new("rotate");
    let mut files = Files::open(folder.0.clone()).unwrap();
    files.bytes_max = 1000;

    for _ in 0..40 {
        files
            .append(&[noted("x"), noted("y"), noted("z"), noted("z")])
            .unwrap();
    }

    let checked = check(&folder.0).unwrap();
    assert_eq!(checked.files.len(), 16);
    assert!(
        checked.first > 1,
        "older entries were removed with their files"
    );
    assert_eq!(checked.problems, [""; 0]);
}

#[test]
fn what_others_wrote_cannot_break_a_line() {
    let folder = Folder::new("hostile");
    let mut files = Files::open(folder.0.clone()).unwrap();

    files
        .append(&[noted("\"}\n{\"hash\":\"\u{1b}[2J\u{202e}")])
        .unwrap();

    let checked = check(&folder.0).unwrap();
    assert_eq!((checked.lines, checked.problems.len()), (1, 0));
    assert_eq!(
        fs::read_to_string(folder.file()).unwrap().lines().count(),
        1
    );
}
