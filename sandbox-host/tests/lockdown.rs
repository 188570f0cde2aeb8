//! Every forbidden act fails with the answer that the profile gives, the victim
//! is as it was, and what a component needs works.
//!
//! Ids are those of the attack catalogue. Each case runs in a sandbox of its
//! own, started by a real nursery, in a program that was really handed over.
//! The same acts with the lock off come out differently, act for act: the test
//! at the end would fail if one were refused by something else than the lock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support;

use protocol::frame::Level;
use sandbox_host::probe::trial::Trial;

use self::support::{L2, L3, ORDINARY, UNLOCKED, Victim, attempt, is_root, nursery};

/// Id, act, what the lock answers.
type Case = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const FORBIDDEN: &[Case] = &[
    ("FS-01", "read_file", "EPERM"),
    ("FS-01", "open2_file", "EPERM"),
    ("FS-02", "empty_file", "EPERM"),
    ("FS-02", "write_file", "EPERM"),
    ("FS-02", "cut_file", "EPERM"),
    ("FS-03", "make_fifo", "EPERM"),
    ("FS-03", "make_symlink", "EPERM"),
    ("FS-03", "make_dir", "EPERM"),
    ("FS-04", "link_file", "EPERM"),
    ("FS-07", "chmod_file", "EPERM"),
    ("FS-07", "chmod2_file", "EPERM"),
    ("FS-07", "chown_file", "EPERM"),
    ("FS-07", "fchmod_link", "EPERM"),
    ("FS-08", "touch_file", "EPERM"),
    ("FS-08", "xattr_file", "EPERM"),
    ("FS-08", "fxattr_file", "EPERM"),
    ("FS-09", "stat_file", "EPERM"),
    ("FS-09", "statx_file", "EPERM"),
    ("FS-09", "access_file", "EPERM"),
    ("FS-09", "read_link", "EPERM"),
    ("FS-09", "stat_fs", "EPERM"),
    ("FS-10", "watch_files", "EPERM"),
    ("FS-10", "watch_all", "EPERM"),
    ("FS-11", "change_dir", "EPERM"),
    ("FS-12", "handle_file", "EPERM"),
    ("FS-12", "by_handle", "EPERM"),
    ("FS-13", "own_image", "EPERM"),
    ("FS-14", "mount_it", "killed: mount"),
    ("FS-14", "umount_it", "killed: umount2"),
    ("FS-14", "pivot_it", "killed: pivot_root"),
    ("FS-14", "chroot_it", "killed: chroot"),
    ("FS-14", "fsopen_it", "killed: fsopen"),
    ("FS-14", "open_tree_it", "killed: open_tree"),
    ("FS-15", "temp_file", "EPERM"),
    ("PR-01", "read_memory_file", "EPERM"),
    ("PR-02", "find_process", "EPERM"),
    ("PR-03", "trace_process", "EPERM"),
    ("PR-04", "read_process", "EPERM"),
    ("PR-04", "write_process", "killed: process_vm_writev"),
    ("PR-04", "advise_process", "EPERM"),
    ("PR-04", "compare_process", "EPERM"),
    ("PR-05", "hold_process", "EPERM"),
    ("PR-06", "kill_process", "EPERM"),
    ("PR-06", "kill_all", "EPERM"),
    ("PR-06", "kill_thread", "EPERM"),
    ("PR-06", "kill_group", "EPERM"),
    ("PR-06", "queue_signal", "EPERM"),
    ("PR-06", "own_signal", "EPERM"),
    ("PR-07", "limit_process", "EPERM"),
    ("PR-08", "renice_process", "EPERM"),
    ("PR-08", "bind_process", "EPERM"),
    ("PR-08", "idle_process", "EPERM"),
    ("PR-08", "ionice_process", "EPERM"),
    ("PR-09", "fork_it", "EPERM"),
    ("PR-09", "outlive_parent", "EPERM"),
    ("PR-09", "adopt", "EPERM"),
    ("PR-11", "dump_me", "EPERM"),
    ("KR-01", "ring", "ENOSYS"),
    ("KR-02", "bpf_it", "killed: bpf"),
    ("KR-02", "perf_it", "killed: perf_event_open"),
    ("KR-02", "fault_it", "killed: userfaultfd"),
    ("KR-02", "load_module", "killed: init_module"),
    ("KR-02", "reboot_it", "killed: reboot"),
    ("KR-02", "kexec_it", "killed: kexec_load"),
    ("KR-02", "swap_on", "killed: swapon"),
    ("KR-02", "account", "killed: acct"),
    ("KR-02", "read_log", "killed: syslog"),
    ("KR-02", "set_clock", "killed: clock_settime"),
    ("KR-03", "add_key", "ENOSYS"),
    ("KR-03", "key_control", "ENOSYS"),
    ("KR-04", "new_user_namespace", "EPERM"),
    ("KR-04", "new_mounts", "EPERM"),
    ("KR-04", "clone_namespace", "EPERM"),
    ("KR-04", "enter_namespace", "killed: setns"),
    ("KR-05", "clone_three", "ENOSYS"),
    ("KR-06", "memory_file", "EPERM"),
    ("KR-06", "execute_link", "EPERM"),
    ("KR-07", "execute_file", "EPERM"),
    ("KR-08", "map_executable", "EPERM"),
    ("KR-08", "protect_executable", "EPERM"),
    ("KR-08", "key_executable", "EPERM"),
    ("KR-08", "read_implies_exec", "EPERM"),
    ("KR-11", "own_filter", "EPERM"),
    ("KR-11", "own_ruleset", "EPERM"),
    ("KR-13", "push_key", "EPERM"),
    ("KR-14", "open_device", "EPERM"),
    ("KR-15", "share_memory", "EPERM"),
    ("KR-15", "share_semaphore", "EPERM"),
    ("KR-15", "share_queue", "EPERM"),
    ("KR-15", "share_posix", "EPERM"),
    ("KR-17", "raise_limit", "EPERM"),
    ("KR-17", "lock_memory", "EPERM"),
    ("RS-03", "map_shared", "EPERM"),
    ("RS-03", "map_shared_file", "EPERM"),
    ("RS-03", "map_shared_strictly", "EPERM"),
    ("FD-05", "add_seals", "EPERM"),
    ("FD-05", "send_descriptor", "EPERM"),
    ("NW-01", "tcp", "EPERM"),
    ("NW-01", "tcp6", "EPERM"),
    ("NW-01", "connect_link", "EPERM"),
    ("NW-01", "bind_link", "EPERM"),
    ("NW-02", "mptcp", "EPERM"),
    ("NW-03", "fast_open", "EPERM"),
    ("NW-04", "udp", "EPERM"),
    ("NW-04", "icmp", "EPERM"),
    ("NW-05", "listen_link", "EPERM"),
    ("NW-06", "unix_stream", "EPERM"),
    ("NW-08", "unix_pair", "EPERM"),
    ("NW-08", "send_elsewhere", "EPERM"),
    ("NW-09", "netlink", "EPERM"),
    ("NW-09", "vsock", "EPERM"),
    ("NW-09", "packet", "EPERM"),
    ("NW-09", "alg", "EPERM"),
    ("RS-04", "set_option", "EPERM"),
];

// What the machine forbids in words of its own; on x86_64 only.
#[cfg(target_arch = "x86_64")]
const FOREIGN: &[Case] = &[
    ("KR-09", "x32_call", "signal 31"),
    ("KR-09", "old_call", "signal 31"),
    ("KR-09", "ldt_call", "killed: modify_ldt"),
];
#[cfg(not(target_arch = "x86_64"))]
const FOREIGN: &[Case] = &[];

// The harmless twins, and what is true of a sandbox from its first moment on.
#[rustfmt::skip]
const PERMITTED: &[Case] = &[
    ("twin", "thread", "done"),
    ("twin", "allocate", "done"),
    ("twin", "own_abort", "done"),
    ("twin", "random_bytes", "done"),
    ("twin", "tell_time", "done"),
    ("twin", "sleep_a_little", "done"),
    ("twin", "make_epoll", "done"),
    ("twin", "make_event", "done"),
    ("twin", "name_thread", "done"),
    ("twin", "own_limits", "done"),
    ("twin", "count_cpus", "done"),
    ("twin", "map_memory", "done"),
    ("twin", "send_link", "done"),
    ("FD-01", "count_descriptors", "done"),
    ("FD-08", "empty_environment", "done"),
    // The one program came at descriptor 64, which can never be one again.
    ("KR-06", "execute_again", "EBADF"),
];

// With everything but Landlock left out; some acts pass, which is why it is not alone.
#[rustfmt::skip]
const BY_LANDLOCK: &[Case] = &[
    ("FS-01", "read_file", "EACCES"),
    ("FS-02", "empty_file", "EACCES"),
    ("FS-02", "write_file", "EACCES"),
    ("FS-02", "cut_file", "EACCES"),
    ("FS-03", "make_fifo", "EACCES"),
    ("FS-03", "make_symlink", "EACCES"),
    ("FS-03", "make_dir", "EACCES"),
    ("FS-04", "link_file", "EACCES"),
    ("FS-15", "temp_file", "EACCES"),
    ("KR-14", "open_device", "EACCES"),
    ("PR-06", "kill_process", "EPERM"),
    ("FS-09", "stat_file", "done"),
    // An anonymous file is not Landlock's: neither this one nor one that came as a message's body.
    ("FS-13", "own_image", "done"),
    ("NW-04", "udp", "done"),
];

// With everything but the namespaces left out.
#[rustfmt::skip]
const BY_NAMESPACES: &[Case] = &[
    ("FS-01", "read_file", "ENOENT"),
    ("FS-03", "make_dir", "ENOENT"),
    ("FS-09", "stat_file", "ENOENT"),
    ("FS-14", "chroot_it", "ENOENT"),
    ("KR-04", "new_mounts", "EPERM"),
    ("KR-14", "open_device", "ENOENT"),
    ("PR-01", "read_memory_file", "ENOENT"),
    ("PR-02", "find_process", "ESRCH"),
    ("PR-03", "trace_process", "ESRCH"),
    ("PR-05", "hold_process", "ESRCH"),
    ("PR-06", "kill_process", "ESRCH"),
    ("PR-07", "limit_process", "ESRCH"),
    ("PR-08", "renice_process", "ESRCH"),
    ("NW-04", "udp", "done"),
];

// What grows until a limit of the profile stops it.
#[rustfmt::skip]
const BOUNDED: &[Case] = &[
    ("PR-10", "thread_bomb", "EAGAIN"),
    ("RS-01", "memory_bomb", "ENOMEM"),
    ("RS-06", "descriptor_bomb", "EMFILE"),
];

// What only root could do in the first place, lock or none.
const OF_ROOT: &[&str] = &[
    "chown_file",
    "fchmod_link",
    "fxattr_file",
    "watch_all",
    "by_handle",
    "new_mounts",
    "clone_namespace",
    "icmp",
    "packet",
];

fn outcomes(trial: &mut Trial, levels: (Level, Level), cases: &[Case], name: &str) -> Vec<String> {
    let mut victim = Victim::new(name);
    let before = victim.state();
    let outcome =
        |(id, act, _): &Case| format!("{id} {act}: {}", attempt(trial, levels, act, &victim));
    let outcomes = cases.iter().map(outcome).collect();
    assert_eq!(victim.state(), before, "the victim was hurt");
    outcomes
}

fn expected(cases: &[Case]) -> Vec<String> {
    cases
        .iter()
        .map(|(id, act, answer)| format!("{id} {act}: {answer}"))
        .collect()
}

fn check(user: Option<u32>, levels: (Level, Level), cases: &[Case], name: &str) {
    let mut trial = nursery(&[], user);
    similar(&outcomes(&mut trial, levels, cases, name), &expected(cases));
}

// Only what differs, so that one line shows what is wrong.
fn similar(found: &[String], wanted: &[String]) {
    let different: Vec<_> = found
        .iter()
        .zip(wanted)
        .filter(|(found, wanted)| found != wanted)
        .collect();
    assert!(different.is_empty(), "found, wanted: {different:#?}");
}

#[test]
fn at_l3_every_forbidden_act_is_refused() {
    check(None, L3, FORBIDDEN, "l3");
    check(None, L3, FOREIGN, "l3");
}

#[test]
fn at_l2_every_forbidden_act_is_refused() {
    check(None, L2, FORBIDDEN, "l2");
    check(None, L2, FOREIGN, "l2");
}

#[test]
fn at_l3_an_ordinary_user_is_locked_in_as_well() {
    if is_root() {
        check(Some(ORDINARY), L3, FORBIDDEN, "l3-ordinary");
    }
}

#[test]
fn at_l2_an_ordinary_user_is_locked_in_as_well() {
    if is_root() {
        check(Some(ORDINARY), L2, FORBIDDEN, "l2-ordinary");
    }
}

#[test]
fn what_a_component_needs_works_at_every_level() {
    check(None, L3, PERMITTED, "twins-l3");
    check(None, L2, PERMITTED, "twins-l2");
}

#[test]
fn a_program_cannot_execute_a_second_one_by_its_name() {
    check(
        None,
        L3,
        &[("KR-06", "execute_by_name", "ENOENT")],
        "name-l3",
    );
    check(
        None,
        L2,
        &[("KR-06", "execute_by_name", "EACCES")],
        "name-l2",
    );
}

#[test]
fn behind_the_filter_landlock_stands_alone() {
    let mut trial = nursery(&["seccomp", "userns"], None);
    let levels = (Level::L1, Level::L3);

    similar(
        &outcomes(&mut trial, levels, BY_LANDLOCK, "landlock"),
        &expected(BY_LANDLOCK),
    );
}

#[test]
fn behind_landlock_the_namespaces_stand_alone() {
    let mut trial = nursery(&["seccomp", "landlock"], None);
    let levels = (Level::L1, Level::L3);

    similar(
        &outcomes(&mut trial, levels, BY_NAMESPACES, "namespaces"),
        &expected(BY_NAMESPACES),
    );
}

#[test]
fn what_grows_is_stopped_by_the_limits_of_the_profile() {
    check(None, L3, BOUNDED, "bounds");
}

#[test]
fn without_the_lock_no_act_ends_as_with_it() {
    let mut trial = nursery(&[], None);
    let same = |(id, act, answer): &Case| {
        // A victim each: these acts do what they say.
        let victim = Victim::new(&format!("unlocked-{act}"));
        let found = attempt(&mut trial, UNLOCKED, act, &victim);
        (found == *answer).then(|| format!("{id} {act}: {found}"))
    };

    let permitted = |(_, act, _): &&Case| is_root() || !OF_ROOT.contains(act);
    let cases = FORBIDDEN.iter().chain(FOREIGN).filter(permitted);

    let same: Vec<String> = cases.filter_map(same).collect();

    assert_eq!(same, [] as [String; 0]);
}
