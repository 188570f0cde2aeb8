//! The network: how much one may have of it, and what nobody may say.

use std::time::Duration;

use protocol::HostFrame;
use protocol::api::connections::Names;
use protocol::dial::{Dial, Transport};

use crate::dials::{BROWSER, PLAIN, connector, connects, dial, dial_with, job, open, story, told};
use crate::story::Heard;

#[test]
fn a_grant_for_two_sockets_is_for_two_at_a_time() {
    let mut story = story();
    for request in 1..=3 {
        let place = ("few.example.net", 53, Transport::Udp);
        dial_with(&mut story, BROWSER, request, place);
    }

    assert_eq!(told(&mut story, BROWSER), [("not dialled", 3, 429)]);
}

#[test]
fn no_more_dials_are_under_way_than_a_sandbox_may_have() {
    let mut story = story();
    for request in 1..=17 {
        dial(&mut story, BROWSER, request, "a.example.org", 443);
    }

    assert_eq!(told(&mut story, BROWSER), [("not dialled", 17, 429)]);
}

#[test]
fn no_more_sockets_are_open_than_a_sandbox_may_have() {
    let mut story = story();
    for request in 1..=32 {
        dial(&mut story, BROWSER, request, "a.example.org", 443);
        let job = job(&mut story);
        connects(&mut story, job);
        story.wait(Duration::from_millis(100));
    }
    assert_eq!(told(&mut story, BROWSER).len(), 32);

    dial(&mut story, BROWSER, 33, "a.example.org", 443);

    assert_eq!(told(&mut story, BROWSER), [("not dialled", 33, 429)]);
}

#[test]
fn who_dials_too_often_within_a_second_is_told_to_slow_down() {
    let mut story = story();
    for request in 1..=33 {
        dial(&mut story, PLAIN, request, "a.example", 1);
    }

    let told = told(&mut story, PLAIN);
    assert_eq!(told[31], ("not dialled", 32, 403));
    assert_eq!(told[32], ("not dialled", 33, 429));
}

#[test]
fn a_number_that_is_under_way_is_not_taken_twice() {
    let mut story = story();
    dial(&mut story, BROWSER, 1, "a.example.org", 443);

    dial(&mut story, BROWSER, 1, "b.example.org", 443);

    assert_eq!(told(&mut story, BROWSER), [("not dialled", 1, 400)]);
}

#[test]
fn what_is_no_host_is_refused_before_anything_else() {
    let mut story = story();

    dial(&mut story, BROWSER, 1, "a b", 443);
    dial(&mut story, BROWSER, 2, "a.example.org", 0);

    let both = [("not dialled", 1, 400), ("not dialled", 2, 400)];
    assert_eq!(told(&mut story, BROWSER), both);
}

#[test]
fn nobody_dials_for_another() {
    let mut story = story();
    let (component, _) = story.components[BROWSER].clone();
    let plain = story.link(PLAIN);

    story.says(
        plain,
        &HostFrame::Dial(Dial {
            component: &component,
            request: 1,
            host: "a.example.org",
            port: 443,
            transport: Transport::Tcp,
            wait_ms: 0,
        }),
    );

    assert!(story.sides[&plain].is_closed);
}

#[test]
fn only_the_connector_speaks_as_one() {
    let mut story = story();
    dial(&mut story, BROWSER, 1, "a.example.org", 443);
    let job = job(&mut story);
    let plain = story.link(PLAIN);

    let peer = "192.0.2.1:443";
    story.says(plain, &HostFrame::Connected { job, peer });

    assert!(story.sides[&plain].is_closed);
    assert_eq!(told(&mut story, BROWSER), []);
}

#[test]
fn the_connector_sends_no_messages_and_dials_for_nobody() {
    let mut story = story();
    open(&mut story);
    let link = connector(&mut story);

    let me = "hyperty-runtime://home.example/rt/connections/connector";
    let to = "hyperty-runtime://home.example/rt/registry";
    story.send_as(link, me, "read", to, "{}", protocol::Reply::Untimed);

    assert!(story.sides[&link].is_closed);
}

#[test]
fn the_connector_hears_when_the_machine_moves_to_another_network() {
    let mut story = story();
    open(&mut story);
    let link = connector(&mut story);
    story.heard_on(link);
    story.wires.names = Names {
        resolv_conf: "nameserver 192.0.2.53".to_owned(),
        ..Names::default()
    };

    story.wait(Duration::from_secs(6));
    story.pongs(link);
    dial(&mut story, BROWSER, 2, "a.example.org", 443);

    let heard = story.heard_on(link);
    let told =
        |heard: &Heard| matches!(heard, Heard::Message { body, .. } if body.contains("192.0.2.53"));
    assert!(heard.iter().any(told), "{heard:?}");
}

#[test]
fn certificates_are_read_once_for_all_who_ask() {
    let mut story = story();
    let (browser, plain) = (story.link(BROWSER), story.link(PLAIN));

    story.says(browser, &HostFrame::TakeRoots);
    story.says(plain, &HostFrame::TakeRoots);

    assert_eq!(told(&mut story, BROWSER), [("roots", 0, 10)]);
    assert_eq!(told(&mut story, PLAIN), [("roots", 0, 10)]);
}

#[test]
fn only_the_operator_grants() {
    let mut story = story();
    let to = "hyperty-runtime://home.example/rt/connections";
    let grant = r#"{"component":"b.example/plain","host":"h.example","port":1}"#;

    story.send(PLAIN, "create", to, grant, protocol::Reply::Within(100));

    let messages = story.messages(PLAIN);
    assert_eq!(messages[0].2, 403, "{messages:?}");
}
