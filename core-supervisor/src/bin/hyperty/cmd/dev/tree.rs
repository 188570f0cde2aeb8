//! What a project's files looked like when somebody looked.
//!
//! Looking again twice a second finds every change on every file system, in a
//! container and over a network; a notification of the kernel's does not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files that are looked at: a project's own. A tree with more is not one project.
const FILES_MAX: usize = 10_000;

/// Folders deep.
const DEPTH_MAX: usize = 12;

/// Folders that hold what others made.
const SKIPPED: [&str; 3] = ["node_modules", "target", ".git"];

/// Each file, and how to tell that it has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tree(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Tree {
    /// Looks at everything below a folder.
    pub(super) fn of(directory: &Path) -> Self {
        let mut tree = Self::default();
        tree.add(directory, DEPTH_MAX);
        tree
    }

    /// Looks at these files.
    pub(super) fn of_files(files: &[PathBuf]) -> Self {
        let mut tree = Self::default();
        for file in files {
            tree.note(file);
        }
        tree
    }

    /// The files that are other than in `before`, new or gone.
    pub(super) fn changed_since<'a>(&'a self, before: &'a Self) -> Vec<&'a Path> {
        let other = |(file, now): (&PathBuf, _)| before.0.get(file) != Some(now);
        let changed = self.0.iter().filter(|entry| other(*entry));
        let gone = before.0.keys().filter(|file| !self.0.contains_key(*file));
        let changed = changed.map(|(file, _)| file);
        changed.chain(gone).map(PathBuf::as_path).collect()
    }

    fn add(&mut self, directory: &Path, depth: usize) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let is_skipped = SKIPPED.iter().any(|skipped| name == *skipped);
            // Not through links: they may lead in circles.
            let kind = entry.file_type().ok();
            if kind.is_some_and(|kind| kind.is_dir()) {
                if depth > 1 && !is_skipped {
                    self.add(&path, depth - 1);
                }
            } else if self.0.len() < FILES_MAX {
                self.note(&path);
            }
        }
    }

    fn note(&mut self, file: &Path) {
        if let Ok(found) = fs::metadata(file) {
            let seen = (found.modified().ok(), found.len());
            self.0.insert(file.to_path_buf(), seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn what_is_new_other_or_gone_is_a_change_and_what_others_made_is_not() {
        let scratch = Scratch::new("test").unwrap();
        let file = |name: &str| scratch.path().join(name);
        fs::create_dir_all(file("node_modules/x")).unwrap();
        for name in ["same", "other", "gone"] {
            fs::write(file(name), name).unwrap();
        }
        let before = Tree::of(scratch.path());

        fs::write(file("other"), "longer than before").unwrap();
        fs::write(file("new"), "").unwrap();
        fs::remove_file(file("gone")).unwrap();
        fs::write(file("node_modules/x/index.js"), "").unwrap();

        let now = Tree::of(scratch.path());
        let changed = now.changed_since(&before);
        assert_eq!(changed, [file("new"), file("other"), file("gone")]);
        assert_eq!(now.changed_since(&now), Vec::<&Path>::new());
    }
}
