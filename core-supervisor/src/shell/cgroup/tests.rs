use std::process::{Child, Command, Stdio};

use super::*;

/// A directory that looks like a cgroup; files that the kernel would make are written.
struct Played(PathBuf);

impl Played {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("cgroup-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in files {
            fs::write(folder.join(file), text).unwrap();
        }
        Self(folder)
    }

    fn has(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap_or_default()
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const PID: u32 = 4_000_001;

#[test]
fn where_only_we_live_we_move_into_a_leaf_and_switch_controllers_on() {
    let played = Played::new(
        "alone",
        &[
            ("cgroup.controllers", "cpuset cpu io memory pids\n"),
            ("cgroup.type", "domain\n"),
            ("cgroup.procs", "4000001\n"),
            ("cgroup.subtree_control", ""),
        ],
    );

    let cgroups = Cgroups::below(&played.0, PID).unwrap();

    assert_eq!(played.has("supervisor-4000001/cgroup.procs"), "4000001");
    // In a directory of files the last word written stands; the kernel adds them up.
    assert_eq!(played.has("cgroup.subtree_control"), "+cpu");
    assert_eq!(played.has("hyperty-4000001/cgroup.subtree_control"), "+cpu");
    assert_eq!(cgroups.lack(), None);
}

#[test]
fn where_others_live_nothing_is_switched_on_and_it_is_said() {
    let played = Played::new(
        "shared",
        &[
            ("cgroup.controllers", "memory pids\n"),
            ("cgroup.type", "domain\n"),
            ("cgroup.procs", "1\n4000001\n"),
            ("cgroup.subtree_control", ""),
        ],
    );

    let cgroups = Cgroups::below(&played.0, PID).unwrap();

    assert!(cgroups.lack().unwrap().contains("other processes live in"));
    assert!(cgroups.controllers().is_empty());
    assert_eq!(played.has("cgroup.subtree_control"), "");
    assert!(!played.0.join("supervisor-4000001").exists());
}

#[test]
fn the_root_of_the_machine_is_left_as_it_is() {
    let played = Played::new(
        "root",
        &[
            ("cgroup.controllers", "memory\n"),
            ("cgroup.procs", "1\n"),
            ("cgroup.subtree_control", ""),
        ],
    );

    let _cgroups = Cgroups::below(&played.0, PID).unwrap();

    assert_eq!(played.has("cgroup.subtree_control"), "");
}

#[test]
fn without_controllers_there_are_groups_and_it_is_said_what_is_missing() {
    let played = Played::new("bare", &[("cgroup.controllers", "hugetlb\n")]);

    let cgroups = Cgroups::below(&played.0, PID).unwrap();

    assert!(
        cgroups
            .lack()
            .unwrap()
            .contains("has none of memory, pids, cpu")
    );
    assert!(cgroups.folder().is_dir());
}

#[test]
fn what_cannot_be_made_is_told_with_its_place() {
    let absent = Cgroups::below(Path::new("/proc/self"), PID).unwrap_err();

    assert!(
        absent
            .to_string()
            .contains("making `/proc/self/hyperty-4000001`"),
        "{absent}"
    );
}

#[test]
fn a_dead_supervisors_groups_are_swept_away_and_a_living_ones_stay() {
    let played = Played::new("sweep", &[]);
    let living = format!("hyperty-{}", std::process::id());
    for folder in [
        "hyperty-4000002/7",
        "supervisor-4000002",
        "hyperty-x",
        "other-4000002",
    ] {
        fs::create_dir_all(played.0.join(folder)).unwrap();
    }
    fs::create_dir_all(played.0.join(&living)).unwrap();

    sweep(&played.0);

    let mut left: Vec<_> = children(&played.0);
    left.sort();
    let expected = [&*living, "hyperty-x", "other-4000002"];
    assert_eq!(left, expected.map(|name| played.0.join(name)));
}

#[test]
fn a_kill_for_want_of_memory_is_seen() {
    let cases = [
        (
            "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 1\n",
            true,
        ),
        ("low 0\nhigh 0\nmax 3\noom 0\noom_kill 0\n", false),
        ("", false),
    ];

    for (text, expected) in cases {
        let played = Played::new("events", &[("memory.events", text)]);
        assert_eq!(
            Group::at(played.0.clone()).is_starved(),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn a_group_is_given_its_bounds_where_there_are_controllers() {
    let played = Played::new("bounds", &[]);
    let mut cgroups = Cgroups::below(&played.0, PID).unwrap();
    cgroups.controllers = CONTROLLERS.map(str::to_owned).to_vec();
    let group = cgroups.folder.join("7");
    fs::create_dir_all(&group).unwrap();
    for file in [
        "memory.max",
        "memory.swap.max",
        "pids.max",
        "cpu.max",
        "cgroup.procs",
    ] {
        fs::write(group.join(file), "").unwrap();
    }
    let share = Share {
        memory_bytes: 16 << 20,
        cpu_percent: 250,
        ..Share::default()
    };

    let entered = cgroups.enter(SandboxId(7), 42, &Bounds::of(Engine::Script, &share));

    let has = |file: &str| fs::read_to_string(group.join(file)).unwrap();
    assert!(entered.is_ok());
    assert_eq!(has("memory.max"), (96_u64 << 20).to_string());
    assert_eq!(
        (has("memory.swap.max"), has("pids.max")),
        ("0".into(), "64".into())
    );
    assert_eq!(
        (has("cpu.max"), has("cgroup.procs")),
        ("250000 100000".into(), "42".into())
    );
}

fn sleeper() -> Child {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command.spawn().unwrap()
}

// The real thing, where this user may make cgroups.
#[test]
fn a_real_group_holds_a_process_kills_it_and_is_gone() {
    use std::os::unix::process::ExitStatusExt;

    let cgroups = match Cgroups::open() {
        Ok(cgroups) => cgroups,
        Err(absent) => return eprintln!("skipped: {absent}"),
    };
    let mut child = sleeper();
    let bounds = Bounds::of(Engine::Script, &Share::default());
    let group = cgroups.enter(SandboxId(1), child.id(), &bounds);
    let group = match group {
        Ok(group) => group,
        Err(error) => {
            child.kill().unwrap();
            child.wait().unwrap();
            return eprintln!("skipped: {error}");
        }
    };

    let listed = fs::read_to_string(format!("/proc/{}/cgroup", child.id())).unwrap();
    let is_killed = group.kill();
    let status = child.wait().unwrap();
    let folder = cgroups.folder().to_owned();
    group.remove();
    let left = children(&folder);
    drop(cgroups);

    let name = format!("hyperty-{}/1", std::process::id());
    assert!(
        listed
            .lines()
            .any(|line| line.starts_with("0::") && line.ends_with(&name)),
        "{listed}"
    );
    assert!(is_killed);
    assert_eq!(status.signal(), Some(9));
    assert!(left.is_empty() && !folder.exists());
}
