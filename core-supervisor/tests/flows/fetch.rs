//! What no catalogue here has, fetched from its domain by the runtime's own stub.

use std::time::Duration;

use core_supervisor::event::{Event, Exit};
use core_supervisor::ids::LinkId;
use core_supervisor::rooms::catalogue::elsewhere::{
    Arrived, AskedFor, CodeWanted, Elsewhere, Mode, Next, Tags,
};
use core_supervisor::rooms::catalogue::{Item, PackageFailure};
use protocol::api::catalogue::Fetched;
use protocol::{Code, HostFrame, Message, MessageKind, Reply};
use serde_json::{Value, json};

use super::story::{Heard, RUNTIME, Story, rules};

const FAR: &str = "far@far.org";
const STUB: &str = "protocolstub/catalogue@shipped.hyperty";

fn item() -> Item {
    Item {
        base: "https://far.org".to_owned(),
        provider: "far.org".to_owned(),
        kind: "hyperty".to_owned(),
        name: FAR.to_owned(),
    }
}

/// A runtime with its own stub, and a component that is at far.org only.
fn stage(held: Option<Tags>) -> Story {
    let mut story = Story::new();
    story.on_demand.insert(STUB.to_owned());
    story.elsewhere = Some(Elsewhere {
        item: item(),
        held,
        asked: AskedFor::Nothing,
    });
    story
}

/// The operator asks for it, and does not wait.
fn deploys(story: &mut Story) -> u64 {
    let (link, from) = story.operator();
    let body = json!({ "component": FAR }).to_string();
    let to = format!("{RUNTIME}/ua");
    story.send_as(link, &from, "create", &to, &body, Reply::Within(600_000))
}

/// The answer that the operator has heard, if it has.
fn told(story: &mut Story, id: u64) -> Option<(u16, String)> {
    let (link, _) = story.operator();
    let mut heard = story.heard_on(link).into_iter();
    heard.find_map(|heard| match heard {
        Heard::Message {
            id: answered,
            code,
            body,
            ..
        } if answered == id => Some((code.0, body)),
        _ => None,
    })
}

/// Where the stub lives.
fn stub(story: &mut Story) -> (String, LinkId) {
    let (code, body) = story.ask_operator("read", "ua", "{}");
    assert_eq!(code, Code::OK, "{body}");
    let listing: Value = serde_json::from_str(&body).unwrap();
    let components = listing["value"]["components"].as_array().unwrap();
    let stub = components
        .iter()
        .find(|one| one["provider"] == "shipped.hyperty");
    let address = stub.expect("the stub is deployed")["address"]
        .as_str()
        .unwrap();
    let link = story.link_of(address).expect("the stub runs");
    (address.to_owned(), link)
}

/// What the stub is asked now, and the number of it.
fn asked(story: &mut Story) -> Vec<(u64, String, Value)> {
    let (_, link) = stub(story);
    let heard = story.heard_on(link);
    for heard in &heard {
        if let Heard::Ping { token } = heard {
            story.says(link, &HostFrame::Pong { token: *token });
        }
    }
    heard
        .into_iter()
        .filter_map(|heard| match heard {
            Heard::Message { kind, id, body, .. } if kind != "response" => {
                Some((id, kind, serde_json::from_str(&body).unwrap()))
            }
            _ => None,
        })
        .collect()
}

#[track_caller]
fn asked_once(story: &mut Story) -> (u64, Value) {
    let mut all = asked(story);
    assert_eq!(all.len(), 1, "{all:#?}");
    let (id, kind, body) = all.remove(0);
    assert_eq!(kind, "read");
    if body["urls"][0]
        .as_str()
        .is_some_and(|url| url.ends_with(".hy.pkg"))
    {
        fails(story, id, 404, "no such file");
        return asked_once(story);
    }
    (id, body)
}

fn answers(story: &mut Story, id: u64, code: u16, body: &[u8]) {
    let (from, link) = stub(story);
    let to = format!("{RUNTIME}/catalogue");
    let mut message = Message::new(MessageKind::Response, &from, &to, body).with_id(id);
    message.header.code = Code(code);
    story.says(link, &HostFrame::Send(message));
}

fn fails(story: &mut Story, id: u64, code: u16, why: &str) {
    let body = json!({ "code": code, "desc": why }).to_string();
    answers(story, id, code, body.as_bytes());
}

/// The stub brings one file, in two parts.
fn brings(story: &mut Story, parts: [&[u8]; 2]) -> Value {
    let (id, get) = asked_once(story);
    let head = json!({ "code": 200, "value": { "transfer": 7, "url": "https://far.org/x", "etag": "\"1\"" } });
    answers(story, id, 200, head.to_string().as_bytes());
    for part in parts.iter().copied().chain([&b""[..]]) {
        let (id, more) = asked_once(story);
        assert_eq!(more, json!({ "transfer": 7 }));
        answers(story, id, 200, part);
    }
    get
}

/// The shell has looked at what came.
fn kept(story: &mut Story, result: Result<Next, PackageFailure>) -> Arrived {
    let (ticket, arrived) = story.arrived.pop_front().expect("something came");
    story.happens(Event::Kept {
        ticket,
        result: Box::new(result),
    });
    arrived
}

fn whole() -> Next {
    let fetched = Fetched {
        item: item(),
        digest: "sha256:1".to_owned(),
        bytes: 4,
        age_s: 0,
        pinned: false,
        etag: String::new(),
        modified: String::new(),
        grown: Vec::new(),
    };
    Next::Kept(Box::new(fetched), true)
}

fn code_wanted() -> Next {
    Next::Code(CodeWanted {
        urls: vec!["https://far.org/code.js".to_owned()],
        tags: Tags::default(),
        most: 1024,
        is_wrapped: false,
    })
}

#[test]
fn what_is_elsewhere_is_fetched_whole_kept_and_then_deployed() {
    let mut story = stage(None);

    let id = deploys(&mut story);
    let get = brings(&mut story, [b"{", b"}"]);
    let descriptor = kept(&mut story, Ok(code_wanted()));
    let code = brings(&mut story, [b"ab", b"cd"]);
    let before = told(&mut story, id);
    let both = kept(&mut story, Ok(whole()));

    assert_eq!(
        get["urls"][0],
        "https://far.org/.well-known/hyperty/far@far.org.hy.json"
    );
    assert_eq!(descriptor.descriptor.bytes.as_deref(), Some(&b"{}"[..]));
    assert_eq!(code["urls"], json!(["https://far.org/code.js"]));
    let code = both.code.unwrap().0;
    assert_eq!(
        (code.bytes.as_deref(), code.tags.etag.as_str()),
        (Some(&b"abcd"[..]), "\"1\"")
    );
    assert_eq!(before, None);
    assert_eq!(told(&mut story, id).unwrap().0, 200);
}

#[test]
fn many_who_want_the_same_have_it_fetched_once() {
    let mut story = stage(None);

    let ids = [
        deploys(&mut story),
        deploys(&mut story),
        deploys(&mut story),
    ];
    brings(&mut story, [b"{", b"}"]);
    kept(&mut story, Ok(whole()));

    assert_eq!(story.arrived.len(), 0);
    let (link, _) = story.operator();
    let heard = story.heard_on(link);
    for id in ids {
        let is_answer = |heard: &&Heard| matches!(heard, Heard::Message { id: of, code, .. } if *of == id && code.0 == 200);
        assert_eq!(heard.iter().filter(is_answer).count(), 1, "{heard:#?}");
    }
}

#[test]
fn what_cannot_be_had_is_told_and_not_asked_for_again_at_once() {
    let mut story = stage(None);

    let id = deploys(&mut story);
    let (question, _) = asked_once(&mut story);
    fails(
        &mut story,
        question,
        415,
        "`far.org` answered with a web page",
    );
    let (code, body) = told(&mut story, id).unwrap();
    let again = deploys(&mut story);
    let at_once = told(&mut story, again).map(|told| told.0);
    let quiet = asked(&mut story).len();
    story.wait(Duration::from_secs(61));
    deploys(&mut story);

    assert_eq!(code, 415, "{body}");
    assert!(body.contains("answered with a web page"), "{body}");
    assert_eq!((at_once, quiet), (Some(415), 0));
    asked_once(&mut story);
}

// messaging A.6 case 58
#[test]
fn an_older_copy_serves_when_its_domain_cannot_be_asked() {
    let mut story = stage(Some(Tags {
        etag: "\"old\"".to_owned(),
        modified: String::new(),
    }));

    let id = deploys(&mut story);
    let (question, get) = asked_once(&mut story);
    fails(&mut story, question, 503, "nobody there");

    assert_eq!(get["etag"], "\"old\"");
    assert_eq!(told(&mut story, id).unwrap().0, 200);
}

#[test]
fn a_rule_keeps_a_domain_from_being_asked() {
    let mut story = stage(None);
    story.core_rules(rules(
        r#"@id("not-far") @why("no")
        forbid (principal == Room::"catalogue", action == Action::"read", resource is Remote)
        when { resource.domain == "far.org" };"#,
    ));

    let id = deploys(&mut story);
    let (code, body) = told(&mut story, id).unwrap();

    assert_eq!(code, 403);
    assert!(
        body.contains("not-far") && body.contains("decision"),
        "{body}"
    );
}

#[test]
fn more_bytes_than_were_asked_for_end_the_fetch() {
    let mut story = stage(None);

    let id = deploys(&mut story);
    brings(&mut story, [b"{", b"}"]);
    kept(&mut story, Ok(code_wanted()));
    let (question, _) = asked_once(&mut story);
    let head = br#"{"code":200,"value":{"transfer":9,"url":"https://far.org/code.js"}}"#;
    answers(&mut story, question, 200, head);
    let (question, _) = asked_once(&mut story);
    answers(&mut story, question, 200, &[b'x'; 1025]);
    let after = asked(&mut story);

    let (code, body) = told(&mut story, id).unwrap();
    assert_eq!(code, 413, "{body}");
    assert_eq!((after.len(), after[0].1.as_str()), (1, "delete"));
}

#[test]
fn a_stub_that_dies_in_the_middle_ends_what_it_fetched() {
    let mut story = stage(None);

    let id = deploys(&mut story);
    let (_, link) = stub(&mut story);
    let sandbox = story.sides[&link].sandbox.unwrap();
    story.crash_sandbox(sandbox, Exit::Signal(11));

    let (code, body) = told(&mut story, id).unwrap();
    assert_eq!(code, 503, "{body}");
}

#[test]
fn a_fetch_that_takes_too_long_ends() {
    let mut story = stage(None);

    let id = deploys(&mut story);
    let (question, _) = asked_once(&mut story);
    let head = br#"{"code":200,"value":{"transfer":9,"url":"https://far.org/x"}}"#;
    answers(&mut story, question, 200, head);
    for _ in 0..101 {
        for (question, ..) in asked(&mut story) {
            answers(&mut story, question, 200, b"x");
        }
        story.wait(Duration::from_secs(3));
    }

    let (code, body) = told(&mut story, id).expect("an answer");
    assert_eq!(code, 408, "{body}");
    assert!(
        body.contains("within 300 s") || body.contains("timeout"),
        "{body}"
    );
}

#[test]
fn an_update_goes_through_everything_that_is_not_pinned() {
    let mut story = stage(None);
    let one = |name: &str, pinned| Fetched {
        item: Item {
            name: name.to_owned(),
            ..item()
        },
        pinned,
        ..match whole() {
            Next::Kept(fetched, _) => *fetched,
            _ => unreachable!(),
        }
    };
    let (link, from) = story.operator();
    let body = json!({ "method": "update" }).to_string();
    let to = format!("{RUNTIME}/catalogue");
    let id = story.send_as(link, &from, "execute", &to, &body, Reply::Within(600_000));
    let listing = protocol::api::catalogue::Listing {
        fetched: vec![one("A", false), one("B", true), one("C", false)],
        ..Default::default()
    };

    let ticket = story.last_ticket();
    story.happens(Event::CatalogueRead { ticket, listing });
    brings(&mut story, [b"{", b"}"]);
    let first = kept(&mut story, Ok(whole()));
    let (question, _) = asked_once(&mut story);
    fails(&mut story, question, 500, "`far.org` answered 500");

    let (code, body) = told(&mut story, id).unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    let items = body["value"]["items"].as_array().unwrap().iter();
    let outcomes: Vec<_> = items
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(code, 200);
    assert_eq!((first.item.name.as_str(), first.mode), ("A", Mode::Take));
    assert_eq!(
        outcomes,
        [("B", "pinned"), ("A", "changed"), ("C", "failed")]
    );
}
