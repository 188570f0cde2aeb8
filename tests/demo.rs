//! The demo shows what the runtime does, ends by itself, and leaves nothing behind.
//!
//! Alone in its file: it takes in every orphan of this process, and must not
//! mistake those of another test for survivors.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Catalogue, TempDir, children_of, hyperty, running};

#[test]
fn the_demo_proves_what_it_says_and_leaves_nothing() {
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let (catalogue, home) = (Catalogue::demo(), TempDir::new());
    let folder = catalogue.path().display().to_string();
    let environment = [("HOME", home.path()), ("TMPDIR", home.path())];

    let outcome = hyperty(&["demo", "--catalogue", &folder], environment).succeeded();

    let said = |text: &str| assert!(outcome.stdout.contains(text), "no `{text}`: {outcome:#?}");
    said("board-asks-station");
    said("went through the stub");
    said("forged-from");
    said("cut off: forged `from`");
    said("was killed for system call `chroot`");
    said("Proved just now");
    said("Try next");
    assert!(!outcome.stdout.contains("ESCAPED"), "{outcome:#?}");
    assert_eq!(running(&children_of(std::process::id())), []);
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "files were left behind"
    );
}
