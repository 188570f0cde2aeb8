//! Sandboxes, with the test in place of the nursery.

use std::os::fd::OwnedFd;
use std::process::{Child, Command};

use protocol::nursery::{Exit, Report};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::stage::{Stage, read_ready};
use crate::event::Action;
use crate::ids::SandboxId;

const FIRST: SandboxId = SandboxId(1);

/// A process to be called a sandbox.
fn process() -> (Child, OwnedFd) {
    let child = Command::new("sleep").arg("60").spawn().unwrap();
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
    (child, pidfd)
}

fn launched(child: &Child) -> Report<'static> {
    Report::Launched {
        sandbox: FIRST.0,
        pid: child.id(),
    }
}

#[test]
fn a_launch_makes_a_link_and_asks_the_nursery() {
    let mut stage = Stage::new();

    stage.launch(FIRST);
    let (sandbox, mut end) = stage.requested();

    assert_eq!(sandbox, FIRST);
    assert!(stage.brain().told.contains(&"connected k1".to_owned()));
    stage.send(crate::ids::LinkId(1), b"welcome");
    assert_eq!(read_ready(&mut end), b"welcome");
}

#[test]
fn what_the_nursery_reports_reaches_the_core() {
    let mut stage = Stage::new();
    let (mut child, pidfd) = process();
    stage.launch(FIRST);

    stage.report(&launched(&child), Some(&pidfd));
    let exit = Exit::NotLocked("landlock: absent");
    stage.report(
        &Report::Exited {
            sandbox: FIRST.0,
            exit,
        },
        None,
    );

    let told = &stage.brain().told;
    assert_eq!(told[told.len() - 2], format!("launched s1 {}", child.id()));
    assert_eq!(
        told[told.len() - 1],
        "exited s1 NotLocked(\"landlock: absent\")"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_kill_reaches_the_process() {
    let mut stage = Stage::new();
    let (mut child, pidfd) = process();
    stage.launch(FIRST);
    stage.report(&launched(&child), Some(&pidfd));

    stage.act(Action::Kill { sandbox: FIRST }, &[]);

    assert!(!child.wait().unwrap().success());
}

#[test]
fn a_kill_that_comes_before_the_process_is_known_is_kept() {
    let mut stage = Stage::new();
    let (mut child, pidfd) = process();
    stage.launch(FIRST);
    stage.act(Action::Kill { sandbox: FIRST }, &[]);

    stage.report(&launched(&child), Some(&pidfd));

    assert!(!child.wait().unwrap().success());
}

#[test]
fn when_the_nursery_dies_every_sandbox_is_reported_gone() {
    let mut stage = Stage::new();
    stage.launch(FIRST);
    stage.launch(SandboxId(2));
    let _ends = (stage.requested(), stage.requested());
    let (mut child, pidfd) = process();
    stage.report(&launched(&child), Some(&pidfd));
    stage.brain().told.clear();

    stage.nursery = None;
    // The child closes its copy of the nursery's end a little after its start.
    stage.wait();

    let told = &stage.brain().told;
    assert_eq!(told[0], "exited s1 Signal(9)");
    assert!(
        told[1].starts_with("not launched s2: the nursery"),
        "{told:?}"
    );
    assert!(!child.wait().unwrap().success());
}

#[test]
fn without_a_nursery_a_launch_is_refused_and_a_new_one_is_tried() {
    let mut stage = Stage::new();
    stage.nursery = None;
    stage.wait();

    stage.launch(FIRST);

    let last = stage.brain().told.last().unwrap().clone();
    assert!(last.starts_with("not launched s1: the nursery"), "{last}");
    assert!(stage.looping.patience().is_some());
}

#[test]
fn a_nursery_that_talks_nonsense_is_replaced() {
    let mut stage = Stage::new();
    stage.launch(FIRST);
    let nursery = stage.nursery.take().unwrap();

    crate::shell::nursery::send_datagram(&nursery, b"\xff\xff", None).unwrap();
    stage.wait();

    let last = stage.brain().told.last().unwrap().clone();
    assert!(last.starts_with("not launched s1"), "{last}");
}

#[test]
fn the_last_descriptors_are_not_used_for_sandboxes() {
    let mut stage = Stage::with_descriptors(3);
    stage.launch(FIRST);
    let _first = stage.requested();

    stage.launch(SandboxId(2));

    let last = stage.brain().told.last().unwrap().clone();
    assert!(
        last.starts_with("not launched s2: 2 of 3 descriptors are in use"),
        "{last}"
    );
    assert!(last.contains("ulimit -n"), "{last}");
}
