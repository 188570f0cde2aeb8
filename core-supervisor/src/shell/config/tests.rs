use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use protocol::frame::Level;

use super::{Config, ConfigError, Flags, Surroundings};

/// A configuration file and variables to be read with flags.
struct Case {
    directory: PathBuf,
    variables: BTreeMap<&'static str, String>,
    flags: Flags,
}

impl Case {
    fn with_file(name: &str, text: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("hyperty-{}-{name}", std::process::id()));
        fs::create_dir_all(directory.join("hyperty")).unwrap();
        fs::write(directory.join("hyperty/hyperty.toml"), text).unwrap();
        let home = directory.to_str().unwrap().to_owned();
        Self {
            variables: BTreeMap::from([("XDG_CONFIG_HOME", home), ("HOME", "/home/user".into())]),
            directory,
            flags: Flags::default(),
        }
    }

    fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.insert(name, value.into());
        self
    }

    fn load(&self) -> Result<Config, ConfigError> {
        let around = Surroundings {
            variable: &|name| self.variables.get(name).cloned(),
            directory: Path::new("/work"),
            program: Path::new("/opt/hyperty/core-supervisor"),
            uid: 1000,
        };
        Config::load(&self.flags, &around)
    }

    /// Value and origin of one key, as they are shown.
    fn shown(&self, key: &str) -> (String, String) {
        let shown = self.load().unwrap().show();
        let value = shown
            .values
            .into_iter()
            .find(|value| value.key == key)
            .unwrap();
        let text = value
            .value
            .as_str()
            .map_or(value.value.to_string(), str::to_owned);
        let home = self.directory.display().to_string();
        (text.replace(&home, "~"), value.origin.replace(&home, "~"))
    }

    fn error(&self) -> String {
        let home = self.directory.display().to_string();
        self.load().unwrap_err().to_string().replace(&home, "~")
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn check(case: &Case, key: &str, value: &str, origin: &str) {
    assert_eq!(case.shown(key), (value.into(), origin.into()));
}

#[test]
fn without_anything_the_defaults_hold() {
    let case = Case::with_file("defaults", "");

    check(
        &case,
        "data-dir",
        "/home/user/.local/share/hyperty",
        "default",
    );
    check(&case, "runtime-dir", "/tmp/hyperty-1000", "default");
    check(&case, "min-level", "L2", "default");
    check(&case, "max-level", "L3", "default");
    check(
        &case,
        "sandbox-host",
        "/opt/hyperty/sandbox-host",
        "default",
    );
    check(&case, "domain", "local.hyperty", "default");
    check(&case, "catalogue", "[]", "default");
}

#[test]
fn the_file_comes_over_the_defaults() {
    let case = Case::with_file("file", "\nmin-level = \"L3\"\ndata-dir = \"data\"\n");

    check(&case, "min-level", "L3", "~/hyperty/hyperty.toml:2");
    check(
        &case,
        "data-dir",
        "~/hyperty/data",
        "~/hyperty/hyperty.toml:3",
    );
}

#[test]
fn the_environment_comes_over_the_file() {
    let case = Case::with_file("environment", "min-level = \"L3\"")
        .variable("HYPERTY_MIN_LEVEL", "L1")
        .variable("HYPERTY_DATA_DIR", "here");

    check(&case, "min-level", "L1", "environment HYPERTY_MIN_LEVEL");
    check(
        &case,
        "data-dir",
        "/work/here",
        "environment HYPERTY_DATA_DIR",
    );
}

#[test]
fn flags_come_over_the_environment() {
    let mut case = Case::with_file("flags", "").variable("HYPERTY_MIN_LEVEL", "L1");
    case.flags.min_level = Some(Level::L3);
    case.flags.catalogues = vec!["one".into(), "/two".into()];

    check(&case, "min-level", "L3", "flag --min-level");
    check(
        &case,
        "catalogue",
        "[\"/work/one\",\"/two\"]",
        "flag --catalogue",
    );
}

#[test]
fn the_rules_are_looked_for_beside_the_file() {
    let case = Case::with_file("rules", "");

    check(&case, "policy", "[\"~/hyperty/policy.d\"]", "default");
}

#[test]
fn a_key_that_does_not_exist_is_an_error_with_its_place() {
    let case = Case::with_file("unknown", "domain = \"a.example\"\nmin-levle = \"L3\"\n");

    let error = case.error();

    assert!(
        error.starts_with("~/hyperty/hyperty.toml:2:1: unknown field `min-levle`"),
        "{error}"
    );
}

#[test]
fn a_level_that_does_not_exist_is_an_error_with_its_place() {
    let case = Case::with_file("level", "min-level = \"L9\"\n");

    let error = case.error();

    assert!(
        error.starts_with("~/hyperty/hyperty.toml:1: `L9` is not a sandbox level"),
        "{error}"
    );
}

#[test]
fn a_file_that_was_asked_for_must_exist() {
    let case = Case::with_file("absent", "").variable("HYPERTY_CONFIG", "/nowhere/hyperty.toml");

    assert!(
        case.error()
            .starts_with("cannot read the configuration `/nowhere/hyperty.toml`")
    );
}

#[test]
fn no_sandbox_at_all_needs_the_flag_that_says_so() {
    let mut case = Case::with_file("unsafe", "min-level = \"L0\"");

    assert!(case.error().contains("needs `--unsafe`"));

    case.flags.no_floor = true;
    check(&case, "min-level", "L0", "flag --unsafe");
}

#[test]
fn levels_the_wrong_way_round_are_an_error() {
    let case = Case::with_file("order", "max-level = \"L1\"");

    assert!(case.error().ends_with("max-level L1 is below min-level L2"));
}

#[test]
fn without_a_home_the_message_says_what_to_say() {
    let mut case = Case::with_file("homeless", "");
    case.variables.remove("HOME");

    let error = case.error();

    assert!(
        error.contains("neither `XDG_DATA_HOME` nor `HOME` is set"),
        "{error}"
    );
    assert!(error.contains("--data-dir"), "{error}");
}

#[test]
fn a_domain_must_be_one() {
    let case = Case::with_file("domain", "domain = \"a b\"");

    assert!(case.error().contains("`a b` is no domain"));
}

#[test]
fn the_ceiling_of_components_is_read_with_its_lines_and_shown() {
    let case = Case::with_file(
        "ceiling",
        "[limits]\nover-ceiling = \"clip\"\nmemory = 268435456\nlog-lines = 50\n",
    );

    let ceiling = case.load().unwrap().ceiling.value;

    assert_eq!(ceiling.over, crate::quota::OverCeiling::Clip);
    let (number, place) = ceiling.by_operator(crate::quota::Quota::Memory).unwrap();
    assert_eq!(number, 268_435_456);
    assert!(place.ends_with("hyperty.toml:3"), "{place}");
    let line = |number| format!("~/hyperty/hyperty.toml:{number}");
    assert_eq!(case.shown("limits.over-ceiling"), ("clip".into(), line(2)));
    assert_eq!(case.shown("limits.log-lines"), ("50".into(), line(4)));
    assert_eq!(
        case.shown("limits.pending"),
        ("null".into(), "default".into())
    );
}

#[test]
fn a_ceiling_that_is_none_is_told_with_its_line() {
    let cases = [
        (
            "memroy = 1",
            ":2",
            "`memroy` is no limit: say `over-ceiling`, `messages`",
        ),
        (
            "memory = \"64 MiB\"",
            ":2",
            "`limits.memory` must be a whole number (bytes)",
        ),
        ("memory = 1", ":2", "from 8388608 to"),
        ("descriptors = 65", ":2", "from 8 to 64"),
        ("pending = -1", ":2", "`limits.pending` must be"),
        (
            "over-ceiling = \"maybe\"",
            ":2",
            "over-ceiling is `maybe`: say `refuse` or `clip`",
        ),
        ("over-ceiling = 1", ":2", "over-ceiling is no text"),
    ];

    for (at, (line, place, expected)) in cases.into_iter().enumerate() {
        let case = Case::with_file(&format!("no-ceiling{at}"), &format!("[limits]\n{line}\n"));
        let told = case.error();
        assert!(
            told.contains(place) && told.contains(expected),
            "{line}: {told}"
        );
    }
}
