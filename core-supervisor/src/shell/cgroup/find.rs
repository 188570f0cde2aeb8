//! Where the own cgroup of version 2 is, by what `/proc` says.

use std::path::{Path, PathBuf};

/// The folder of the cgroup that `/proc/self/cgroup` names, where
/// `/proc/self/mountinfo` has it mounted.
///
/// `None` when there is no hierarchy of version 2, or when the own cgroup lies outside
/// of what is mounted here.
pub(super) fn own(cgroup: &str, mountinfo: &str) -> Option<PathBuf> {
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return None;
    }
    mountinfo.lines().find_map(|line| mounted(line, path))
}

// `31 23 0:28 /root /mount/point rw,relatime shared:1 - cgroup2 cgroup2 rw`
fn mounted(line: &str, path: &str) -> Option<PathBuf> {
    let (mount, file_system) = line.split_once(" - ")?;
    if file_system.split(' ').next() != Some("cgroup2") {
        return None;
    }
    let mut fields = mount.split(' ').skip(3);
    let (root, point) = (unescaped(fields.next()?), unescaped(fields.next()?));
    let below = Path::new(path).strip_prefix(root).ok()?;
    Some(Path::new(&point).join(below))
}

// Blanks, tabs, newlines and backslashes are written as octal numbers.
fn unescaped(field: &str) -> String {
    let escapes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    let all = escapes.into_iter();
    all.fold(field.to_owned(), |text, (escape, plain)| {
        text.replace(escape, plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEMD: &str = "25 30 0:22 / /proc rw - proc proc rw\n\
        35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
    const HYBRID: &str = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    const CONTAINER: &str = "9 8 0:3 /docker/a\\040b /mnt/c\\134d ro - cgroup2 cgroup rw\n";

    #[test]
    fn the_own_cgroup_is_found_where_it_is_mounted() {
        let cases = [
            (
                "0::/user.slice/a.scope\n",
                SYSTEMD,
                Some("/sys/fs/cgroup/user.slice/a.scope"),
            ),
            (
                "4:memory:/x\n0::/\n",
                HYBRID,
                Some("/sys/fs/cgroup/unified/"),
            ),
            ("0::/docker/a b/run\n", CONTAINER, Some("/mnt/c\\d/run")),
            // Outside of what is mounted, or of the own namespace.
            ("0::/docker/other\n", CONTAINER, None),
            ("0::/../x\n", SYSTEMD, None),
            // Version 1 only, not mounted, and what is no listing.
            ("4:memory:/x\n", HYBRID, None),
            ("0::/\n", "25 30 0:22 / /proc rw - proc proc rw\n", None),
            ("", "", None),
            ("0::relative", SYSTEMD, None),
            ("0::/a", "- cgroup2\n 1 2 - cgroup2 x", None),
        ];

        for (cgroup, mounts, expected) in cases {
            assert_eq!(
                own(cgroup, mounts),
                expected.map(PathBuf::from),
                "{cgroup:?}"
            );
        }
    }
}
