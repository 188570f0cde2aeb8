//! Messages for domains whose stubs are not there yet.

use std::time::Duration;

use core_supervisor::event::Exit;
use core_supervisor::ids::LinkId;
use core_supervisor::rooms::catalogue::PackageFailure;
use protocol::{Code, Reply};
use serde_json::Value;

use super::story::{Story, rules};
use super::{WITHIN, alice_and_bob};

const ALICE: &str = "alice@a.example";
const BOB: &str = "bob@b.example";
const FAR: &str = "hyperty://far.example/1";

/// Hyperties may say everything to everybody elsewhere, and be told everything.
pub(crate) const OPEN: &str = r#"
@id("out") @why("hyperties talk to the world")
permit (principal is Hyperty, action in Action::"message", resource is Remote);
@id("in") @why("the world talks to hyperties")
permit (principal is Remote, action in Action::"message", resource is Hyperty);
"#;

/// Alice and Bob, who may talk to the world.
fn stage() -> Story {
    let mut story = alice_and_bob();
    story.core_rules(rules(OPEN));
    story
}

/// The same; the stub of far.example can be had.
fn stage_with_far() -> Story {
    let mut story = stage();
    story
        .on_demand
        .insert("protocolstub/default@far.example".to_owned());
    story
}

/// The stub to which an address leads.
fn stub(story: &mut Story, to: &str) -> (String, LinkId) {
    let body = format!(r#"{{"resource":"{to}"}}"#);
    let (code, reply) = story.ask_operator("read", "registry", &body);
    assert_eq!(code, Code::OK, "{reply}");
    let value: Value = serde_json::from_str(&reply).unwrap();
    let owner = value["value"]["owner"].as_str().unwrap().to_owned();
    let link = story.link_of(&owner).expect("the stub runs");
    (owner, link)
}

fn asks(story: &mut Story, who: &str, to: &str) -> u64 {
    story.send(who, "read", to, "{}", WITHIN)
}

/// The codes of the answers somebody has heard, in order.
fn codes(story: &mut Story, who: &str) -> Vec<u16> {
    let messages = story.messages(who).into_iter();
    let answers = messages.filter(|message| message.0 == "response");
    answers.map(|message| message.2).collect()
}

// messaging A.1 case 9
#[test]
fn a_message_to_an_unknown_domain_waits_for_its_stub_and_arrives_once() {
    let mut story = stage();
    story
        .on_demand
        .insert("protocolstub/far.example@home.example".to_owned());
    story.holds_packages = true;

    for _ in 0..3 {
        asks(&mut story, ALICE, FAR);
    }
    let waited = story.held_packages.len();
    story.packages_come();
    let (address, link) = stub(&mut story, FAR);

    assert_eq!(waited, 1);
    assert_eq!(
        story.sought,
        [
            "protocolstub/default@far.example",
            "protocolstub/far.example@home.example"
        ]
    );
    assert!(address.contains("/protostub/"), "{address}");
    assert_eq!(story.messages_on(link).len(), 3);
    assert_eq!(codes(&mut story, ALICE), [] as [u16; 0]);
}

#[test]
fn what_has_waited_is_judged_again() {
    let mut story = stage_with_far();
    story.holds_packages = true;
    asks(&mut story, ALICE, FAR);
    asks(&mut story, BOB, FAR);
    story.core_rules(rules(
        r#"@id("b") @why("only b talks to the world")
        permit (principal is Hyperty, action in Action::"message", resource is Remote)
        when { principal.provider == "b.example" };"#,
    ));

    story.packages_come();
    let (_, link) = stub(&mut story, FAR);

    assert_eq!(codes(&mut story, ALICE), [403]);
    assert_eq!(codes(&mut story, BOB), [] as [u16; 0]);
    assert_eq!(story.messages_on(link).len(), 1);
}

/// Nobody has it here, though a hyperty of this domain is.
const NEIGHBOUR: &str = "hyperty://b.example/unknown";

/// The stub of the domain of Bob, who is here, can be had.
fn stage_with_neighbours() -> Story {
    let mut story = stage();
    story
        .on_demand
        .insert("protocolstub/default@b.example".to_owned());
    story
}

#[test]
fn who_is_not_here_may_live_elsewhere_though_others_of_its_domain_are_here() {
    let mut story = stage_with_neighbours();

    story.send(ALICE, "read", NEIGHBOUR, "{}", Reply::Within(1_000));
    let (_, link) = stub(&mut story, NEIGHBOUR);
    let carried = story.messages_on(link).len();
    story.wait(Duration::from_secs(4));
    let told = story.messages(ALICE);
    story.wait(Duration::from_secs(1));

    assert_eq!(carried, 1);
    let [answer] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(answer.2, 408);
    let why = "nobody answered through the protocol stub for `b.example`";
    assert!(answer.3.contains(why), "{}", answer.3);
    assert_eq!(story.messages(ALICE), []);
}

#[test]
fn who_is_not_here_is_nowhere_where_its_domain_has_no_stub() {
    let mut story = stage();

    asks(&mut story, ALICE, NEIGHBOUR);

    assert_eq!(codes(&mut story, ALICE), [404]);
}

#[test]
fn a_stub_that_failed_ends_the_wait_and_is_handed_what_comes_next_when_it_is_back() {
    let mut story = stage_with_neighbours();
    asks(&mut story, ALICE, NEIGHBOUR);
    let (address, link) = stub(&mut story, NEIGHBOUR);
    let status = format!("{address}/status");
    let body = r#"{"value":"failed","desc":"no route to the node"}"#;

    story.send_as(link, &address, "update", &status, body, Reply::Unwanted);
    let told = story.messages(ALICE);
    story.wait(Duration::from_millis(10));
    asks(&mut story, ALICE, NEIGHBOUR);
    story.wait(Duration::from_secs(2));
    let back = story.link_of(&address).expect("it is back");

    let [told] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(told.2, 503);
    assert!(told.3.contains("no route to the node"), "{}", told.3);
    assert_eq!(story.messages_on(back).len(), 1);
    assert_eq!(codes(&mut story, ALICE), [] as [u16; 0]);
}

// messaging A.2 case 21
#[test]
fn a_stub_that_cannot_be_brought_up_is_told_to_all_and_tried_again_after_a_while() {
    let mut story = stage_with_far();
    story.edit = |_| {
        Err(PackageFailure {
            code: Code::FAILED,
            reason: "the disk is broken".to_owned(),
            elsewhere: None,
        })
    };
    story.holds_packages = true;
    for who in [ALICE, BOB, BOB] {
        asks(&mut story, who, FAR);
    }

    story.packages_come();
    let told = story.messages(ALICE).remove(0);
    asks(&mut story, ALICE, FAR);
    let at_once = codes(&mut story, ALICE);
    let sought = story.sought.len();
    story.edit = Ok;
    story.wait(Duration::from_millis(1_100));
    asks(&mut story, ALICE, FAR);

    assert_eq!(told.2, 500);
    assert!(told.3.contains("the disk is broken"), "{}", told.3);
    assert_eq!(codes(&mut story, BOB), [500, 500]);
    assert_eq!((at_once, sought), (vec![500], 1));
    let (_, link) = stub(&mut story, FAR);
    assert_eq!(story.messages_on(link).len(), 1);
}

#[test]
fn where_there_is_no_way_the_answer_comes_at_once() {
    let mut story = stage();

    asks(&mut story, ALICE, FAR);
    asks(&mut story, ALICE, FAR);

    assert_eq!(codes(&mut story, ALICE), [404, 404]);
    assert_eq!(story.sought.len(), 2, "{:?}", story.sought);
}

#[test]
fn unknown_domains_without_end_cause_no_storm() {
    let mut story = stage();

    for n in 0..3_000 {
        asks(&mut story, ALICE, &format!("hyperty://d{n}.example/1"));
    }

    let codes = codes(&mut story, ALICE);
    assert_eq!(codes.len(), 3_000);
    assert_eq!(codes.iter().filter(|code| **code == 404).count(), 16);
    assert_eq!(story.sought.len(), 32);
}

#[test]
fn who_waits_has_a_share() {
    let mut story = stage_with_far();
    story.holds_packages = true;

    for _ in 0..65 {
        asks(&mut story, ALICE, FAR);
    }
    asks(&mut story, BOB, FAR);

    assert_eq!(codes(&mut story, ALICE), [429]);
    assert_eq!(codes(&mut story, BOB), [] as [u16; 0]);
}

#[test]
fn a_request_waits_for_no_longer_than_it_says() {
    let mut story = stage_with_far();
    story.holds_packages = true;
    story.send(ALICE, "read", FAR, "{}", Reply::Within(2_000));

    story.wait(Duration::from_millis(1_900));
    let before = codes(&mut story, ALICE);
    story.wait(Duration::from_millis(200));
    let after = story.messages(ALICE).remove(0);
    story.packages_come();
    let (_, link) = stub(&mut story, FAR);

    assert_eq!((before, after.2), (vec![], 408));
    assert!(after.3.contains("did not run in time"), "{}", after.3);
    assert_eq!(story.messages_on(link), []);
}

#[test]
fn a_repeated_request_waits_once() {
    let mut story = stage_with_far();
    story.holds_packages = true;
    let (from, link) = story.components[ALICE].clone();
    for _ in 0..2 {
        let message = protocol::Message::new(protocol::MessageKind::Read, &from, FAR, b"{}")
            .with_id(7)
            .expecting(WITHIN);
        story.says(link, &protocol::HostFrame::Send(message));
    }

    story.packages_come();
    let (_, link) = stub(&mut story, FAR);

    assert_eq!(story.messages_on(link).len(), 1);
}

#[test]
fn what_a_component_sent_before_it_ended_goes_nowhere() {
    let mut story = stage_with_far();
    story.holds_packages = true;
    asks(&mut story, ALICE, FAR);

    story.crash(ALICE, Exit::Signal(9));
    story.packages_come();
    let (_, link) = stub(&mut story, FAR);

    assert_eq!(story.messages_on(link), []);
}

#[test]
fn policy_decides_who_may_have_a_stub_brought_up() {
    let mut story = stage_with_far();
    story.core_rules(rules(&format!(
        r#"{OPEN}
        @id("no-new-ways") @why("only b opens ways")
        forbid (principal, action == Action::"reach", resource)
        unless {{ principal is Hyperty && principal.provider == "b.example" }};"#
    )));

    asks(&mut story, ALICE, FAR);
    let refused = codes(&mut story, ALICE);
    asks(&mut story, BOB, FAR);
    asks(&mut story, ALICE, FAR);
    let (_, link) = stub(&mut story, FAR);

    assert_eq!(refused, [403]);
    assert_eq!(story.messages_on(link).len(), 2);
}

#[test]
fn messages_wait_while_a_crashed_stub_comes_back() {
    let mut story = stage_with_far();
    asks(&mut story, ALICE, FAR);
    let (address, link) = stub(&mut story, FAR);
    let sandbox = story.sides[&link].sandbox.unwrap();

    story.crash_sandbox(sandbox, Exit::Signal(11));
    let lost = codes(&mut story, ALICE);
    asks(&mut story, ALICE, FAR);
    let at_once = codes(&mut story, ALICE);
    story.wait(Duration::from_secs(2));
    let back = story.link_of(&address).expect("it is back");

    assert_eq!((lost, at_once), (vec![503], vec![]));
    assert_eq!(story.messages_on(back).len(), 1);
    assert_eq!(story.sought.len(), 1);
}

#[test]
fn a_stub_that_is_stopped_is_not_waited_for() {
    let mut story = stage_with_far();
    asks(&mut story, ALICE, FAR);
    let (address, _) = stub(&mut story, FAR);
    let body = format!(r#"{{"method":"stop","resource":"{address}"}}"#);
    story.ask_operator("execute", "ua", &body);
    codes(&mut story, ALICE);

    asks(&mut story, ALICE, FAR);

    assert_eq!(codes(&mut story, ALICE), [503]);
}

#[test]
fn a_stub_that_never_runs_is_started_once_for_all_who_wait() {
    let mut story = stage_with_far();
    story.fails_to_launch = Some("no memory".to_owned());

    for _ in 0..50 {
        asks(&mut story, ALICE, FAR);
    }

    let codes = codes(&mut story, ALICE);
    assert_eq!(codes, [500; 50]);
    assert_eq!(story.sought.len(), 1);
}

// messaging A.2 case 30
#[test]
fn what_is_for_one_domain_is_not_seen_by_the_stub_of_another() {
    let mut story = stage();
    let (one, two) = ("stub/node@one.example", "stub/node@two.example");
    story.deploy(one);
    story.deploy(two);

    asks(&mut story, ALICE, "hyperty://one.example/1");

    assert_ne!(story.link(one), story.link(two));
    assert_eq!(story.messages(one).len(), 1);
    assert_eq!(story.messages(two), []);
}

// messaging A.2 case 23
#[test]
fn services_and_inhabitants_of_a_domain_are_behind_one_stub() {
    let mut story = stage_with_far();
    let addresses = [
        "domain://msg-node.far.example/sm",
        "domain://registry.far.example",
        "hyperty://far.example/1",
        "runtime://far.example/r/sm",
        "comm://far.example/1",
    ];

    for to in addresses {
        asks(&mut story, ALICE, to);
    }
    let (_, link) = stub(&mut story, FAR);

    assert_eq!(story.messages_on(link).len(), addresses.len());
    assert_eq!(story.sought.len(), 1);
}

// messaging A.2 case 24
#[test]
fn an_address_of_a_foreign_network_leads_to_the_stub_that_translates() {
    let mut story = stage();
    story.on_demand.extend([
        "idp-proxy/google.com@home.example".to_owned(),
        "protocolstub/fitness.google.com@home.example".to_owned(),
    ]);

    asks(&mut story, ALICE, "fitness://x@google.com");
    let (address, link) = stub(&mut story, "fitness://x@google.com");

    assert_eq!(
        story.sought,
        [
            "idp-proxy/default@google.com",
            "idp-proxy/google.com@home.example",
            "protocolstub/default@fitness.google.com",
            "protocolstub/fitness.google.com@home.example",
        ]
    );
    assert!(
        address.starts_with("hyperty-runtime://fitness.google.com/"),
        "{address}"
    );
    assert_eq!(story.messages_on(link).len(), 1);
}

#[test]
fn an_address_with_a_user_of_an_ordinary_domain_leads_to_the_domain() {
    let mut story = stage_with_far();

    asks(&mut story, ALICE, "sip:bob@far.example");
    let (_, link) = stub(&mut story, "sip:bob@far.example");

    assert_eq!(story.messages_on(link).len(), 1);
    assert_eq!(
        story.sought.last().unwrap(),
        "protocolstub/default@far.example"
    );
}

#[test]
fn the_stub_of_a_home_is_there_before_anybody_asks_and_comes_back() {
    let mut settings = super::story::settings();
    settings.homes = vec!["home.example".to_owned()];
    let mut story = Story::with(settings);
    story
        .on_demand
        .insert("protocolstub/default@home.example".to_owned());
    story.edit = |_| {
        Err(PackageFailure {
            code: Code::FAILED,
            reason: "not yet".to_owned(),
            elsewhere: None,
        })
    };
    story.starts();
    let failed = story.sought.len();

    story.edit = Ok;
    story.wait(Duration::from_millis(1_100));
    let (address, _) = stub(&mut story, "domain://msg-node.home.example/sm");
    let body = format!(r#"{{"resource":"{address}"}}"#);
    story.ask_operator("delete", "ua", &body);
    story.wait(Duration::from_millis(10));
    let (again, _) = stub(&mut story, "domain://registry.home.example");

    assert_eq!(failed, 1);
    assert_eq!(again, address);
    assert!(story.sought.len() == 3, "{:?}", story.sought);
}
