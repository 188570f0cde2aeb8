use super::*;

const ANN: &str = "hyperty://a.example/ann";
const BOB: &str = "hyperty://b.example/bob";

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn topic(text: &str) -> Topic {
    Topic::parse(text).unwrap()
}

fn of_bob() -> Topic {
    topic("hyperty://b.example/bob/registration")
}

#[test]
fn a_topic_is_the_registration_of_something() {
    assert!(Topic::parse("hyperty://b.example/bob/registration").is_ok());
    assert!(Topic::parse("hyperty://b.example/bob/registration/").is_ok());
    assert!(Topic::parse("hyperty://b.example/registration").is_err());
    assert!(Topic::parse("hyperty://b.example/bob").is_err());
    assert!(Topic::parse("registration").is_err());
    assert!(Topic::parse("").is_err());
}

#[test]
fn a_subscriber_is_found_by_what_it_subscribed_to_where_it_listens() {
    let mut room = Subscriptions::default();
    let written = "hyperty://B.example/bob/registration/";

    room.subscribe(&address(ANN), &[topic(written)]).unwrap();

    let found = room.subscribers_to(&address(BOB));
    assert_eq!(found, [(ANN.to_owned(), written.to_owned())]);
    assert_eq!(room.of(&address(ANN)), [written]);
    assert!(room.has(
        &address(ANN),
        &address("hyperty://b.example/bob/registration")
    ));
}

#[test]
fn what_is_subscribed_twice_is_kept_once_and_ended_once() {
    let mut room = Subscriptions::default();

    let first = room.subscribe(&address(ANN), &[of_bob(), of_bob()]);
    let second = room.subscribe(&address(ANN), &[of_bob()]);

    assert_eq!((first, second), (Ok(true), Ok(false)));
    assert!(room.unsubscribe(&address(ANN), &of_bob()));
    assert!(!room.unsubscribe(&address(ANN), &of_bob()));
    assert_eq!(room.subscribers_to(&address(BOB)), []);
    assert_eq!(room.change(&address(ANN)).value, None);
}

#[test]
fn a_subscriber_has_a_share_and_all_of_a_request_or_nothing() {
    let mut room = Subscriptions::default();
    let topics: Vec<_> = (0..=SUBSCRIPTIONS_PER_SUBSCRIBER_MAX)
        .map(|number| topic(&format!("hyperty://b.example/{number}/registration")))
        .collect();

    let over = room.subscribe(&address(ANN), &topics);
    let share = room.subscribe(&address(ANN), &topics[1..]);
    let again = room.subscribe(&address(ANN), &topics[1..]);
    let more = room.subscribe(&address(ANN), &topics[..1]);
    let other = room.subscribe(&address(BOB), &topics[..1]);

    assert_eq!(over, Err(NotSubscribed::Share));
    assert_eq!((share, again), (Ok(true), Ok(false)));
    assert_eq!(more, Err(NotSubscribed::Share));
    assert_eq!(other, Ok(true));
}

#[test]
fn what_was_kept_comes_back() {
    let mut before = Subscriptions::default();
    before.subscribe(&address(ANN), &[of_bob()]).unwrap();
    let change = before.change(&address(ANN));
    let mut after = Subscriptions::default();

    after.restore(&Record {
        table: change.table,
        key: change.key,
        value: change.value.unwrap(),
    });
    after.restore(&Record {
        table: Table::Subscriptions,
        key: "no address".to_owned(),
        value: b"[\"hyperty://b.example/bob/registration\"]".to_vec(),
    });
    after.restore(&Record {
        table: Table::Subscriptions,
        key: BOB.to_owned(),
        value: b"[\"nothing\", 7]".to_vec(),
    });

    assert_eq!(after.subscribers_to(&address(BOB)).len(), 1);
    assert_eq!(after.len(), 1);
}

#[test]
fn a_subscriber_that_is_forgotten_leaves_nothing() {
    let mut room = Subscriptions::default();
    room.subscribe(&address(ANN), &[of_bob()]).unwrap();

    room.forget(&address(ANN));

    assert_eq!(room.len(), 0);
    assert_eq!(room.subscribers_to(&address(BOB)), []);
}
