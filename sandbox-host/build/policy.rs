//! Reads `policies/sandbox/*.toml`: what each system call may do, and why.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// A profile with everything it builds on.
#[derive(Debug)]
pub(crate) struct Policy {
    /// By name of the system call; later entries replace earlier ones.
    pub(crate) calls: BTreeMap<String, Rule>,
    /// By name of the resource.
    pub(crate) limits: BTreeMap<String, Limit>,
    /// Memory and stack of the component.
    pub(crate) memory: Memory,
}

/// What becomes of one system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Permitted when one of these holds; always, when there are none.
    Allow(Vec<Conjunction>),
    /// EPERM.
    Refuse,
    /// The end of the process.
    Never,
}

/// Conditions of which all must hold.
pub(crate) type Conjunction = Vec<Condition>;

/// One comparison of one argument: `arg & mask == value`, or `!=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Which argument, 0 to 5.
    pub(crate) argument: u8,
    /// All 64 bits (a pointer) or the low 32 (everything else).
    pub(crate) wide: bool,
    /// The bits that are looked at.
    pub(crate) mask: u32,
    /// Whether equality is wanted or its opposite.
    pub(crate) equal: bool,
    /// What they are compared with.
    pub(crate) value: Value,
}

/// The right side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// A number.
    Number(u32),
    /// The process's own id, known when the filter is installed.
    Own,
}

/// One resource limit: a value, or a multiple of the memory and something more.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// Its name in `setrlimit(2)`, small and without `RLIMIT_`.
    pub(crate) resource: String,
    /// The limit.
    #[serde(default)]
    pub(crate) value: u64,
    /// Added to it: so many times the memory of the component.
    #[serde(default)]
    pub(crate) memory_times: u64,
    /// Added to it.
    #[serde(default)]
    pub(crate) plus: u64,
    /// The reason.
    pub(crate) why: String,
}

/// What the component may fill.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    /// Heap or data.
    pub(crate) bytes: u64,
    /// Stack of the script engine.
    pub(crate) stack_bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    why: Option<String>,
    base: Option<String>,
    memory: Option<Memory>,
    #[serde(default)]
    limit: Vec<Limit>,
    #[serde(default)]
    allow: Vec<Entry>,
    #[serde(default)]
    refuse: Vec<Entry>,
    #[serde(default)]
    never: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    calls: Vec<String>,
    when: Option<String>,
    why: String,
}

/// Reads the profile `name` of `folder`, its bases first.
pub(crate) fn read(folder: &Path, name: &str) -> Result<Policy, String> {
    let path = folder.join(name).with_extension("toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    parse(&text, &path, &|base| read(folder, base))
}

/// Reads the text of the profile at `path`, which may build on what `base` reads.
pub(crate) fn parse(
    text: &str,
    path: &Path,
    base: &dyn Fn(&str) -> Result<Policy, String>,
) -> Result<Policy, String> {
    let file: File = toml::from_str(text).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut policy = match &file.base {
        Some(name) => base(name)?,
        None => Policy {
            calls: BTreeMap::new(),
            limits: BTreeMap::new(),
            memory: Memory {
                bytes: 0,
                stack_bytes: 0,
            },
        },
    };
    if file.base.is_some() && file.why.as_deref().unwrap_or_default().is_empty() {
        return Err(format!(
            "{}: a profile says why it is as it is",
            path.display()
        ));
    }
    policy.memory = file.memory.unwrap_or(policy.memory);
    for limit in file.limit {
        said(&limit.why)
            .map_err(|e| format!("{}: limit `{}` {e}", path.display(), limit.resource))?;
        policy.limits.insert(limit.resource.clone(), limit);
    }
    let classes = [
        (file.refuse, Class::Refuse),
        (file.never, Class::Never),
        (file.allow, Class::Allow),
    ];
    for (entries, class) in classes {
        for entry in entries {
            let rule = entry
                .rule(class)
                .map_err(|e| format!("{}: {:?} {e}", path.display(), entry.calls))?;
            for call in entry.calls {
                policy.calls.insert(call, rule.clone());
            }
        }
    }
    Ok(policy)
}

#[derive(Clone, Copy)]
enum Class {
    Allow,
    Refuse,
    Never,
}

impl Entry {
    fn rule(&self, class: Class) -> Result<Rule, String> {
        said(&self.why)?;
        match (class, &self.when) {
            (Class::Allow, None) => Ok(Rule::Allow(Vec::new())),
            (Class::Allow, Some(when)) => Ok(Rule::Allow(alternatives(when)?)),
            (Class::Refuse, None) => Ok(Rule::Refuse),
            (Class::Never, None) => Ok(Rule::Never),
            (_, Some(_)) => Err("has a condition, which only a permission may have".into()),
        }
    }
}

fn said(why: &str) -> Result<(), String> {
    if why.trim().len() < 8 {
        Err("says no reason".into())
    } else {
        Ok(())
    }
}

fn alternatives(when: &str) -> Result<Vec<Conjunction>, String> {
    when.split("||")
        .map(|side| side.split("&&").map(condition).collect())
        .collect()
}

// `arg0 == 1`, `arg0 != 1`, `arg0 & MASK == 1`, `ptr4 == 0`.
fn condition(text: &str) -> Result<Condition, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (argument, mask, comparison, value) = match words[..] {
        [argument, comparison, value] => (argument, u32::MAX, comparison, value),
        [argument, "&", mask, comparison, value] => (argument, number(mask)?, comparison, value),
        _ => return Err(format!("has a condition that is none: `{text}`")),
    };
    let (wide, digit) = match (argument.strip_prefix("arg"), argument.strip_prefix("ptr")) {
        (Some(digit), _) => (false, digit),
        (_, Some(digit)) => (true, digit),
        _ => return Err(format!("compares `{argument}`, which is no argument")),
    };
    let argument: u8 = digit
        .parse()
        .ok()
        .filter(|n| *n < 6)
        .ok_or(format!("has no argument `{digit}`"))?;
    let equal = match comparison {
        "==" => true,
        "!=" => false,
        other => return Err(format!("compares with `{other}`")),
    };
    let value = if value == "SELF" {
        Value::Own
    } else {
        Value::Number(number(value)?)
    };
    if wide && (mask != u32::MAX || !equal || value != Value::Number(0)) {
        return Err("compares a pointer with something else than 0".into());
    }
    Ok(Condition {
        argument,
        wide,
        mask,
        equal,
        value,
    })
}

fn number(word: &str) -> Result<u32, String> {
    let named = NAMES
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, value)| *value);
    named
        .or_else(|| word.parse().ok())
        .ok_or(format!("names `{word}`, which is unknown here"))
}

// The same on both machines (asm-generic); the sets are ours.
const NAMES: &[(&str, u32)] = &[
    ("PROT_EXEC", 0x4),
    ("MAP_SHARED", 0x01), // its bit is in MAP_SHARED_VALIDATE as well
    ("MADV_DONTNEED", 4),
    ("MADV_FREE", 8),
    ("MADV_HUGEPAGE", 14),
    ("MADV_NOHUGEPAGE", 15),
    ("MSG_FASTOPEN", 0x2000_0000),
    ("CLONE_THREAD_ALL", 0x0001_0900), // CLONE_THREAD | CLONE_SIGHAND | CLONE_VM
    ("CLONE_FORBIDDEN", 0x7e82_2000),  // every CLONE_NEW*, CLONE_UNTRACED, CLONE_PTRACE
    ("F_GETFD", 1),
    ("F_SETFD", 2),
    ("F_GETFL", 3),
    ("F_SETFL", 4),
    ("F_DUPFD_CLOEXEC", 1030),
    ("F_GET_SEALS", 1034),
    ("FIONBIO", 0x5421),
    ("FIONREAD", 0x541b),
    ("PR_SET_NAME", 15),
    ("AT_EMPTY_PATH", 0x1000),
    ("AF_UNIX", 1),
    ("AF_INET", 2),
    ("BOTH_INET", 0xffff_fff7), // AF_INET is 2 and AF_INET6 10: with this mask both are 2
    ("SOCK_TYPE_MASK", 0xf),    // the rest are flags, of which two exist
    ("SOCK_STREAM", 1),
    ("SOCK_DGRAM", 2),
    ("SOL_SOCKET", 1),
    ("SO_REUSEADDR", 2),
    ("NOT_TCP", 0xffff_fff9), // of its two bits the kernel knows no other stream
    ("IPPROTO_TCP", 6),
    ("TCP_NODELAY", 1),
    ("IPPROTO_IPV6", 41),
    ("IPV6_V6ONLY", 26),
];
