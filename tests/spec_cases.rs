//! The given/when/then cases of the two contracts, by number: which test realises which.
//!
//! A test names its cases in lines above it: `// services §8.3 case 17` or
//! `// messaging A.1 case 14`. What is not realised yet says why.

#![allow(clippy::unwrap_used)] // in helpers of the tests

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hyperty_tests::harness::source_dir;

/// Cases that a test must realise: a chapter, and its numbers.
const REALISED: [(&str, &[u32]); 5] = [
    ("services §8.3", &SERVICES),
    (
        "messaging A.1",
        &[1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 17, 19],
    ),
    (
        "messaging A.2",
        &[20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32],
    ),
    ("messaging A.4", &[39, 40, 41, 42, 43, 44, 45, 46]),
    ("messaging A.6", &[54, 55, 56, 57, 58, 59]),
];

// All of A to E, of F what is not the identity module's, and of H the files.
const SERVICES: [u32; 62] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50,
    51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 81,
];

#[test]
fn every_case_has_its_test() {
    let told = told();
    let missing: Vec<_> = REALISED
        .iter()
        .flat_map(|(chapter, cases)| cases.iter().map(|case| ((*chapter).to_owned(), *case)))
        .filter(|case| !told.contains(case))
        .collect();
    assert_eq!(missing, []);
}

#[test]
fn no_test_realises_a_case_that_does_not_exist() {
    let last = |chapter: &str| match chapter {
        "services §8.3" => 1..=82,
        "messaging A.1" => 1..=19,
        "messaging A.2" => 20..=32,
        "messaging A.3" => 33..=38,
        "messaging A.4" => 39..=46,
        "messaging A.5" => 47..=53,
        "messaging A.6" => 54..=60,
        _ => 0..=0,
    };
    let strange: Vec<_> = told()
        .into_iter()
        .filter(|(chapter, case)| !last(chapter).contains(case))
        .collect();
    assert_eq!(strange, []);
}

// Every `// CHAPTER case N` of the tests.
fn told() -> BTreeSet<(String, u32)> {
    let mut told = BTreeSet::new();
    for folder in [
        "core-supervisor",
        "sandbox-host",
        "protocol",
        "tests",
        "stubs",
    ] {
        collect(&source_dir().join(folder), &mut told);
    }
    told
}

fn collect(folder: &Path, told: &mut BTreeSet<(String, u32)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if name != "target" && name != "node_modules" {
                collect(&path, told);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            told.extend(text.lines().filter_map(case));
        }
    }
}

fn case(line: &str) -> Option<(String, u32)> {
    let (chapter, number) = line.trim().strip_prefix("// ")?.split_once(" case ")?;
    let is_chapter = chapter.starts_with("services §") || chapter.starts_with("messaging A.");
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    is_chapter.then_some((chapter.to_owned(), digits.parse().ok()?))
}
