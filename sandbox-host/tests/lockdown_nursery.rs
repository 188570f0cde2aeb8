//! What is reported of sandboxes, what the outside sees of them, and that
//! nothing outlives the nursery.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Instant;

use protocol::frame::{CoreFrame, Exec, Level};
use protocol::nursery::Engine;
use rustix::process::{Pid, Signal, kill_process};
use sandbox_host::probe::trial::{End, Line, PATIENCE, Told, Trial};

use self::support::{
    L1, L2, L3, ORDINARY, confined, escape, in_memory, is_root, launched, nursery,
};

fn waiting(trial: &mut Trial, levels: (Level, Level)) -> (Line, u32) {
    let mut line = trial.launch(Engine::Native, "native", levels).unwrap();
    let pid = launched(trial);
    confined(&mut line).expect("a locked host");
    (line, pid)
}

fn status(pid: u32, member: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(member)).unwrap();
    line.split_whitespace()
        .skip(1)
        .collect::<Vec<_>>()
        .join(" ")
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::yield_now();
    }
}

fn is_gone(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    stat.contains(") Z ")
}

fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

#[test]
fn the_outside_sees_a_locked_process() {
    let mut trial = nursery(&[], None);

    for levels in [L2, L3] {
        let (_line, pid) = waiting(&mut trial, levels);

        assert_eq!(status(pid, "NoNewPrivs"), "1");
        assert_eq!(status(pid, "Seccomp:"), "2");
        assert_eq!(status(pid, "Threads"), "1");
        assert_eq!(status(pid, "CapPrm"), "0000000000000000");
        assert_eq!(status(pid, "CapEff"), "0000000000000000");
        assert_eq!(
            status(pid, "CapBnd"),
            if is_root() {
                "0000000000000000".into()
            } else {
                status(pid, "CapBnd")
            }
        );
        assert_eq!(status(pid, "SigBlk"), "0000000000000000");
        assert!(
            !status(pid, "Uid").split(' ').any(|id| id == "0"),
            "root outside"
        );
        assert_eq!(
            status(pid, "Groups"),
            if is_root() {
                String::new()
            } else {
                status(pid, "Groups")
            }
        );
    }
}

#[test]
fn a_sandbox_holds_its_link_and_nothing_else() {
    let mut trial = nursery(&[], None);
    let _others: Vec<_> = (0..3).map(|_| waiting(&mut trial, L3)).collect();

    let (_line, pid) = waiting(&mut trial, L3);

    if is_root() {
        let folder = format!("/proc/{pid}/fd");
        let read = |entry: fs::DirEntry| (entry.file_name(), fs::read_link(entry.path()).unwrap());
        let mut held: Vec<_> = fs::read_dir(folder).unwrap().flatten().map(read).collect();
        held.sort();
        let paths: Vec<&Path> = held.iter().map(|(_, path)| path.as_path()).collect();
        assert!(
            matches!(paths[..], [link, null, other]
            if link.to_string_lossy().starts_with("socket:") && null.ends_with("null") && other.ends_with("null")),
            "{held:?}"
        );
    }
}

#[test]
fn at_l3_every_namespace_is_another_one() {
    let mut trial = nursery(&[], None);
    let (_line, pid) = waiting(&mut trial, L3);

    if is_root() {
        for kind in ["user", "mnt", "pid", "net", "ipc", "uts"] {
            let own = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
            let theirs = fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
            assert_ne!(own, theirs, "{kind}");
        }
        assert_eq!(
            fs::read_dir(format!("/proc/{pid}/root")).unwrap().count(),
            0
        );
    }
}

#[test]
fn limits_are_those_of_the_profile() {
    let mut trial = nursery(&[], None);
    let (line, pid) = waiting(&mut trial, L3);
    let frame = CoreFrame::Exec(Exec {
        component: "x",
        name: "hold x 0",
    });
    line.say(
        &frame,
        Some(in_memory(&fs::read(escape()).unwrap()).as_fd()),
    )
    .unwrap();
    eventually("the program runs", || {
        status(pid, "Name") == "hold x 0" || status(pid, "Name") != "sandbox-host"
    });

    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();

    let of = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..]
            .split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(of("Max open files"), "64 64");
    assert_eq!(of("Max core file size"), "0 0");
    assert_eq!(of("Max file size"), "1048576 1048576");
    assert_eq!(of("Max processes"), "64 64");
    assert_eq!(of("Max data size"), "268435456 268435456");
    assert_eq!(of("Max locked memory"), "0 0");
}

#[test]
fn below_the_floor_a_sandbox_says_what_is_missing_and_what_to_do() {
    let reason = |without: &str, levels| {
        let mut trial = nursery(&[without], None);
        let mut line = trial.launch(Engine::Native, "native", levels).unwrap();
        assert_eq!(confined(&mut line), None);
        match trial.end().unwrap() {
            End::NotLocked(reason) => reason,
            other => panic!("it ended otherwise: {other:?}"),
        }
    };

    assert!(reason("landlock", L2).starts_with("landlock: "));
    assert!(reason("seccomp", L2).starts_with("seccomp: "));
    assert!(reason("userns", L3).starts_with("user-namespaces: "));
}

#[test]
fn above_the_floor_a_sandbox_says_what_it_reached() {
    let level = |without: &[&str], min| {
        let mut trial = nursery(without, None);
        let mut line = trial
            .launch(Engine::Native, "native", (min, Level::L3))
            .unwrap();
        confined(&mut line).map(|(level, _)| level)
    };

    assert_eq!(level(&[], Level::L2), Some(Level::L3));
    assert_eq!(level(&["userns"], Level::L2), Some(Level::L2));
    assert_eq!(level(&["landlock"], Level::L1), Some(Level::L1));
    assert_eq!(level(&["seccomp", "userns"], Level::L1), Some(Level::L1));
}

#[test]
fn the_self_test_names_an_act_for_every_layer() {
    let mut trial = nursery(&[], None);
    let proofs = |trial: &mut Trial, levels| {
        let mut line = trial.launch(Engine::Native, "native", levels).unwrap();
        confined(&mut line).unwrap().1
    };

    let (l1, l2, l3) = (
        proofs(&mut trial, L1),
        proofs(&mut trial, L2),
        proofs(&mut trial, L3),
    );

    assert_eq!(l1, "become-root,raise-limit");
    assert!(
        l2.contains("open-socket") && l2.contains("list-root") && l2.contains("execute-memory"),
        "{l2}"
    );
    assert!(
        l3.contains("see-processes") && l3.contains("empty-root"),
        "{l3}"
    );
}

#[test]
fn an_unknown_profile_is_reported_and_the_nursery_lives_on() {
    let mut trial = nursery(&[], None);

    let _line = trial.launch(Engine::Native, "nonsense", L2).unwrap();
    let told = trial.told().unwrap();

    assert!(
        matches!(told, Told::NotLaunched(reason) if reason == "cannot launch a sandbox: no profile `nonsense`")
    );
    waiting(&mut trial, L2);
}

#[test]
fn how_a_sandbox_ended_is_told_apart() {
    let mut trial = nursery(&[], None);

    let (_killed, pid) = waiting(&mut trial, L3);
    kill(pid, Signal::KILL);
    assert_eq!(trial.end().unwrap(), End::Signal(9));
    let (line, _) = waiting(&mut trial, L3);
    drop(line);

    assert_eq!(trial.end().unwrap(), End::Code(0));
}

#[test]
fn a_stopped_sandbox_stays_stopped_and_goes_on_when_told() {
    let mut trial = nursery(&[], None);
    let (mut line, pid) = waiting(&mut trial, L2);

    kill(pid, Signal::STOP);
    eventually("it is stopped", || status(pid, "State").starts_with('T'));
    kill(pid, Signal::CONT);
    line.say(&CoreFrame::Ping { token: 1 }, None).unwrap();

    assert!(line.hear().unwrap().is_some());
}

fn nothing_survives(user: Option<u32>, levels: (Level, Level)) {
    let mut trial = nursery(&[], user);
    let born: Vec<_> = (0..5).map(|_| waiting(&mut trial, levels)).collect();

    kill(trial.pid(), Signal::KILL);

    for (_, pid) in &born {
        eventually("the sandbox is gone", || is_gone(*pid));
    }
}

#[test]
fn nothing_survives_the_kill_of_the_nursery() {
    nothing_survives(None, L2);
    nothing_survives(None, L3);
    if is_root() {
        nothing_survives(Some(ORDINARY), L2);
        nothing_survives(Some(ORDINARY), L3);
    }
}

#[test]
fn when_the_supervisor_is_gone_the_nursery_and_its_sandboxes_go() {
    let mut trial = nursery(&[], None);
    let (_line, pid) = waiting(&mut trial, L3);
    let nursery = trial.pid();

    trial.hang_up();

    eventually("the sandbox is gone", || is_gone(pid));
    eventually("the nursery is gone", || is_gone(nursery));
}

#[test]
fn descriptors_that_a_careless_supervisor_leaks_reach_no_sandbox() {
    let leaked: Vec<fs::File> = (0..20)
        .map(|_| fs::File::open("/dev/null").unwrap())
        .collect();
    for file in &leaked {
        rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty()).unwrap();
    }
    let mut trial = nursery(&[], None);

    let (_line, pid) = waiting(&mut trial, L2);

    if is_root() {
        let held = |pid| fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        assert_eq!(held(pid), 3);
        assert!(held(trial.pid()) < 10);
    }
}

#[test]
fn a_script_host_is_locked_like_any_other_and_has_its_own_layout() {
    let mut trial = nursery(&[], None);
    let mut script = |levels| {
        let mut line = trial.launch(Engine::Script, "script", levels).unwrap();
        let pid = launched(&trial);
        let (level, proofs) = confined(&mut line).expect("a locked host");
        (line, pid, level, proofs)
    };

    let (_a, low, two, _) = script(L2);
    let (_b, high, three, proofs) = script(L3);

    assert_eq!((two, three), (Level::L2, Level::L3));
    assert!(proofs.contains("empty-root"), "{proofs}");
    for pid in [low, high] {
        assert_eq!(status(pid, "Seccomp:"), "2");
        assert_eq!(status(pid, "NoNewPrivs"), "1");
        assert_eq!(status(pid, "CapEff"), "0000000000000000");
        assert_eq!(status(pid, "Threads"), "1");
    }
    if is_root() {
        let stack = |pid| {
            fs::read_to_string(format!("/proc/{pid}/stat"))
                .unwrap()
                .split(' ')
                .nth(27)
                .map(str::to_owned)
        };
        assert_ne!(stack(low), stack(high), "two providers share a layout");
        assert_eq!(fs::read_dir(format!("/proc/{high}/fd")).unwrap().count(), 3);
    }
}
