//! How a program comes into its sandbox, and what does not get in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::fs;
use std::os::fd::AsFd;

use protocol::frame::{CoreFrame, Exec, HostFrame};
use protocol::nursery::Engine;
use sandbox_host::probe::trial::{End, Line, Trial};

use self::support::{L2, compile, confined, escape, in_memory, nursery};

const COMPONENT: &str = "hyperty://example.org/native";

fn waiting(trial: &mut Trial) -> Line {
    let mut line = trial.launch(Engine::Native, "native", L2).unwrap();
    confined(&mut line).expect("a locked host");
    line
}

fn exec(line: &Line, name: &str, program: &[u8]) {
    let frame = CoreFrame::Exec(Exec {
        component: COMPONENT,
        name,
    });
    line.say(&frame, Some(in_memory(program).as_fd())).unwrap();
}

// The reason that the host gives for a program.
fn refusal(line: &mut Line) -> String {
    match line.hear().unwrap() {
        Some(HostFrame::LoadFailed(failed)) => format!("{:?}: {}", failed.stage, failed.reason),
        other => panic!("not refused: {other:?}"),
    }
}

fn refused(program: &[u8]) -> String {
    let mut trial = nursery(&[], None);
    let mut line = waiting(&mut trial);
    exec(&line, "x", program);
    let reason = refusal(&mut line);
    // The host is as good as before: it executes the next program.
    exec(&line, "count_descriptors x 0", &fs::read(escape()).unwrap());
    assert_eq!(line.hear_bytes().unwrap(), b"done");
    reason
}

#[test]
fn a_static_program_runs_whether_it_can_be_moved_or_not() {
    let mut trial = nursery(&[], None);
    let fixed = compile("fixed", &["-static", "-no-pie", "-pthread"]);
    let movable = compile("movable", &["-static-pie", "-fPIE", "-pthread"]);

    for program in [fixed, movable] {
        let mut line = waiting(&mut trial);
        exec(&line, "thread x 0", &fs::read(program).unwrap());
        assert_eq!(line.hear_bytes().unwrap(), b"done");
    }
}

#[test]
fn a_dynamic_program_is_refused_with_the_name_of_its_loader() {
    let program = compile("dynamic", &["-pthread"]);

    let reason = refused(&fs::read(program).unwrap());

    assert!(
        reason.starts_with("Parse: is dynamically linked (needs /lib"),
        "{reason}"
    );
    assert!(reason.ends_with("build it static"), "{reason}");
}

#[test]
fn what_is_no_program_is_refused() {
    assert_eq!(
        refused(b"#!/bin/sh\necho hello\n"),
        "Parse: is not an ELF program"
    );
    assert_eq!(refused(b""), "Parse: is not an ELF program");
    assert_eq!(
        refused(b"\x7fELF\x02\x01\x01"),
        "Parse: is too short for an ELF program: 7 bytes"
    );
}

#[test]
fn a_program_for_another_machine_is_refused() {
    let mut program = fs::read(escape()).unwrap();
    program[18] = 8;

    let reason = refused(&program);

    assert!(
        reason.starts_with("Parse: is built for machine 8, this one is"),
        "{reason}"
    );
}

#[test]
fn a_library_or_half_a_program_is_refused() {
    let mut library = fs::read(escape()).unwrap();
    library[16] = 1;
    let half = &fs::read(escape()).unwrap()[..100];

    assert_eq!(
        refused(&library),
        "Parse: is an object or a library, not a program"
    );
    assert_eq!(
        refused(half),
        "Parse: is cut off inside its program headers"
    );
}

#[test]
fn a_program_that_the_kernel_refuses_is_reported() {
    let mut trial = nursery(&[], None);
    let mut line = waiting(&mut trial);
    // A sound head whose segments lie beyond every address.
    let mut program = fs::read(escape()).unwrap();
    let table = 64;
    program[table + 16..table + 24].copy_from_slice(&u64::MAX.to_le_bytes());
    program[table + 40..table + 48].copy_from_slice(&u64::MAX.to_le_bytes());

    exec(&line, "x", &program);
    let heard = line.hear().unwrap().map(|frame| format!("{frame:?}"));

    // Some kernels notice before the point of no return, some after it.
    match heard {
        Some(frame) => assert!(frame.contains("cannot execute it"), "{frame}"),
        None => assert!(matches!(trial.end().unwrap(), End::Signal(_))),
    }
}

#[test]
fn an_exec_without_a_program_is_refused() {
    let mut trial = nursery(&[], None);
    let mut line = waiting(&mut trial);

    line.say(
        &CoreFrame::Exec(Exec {
            component: COMPONENT,
            name: "x",
        }),
        None,
    )
    .unwrap();

    assert_eq!(refusal(&mut line), "Exec: no program came along");
}

#[test]
fn a_waiting_host_answers_pings_and_stops_when_asked() {
    let mut trial = nursery(&[], None);
    let mut line = waiting(&mut trial);

    line.say(&CoreFrame::Ping { token: 5 }, None).unwrap();
    assert_eq!(line.hear().unwrap(), Some(HostFrame::Pong { token: 5 }));
    line.say(&CoreFrame::Stop { grace_ms: 100 }, None).unwrap();

    assert_eq!(trial.end().unwrap(), End::Code(0));
}

#[test]
fn a_waiting_host_ends_with_its_link_and_with_a_core_that_talks_out_of_turn() {
    let mut trial = nursery(&[], None);

    drop(waiting(&mut trial));
    assert_eq!(trial.end().unwrap(), End::Code(0));
    let line = waiting(&mut trial);
    line.say(
        &CoreFrame::Unload {
            component: COMPONENT,
        },
        None,
    )
    .unwrap();

    assert_eq!(trial.end().unwrap(), End::Code(1));
}

#[test]
fn what_follows_the_exec_is_left_for_the_program() {
    let mut trial = nursery(&[], None);
    let mut line = waiting(&mut trial);

    // `hold` reads one byte of its link: the first of the frame behind the exec.
    exec(&line, "hold x 0", &fs::read(escape()).unwrap());
    line.say(&CoreFrame::Ping { token: 5 }, None).unwrap();

    assert_eq!(line.hear_bytes().unwrap(), b"done");
}
