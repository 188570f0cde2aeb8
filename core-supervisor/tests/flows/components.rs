//! Components: deployed, crashed, started again, stopped, removed.

use std::time::Duration;

use core_supervisor::event::{Event, Exit};
use core_supervisor::ids::SandboxId;
use protocol::frame::{LoadFailed, LoadStage};
use protocol::{Code, HostFrame, Reply};

use crate::story::{self, Heard, RUNTIME, Story};
use crate::{WITHIN, alice_and_bob};

#[test]
fn a_crashed_component_comes_back_at_its_own_address() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");

    story.crash("bob@b.example", Exit::Code(1));
    story.wait(Duration::from_secs(1));
    let (link, ()) = (story.launched.values().last().copied().unwrap(), ());
    story.heard_on(link);
    story.send("alice@a.example", "read", &bob, "{}", WITHIN);

    assert_eq!(story.messages_on(link).len(), 1);
}

#[test]
fn a_component_that_keeps_crashing_is_given_up_and_later_tried_once() {
    let mut story = Story::new();
    story.deploy("alice@a.example");

    for _ in 0..7 {
        let sandbox = *story.launched.keys().last().unwrap();
        story.crash_sandbox(sandbox, Exit::Code(1));
        story.wait(Duration::from_secs(8));
    }
    let (_, given_up) = story.ask_operator("read", "ua", "{}");
    let before = story.launched.len();
    story.wait(Duration::from_secs(301));

    assert!(given_up.contains(r#""state":"failed""#), "{given_up}");
    assert_eq!(before, 0);
    assert_eq!(story.launched.len(), 1);
}

#[test]
fn components_of_one_provider_share_a_sandbox_and_others_never() {
    let mut story = Story::new();

    let one = story.deploy("one@a.example").1;
    let two = story.deploy("two@a.example").1;
    let other = story.deploy("one@b.example").1;
    let stub = story.deploy("stub/one@a.example").1;
    let program = story.deploy("native/one@a.example").1;

    assert_eq!(one, two);
    assert!(one != other && one != stub && one != program && stub != program);
}

#[test]
fn an_absent_package_ends_the_deployment_with_its_reason() {
    let mut story = Story::new();

    let (code, body) = story.ask_operator("create", "ua", r#"{"component":"absent@a.example"}"#);
    let (_, left) = story.ask_operator("read", "ua", "{}");

    assert_eq!(code, Code::NOT_FOUND);
    assert!(
        body.contains("cannot deploy `absent@a.example`: no such file"),
        "{body}"
    );
    assert!(left.contains(r#""components":[]"#), "{left}");
}

#[test]
fn code_that_does_not_load_ends_the_deployment_and_spares_its_neighbours() {
    let mut story = Story::new();
    story.deploy("good@a.example");
    story.loads = false;

    let (operator, from) = story.operator();
    story.send_as(
        operator,
        &from,
        "create",
        &format!("{RUNTIME}/ua"),
        r#"{"component":"bad@a.example"}"#,
        WITHIN,
    );
    let link = story.link("good@a.example");
    let component = story
        .heard("good@a.example")
        .into_iter()
        .rev()
        .find_map(|heard| match heard {
            Heard::Load { component } => Some(component),
            _ => None,
        });
    let component = component.unwrap();
    let failed = LoadFailed {
        component: &component,
        stage: LoadStage::Parse,
        reason: "unexpected token",
        place: "bad.hy.js:3",
        stack: "",
    };
    story.says(link, &HostFrame::LoadFailed(failed));

    let told = story.messages_on(operator);
    assert_eq!(told[0].2, 500);
    assert!(
        told[0]
            .3
            .contains("does not parse: unexpected token at bad.hy.js:3"),
        "{}",
        told[0].3
    );
    let (_, left) = story.ask_operator("read", "ua", "{}");
    assert!(left.contains("good") && !left.contains("bad"), "{left}");
}

#[test]
fn a_component_that_never_gets_ready_is_ended_and_its_asker_told() {
    let mut story = Story::new();
    story.loads = false;

    let (operator, from) = story.operator();
    story.send_as(
        operator,
        &from,
        "create",
        &format!("{RUNTIME}/ua"),
        r#"{"component":"slow@a.example"}"#,
        Reply::Within(60_000),
    );
    story.wait(Duration::from_secs(11));

    let told = story.messages_on(operator);
    assert_eq!(told[0].2, 500, "{told:?}");
    assert!(told[0].3.contains("not-ready"), "{}", told[0].3);
}

#[test]
fn a_sandbox_that_does_not_answer_its_heartbeat_is_ended() {
    let mut story = alice_and_bob();
    let alice = story.address("alice@a.example");
    let link = story.link("alice@a.example");

    story.wait(Duration::from_secs(25));

    assert!(story.sides[&link].is_closed);
    let (_, state) = story.ask_operator("read", "ua", &format!(r#"{{"resource":"{alice}"}}"#));
    assert!(state.contains(r#""restarts":1"#), "{state}");
}

#[test]
fn a_stopped_component_starts_again_when_asked() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");

    let (stopped, _) = story.ask_operator("execute", "ua", r#"{"method":"stop","resource":"bob"}"#);
    story.send("alice@a.example", "read", &bob, "{}", WITHIN);
    let (restarted, view) =
        story.ask_operator("execute", "ua", r#"{"method":"restart","resource":"bob"}"#);

    assert_eq!((stopped, restarted), (Code::OK, Code::OK));
    assert_eq!(story.messages("alice@a.example")[0].2, 503);
    assert!(
        view.contains(&bob) && view.contains(r#""state":"running""#),
        "{view}"
    );
}

#[test]
fn a_removed_component_leaves_nothing() {
    let mut story = alice_and_bob();
    let link = story.link("bob@b.example");

    let (code, _) = story.ask_operator("delete", "ua", r#"{"resource":"bob"}"#);
    let (_, registry) = story.ask_operator("read", "registry", "{}");

    assert_eq!(code, Code::OK);
    assert!(story.sides[&link].is_closed);
    assert!(!registry.contains("b.example"), "{registry}");
}

#[test]
fn an_orderly_stop_tells_everybody_and_ends() {
    let mut story = alice_and_bob();
    let link = story.link("alice@a.example");

    story.happens(Event::StopAsked { why: "SIGTERM" });
    let told = story.heard_on(link).contains(&Heard::Stop);
    story.wait(Duration::from_secs(3));

    assert!(told);
    assert!(story.is_over);
    assert_eq!(story.launched.len(), 0);
}

#[test]
fn no_more_sandboxes_start_at_once_than_make_sense() {
    let mut story = Story::new();
    story.greets = false;
    let (operator, from) = story.operator();

    for n in 0..20 {
        let body = format!(r#"{{"component":"native/n{n}@a.example"}}"#);
        story.send_as(
            operator,
            &from,
            "create",
            &format!("{RUNTIME}/ua"),
            &body,
            WITHIN,
        );
    }

    assert_eq!(story.launched.len(), 4);
}

#[test]
fn a_spare_sandbox_takes_the_next_deployment() {
    let mut settings = story::settings();
    settings.spare_scripts = 1;
    let mut story = Story::with(settings);
    story.starts();
    let spare = *story.launched.keys().next().unwrap();

    let (_, link) = story.deploy("alice@a.example");
    let at_once = story.launched.len();
    story.wait(Duration::from_millis(10));

    assert_eq!(story.launched[&spare], link);
    assert_eq!(at_once, 1, "nothing else is made meanwhile");
    assert_eq!(
        story.launched.len(),
        2,
        "and then another one is made ready"
    );
}

#[test]
fn a_sandbox_that_could_not_be_made_is_told_with_its_reason() {
    let mut story = Story::new();
    story.fails_to_launch = Some("fork: EAGAIN".to_owned());

    let (code, body) = story.ask_operator("create", "ua", r#"{"component":"x@a.example"}"#);

    assert_eq!(code, Code::FAILED);
    assert!(body.contains("fork: EAGAIN"), "{body}");
    let unknown = SandboxId(9_999);
    story.happens(Event::Exited {
        sandbox: unknown,
        exit: Exit::Code(0),
    });
    let link = story.connect();
    story.happens(Event::Closed { link });
}

// messaging A.6 case 57
#[test]
fn a_component_for_a_window_is_deployed_without_a_camera_and_one_that_needs_it_is_not() {
    let mut story = Story::new();
    story.edit = |mut read| {
        let window = serde_json::json!({"browser": true, "windowSandbox": true, "camera": true});
        read.descriptor.constraints = window.as_object().cloned().unwrap_or_default();
        Ok(read)
    };
    story.deploy("films@a.example");
    story.edit = |mut read| {
        let needed = serde_json::json!({"browser": true, "camera": true});
        read.descriptor.constraints = needed.as_object().cloned().unwrap_or_default();
        Ok(read)
    };

    let (code, body) = story.ask_operator("create", "ua", r#"{"component":"looks@a.example"}"#);

    assert_eq!(code, Code(422));
    assert!(
        body.contains("`looks` of a.example cannot run here: it needs `camera`"),
        "{body}"
    );
    assert_eq!(story.launched.len(), 1);
}
