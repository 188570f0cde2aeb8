//! PO: rules that must not be taken, under a supervisor of their own.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use anyhow::Result;
use serde_json::json;

use super::rules::{PERMIT, Pair, pair, permit};
use super::{Play, Stage, escaped, held, player, twin, willing};
use crate::runtime::PROVIDER;
use crate::verdict::Verdict;

/// Id, title and play of each.
pub(super) const CASES: &[(&str, &str, Play)] = &[
    ("PO-02a", "played: rules that others could write", |stage| {
        refused_file(stage, "can be written by others", |path| {
            fs::write(path, PERMIT)?;
            Ok(fs::set_permissions(
                path,
                fs::Permissions::from_mode(0o666),
            )?)
        })
    }),
    ("PO-02b", "played: rules behind a symbolic link", |stage| {
        let real = stage.place("elsewhere").join("real.cedar");
        fs::write(&real, PERMIT)?;
        refused_file(stage, "link", move |path| Ok(symlink(&real, path)?))
    }),
    ("PO-02c", "played: half of a rules file", |stage| {
        let half = PERMIT.get(..PERMIT.len() - 3).unwrap_or_default();
        refused_file(stage, "", |path| Ok(fs::write(path, half)?))
    }),
    (
        "PO-03",
        "a descriptor that permits itself everything",
        wider,
    ),
    (
        "PO-04a",
        "played: a rule about an unknown attribute",
        |stage| refused_rule(stage, "when { principal.nobody == \"x\" }", "nobody"),
    ),
    (
        "PO-04b",
        "played: a rule with an unknown operator",
        |stage| refused_rule(stage, "when { principal.name =~ \"x\" }", ""),
    ),
    (
        "PO-04c",
        "played: a rule about an unknown kind of party",
        |stage| {
            refused_file(stage, "", |path| {
                Ok(fs::write(path, PERMIT.replace("Hyperty", "Hypertie"))?)
            })
        },
    ),
    ("PO-05a", "played: a hundred thousand rules", |stage| {
        let mut rules = String::new();
        for number in 0..100_000 {
            let id = format!("asker-{number}");
            writeln!(rules, "{}", PERMIT.replace("asker", &id).replace('\n', " "))?;
        }
        refused_file(stage, "", move |path| Ok(fs::write(path, rules)?))
    }),
    (
        "PO-05b",
        "played: ten thousand negations within each other",
        |stage| {
            let deep = format!(
                "when {{ {}true{} }}",
                "!(".repeat(10_000),
                ")".repeat(10_000)
            );
            refused_rule(stage, &deep, "")
        },
    ),
    (
        "PO-05c",
        "played: a pattern that matches in every way",
        pattern,
    ),
];

// A file that must not be taken: the old rules stay, and the operator is told why.
fn refused_file(
    stage: &mut Stage<'_>,
    reason: &str,
    write: impl FnOnce(&std::path::Path) -> Result<()>,
) -> Result<Verdict> {
    let mut runtime = stage.own("// Nothing is permitted.\n")?;
    let pair = pair(&mut runtime)?;
    runtime.write_rules("20-twin.cedar", PERMIT)?;
    twin(runtime.reload()?.0 == 200, "a sound file is taken")?;
    twin(
        pair.reads(&mut runtime, json!({}))? == 200,
        "what it permits passes",
    )?;
    runtime.write_rules("20-twin.cedar", "// Nothing again.\n")?;
    twin(runtime.reload()?.0 == 200, "a sound file is taken again")?;
    write(&runtime.policy.join("30-case.cedar"))?;

    let (number, body) = runtime.reload()?;

    if pair.reads(&mut runtime, json!({}))? == 200 {
        return escaped("the rules of this file were obeyed");
    }
    let text = body.to_string();
    if number == 200 {
        return escaped("the file was taken without a word");
    }
    if !text.contains(reason) || !text.contains("30-case.cedar") {
        return escaped(format!(
            "the operator is not told which and why: {text:.200}"
        ));
    }
    held(format!("{number}, the file is named, the old rules stay"))
}

fn refused_rule(stage: &mut Stage<'_>, when: &str, reason: &str) -> Result<Verdict> {
    let rule = permit(when);
    refused_file(stage, reason, move |path| Ok(fs::write(path, rule)?))
}

fn wider(stage: &mut Stage<'_>) -> Result<Verdict> {
    let mut runtime = stage.own("// Nothing is permitted.\n")?;
    let everything = "permit (principal, action, resource);";
    let policies = json!({
        "mine": { "key": "mine", "actions": [], "rules": [{ "decision": true, "scope": "global" }] },
        "cedar": everything,
    });
    let descriptor = json!({
        "name": "Player", "language": "javascript",
        "configuration": { "policies": policies, "policy": everything },
        "policies": policies, "policy": everything,
    });
    let folder = runtime.catalogue.join(PROVIDER).join(".well-known/hyperty");
    fs::write(folder.join("Player.hy.json"), descriptor.to_string())?;
    let victim = willing(&mut runtime)?;
    // A descriptor that is not taken at all is the other good answer.
    let attacker = match player(&mut runtime, PROVIDER, json!({})) {
        Ok(attacker) => attacker,
        Err(refused) => return held(format!("not deployed: {refused:#}")),
    };
    let pair = Pair { attacker, victim };
    let number = pair.reads(&mut runtime, json!({}))?;
    if number == 200 || pair.told(&mut runtime)? > 0 {
        return escaped("what its descriptor permits passes");
    }
    held(format!("{number}: only the operator's rules count"))
}

fn pattern(stage: &mut Stage<'_>) -> Result<Verdict> {
    // Each star may match anything: a matcher that tries all ways never comes back.
    let stars = "*a".repeat(1000);
    let rule = permit(&format!(
        "when {{ principal.path like \"{stars}b\" || (context.body has method && context.body.method like \"{stars}b\") }}"
    ));
    let mut runtime = stage.own("// Nothing is permitted.\n")?;
    let pair = pair(&mut runtime)?;
    runtime.write_rules("20-case.cedar", &rule)?;
    if runtime.reload()?.0 != 200 {
        return held("not loaded");
    }
    let number = pair.reads(&mut runtime, json!({ "method": "a".repeat(60_000) }))?;
    // It was decided; the next question is, too.
    twin(
        pair.reads(&mut runtime, json!({ "method": "x" }))? != 200,
        "the rule does not match",
    )?;
    if number == 200 {
        return escaped("it matched");
    }
    held(format!("{number}: decided in time that is linear in both"))
}
