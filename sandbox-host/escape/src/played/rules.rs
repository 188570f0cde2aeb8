//! PO: the operator's rules, under the operator's own supervisor.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    Play, Stage, answered, code, escaped, heard, held, play, player, twin, until, willing,
};
use crate::runtime::{PROVIDER, Runtime, Setup};
use crate::verdict::Verdict;

/// Id, title and play of each.
pub(super) const CASES: &[(&str, &str, Play)] = &[
    (
        "PO-06a",
        "ask by another spelling of a forbidden address",
        spelling,
    ),
    (
        "PO-06b",
        "have somebody listen who must not be told",
        listener,
    ),
    (
        "PO-07",
        "say nothing where a rule looks, after saying it",
        per_message,
    ),
    (
        "PO-08",
        "played: a window of time, whatever the time zone",
        time_zone,
    ),
    ("PO-09", "played: talk on after the rule is gone", revoked),
    ("PO-10", "a message on which the rule itself fails", failing),
];

/// The attackers may read what the victim's components say.
pub(super) const PERMIT: &str = "@id(\"asker\")\n@why(\"a case of the suite\")\npermit (\n  principal is Hyperty in \
Provider::\"escape.example\",\n  action == Action::\"read\",\n  resource is Hyperty in Provider::\"victim.example\"\n);\n";

pub(super) fn permit(when: &str) -> String {
    PERMIT.replace("\n);", &format!("\n)\n{when};"))
}

/// Two strangers.
pub(super) struct Pair {
    pub(super) attacker: String,
    pub(super) victim: String,
}

pub(super) fn pair(runtime: &mut Runtime) -> Result<Pair> {
    Ok(Pair {
        victim: willing(runtime)?,
        attacker: player(runtime, PROVIDER, json!({}))?,
    })
}

impl Pair {
    #[allow(
        clippy::needless_pass_by_value,
        reason = "a body is written where it is said"
    )]
    pub(super) fn reads(&self, runtime: &mut Runtime, body: Value) -> Result<u64> {
        let read = json!({ "type": "read", "to": self.victim, "body": body });
        Ok(code(
            &answered(runtime, &self.attacker, &[read])?
                .pop()
                .unwrap_or_default(),
        ))
    }

    // What the victim heard of the attackers.
    pub(super) fn told(&self, runtime: &mut Runtime) -> Result<usize> {
        Ok(heard(runtime, &self.victim)?.0.len())
    }
}

fn spelling(stage: &mut Stage<'_>) -> Result<Verdict> {
    let everything = PERMIT.replace("action == Action::\"read\"", "action");
    let mut runtime = stage.own(&everything)?;
    let pair = pair(&mut runtime)?;
    twin(pair.reads(&mut runtime, json!({}))? == 200, "it may read")?;
    let forbid = everything
        .replace("asker", "no-asker")
        .replace("permit (", "forbid (")
        .replace(
            "resource is Hyperty in Provider::\"victim.example\"",
            "resource",
        )
        .replace(
            "\n);",
            &format!("\n)\nwhen {{ resource.address == \"{}\" }};", pair.victim),
        );
    runtime.write_rules("20-case.cedar", &forbid)?;
    twin(runtime.reload()?.0 == 200, "the rule is taken")?;
    pair.told(&mut runtime)?;
    let spellings = [
        pair.victim.clone(),
        format!("{}/", pair.victim),
        pair.victim.replace("victim.example", "VICTIM.Example"),
        pair.victim.replace("hyperty://", "HYPERTY://"),
    ];
    let messages: Vec<Value> = spellings
        .iter()
        .map(|to| json!({ "type": "read", "to": to, "body": {} }))
        .collect();
    let answers = answered(&mut runtime, &pair.attacker, &messages)?;
    if pair.told(&mut runtime)? > 0 || answers.iter().any(|it| code(it) == 200) {
        return escaped(format!("another spelling passes: {answers:?}"));
    }
    held("each spelling is the same address to the rule")
}

// It owns the address, and may say what it likes there; who listens is asked about.
fn listener(stage: &mut Stage<'_>) -> Result<Verdict> {
    let listens = PERMIT
        .replace(
            "principal is Hyperty in Provider::\"escape.example\"",
            "principal is Hyperty in Provider::\"victim.example\"",
        )
        .replace("Action::\"read\"", "Action::\"listen\"")
        .replace(
            "resource is Hyperty in Provider::\"victim.example\"",
            "resource is Hyperty in Provider::\"escape.example\"",
        );
    let mut runtime = stage.own(&listens)?;
    let pair = pair(&mut runtime)?;
    runtime.tell(&pair.victim, &json!({ "listen": pair.attacker }))?;
    let publish = json!({ "type": "update", "to": pair.attacker, "body": { "n": 1 } });
    until("the listener hears", || {
        play(&mut runtime, &pair.attacker, std::slice::from_ref(&publish))?;
        Ok(pair.told(&mut runtime)? > 0)
    })?;
    runtime.write_rules("10-case.cedar", "// It may not listen any more.\n")?;
    twin(runtime.reload()?.0 == 200, "the rule is taken away")?;
    pair.told(&mut runtime)?;
    play(&mut runtime, &pair.attacker, &vec![publish; 50])?;
    // It answers behind all that it said: the listener's copies would be on their way.
    heard(&mut runtime, &pair.attacker)?;
    match pair.told(&mut runtime)? {
        0 => held("the listener hears nothing any more"),
        times => escaped(format!("the listener heard {times} more")),
    }
}

fn per_message(stage: &mut Stage<'_>) -> Result<Verdict> {
    let mut runtime = stage.own(&permit(
        "when { context.body has method && context.body.method == \"open\" }",
    ))?;
    let pair = pair(&mut runtime)?;
    for _ in 0..10 {
        twin(
            pair.reads(&mut runtime, json!({ "method": "open" }))? == 200,
            "it says so and may",
        )?;
        if pair.reads(&mut runtime, json!({}))? == 200 {
            return escaped("what an earlier message said still counted");
        }
        if pair.reads(&mut runtime, json!({ "method": "shut" }))? == 200 {
            return escaped("what an earlier message said counted more");
        }
    }
    held("each message is asked about by itself")
}

fn time_zone(stage: &mut Stage<'_>) -> Result<Verdict> {
    // UTC has no summer time: the window holds now, or half a day away from it.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let minute = now.as_secs() / 60 % 1440;
    let within = |from: u64, to: u64| {
        let (from, to) = (from % 1440, to % 1440);
        let join = if from <= to { "&&" } else { "||" };
        permit(&format!(
            "when {{ context.minute >= {from} {join} context.minute < {to} }}"
        ))
    };
    for zone in ["Pacific/Kiritimati", "XYZ-14:30"] {
        let setup = |rules: String| Setup {
            rules: Some(rules),
            env: vec![("TZ".to_owned(), zone.to_owned())],
            ..Setup::default()
        };
        let mut open = stage.own_with(setup(within(minute + 1380, minute + 60)))?;
        let there = pair(&mut open)?;
        twin(
            there.reads(&mut open, json!({}))? == 200,
            "within the window it may",
        )?;
        drop(open);
        let mut shut = stage.own_with(setup(within(minute + 120, minute + 1320)))?;
        let there = pair(&mut shut)?;
        if there.reads(&mut shut, json!({}))? == 200 {
            return escaped(format!("it may outside of the window, with TZ={zone}"));
        }
    }
    held("rules speak of UTC, whatever the zone")
}

fn revoked(stage: &mut Stage<'_>) -> Result<Verdict> {
    let mut runtime = stage.own(PERMIT)?;
    let pair = pair(&mut runtime)?;
    let read = json!({ "type": "read", "to": pair.victim, "body": {} });
    for _ in 0..3 {
        runtime.write_rules("10-case.cedar", PERMIT)?;
        twin(runtime.reload()?.0 == 200, "the rule is taken")?;
        twin(pair.reads(&mut runtime, json!({}))? == 200, "it may")?;
        // Judged and remembered as it may.
        play(&mut runtime, &pair.attacker, &vec![read.clone(); 50])?;
        runtime.write_rules("10-case.cedar", "// Gone.\n")?;
        twin(runtime.reload()?.0 == 200, "the rule is taken away")?;
        // What came before is heard before this is answered.
        pair.told(&mut runtime)?;
        let before = heard(&mut runtime, &pair.attacker)?.1.len();
        let number = pair.reads(&mut runtime, json!({ "method": "late" }))?;
        let (late, _) = heard(&mut runtime, &pair.victim)?;
        let is_late = |it: &Value| it.pointer("/body/method").is_some_and(|it| it == "late");
        if number == 200 && before < usize::MAX && late.iter().any(is_late) {
            return escaped("it was delivered by a rule that is gone");
        }
    }
    held("no decision outlives its rules")
}

fn failing(stage: &mut Stage<'_>) -> Result<Verdict> {
    let rule =
        permit("when { context.body has code && context.body.code * 9223372036854775807 != 0 }");
    let mut runtime = stage.own(&rule)?;
    let pair = pair(&mut runtime)?;
    if runtime.reload()?.0 != 200 {
        return held("not loaded");
    }
    twin(
        pair.reads(&mut runtime, json!({ "code": 1 }))? == 200,
        "it may where the rule holds",
    )?;
    let long = json!({ "code": 9_000_000_000_i64, "method": "x".repeat(200_000) });
    for body in [
        json!({ "code": 3 }),
        json!({}),
        long,
        json!({ "code": "x" }),
        json!({ "code": 1.5 }),
    ] {
        let number = pair.reads(&mut runtime, body.clone())?;
        if number == 200 {
            return escaped(format!(
                "it may where the rule fails: {:.80}",
                body.to_string()
            ));
        }
    }
    twin(
        pair.reads(&mut runtime, json!({ "code": 1 }))? == 200,
        "and it may again",
    )?;
    held("what cannot be decided is refused")
}
