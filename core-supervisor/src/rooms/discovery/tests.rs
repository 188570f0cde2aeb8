use protocol::api::discovery::Criteria;
use serde_json::json;

use super::*;

const EVERYWHERE: [&str; 2] = ["a.example", "home.example"];

fn hyperty(url: &str, user: &str, modified_us: u64) -> HypertyRecord {
    HypertyRecord {
        url: url.parse().unwrap(),
        name: "Chat".to_owned(),
        user: user.parse().unwrap(),
        descriptor: "hyperty-catalogue://a.example/.well-known/hyperty/Chat".to_owned(),
        resources: vec!["chat".to_owned(), "audio".to_owned()],
        data_schemes: vec!["comm".to_owned()],
        status: Status::Live,
        enters: (true, true),
        runtime: "hyperty-runtime://home.example/rt".parse().unwrap(),
        starting_us: 1_000_000,
        modified_us,
    }
}

fn object(url: &str, reporter: &str) -> ObjectRecord {
    ObjectRecord {
        url: url.parse().unwrap(),
        name: "room 1".to_owned(),
        schema: "https://catalogue/dataschema/Communication".to_owned(),
        reporter: reporter.parse().unwrap(),
        resources: vec!["chat".to_owned()],
        data_schemes: vec!["comm".to_owned()],
        status: Status::Live,
        runtime: "hyperty-runtime://home.example/rt".parse().unwrap(),
        starting_us: 2_000_000,
        modified_us: 3_000_000,
        expires_s: 30,
    }
}

/// Ann has a chat and reports two rooms; Bob has one in another domain.
fn room() -> Discovery {
    let mut room = Discovery::default();
    room.register_hyperty(hyperty("hyperty://a.example/ann", "ann@idp.example", 5));
    room.register_hyperty(hyperty(
        "hyperty://b.example/bob",
        "user://google.com/bob@b.example",
        6,
    ));
    room.register_object(object("comm://a.example/1", "hyperty://a.example/ann"));
    room.register_object(object("comm://b.example/2", "hyperty://b.example/bob"));
    room
}

fn asks(resource: &str, criteria: Option<Criteria>) -> Found {
    let resource = resource.to_owned();
    room().handle(Query { resource, criteria }, EVERYWHERE)
}

/// The addresses that a search finds.
#[track_caller]
fn finds(resource: &str, criteria: Criteria) -> Vec<String> {
    match asks(resource, Some(criteria)) {
        Found::Value(Value::Array(records)) => records.iter().map(url_of).collect(),
        Found::Value(record) => vec![url_of(&record)],
        Found::Nothing => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn url_of(record: &Value) -> String {
    let url = record.get("hypertyID").or(record.get("url"));
    url.unwrap().as_str().unwrap().to_owned()
}

fn any() -> Criteria {
    Criteria::default()
}

#[test]
fn hyperties_are_found_by_everything_they_are_known_by() {
    let ann = ["hyperty://a.example/ann"];
    let guid = "ann@idp.example".parse::<User>().unwrap().guid();

    assert_eq!(finds("/hyperty/user/user://idp.example/ann", any()), ann);
    assert_eq!(finds("/hyperty/user/ann@IDP.example", any()), ann);
    assert_eq!(finds("/hyperty/url/hyperty://a.example/ann", any()), ann);
    assert_eq!(finds(&format!("/hyperty/guid/{guid}"), any()), ann);
    assert_eq!(finds("/hyperty/userprofile/IDP.exam", any()), ann);
    assert_eq!(finds("/hyperty/name/Chat", any()).len(), 2);
    assert_eq!(finds("/hyperty/user/nobody@idp.example", any()), [""; 0]);
    assert_eq!(finds("/hyperty/user/no user", any()), [""; 0]);
    assert_eq!(
        finds("/hyperty/reporter/hyperty://a.example/ann", any()),
        [""; 0]
    );
}

#[test]
fn a_mail_address_finds_whoever_has_it_at_any_provider_of_identities() {
    let bob = ["hyperty://b.example/bob"];

    assert_eq!(finds("/hyperty/user/bob@b.example", any()), bob);
    assert_eq!(
        finds("/hyperty/user/user://google.com/bob@b.example", any()),
        bob
    );
    assert_eq!(finds("/hyperty/user/user://b.example/bob", any()), [""; 0]);
}

#[test]
fn objects_are_found_by_everything_they_are_known_by() {
    let one = ["comm://a.example/1"];
    let guid = "ann@idp.example".parse::<User>().unwrap().guid();

    assert_eq!(finds("/dataObject/user/ann@idp.example", any()), one);
    assert_eq!(finds("/dataObject/url/comm://a.example/1", any()), one);
    assert_eq!(
        finds("/dataObject/reporter/hyperty://a.example/ann", any()),
        one
    );
    assert_eq!(finds(&format!("/dataObject/guid/{guid}"), any()), one);
    assert_eq!(finds("/dataObject/userprofile/ann", any()), one);
    assert_eq!(finds("/dataObject/name/room 1", any()).len(), 2);
    assert_eq!(finds("/dataObject/name/room 2", any()), [""; 0]);
}

#[test]
fn records_must_have_everything_that_the_criteria_name() {
    let both = ["hyperty://b.example/bob", "hyperty://a.example/ann"];
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let with = |resources: &[&str], schemes: &[&str]| Criteria {
        resources: words(resources),
        data_schemes: words(schemes),
        ..any()
    };

    // The newest first.
    assert_eq!(
        finds("/hyperty/name/Chat", with(&["chat"], &["comm"])),
        both
    );
    assert_eq!(finds("/hyperty", with(&["chat", "audio"], &[])), both);
    assert_eq!(finds("/hyperty", with(&["chat", "video"], &[])), [""; 0]);
    assert_eq!(finds("/hyperty", with(&[], &["hello"])), [""; 0]);
    assert_eq!(finds("/dataObject", with(&["chat"], &["comm"])).len(), 2);
}

#[test]
fn a_domain_is_a_criterion_unless_it_stands_for_all() {
    let within = |domain: &str| Criteria {
        domain: Some(domain.to_owned()),
        ..any()
    };

    assert_eq!(finds("/hyperty/name/Chat", within("b.example")).len(), 1);
    assert_eq!(finds("/hyperty/name/Chat", within("c.example")).len(), 0);
    assert_eq!(finds("/hyperty/name/Chat", within("a.example")).len(), 2);
    assert_eq!(finds("/hyperty/name/Chat", within("home.example")).len(), 2);
    assert_eq!(
        finds("/dataObject/name/room 1", within("b.example")).len(),
        1
    );
}

#[test]
fn a_record_has_the_published_members() {
    let Found::Value(record) = asks("/hyperty/url/hyperty://a.example/ann", None) else {
        panic!("not found");
    };
    assert_eq!(
        record,
        json!({
            "hypertyID": "hyperty://a.example/ann",
            "userID": "user://idp.example/ann",
            "guid": "ann@idp.example".parse::<User>().unwrap().guid(),
            "descriptor": "hyperty-catalogue://a.example/.well-known/hyperty/Chat",
            "startingTime": "1970-01-01T00:00:01Z",
            "lastModified": "1970-01-01T00:00:00Z",
            "expires": 3600,
            "resources": ["chat", "audio"],
            "dataSchemes": ["comm"],
            "status": "live",
            "runtime": "runtime://home.example/rt",
        })
    );

    let Found::Value(record) = asks("/dataObject/url/comm://a.example/1", None) else {
        panic!("not found");
    };
    assert_eq!(
        record,
        json!({
            "url": "comm://a.example/1",
            "name": "room 1",
            "schema": "https://catalogue/dataschema/Communication",
            "reporter": "hyperty://a.example/ann",
            "startingTime": "1970-01-01T00:00:02Z",
            "lastModified": "1970-01-01T00:00:03Z",
            "expires": 30,
            "resources": ["chat"],
            "dataSchemes": ["comm"],
            "status": "live",
            "runtime": "runtime://home.example/rt",
        })
    );
}

#[test]
fn what_makes_no_sense_is_told() {
    assert!(matches!(asks("", None), Found::NotAsked(_)));
    assert!(matches!(asks("/", None), Found::NotAsked(_)));
    assert!(matches!(asks("/hyperty", None), Found::NotAsked(_)));
    assert!(matches!(
        asks("/hyperty/colour/red", None),
        Found::NotAsked(_)
    ));
    assert_eq!(asks("/hyperty/user/", None), Found::Nothing);
    assert_eq!(asks("/hyperty/url/no address", None), Found::Nothing);
}

#[test]
fn what_is_not_here_may_be_known_elsewhere() {
    assert_eq!(asks("/hyperty/guid/user-guid://x", None), Found::NotHere);
    assert_eq!(asks("/dataObject/userprofile/nobody", None), Found::NotHere);
    assert_eq!(asks("/hyperty/userprofile/", None), Found::NotHere);
}

#[test]
fn a_record_that_is_registered_again_keeps_its_first_time() {
    let mut room = room();
    let again = ObjectRecord {
        starting_us: 9_000_000,
        status: Status::Disconnected,
        ..object("comm://a.example/1", "hyperty://a.example/ann")
    };

    let before = room.register_object(again);

    assert_eq!(before, Some(Status::Live));
    assert_eq!(room.objects["comm://a.example/1"].starting_us, 2_000_000);
}

#[test]
fn whatever_components_call_themselves_an_answer_is_bounded() {
    let mut room = Discovery::default();
    for number in 0..2000 {
        let long = "ä".repeat(1_000_000 / 2000);
        room.register_object(ObjectRecord {
            name: long.clone(),
            schema: long.clone(),
            resources: vec![long; 100],
            modified_us: number,
            ..object(
                &format!("comm://a.example/{number}"),
                "hyperty://a.example/ann",
            )
        });
    }
    let resource = "/dataObject/reporter/hyperty://a.example/ann".to_owned();
    let criteria = None;

    let Found::Value(found) = room.handle(Query { resource, criteria }, EVERYWHERE) else {
        panic!("not found");
    };

    let records = found.as_array().unwrap();
    assert!(found.to_string().len() <= FOUND_BYTES_MAX + 2 * records.len());
    assert!(records.len() > 50, "{}", records.len());
    assert_eq!(records[0]["url"], "comm://a.example/1999");
}

fn asks_registry(resource: &str, criteria: Option<Criteria>) -> Found {
    let resource = resource.to_owned();
    room().handle_as_registry(Query { resource, criteria })
}

#[test]
fn a_registry_answers_by_address() {
    let Found::Value(hyperties) = asks_registry("user://idp.example/ann", None) else {
        panic!("not found");
    };
    assert_eq!(hyperties["hyperty://a.example/ann"]["status"], "live");

    let mail = asks_registry("/hyperty/idp-identifier/ann@idp.example", None);
    assert_eq!(mail, Found::Value(hyperties));

    let Found::Value(one) = asks_registry("hyperty://a.example/ann", None) else {
        panic!("not found");
    };
    assert_eq!(one["hypertyID"], "hyperty://a.example/ann");

    let Found::Value(object) = asks_registry("comm://a.example/1", None) else {
        panic!("not found");
    };
    assert_eq!(object["name"], "room 1");

    let reporter = Some(Criteria {
        reporter: Some("hyperty://a.example/ann".to_owned()),
        ..any()
    });
    let Found::Value(objects) = asks_registry("/comm", reporter) else {
        panic!("not found");
    };
    assert_eq!(objects.as_object().unwrap().len(), 1);

    assert_eq!(asks_registry("room 2", None), Found::Nothing);
    assert_eq!(
        asks_registry("user://idp.example/nobody", None),
        Found::Nothing
    );
    assert!(matches!(asks_registry("", None), Found::NotAsked(_)));
}
