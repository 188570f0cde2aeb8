//! Policy files → a set of rules, or everything that is wrong with them.
//!
//! A set is all or nothing: one rule that is not fully understood leaves the
//! rules in force untouched. Cedar skips a rule that ends in an error, so a
//! broken `forbid` would permit; the strict check here is what keeps such a rule
//! from ever being asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use cedar_policy::{Policy, PolicyId, PolicySet as CedarSet, ValidationMode, Validator};
use miette::Diagnostic;
use protocol::api::policy::{Problems, Rule};

use super::found::{Found, label};
use super::limits::{
    FILE_BYTES_MAX, FILES_MAX, RULE_BYTES_MAX, RULE_DEPTH_MAX, RULE_DOTS_MAX, RULE_LINKS_MAX,
    RULES_MAX, SET_BYTES_MAX,
};
use super::literals::wrong_literals;
use super::pdp::{Compiled, PolicySet};
use super::reads::Reads;
use super::sieve::{self, Sieve};
use super::slices::Slices;
use super::strict::{Reach, Validators};
use super::text::{Lines, Piece, PolicyFile, pieces};
use super::users::wrong_users;

/// Compiles exactly these files; the [`shipped`](super::shipped) ones are to be among them.
pub fn compile(files: &[PolicyFile]) -> Result<PolicySet, Problems> {
    let mut found = Found::default();
    check_size(files, &mut found);
    found.or_stop()?;
    let files_cut: Vec<(&PolicyFile, Vec<Piece<'_>>)> = files
        .iter()
        .map(|file| (file, pieces(&file.text)))
        .collect();
    check_count(&files_cut, &mut found);
    found.or_stop()?;
    let mut drafts = Vec::new();
    for (file, pieces) in &files_cut {
        parse_file(file, pieces, &mut drafts, &mut found);
    }
    check_ids(&drafts, &mut found);
    found.or_stop()?;
    validate(&drafts, &mut found);
    found.or_stop()?;
    build(files, drafts).map_err(|problem| Found::one(&problem))
}

/// One rule on its way into a set.
struct Draft<'a> {
    policy: Policy,
    rule: Rule,
    place: String,
    start: usize,
    lines: Rc<Lines<'a>>,
    sieve: Sieve,
    reach: Reach,
}

fn check_size(files: &[PolicyFile], found: &mut Found) {
    if files.len() > FILES_MAX {
        let message = format!(
            "{} policy files, and at most {FILES_MAX} are read",
            files.len()
        );
        found.add(String::new(), message, "put related rules into one file");
    }
    for file in files {
        if file.text.len() > FILE_BYTES_MAX {
            let message = format!("the file is longer than {FILE_BYTES_MAX} bytes");
            found.add(format!("{}:1:1", file.name), message, "split it");
        }
    }
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    if bytes > SET_BYTES_MAX {
        let message = format!("{bytes} bytes of rules, and at most {SET_BYTES_MAX} are read");
        found.add(String::new(), message, "remove what is not needed");
    }
}

// Before anything is parsed: parsing this many would take its time too.
fn check_count(files: &[(&PolicyFile, Vec<Piece<'_>>)], found: &mut Found) {
    let count: usize = files.iter().map(|(_, pieces)| pieces.len()).sum();
    if count > RULES_MAX {
        let message = format!("{count} rules, and at most {RULES_MAX} are read");
        let help = "join rules that differ in one value: `[\"a\", \"b\"].contains(…)`";
        found.add(String::new(), message, help);
    }
}

fn parse_file<'a>(
    file: &'a PolicyFile,
    pieces: &[Piece<'a>],
    drafts: &mut Vec<Draft<'a>>,
    found: &mut Found,
) {
    let lines = Rc::new(Lines::of(file));
    for piece in pieces {
        if let Err(message) = check_piece(piece) {
            let help = "split it, or name many values as `[\"a\", \"b\"].contains(…)`";
            found.add(lines.place(piece.start), message, help);
            continue;
        }
        match Policy::parse(None, piece.text) {
            Ok(policy) => draft(&policy, piece, &lines, drafts, found),
            Err(errors) => {
                for error in errors.iter() {
                    found.report(error, &lines, piece.start);
                }
            }
        }
    }
}

fn check_piece(piece: &Piece<'_>) -> Result<(), String> {
    if piece.text.len() > RULE_BYTES_MAX {
        return Err(format!("the rule is longer than {RULE_BYTES_MAX} bytes"));
    }
    if piece.links > RULE_LINKS_MAX || piece.dots > RULE_DOTS_MAX {
        return Err(format!(
            "the rule has more than {RULE_LINKS_MAX} operators, or {RULE_DOTS_MAX} dots in a row"
        ));
    }
    if piece.depth > RULE_DEPTH_MAX {
        return Err(format!(
            "the rule has more than {RULE_DEPTH_MAX} brackets in each other"
        ));
    }
    Ok(())
}

fn draft<'a>(
    policy: &Policy,
    piece: &Piece<'a>,
    lines: &Rc<Lines<'a>>,
    drafts: &mut Vec<Draft<'a>>,
    found: &mut Found,
) {
    let place = lines.place(piece.start);
    let annotation = |name: &str| {
        policy
            .annotation(name)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let (id, why) = (annotation("id"), annotation("why"));
    if !is_id(&id) {
        let help = "write `@id(\"a-name\")` in front of it: letters, digits and `-`, at most 64";
        return found.add(place, "the rule has no proper name", help);
    }
    if why.is_empty() || why.chars().any(char::is_control) {
        let message = format!("the rule `{id}` does not say why it exists");
        let help = "write `@why(\"one sentence\")` in front of it";
        return found.add(place, message, help);
    }
    for (message, help) in wrong_literals(policy)
        .into_iter()
        .chain(wrong_users(policy))
    {
        found.add(place.clone(), message, help);
    }
    let Some(sieve) = sieve::read(policy) else {
        return found.add(place, "the rule cannot be read", "");
    };
    let rule = Rule {
        place: lines.line(piece.start),
        effect: policy.effect().to_string(),
        id,
        why,
    };
    drafts.push(Draft {
        policy: policy.new_id(PolicyId::new(&rule.id)),
        rule,
        place,
        start: piece.start,
        lines: Rc::clone(lines),
        reach: Reach::of(&sieve, piece.text),
        sieve,
    });
}

fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !id.is_empty() && id.len() <= 64 && id.chars().all(plain)
}

fn check_ids(drafts: &[Draft<'_>], found: &mut Found) {
    let mut first: HashMap<&str, &Draft<'_>> = HashMap::new();
    for draft in drafts {
        if let Some(other) = first.insert(&draft.rule.id, draft) {
            let message = format!("a second rule with the name `{}`", draft.rule.id);
            let help = format!("the first is at {}; rename one of them", other.rule.place);
            found.add(draft.place.clone(), message, help);
        }
    }
}

fn validate(drafts: &[Draft<'_>], found: &mut Found) {
    let mut validators = match Validators::new() {
        Ok(validators) => validators,
        Err(message) => return found.add(String::new(), message, ""),
    };
    let mut groups: BTreeMap<Reach, Vec<&Draft<'_>>> = BTreeMap::new();
    for draft in drafts {
        groups.entry(draft.reach).or_default().push(draft);
    }
    for (reach, drafts) in groups {
        if let Err(message) = validate_group(validators.of(reach), &drafts, found) {
            found.add(String::new(), message, "");
        }
    }
    found.sort();
}

fn validate_group(
    validator: Result<&Validator, String>,
    drafts: &[&Draft<'_>],
    found: &mut Found,
) -> Result<(), String> {
    let set = CedarSet::from_policies(drafts.iter().map(|draft| draft.policy.clone()));
    let set = set.map_err(|e| e.to_string())?;
    let by_id: HashMap<&str, &Draft<'_>> = drafts
        .iter()
        .map(|draft| (draft.rule.id.as_str(), *draft))
        .collect();
    let result = validator?.validate(&set, ValidationMode::Strict);
    let errors = result.validation_errors();
    let errors = errors.map(|error| (error.policy_id(), error as &dyn Diagnostic));
    // A warning says that a rule can never apply, or that its text deceives the reader.
    let warnings = result.validation_warnings();
    let warnings = warnings.map(|warning| (warning.policy_id(), warning as &dyn Diagnostic));
    let mut told = BTreeMap::new();
    for (id, problem) in errors.chain(warnings) {
        let Some(draft) = by_id.get(AsRef::<str>::as_ref(id)) else {
            found.add(String::new(), problem.to_string(), "");
            continue;
        };
        // The same mistake is found again for each pair of kinds that a rule is
        // about, and a rule with a mistake in it can never apply as well.
        let places: &mut BTreeSet<usize> = told.entry(id).or_default();
        let at = label(problem).unwrap_or(0);
        if (at > 0 || places.is_empty()) && places.insert(at) {
            found.report(problem, &draft.lines, draft.start);
        }
    }
    Ok(())
}

fn build(files: &[PolicyFile], drafts: Vec<Draft<'_>>) -> Result<PolicySet, String> {
    let mut slices = Slices::default();
    let mut reads = Reads::default();
    for draft in &drafts {
        slices.file(&draft.sieve, &draft.policy)?;
        reads = reads.union(draft.sieve.reads);
    }
    let rules: Vec<Rule> = drafts.into_iter().map(|draft| draft.rule).collect();
    let files = files.iter().map(|file| file.name.clone()).collect();
    Ok(PolicySet(Arc::new(Compiled::new(
        files, rules, slices, reads,
    )?)))
}
