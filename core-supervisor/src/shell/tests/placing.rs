//! Who shares the loop's processor, with real processes.

use std::process::{Child, Command};
use std::time::Duration;

use protocol::nursery::Report;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::thread::sched_getaffinity;

use super::stage::Stage;
use crate::ids::{LinkId, SandboxId};
use crate::shell::placement::Pulse;

/// A stage with one sandbox, whose process is a sleep.
fn stage() -> (Stage, Child) {
    let mut stage = Stage::new();
    let child = Command::new("sleep").arg("60").spawn().unwrap();
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
    stage.launch(SandboxId(1));
    let pid = child.id();
    stage.report(&Report::Launched { sandbox: 1, pid }, Some(&pidfd));
    (stage, child)
}

/// Has the sandbox's link do this until the next look; says on how many
/// processors its process may run then, and the loop.
fn look(stage: &mut Stage, child: &Child, reads: u32, frames: u32) -> (u32, u32) {
    let link = LinkId(1);
    stage.looping.links.get(link).unwrap().pulse = Pulse { reads, frames };
    stage.looping.placement.note(link);
    stage.looping.now.mono += Duration::from_secs(1);
    stage.looping.place();
    let of = |process| sched_getaffinity(process).unwrap().count();
    (of(Some(Pid::from_child(child))), of(None))
}

#[test]
fn a_sandbox_shares_the_loops_processor_while_it_waits_for_answers_and_leaves_it_when_it_floods() {
    let (mut stage, mut child) = stage();
    let all = sched_getaffinity(None).unwrap().count();

    let looks = [
        look(&mut stage, &child, 1000, 1000),
        look(&mut stage, &child, 1000, 64_000),
        look(&mut stage, &child, 1000, 1000),
        look(&mut stage, &child, 0, 0),
    ];

    // With one processor there is nothing to choose.
    let others = (all - 1).max(1);
    assert_eq!(looks, [(1, 1), (others, all), (1, 1), (all, all)]);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_loop_is_everywhere_again_before_a_nursery_is_started() {
    let (mut stage, mut child) = stage();
    let all = sched_getaffinity(None).unwrap().count();
    look(&mut stage, &child, 1000, 1000);

    stage.looping.spread();

    assert_eq!(sched_getaffinity(None).unwrap().count(), all);
    child.kill().unwrap();
    child.wait().unwrap();
}
