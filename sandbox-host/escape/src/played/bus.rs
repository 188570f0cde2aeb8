//! BU: several parties on the bus.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    Play, Stage, answered, code, escaped, heard, held, play, player, twin, until, willing,
};
use crate::runtime::{PROVIDER, VICTIM};
use crate::verdict::Verdict;

/// Id, title and play of each.
pub(super) const CASES: &[(&str, &str, Play)] = &[
    (
        "BU-02",
        "name another as reporter, source, subscriber or identity",
        forged,
    ),
    (
        "BU-09a",
        "observe a data object without being let",
        unwanted,
    ),
    (
        "BU-09b",
        "hear on after the rule to listen is gone",
        still_listening,
    ),
    (
        "BU-10a",
        "two that hand a message to and fro without end",
        pair,
    ),
    (
        "BU-10b",
        "a ring of components that hand one message on",
        ring,
    ),
    (
        "BU-20",
        "talk to an address while its owner changes",
        successor,
    ),
];

const SCHEMA: &str = "hyperty-catalogue://victim.example/.well-known/dataschema/Context";

/// Whoever is in the same provider, and the attackers, may do everything with each other.
const FRIENDS: &str = "@id(\"friends\")\n@why(\"a case of the suite\")\npermit (\n  principal is Hyperty in \
Provider::\"escape.example\",\n  action,\n  resource\n) when { resource has provider && resource.provider == \"victim.example\" };\n";

fn object(runtime: &str, reporter: &str, value: &Value) -> Value {
    json!({ "type": "create", "to": format!("{runtime}/sm"), "body": {
        "schema": SCHEMA,
        "value": { "name": "secret", "schema": SCHEMA, "reporter": reporter, "data": value },
    } })
}

fn forged(stage: &mut Stage<'_>) -> Result<Verdict> {
    let mut own = stage.own("// Nothing besides what is shipped.\n")?;
    let victim = willing(&mut own)?;
    let attacker = player(&mut own, PROVIDER, json!({}))?;
    let address = own.address();
    let sound = object(&address, &attacker, &json!({ "n": 1 }));
    let made = answered(&mut own, &attacker, &[sound])?;
    twin(
        made.iter().any(|it| code(it) == 200),
        &format!("it may report an object of its own: {made:?}"),
    )?;
    let in_its_name = object(&address, &victim, &json!({ "n": 1 }));
    let mut as_subscriber = object(&address, &attacker, &json!({ "n": 2 }));
    let identity = json!({ "userProfile": { "userURL": "user://victim.example/root", "guid": "user-guid://x" } });
    for member in ["identity", "source", "subscriber"] {
        if let Some(body) = as_subscriber.get_mut("body").and_then(Value::as_object_mut) {
            let value = if member == "identity" {
                identity.clone()
            } else {
                json!(victim)
            };
            body.insert(member.to_owned(), value);
        }
    }
    let answers = answered(&mut own, &attacker, &[in_its_name, as_subscriber])?;
    let objects: Vec<String> = answers
        .iter()
        .filter_map(|it| it.pointer("/body/resource")?.as_str().map(str::to_owned))
        .collect();
    let mut named = Vec::new();
    for url in &objects {
        let read =
            json!({ "type": "read", "to": format!("{address}/sm"), "body": { "resource": url } });
        for answer in answered(&mut own, &attacker, &[read])? {
            let reporter = answer
                .pointer("/body/value/reporter")
                .cloned()
                .unwrap_or_default();
            if reporter.as_str() == Some(victim.as_str()) {
                named.push(url.clone());
            }
            if answer.to_string().contains("user://victim.example/root") {
                named.push(format!("{url} with the identity"));
            }
        }
    }
    let (told, _) = heard(&mut own, &victim)?;
    if !named.is_empty() || !told.is_empty() {
        return escaped(format!(
            "in the victim's name: {named:?}, the victim heard {told:?}"
        ));
    }
    held(format!("{} objects, each in its own name", objects.len()))
}

fn unwanted(stage: &mut Stage<'_>) -> Result<Verdict> {
    let mut own = stage.own(FRIENDS)?;
    let address = own.address();
    let victim = player(&mut own, VICTIM, json!({ "accepts": false }))?;
    let friend = player(&mut own, VICTIM, json!({ "accepts": true }))?;
    let attacker = player(&mut own, PROVIDER, json!({}))?;
    let report = |own: &mut _, who: &str| -> Result<String> {
        let made = answered(own, who, &[object(&address, who, &json!({ "n": 1 }))])?;
        let url = made
            .iter()
            .find_map(|it| it.pointer("/body/resource")?.as_str());
        Ok(url.map(str::to_owned).unwrap_or_default())
    };
    let (secret, open) = (report(&mut own, &victim)?, report(&mut own, &friend)?);
    twin(
        !secret.is_empty() && !open.is_empty(),
        "objects can be made",
    )?;
    let subscribe = |url: &str| {
        json!({ "type": "subscribe", "to": format!("{address}/sm"),
        "body": { "resource": url, "schema": SCHEMA, "identity": { "userProfile": {} } } })
    };
    let welcome = answered(&mut own, &attacker, &[subscribe(&open)])?;
    twin(
        welcome.iter().any(|it| code(it) == 200),
        &format!("who is let may observe: {welcome:?}"),
    )?;
    let refused = answered(&mut own, &attacker, &[subscribe(&secret)])?;
    for below in ["", "/changes", "/children/x", "/subscription"] {
        for url in [&secret, &open] {
            own.tell(&attacker, &json!({ "listen": format!("{url}{below}") }))?;
        }
    }
    heard(&mut own, &attacker)?;
    let change = |url: &str, from: &str| {
        json!({ "type": "update", "from": url, "to": format!("{url}/changes"),
        "body": { "version": 1, "source": from, "attribute": "n", "value": 7 } })
    };
    play(&mut own, &victim, &[change(&secret, &victim)])?;
    play(&mut own, &friend, &[change(&open, &friend)])?;
    let mut told = Vec::new();
    let has_come = until("the other object's change is heard", || {
        told.extend(heard(&mut own, &attacker)?.0);
        Ok(told.iter().any(|it| it.to_string().contains(&open)))
    });
    let why = format!("{told:?}; {:?}", heard(&mut own, &friend)?.1);
    twin(has_come.is_ok(), &why)?;
    let of_secret = told.iter().any(|it| it.to_string().contains(&secret));
    if of_secret || refused.iter().any(|it| code(it) == 200) {
        return escaped(format!("it observes: {refused:?} {told:?}"));
    }
    held("its reporter said no, and it hears nothing")
}

fn still_listening(stage: &mut Stage<'_>) -> Result<Verdict> {
    let mut own = stage.own(FRIENDS)?;
    let victim = willing(&mut own)?;
    let attacker = player(&mut own, PROVIDER, json!({}))?;
    own.tell(&attacker, &json!({ "listen": victim }))?;
    until("it hears what the victim is told", || {
        own.tell(&victim, &json!({ "secret": 1 }))?;
        Ok(!heard(&mut own, &attacker)?.0.is_empty())
    })?;
    own.write_rules("10-case.cedar", "// Gone.\n")?;
    twin(own.reload()?.0 == 200, "the rule is taken away")?;
    heard(&mut own, &attacker)?;
    for _ in 0..50 {
        own.tell(&victim, &json!({ "secret": 2 }))?;
    }
    until("the victim heard it", || {
        Ok(!heard(&mut own, &victim)?.0.is_empty())
    })?;
    match heard(&mut own, &attacker)?.0.len() {
        0 => held("not one message more"),
        more => escaped(format!("{more} messages heard without a rule")),
    }
}

fn pair(stage: &mut Stage<'_>) -> Result<Verdict> {
    ring_of(stage, 2)
}

fn ring(stage: &mut Stage<'_>) -> Result<Verdict> {
    ring_of(stage, 20)
}

fn ring_of(stage: &mut Stage<'_>, number: usize) -> Result<Verdict> {
    let mut members = vec![player(
        stage.runtime,
        PROVIDER,
        json!({ "forward": "none" }),
    )?];
    for _ in 1..number {
        let next = members.last().cloned().unwrap_or_default();
        members.push(player(stage.runtime, PROVIDER, json!({ "forward": next }))?);
    }
    looping(stage, &members)
}

// They may talk as they like; nobody else may be kept waiting by it, and it ends with them.
fn looping(stage: &mut Stage<'_>, members: &[String]) -> Result<Verdict> {
    let (Some(first), Some(last)) = (members.first(), members.last()) else {
        anyhow::bail!("nobody is in the ring");
    };
    let before = crate::process::size(stage.runtime.core()).0;
    stage
        .runtime
        .tell(first, &json!({ "what": "go", "first": last }))?;
    let mut hops = 0;
    let (runtime, who) = (&mut *stage.runtime, first.as_str());
    until(
        "the message has gone round a thousand times, or is stopped",
        || {
            let (seen, _) = heard(runtime, who)?;
            hops = seen
                .first()
                .and_then(|it| it.get("hops")?.as_u64())
                .unwrap_or(hops);
            Ok(hops > 40 * u64::try_from(members.len())?)
        },
    )?;
    for _ in 0..50 {
        twin(
            stage.runtime.component(first)?.is_some(),
            "the operator is answered meanwhile",
        )?;
    }
    let answer = crate::bus::harm_to(stage.runtime, stage.witness);
    twin(answer.is_ok(), "a bystander is answered meanwhile")?;
    for member in members {
        stage.runtime.remove(member)?;
    }
    if let Some(grown) = super::growth(stage.runtime.core(), before) {
        return escaped(grown);
    }
    held(format!(
        "{hops} hops: each is paid for by whom it came from, others are served"
    ))
}

fn successor(stage: &mut Stage<'_>) -> Result<Verdict> {
    let mut own = stage.own(FRIENDS)?;
    let attacker = player(&mut own, PROVIDER, json!({}))?;
    let mut reached = 0;
    for generation in 0..60 {
        let victim = player(&mut own, VICTIM, json!({ "generation": generation }))?;
        let message =
            json!({ "type": "update", "to": victim, "body": { "generation": generation } });
        play(&mut own, &attacker, &vec![message; 50])?;
        let (mut told, _) = heard(&mut own, &victim)?;
        // Mostly it goes while they are on their way; some are heard for certain.
        if generation % 20 == 0 {
            until("a living owner hears", || {
                told.extend(heard(&mut own, &victim)?.0);
                Ok(!told.is_empty())
            })?;
        }
        reached += told.len();
        let strange = |it: &&Value| it.pointer("/body/generation") != Some(&json!(generation));
        if let Some(it) = told.iter().find(strange) {
            return escaped(format!("generation {generation} heard {it}"));
        }
        own.remove(&victim)?;
        // Somebody else may be next at this address; what was said before is not for them.
        let next = player(&mut own, VICTIM, json!({}))?;
        let (told, _) = heard(&mut own, &next)?;
        if next != victim && !told.is_empty() {
            return escaped(format!("another address heard {told:?}"));
        }
        own.remove(&next)?;
        heard(&mut own, &attacker)?;
    }
    twin(reached > 0, "messages to a living owner arrive")?;
    held(format!("{reached} messages heard, each by whom it was for"))
}
