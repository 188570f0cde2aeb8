//! What comes first, what wakes, and how it ends.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::stage::{Stage, frame};
use crate::event::{Action, Event, Job, Peer};
use crate::ids::{LinkId, Ticket};
use crate::shell::inbox::Arrival;
use crate::shell::link::QUANTUM_BYTES;
use crate::shell::run_loop::{Ending, LEASH};
use crate::shell::store;
use crate::store::{Change, Table};

#[test]
fn control_comes_before_traffic() {
    let mut stage = Stage::new();
    let (_, mut traffic) = stage.sandbox_link();
    let (operator, mut control) = stage.link(Peer::Local { pid: 1 });
    stage.turn();
    stage.brain().told.clear();
    traffic.write_all(&frame(b"traffic")).unwrap();
    control.write_all(&frame(b"control")).unwrap();

    stage.turn();

    assert_eq!(stage.brain().bodies, [b"control", b"traffic"]);
    assert_eq!(stage.brain().told[0], format!("received {operator}"));
}

#[test]
fn every_ready_link_gets_its_turn() {
    let mut stage = Stage::new();
    let mut peers: Vec<_> = (0..100).map(|_| stage.sandbox_link().1).collect();
    for peer in &mut peers {
        // More than one read takes, so that every link stays ready.
        peer.write_all(&frame(b"flood")).unwrap();
    }

    for _ in 0..4 {
        stage.turn();
    }

    assert_eq!(stage.brain().bodies.len(), 100);
}

/// A link that has said more than one turn takes, and was heard once.
fn flooding(stage: &mut Stage, body: &[u8]) -> (LinkId, UnixStream) {
    let (link, mut peer) = stage.sandbox_link();
    let frame = frame(body);
    peer.write_all(&frame.repeat(4 * QUANTUM_BYTES / frame.len()))
        .unwrap();
    stage.turn();
    (link, peer)
}

fn heard(stage: &mut Stage, body: &[u8]) -> usize {
    let bodies = stage.brain().bodies.iter();
    bodies.filter(|heard| *heard == body).count()
}

#[test]
fn a_flood_is_heard_one_quantum_in_a_turn() {
    let mut stage = Stage::new();
    let body = [7; 1000];
    let _peer = flooding(&mut stage, &body);

    let first = heard(&mut stage, &body);
    stage.turn();

    let quantum = QUANTUM_BYTES / frame(&body).len();
    assert_eq!(first, quantum);
    assert!((quantum..=quantum + 1).contains(&(heard(&mut stage, &body) - first)));
}

#[test]
fn who_says_little_is_heard_and_answered_before_a_flood() {
    let mut stage = Stage::new();
    let (_, mut quiet) = stage.sandbox_link();
    let (answered, mut receiver) = stage.sandbox_link();
    let (flooder, _peer) = flooding(&mut stage, b"flood");
    stage.brain().told.clear();
    quiet.write_all(&frame(b"quiet")).unwrap();
    let answer = Action::Send {
        link: answered,
        bytes: 0..0,
    };
    stage.brain().wants = vec![(answer, b"answer".to_vec())];

    stage.turn();

    assert_eq!(stage.brain().told[0], "received k1");
    assert_eq!(stage.brain().told[1], "written k2");
    assert_eq!(stage.brain().told[2], format!("received {flooder}"));
    assert_eq!(super::stage::read_ready(&mut receiver), b"answer");
}

#[test]
fn those_who_flood_take_turns() {
    let mut stage = Stage::new();
    let floods: Vec<_> = (0..3).map(|_| flooding(&mut stage, b"flood")).collect();
    let before = stage.brain().told.len();

    for _ in 0..3 {
        stage.turn();
    }

    let mut told = stage.brain().told.split_off(before);
    told.sort();
    let links = floods.iter().map(|(link, _)| format!("received {link}"));
    assert_eq!(told, links.collect::<Vec<_>>());
}

#[test]
fn another_thread_wakes_the_loop() {
    let mut stage = Stage::new();
    let letterbox = stage.letterbox.clone();

    let other = std::thread::spawn(move || letterbox.put(Arrival::Happened(Event::ReloadAsked)));
    stage.wait();

    other.join().unwrap().unwrap();
    assert_eq!(stage.brain().told, ["ReloadAsked"]);
}

#[test]
fn a_connection_becomes_a_link() {
    let mut stage = Stage::new();
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let socket = ours.into();
    stage
        .letterbox
        .put(Arrival::Accepted { socket, pid: 7 })
        .unwrap();

    stage.wait();

    assert_eq!(stage.brain().told, ["connected k1"]);
}

#[test]
fn a_deadline_is_kept() {
    let mut stage = Stage::new();
    let soon = stage.looping.now.mono + Duration::from_millis(5);
    stage.brain().deadline = Some(soon);
    let patience = stage.looping.patience();

    stage.looping.turn(patience).unwrap();

    assert_eq!(stage.brain().told, ["ticked"]);
}

#[test]
fn long_work_is_handed_over() {
    let mut stage = Stage::new();
    let ticket = Ticket(3);

    stage.act(Action::Work(Job::CompilePolicy { ticket }), &[]);

    assert_eq!(stage.jobs.try_recv(), Ok(Job::CompilePolicy { ticket }));
}

#[test]
fn what_is_to_be_kept_is_handed_over_in_its_order() {
    let mut stage = Stage::new();
    let changes = vec![Change {
        table: Table::Addresses,
        key: "key".to_owned(),
        value: Some(b"[]".to_vec()),
    }];

    for ticket in [Ticket(3), Ticket(4)] {
        let changes = changes.clone();
        stage.act(Action::Persist { ticket, changes }, &[]);
    }

    let handed: Vec<_> = stage.written.try_iter().collect();
    let write = |ticket| store::Write {
        ticket,
        changes: changes.clone(),
    };
    assert_eq!(handed, [write(Ticket(3)), write(Ticket(4))]);
}

#[test]
fn the_core_is_asked_to_stop_once_and_the_second_time_kills() {
    let mut stage = Stage::new();
    stage.letterbox.put(Arrival::StopAsked("SIGTERM")).unwrap();
    stage.turn();
    assert_eq!((stage.brain().told.len(), stage.looping.ending), (1, None));
    stage.letterbox.put(Arrival::StopAsked("SIGTERM")).unwrap();

    stage.turn();

    assert_eq!(stage.brain().told, ["stop SIGTERM"]);
    assert_eq!(stage.looping.ending, Some(Ending::AskedTwice));
}

#[test]
fn the_end_of_the_leash_hurries_a_stop_but_is_no_second_request() {
    let mut stage = Stage::new();
    stage.letterbox.put(Arrival::StopAsked("SIGTERM")).unwrap();
    stage.letterbox.put(Arrival::StopAsked(LEASH)).unwrap();

    stage.turn();

    assert_eq!((stage.brain().told.len(), stage.looping.ending), (1, None));
    assert!(stage.looping.patience().unwrap() < Duration::from_secs(2));
}

#[test]
fn when_the_core_says_exit_the_loop_ends_in_order() {
    let mut stage = Stage::new();
    let (link, mut operator) = stage.link(Peer::Local { pid: 1 });
    let goodbye = Action::Send { link, bytes: 0..0 };
    stage.brain().wants = vec![(goodbye, b"goodbye".to_vec()), (Action::Exit, Vec::new())];
    stage.brain().deadline = Some(Duration::ZERO);

    let ending = stage.looping.run().unwrap();

    assert_eq!(ending, Ending::Orderly);
    assert_eq!(super::stage::read_ready(&mut operator), b"goodbye");
}

#[test]
fn control_is_not_hidden_by_more_traffic_than_one_wait_reports() {
    let mut stage = Stage::new();
    let mut peers: Vec<_> = (0..100).map(|_| stage.sandbox_link().1).collect();
    let (operator, mut control) = stage.link(Peer::Local { pid: 1 });
    stage.turn();
    for peer in &mut peers {
        peer.write_all(&frame(b"flood")).unwrap();
    }
    control.write_all(&frame(b"control")).unwrap();

    for _ in 0..5 {
        stage.turn();
    }

    assert!(stage.brain().told.contains(&format!("received {operator}")));
}
