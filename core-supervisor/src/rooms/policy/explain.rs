//! A decision in words: what was looked at, which rules, and what would change it.

use protocol::api::policy::{Explanation, Rule, Verdict};
use serde_json::{Map, Value, json};

use super::deed;
use super::facts;
use super::question::{Act, Party, PartyKind, Reuse};
use super::records::Record;

impl Record {
    /// Explains the decision by the evaluation that made it.
    pub(super) fn explain(&self, decision: String, version: u64) -> Explanation {
        let rules = self.outcome.rules.iter();
        let rules: Vec<Rule> = rules.filter_map(|&at| self.set.rule(at).cloned()).collect();
        Explanation {
            decision,
            verdict: self.outcome.verdict,
            from: self.from.party().address.to_string(),
            to: self.to.party().address.to_string(),
            kind: self.act().word().to_owned(),
            remedy: self.remedy(&rules),
            rules,
            attributes: self.attributes(),
            errors: self.outcome.errors.clone(),
            version,
            cached: self.outcome.reuse == Reuse::Version,
        }
    }

    fn attributes(&self) -> Value {
        let looked = self.outcome.looked.iter();
        let context: Map<String, Value> = looked
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        json!({
            "principal": attributes(&self.from.party()),
            "action": deed::name(self.act()),
            "resource": attributes(&self.to.party()),
            "context": context,
        })
    }

    fn remedy(&self, rules: &[Rule]) -> String {
        let (from, to) = (self.from.party(), self.to.party());
        match self.outcome.verdict {
            Verdict::Permitted => String::new(),
            Verdict::NotPermitted => permit(self.act(), &from, &to),
            Verdict::Forbidden => {
                let just_this = condition(self.act(), &from, &to);
                let narrow = |rule: &Rule| {
                    format!(
                        "// add to `{}` at {}:\nunless {{ {just_this} }}",
                        rule.id, rule.place
                    )
                };
                rules.iter().map(narrow).collect::<Vec<_>>().join("\n")
            }
            Verdict::Error => {
                let correct = |rule: &Rule| format!("// correct `{}` at {}", rule.id, rule.place);
                rules.iter().map(correct).collect::<Vec<_>>().join("\n")
            }
        }
    }
}

fn attributes(party: &Party<'_>) -> Value {
    let mut all = Map::new();
    let mut add = |name: &str, value: Value| drop(all.insert(name.to_owned(), value));
    add("type", party.kind.as_str().into());
    add("address", party.address.as_str().into());
    add("scheme", party.address.scheme().into());
    add("domain", party.address.served_domain().into());
    add("path", party.address.path().into());
    if party.kind.has_provider() {
        add("provider", party.provider.into());
    }
    if party.kind.has_name() {
        add("name", facts::name(party).into());
    }
    if let Some(user) = party.acts_for() {
        add("user", user.into());
    }
    if let Some(host) = facts::HostFacts::of(party) {
        add("host", host.name.into());
        add("port", host.port.into());
        add("protocol", party.address.scheme().into());
        add("private", host.private.into());
    }
    if let Some(level) = party.level.filter(|_| party.kind.is_component()) {
        add("level", (level as i64).into());
    }
    if party.kind.is_component() && !party.digest.is_empty() {
        add("digest", party.digest.into());
    }
    Value::Object(all)
}

/// The smallest rule that says yes to this and holds after a restart as well.
fn permit(act: Act<'_>, from: &Party<'_>, to: &Party<'_>) -> String {
    let action = deed::name(act);
    let sender = Reach::of(from, "principal");
    let receiver = Reach::of(to, "resource");
    let mut conditions = sender.conditions;
    conditions.extend(receiver.conditions);
    conditions.extend(other_word(act));
    let when = if conditions.is_empty() {
        String::new()
    } else {
        format!("\nwhen {{ {} }}", conditions.join(" && "))
    };
    format!(
        "@id(\"{}\")\n@why(\"…\")\npermit (\n  {},\n  action == Action::\"{action}\",\n  {}\n){when};",
        rule_id(action, from, to),
        sender.scope,
        receiver.scope,
    )
}

fn rule_id(action: &str, from: &Party<'_>, to: &Party<'_>) -> String {
    let called = |party: &Party<'_>| match (facts::name(party), party.kind) {
        ("", PartyKind::Operator) => "operator".to_owned(),
        ("", _) | (_, PartyKind::Host) => party.address.domain().to_owned(),
        (name, _) => name.to_owned(),
    };
    let id = format!("{}-{action}-{}", called(from), called(to));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    id.chars()
        .take(64)
        .map(|c| if plain(c) { c } else { '_' })
        .collect()
}

fn condition(act: Act<'_>, from: &Party<'_>, to: &Party<'_>) -> String {
    let sender = Reach::of(from, "principal");
    let receiver = Reach::of(to, "resource");
    let mut all = vec![sender.scope];
    all.extend(sender.conditions);
    all.push(format!("action == Action::\"{}\"", deed::name(act)));
    all.push(receiver.scope);
    all.extend(receiver.conditions);
    all.extend(other_word(act));
    all.join(" && ")
}

fn other_word(act: Act<'_>) -> Option<String> {
    let other = deed::name(act) == "other";
    other.then(|| format!("context.type == {}", quoted(act.word())))
}

/// One party, as narrowly as a rule can name it and still hold after a restart.
struct Reach {
    scope: String,
    conditions: Vec<String>,
}

impl Reach {
    fn of(party: &Party<'_>, var: &str) -> Self {
        let kind = party.kind.as_str();
        // A component gets a new address when it is deployed anew; its provider
        // and its name stay.
        if !party.kind.has_provider() || party.name.is_empty() {
            return Self {
                scope: format!("{var} == {kind}::{}", quoted(facts::id(party))),
                conditions: Vec::new(),
            };
        }
        let mut conditions = vec![format!("{var}.name == {}", quoted(party.name))];
        let scheme = party.address.scheme();
        if party.kind == PartyKind::Hyperty && scheme != "hyperty" {
            conditions.push(format!("{var}.scheme == {}", quoted(scheme)));
        }
        Self {
            scope: format!("{var} is {kind} in Provider::{}", quoted(party.provider)),
            conditions,
        }
    }
}

// Cedar's strings have the escapes of Rust's; names are printable ASCII already,
// but what stands in a remedy is pasted into a file.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}
