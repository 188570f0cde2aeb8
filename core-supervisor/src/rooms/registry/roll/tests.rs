//! Rows and sessions: what is said, and in which order.

use super::*;
use crate::ids::DeploymentId;

const URL: &str = "hyperty://d/1";

fn roll() -> Roll {
    let mut roll = Roll::default();
    roll.live("d", OwnerId::Component(DeploymentId(1)));
    roll
}

/// Lets everything be said and answered with `said` until nothing is due.
fn says(roll: &mut Roll, now: u64, said: &[Said]) -> Vec<Step> {
    let mut answers = said.iter().cloned();
    let mut steps = Vec::new();
    let now = Duration::from_secs(now);
    while let Some((url, step)) = roll.next(now) {
        roll.asked(&url, step, 1);
        steps.push(step);
        let Some(answer) = answers.next() else { break };
        roll.answered(&url, step, answer, now);
    }
    steps
}

fn row() -> Row {
    Row::new(What::Hyperty, "d", (true, true))
}

#[test]
fn a_new_entry_is_routed_created_and_kept_alive() {
    let mut roll = roll();
    roll.put(URL, row());

    assert_eq!(
        says(&mut roll, 0, &[Said::Yes, Said::Yes]),
        [Step::Subscribe, Step::Create]
    );
    assert_eq!(says(&mut roll, 1635, &[]), []);
    assert_eq!(says(&mut roll, 1637, &[Said::Yes]), [Step::Refresh]);
}

#[test]
fn an_entry_that_the_registry_has_forgotten_is_created_anew() {
    let mut roll = roll();
    roll.put(URL, row().subscribed());
    says(&mut roll, 0, &[Said::Yes]);

    assert_eq!(
        says(&mut roll, 2000, &[Said::Unknown, Said::Yes]),
        [Step::Refresh, Step::Create]
    );
}

#[test]
fn a_new_session_is_told_everything_again() {
    let mut roll = roll();
    roll.put(URL, row());
    says(&mut roll, 0, &[Said::Yes, Said::Yes]);
    roll.down(OwnerId::Component(DeploymentId(1)));
    assert_eq!(says(&mut roll, 3000, &[]), []);

    roll.live("d", OwnerId::Component(DeploymentId(2)));

    assert_eq!(
        says(&mut roll, 3001, &[Said::Yes, Said::Yes]),
        [Step::Subscribe, Step::Update]
    );
}

#[test]
fn what_fails_is_tried_six_times_and_then_rests() {
    let mut roll = roll();
    roll.put(URL, row().subscribed());
    let later = vec![Said::Later("408".to_owned()); 20];

    assert_eq!(says(&mut roll, 0, &later).len(), 6);
    assert_eq!(roll.get(URL).unwrap().fault, "408");
    assert_eq!(says(&mut roll, 61, &[Said::Yes]), [Step::Create]);
    assert_eq!(roll.get(URL).unwrap().fault, "");
}

#[test]
fn what_goes_while_it_is_being_told_is_taken_back() {
    let mut roll = roll();
    roll.put(URL, row().subscribed());
    let (url, step) = roll.next(Duration::ZERO).unwrap();
    roll.asked(&url, step, 1);
    roll.want(URL, None);

    roll.answered(&url, step, Said::Yes, Duration::ZERO);

    assert_eq!(says(&mut roll, 0, &[Said::Yes]), [Step::Leave]);
    assert!(roll.get(URL).is_none());
}

#[test]
fn what_the_registry_never_heard_of_goes_in_silence() {
    let mut roll = Roll::default();
    roll.put(URL, row());

    roll.want(URL, None);

    assert!(roll.get(URL).is_none());
}
