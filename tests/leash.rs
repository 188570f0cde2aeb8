//! Whenever an application is killed, nothing of its runtime is left.
//!
//! Alone in its file: it takes in every orphan of this process, and must not
//! mistake those of another test for survivors.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Application, Catalogue, TempDir, children_of, eventually, running};

const KILLS: usize = 200;

#[test]
fn crowd_of_two_hundred_applications_killed_at_any_point_leaves_nothing() {
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let catalogue = Catalogue::fixture("app");

    for round in 0..KILLS {
        let home = TempDir::new();
        let mut application = Application::start(&catalogue, &home);
        at_some_point(&application, round);

        application.kill();

        eventually("nothing of it runs", || {
            reap();
            running(&children_of(std::process::id())).is_empty()
        });
    }
}

// After so many lines, and then a little later: the lines are where something
// has just happened, the pause walks through what happens between them.
fn at_some_point(application: &Application, round: usize) {
    application.tells_lines(round % 8);
    let pause = (round * 7919) % 100_000;
    for turn in 0..pause {
        std::hint::black_box(turn);
    }
}

// Orphans become ours; once dead they wait to be asked about.
fn reap() {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            return;
        }
    }
}
