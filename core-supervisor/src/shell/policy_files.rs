//! Reads the policy directories and compiles what is in them.
//!
//! The shipped rules are always there; every `*.cedar` of the directories is
//! added to them, in C order. A file that somebody else could write is not
//! read, and neither is the rest: half a policy is none (PO-02).

use std::path::{Path, PathBuf};

use protocol::api::policy::{InForce, Problem, Problems};
use rustix::fs::Stat;

use crate::rooms::policy::limits::{FILE_BYTES_MAX, FILES_MAX};
use crate::rooms::policy::{PolicyFile, PolicySet, compile, shipped};
use crate::shell::beneath::{Place, Unread};

/// A directory with policy files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDir {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it may be absent: the operator's own `policy.d`, unless it was named.
    pub is_optional: bool,
}

impl PolicyDir {
    /// A directory that somebody named, and that must be there.
    pub fn named(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            is_optional: false,
        }
    }

    /// A directory that is looked into when it is there.
    pub fn optional(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            is_optional: true,
        }
    }
}

/// Stack for compiling: rules nest, and Cedar walks them by recursion. The limits
/// on rules keep it under a sixteenth of this.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Reads and compiles the shipped rules and those of the directories.
///
/// Takes its time when there are thousands of rules; not for the core's thread.
pub fn load(directories: &[PolicyDir]) -> Result<PolicySet, Problems> {
    let mut files = shipped();
    files.extend(read(directories)?);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("policy".to_owned())
            .stack_size(STACK_BYTES);
        let compiling = thread.spawn_scoped(scope, || compile(&files));
        let failed = |why: &str| Problems {
            problems: vec![problem(Path::new("policy"), why, "")],
        };
        let compiling = compiling.map_err(|e| failed(&format!("cannot start a thread: {e}")))?;
        compiling
            .join()
            .map_err(|_| failed("the compiler broke down"))?
    })
}

/// What would be in force with these directories: `core-supervisor check-policy`.
pub fn check(directories: &[PolicyDir]) -> Result<InForce, Problems> {
    load(directories).map(|set| set.in_force())
}

/// Reads the policy files, in order of directory and name.
pub fn read(directories: &[PolicyDir]) -> Result<Vec<PolicyFile>, Problems> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for directory in directories {
        read_directory(directory, &mut files, &mut problems);
    }
    if problems.is_empty() {
        return Ok(files);
    }
    Err(Problems { problems })
}

fn read_directory(from: &PolicyDir, files: &mut Vec<PolicyFile>, problems: &mut Vec<Problem>) {
    let place = match Place::open(&from.path) {
        Ok(place) => place,
        Err(e) if from.is_optional && e.is_absent() => return,
        Err(e) => {
            let help = "name a directory with `*.cedar` files";
            return problems.push(problem(&from.path, &e.to_string(), help));
        }
    };
    let listed = place
        .stat()
        .and_then(|stat| Ok((stat, place.names(FILES_MAX * 4)?)));
    let (stat, names) = match listed {
        Ok(listed) => listed,
        Err(e) => return problems.push(problem(&from.path, &e.to_string(), "")),
    };
    // Who can write the directory can replace every file in it.
    let sticky = stat.st_mode & STICKY != 0; // there nobody replaces another's files
    if let Err((message, help)) = check_owner(&stat, if sticky { 0 } else { WRITABLE_BY_OTHERS }) {
        return problems.push(problem(&from.path, &message, &help));
    }
    for name in names.iter().filter(|name| is_policy(name)) {
        let path = from.path.join(name);
        match read_file(&place, name) {
            Ok(text) => files.push(PolicyFile {
                name: path.display().to_string(),
                text,
            }),
            Err((message, help)) => problems.push(problem(&path, &message, &help)),
        }
    }
}

// Editors leave `.x.cedar.swp`, `x.cedar~` and hidden files behind.
fn is_policy(name: &str) -> bool {
    !name.starts_with('.')
        && name
            .strip_suffix(".cedar")
            .is_some_and(|stem| !stem.is_empty())
}

fn read_file(place: &Place, name: &str) -> Result<String, (String, String)> {
    let said = |e: Unread| (e.to_string(), String::new());
    let opened = place.file(name).map_err(said)?;
    let before = opened.stat;
    check_owner(&before, WRITABLE_BY_OTHERS)?;
    let again = opened.file.try_clone().map_err(|e| said(e.into()))?;
    let bytes = opened.read(FILE_BYTES_MAX).map_err(said)?;
    // An editor may be writing right now: half a file can be a valid, wider one.
    let after = rustix::fs::fstat(&again).map_err(|e| said(e.into()))?;
    let same = (before.st_mtime, before.st_mtime_nsec, before.st_size)
        == (after.st_mtime, after.st_mtime_nsec, after.st_size);
    if !same || i64::try_from(bytes.len()) != Ok(after.st_size) {
        return Err((Unread::Changed.to_string(), "load it again".to_owned()));
    }
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes().iter().take(e.utf8_error().valid_up_to());
        let line = line.filter(|&&byte| byte == b'\n').count() + 1;
        let message = format!("line {line} is not UTF-8");
        (message, "save it as UTF-8".to_owned())
    })
}

const WRITABLE_BY_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

fn check_owner(stat: &Stat, refused: u32) -> Result<(), (String, String)> {
    let own = rustix::process::geteuid().as_raw();
    if stat.st_uid != own && stat.st_uid != 0 {
        let message = format!("belongs to user {}, not to you", stat.st_uid);
        return Err((
            message,
            "rules count only when nobody else can change them".to_owned(),
        ));
    }
    if stat.st_mode & refused != 0 {
        let message = format!(
            "can be written by others (mode {:o})",
            stat.st_mode & 0o7777
        );
        return Err((message, "take that right away: `chmod go-w`".to_owned()));
    }
    Ok(())
}

fn problem(path: &Path, message: &str, help: &str) -> Problem {
    Problem {
        place: format!("{}:1:1", path.display()),
        message: message.to_owned(),
        help: help.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::shell::testing::{Directory, directory};

    fn rule(id: &str) -> String {
        format!("@id(\"{id}\")\n@why(\"w\")\npermit (principal, action, resource);\n")
    }

    fn dir(directory: &Directory) -> [PolicyDir; 1] {
        [PolicyDir::named(directory.path())]
    }

    fn mode(directory: &Directory, path: &str, mode: u32) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(directory.path().join(path), permissions).unwrap();
    }

    #[track_caller]
    fn refused(directory: &Directory, file: &str, message: &str) {
        let problems = load(&dir(directory)).unwrap_err().problems;
        let path = directory.path().join(file).display().to_string();
        assert!(
            problems[0].place.starts_with(path.trim_end_matches('/')),
            "{problems:?}"
        );
        assert!(problems[0].message.contains(message), "{problems:?}");
    }

    #[test]
    fn files_are_read_in_c_order_after_the_shipped_ones() {
        let directory = directory("policy");
        for name in ["90-z.cedar", "10-a.cedar", "B.cedar"] {
            directory.write(name, rule(&format!("r-{name}")));
        }
        for other in ["10-a.cedar~", ".x.cedar", "notes.txt", ".cedar"] {
            directory.write(other, "not a rule");
        }

        let in_force = check(&dir(&directory)).unwrap();

        let names: Vec<&str> = in_force
            .files
            .iter()
            .filter_map(|file| file.rsplit('/').next())
            .collect();
        assert_eq!(names[7..], ["10-a.cedar", "90-z.cedar", "B.cedar"]);
        assert_eq!(names[0], "00-guard.cedar");
        let place = &in_force.rules.last().unwrap().place;
        assert_eq!(*place, format!("{}/B.cedar:1", directory.path().display()));
    }

    // PO-02: what somebody else could have written is not ours to obey.
    #[test]
    fn what_others_could_write_is_refused() {
        let directory = directory("policy");
        directory.write("a.cedar", rule("a"));
        mode(&directory, "a.cedar", 0o644);
        mode(&directory, "", 0o755);
        assert!(load(&dir(&directory)).is_ok());

        mode(&directory, "a.cedar", 0o664);
        refused(&directory, "a.cedar", "can be written by others (mode 664)");
        mode(&directory, "a.cedar", 0o1646);
        refused(&directory, "a.cedar", "can be written by others");
        mode(&directory, "a.cedar", 0o600);
        mode(&directory, "", 0o777);
        refused(&directory, "", "can be written by others");
        mode(&directory, "", 0o1777);
        assert!(load(&dir(&directory)).is_ok());
    }

    #[test]
    fn links_and_other_things_are_refused() {
        let directory = directory("policy");
        directory.write("real", rule("a"));
        symlink("real", directory.path().join("link.cedar")).unwrap();
        refused(&directory, "link.cedar", "links are not followed");

        std::fs::remove_file(directory.path().join("link.cedar")).unwrap();
        std::fs::create_dir(directory.path().join("folder.cedar")).unwrap();
        refused(&directory, "folder.cedar", "is no regular file");
    }

    #[test]
    fn a_broken_file_keeps_the_others_out_too() {
        let directory = directory("policy");
        directory.write("a.cedar", rule("a"));
        directory.write("b.cedar", "permit (principal);");
        refused(&directory, "b.cedar:1:", "");

        directory.write("b.cedar", b"// fine\n\xff");
        refused(&directory, "b.cedar", "line 2 is not UTF-8");

        directory.write("b.cedar", vec![b' '; FILE_BYTES_MAX + 1]);
        refused(&directory, "b.cedar", "is longer than");
    }

    #[test]
    fn only_a_named_directory_must_be_there() {
        let nowhere = "/nowhere/policy.d";

        assert!(load(&[PolicyDir::optional(nowhere)]).is_ok());
        let problems = load(&[PolicyDir::named(nowhere)]).unwrap_err().problems;
        assert_eq!(problems[0].place, "/nowhere/policy.d:1:1");
        assert!(problems[0].message.contains("no such file or directory"));
    }
}
