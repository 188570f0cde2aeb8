//! Objects can be found while they exist, and whoever wants hears how they stand.

use core_supervisor::event::Exit;

use super::*;
use crate::story::USER;

fn finds(story: &mut Story, resource: &str) -> Told {
    let body = json!({ "resource": resource }).to_string();
    let to = format!("{RUNTIME}/discovery/");
    story.send(BOB, "read", &to, &body, WITHIN);
    told(story, BOB).pop().expect("an answer at once")
}

/// The statuses that Bob heard of since the last look.
fn statuses(story: &mut Story) -> Vec<String> {
    let updates = told(story, BOB).into_iter();
    let updates = updates.filter(|told| told.to.ends_with("/registration"));
    updates
        .map(|told| told.body["value"].as_str().unwrap().to_owned())
        .collect()
}

/// Alice has made a chat, and Bob has subscribed to its registration.
fn watched() -> (Story, String) {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let body = json!({ "resources": [format!("{object}/registration")] }).to_string();
    let to = format!("{RUNTIME}/subscriptions");
    story.send(BOB, "subscribe", &to, &body, WITHIN);
    assert_eq!(only(&mut story, BOB).code, 200);
    (story, object)
}

#[test]
fn an_object_is_found_by_everything_it_is_known_by() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let alice = story.address(ALICE);
    let mut url_of = |resource: &str| finds(&mut story, resource).body["value"][0]["url"].clone();

    assert_eq!(url_of("/dataObject/name/x"), object);
    assert_eq!(url_of(&format!("/dataObject/reporter/{alice}")), object);
    assert_eq!(url_of(&format!("/dataObject/user/{USER}")), object);
    let found = finds(&mut story, &format!("/dataObject/url/{object}")).body;
    let record = &found["value"];
    assert_eq!(
        (&record["schema"], &record["status"], &record["dataSchemes"]),
        (&json!(CHAT), &json!("live"), &json!(["comm"]))
    );
}

#[test]
fn an_object_is_as_live_as_its_reporter_and_gone_when_it_is_deleted() {
    let (mut story, object) = watched();
    let lookup = format!("/dataObject/url/{object}");

    story.crash(ALICE, Exit::Signal(9));
    let down = finds(&mut story, &lookup);
    passes(&mut story, Duration::from_secs(2));
    let link = story.link_of(&story.address(ALICE)).unwrap();
    story.components.get_mut(ALICE).unwrap().1 = link;
    let alice = story.address(ALICE);
    let resume = json!({ "resume": true, "value": { "resume": true, "reporter": alice } });
    assert_eq!(asks(&mut story, ALICE, "create", &resume).code, 200);
    let back = finds(&mut story, &lookup);
    let gone = json!({ "resource": object });
    assert_eq!(asks(&mut story, ALICE, "delete", &gone).code, 200);

    assert_eq!(down.body["value"]["status"], "disconnected");
    assert_eq!(back.body["value"]["status"], "live");
    assert_eq!(finds(&mut story, &lookup).code, 404);
}

#[test]
fn whoever_subscribed_to_an_objects_registration_hears_how_it_stands() {
    let (mut story, object) = watched();

    story.crash(ALICE, Exit::Signal(9));
    assert_eq!(statuses(&mut story), ["disconnected"]);
    passes(&mut story, Duration::from_secs(2));
    let link = story.link_of(&story.address(ALICE)).unwrap();
    story.components.get_mut(ALICE).unwrap().1 = link;
    // It runs, and has not taken its objects up again yet.
    assert!(statuses(&mut story).is_empty());
    let alice = story.address(ALICE);
    let resume = json!({ "resume": true, "value": { "resume": true, "reporter": alice } });
    asks(&mut story, ALICE, "create", &resume);
    assert_eq!(statuses(&mut story), ["live"]);
    asks(&mut story, ALICE, "delete", &json!({ "resource": object }));
    assert_eq!(statuses(&mut story), ["disconnected"]);
}
