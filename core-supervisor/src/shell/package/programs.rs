//! Programs that are ready to be executed: sealed copies that no file leads to.
//!
//! What was hashed is what will run: the bytes are hashed on their way into a
//! memory file that is then sealed against every change, and a host executes
//! that descriptor. Changing the file in the catalogue changes nothing (PK-06).

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rustix::fs::{MemfdFlags, Mode, SealFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::ids::ProgramId;
use crate::rooms::catalogue::elf;
use crate::rooms::catalogue::limits::PROGRAM_BYTES_MAX;

/// Programs that are kept although no deployment uses them any more.
///
/// Who restarts or replaces a component starts the same few again, and hashing a
/// program takes longer than starting it. A descriptor each.
const KEPT_MAX: usize = 8;

/// Bytes that all of these may have: one of the largest, or eight of the usual ones.
const KEPT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long a file must rest until its change time tells its state, where the
/// file system counts whole seconds: two of the coarsest ticks there are (FAT).
const REST_COARSE: Duration = Duration::from_secs(3);

/// The same where it counts finer: some ticks of the slowest kernel clock (10 ms).
const REST_FINE: Duration = Duration::from_millis(100);

/// The programs that deployments use. Cheap to clone; all clones are one table.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    in_use: HashMap<ProgramId, Arc<Sealed>>,
    // Those used last, the latest at the end; some are still in use.
    kept: VecDeque<Arc<Sealed>>,
    // Only what is in one of the two above stays in memory, hence the weak ends.
    by_digest: HashMap<String, Weak<Sealed>>,
    by_file: HashMap<Fingerprint, Weak<Sealed>>,
}

/// One sealed program.
#[derive(Debug)]
pub struct Sealed {
    descriptor: Arc<OwnedFd>,
    /// `sha256:…` of its bytes.
    pub digest: String,
    /// How many these are.
    pub bytes: u64,
}

/// Tells one state of one file from every other: the change time cannot be set by a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint {
    device: u64,
    inode: u64,
    size: i64,
    changed: Duration,
}

impl Fingerprint {
    /// Of a file that has not been changed for a while; `now` counts from 1970.
    ///
    /// Two changes within one tick of the file system's clock leave the same
    /// fingerprint; a file that was changed just now therefore has none.
    #[allow(clippy::useless_conversion)] // the types of `stat` differ between machines
    pub(super) fn of(stat: &Stat, now: Duration) -> Option<Self> {
        let seconds = u64::try_from(stat.st_ctime).ok()?;
        let nanoseconds = u32::try_from(stat.st_ctime_nsec).ok()?;
        // A file that was changed at a whole second rests longer than it must.
        let rest = if nanoseconds == 0 {
            REST_COARSE
        } else {
            REST_FINE
        };
        let changed = Duration::new(seconds, nanoseconds);
        (changed.checked_add(rest)? < now).then_some(Self {
            device: u64::from(stat.st_dev),
            inode: u64::from(stat.st_ino),
            size: i64::try_from(stat.st_size).ok()?,
            changed,
        })
    }
}

/// Why there is no sealed program.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSealed {
    #[error("cannot read it: {0}")]
    Read(std::io::Error),
    #[error("cannot make a sealed copy of it: {0}")]
    Copy(std::io::Error),
    #[error("is longer than {PROGRAM_BYTES_MAX} bytes")]
    TooLong,
    #[error("{0}")]
    NotRunnable(elf::NotRunnable),
}

impl Programs {
    /// Takes a program into use.
    pub fn insert(&self, sealed: Arc<Sealed>) -> ProgramId {
        let mut table = self.table();
        table.next += 1;
        let id = ProgramId(table.next);
        table.keep(&sealed);
        table.in_use.insert(id, sealed);
        id
    }

    /// Seals a program that is in no catalogue, and takes it into use.
    pub(in crate::shell) fn seal(&self, name: &str, from: impl Read) -> Result<ProgramId, String> {
        let sealed = seal(name, from).map_err(|error| error.to_string())?;
        Ok(self.insert(self.share(sealed, None)))
    }

    /// Keeps bytes in sealed memory that can be read, as a program is kept.
    pub(in crate::shell) fn keep(&self, name: &str, bytes: &[u8]) -> Result<ProgramId, String> {
        let copied = |error: std::io::Error| format!("cannot make a sealed copy of it: {error}");
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = rustix::fs::memfd_create(name, flags).map_err(|e| copied(e.into()))?;
        let mut memory = File::from(memory);
        memory.write_all(bytes).map_err(copied)?;
        let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        rustix::fs::fcntl_add_seals(&memory, seals).map_err(|e| copied(e.into()))?;
        let sealed = Sealed {
            descriptor: Arc::new(memory.into()),
            digest: super::digest_text(&Sha256::digest(bytes)),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        Ok(self.insert(self.share(sealed, None)))
    }

    /// The descriptor of a program in use.
    pub fn get(&self, id: ProgramId) -> Option<Arc<OwnedFd>> {
        let table = self.table();
        table
            .in_use
            .get(&id)
            .map(|sealed| Arc::clone(&sealed.descriptor))
    }

    /// How many descriptors are held: equal programs share one.
    pub fn descriptors(&self) -> usize {
        let table = self.table();
        table
            .by_digest
            .values()
            .filter(|sealed| sealed.strong_count() > 0)
            .count()
    }

    /// Ends the use of a program; it is kept while it is among those used last.
    pub fn forget(&self, id: ProgramId) {
        let mut table = self.table();
        table.in_use.remove(&id);
        table.forget_gone();
    }

    /// The sealed copy of a file in exactly this state, while there is one.
    pub(super) fn known(&self, fingerprint: Option<Fingerprint>) -> Option<Arc<Sealed>> {
        self.table().by_file.get(&fingerprint?)?.upgrade()
    }

    /// Shares the memory of equal programs, and remembers the file.
    pub(super) fn share(&self, sealed: Sealed, fingerprint: Option<Fingerprint>) -> Arc<Sealed> {
        let mut table = self.table();
        let known = table.by_digest.get(&sealed.digest).and_then(Weak::upgrade);
        let sealed = known.unwrap_or_else(|| Arc::new(sealed));
        table
            .by_digest
            .insert(sealed.digest.clone(), Arc::downgrade(&sealed));
        if let Some(fingerprint) = fingerprint {
            table.by_file.insert(fingerprint, Arc::downgrade(&sealed));
        }
        sealed
    }

    // A panic elsewhere ends the process; the table is whole whenever we get here.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    // The last few stay, as many as both bounds permit.
    fn keep(&mut self, sealed: &Arc<Sealed>) {
        self.kept.retain(|kept| !Arc::ptr_eq(kept, sealed));
        self.kept.push_back(Arc::clone(sealed));
        let mut bytes: u64 = self.kept.iter().map(|kept| kept.bytes).sum();
        while self.kept.len() > KEPT_MAX || bytes > KEPT_BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            bytes -= oldest.bytes;
        }
    }

    fn forget_gone(&mut self) {
        let is_there = |sealed: &Weak<Sealed>| sealed.strong_count() > 0;
        self.by_digest.retain(|_, sealed| is_there(sealed));
        self.by_file.retain(|_, sealed| is_there(sealed));
    }
}

const CHUNK_BYTES: usize = 128 * 1024;

/// Copies a program into memory, hashes what it copies, checks it and seals it.
pub(super) fn seal(name: &str, mut from: impl Read) -> Result<Sealed, NotSealed> {
    let copied = |e: Errno| NotSealed::Copy(e.into());
    let mut memory = File::from(memory_file(name).map_err(copied)?);
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0_usize;
    loop {
        let filled = fill(&mut from, &mut chunk).map_err(NotSealed::Read)?;
        let part = chunk.get(..filled).unwrap_or_default();
        if bytes == 0 {
            elf::check(part).map_err(NotSealed::NotRunnable)?;
        }
        if part.is_empty() {
            break;
        }
        bytes += filled;
        if bytes > PROGRAM_BYTES_MAX {
            return Err(NotSealed::TooLong);
        }
        hash.update(part);
        memory.write_all(part).map_err(NotSealed::Copy)?;
    }
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&memory, seals).map_err(copied)?;
    Ok(Sealed {
        descriptor: Arc::new(memory.into()),
        digest: super::digest_text(&hash.finalize()),
        bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
    })
}

fn memory_file(name: &str) -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Since Linux 6.3 a memory file says whether it may be executed; a kernel
    // before that does not know the flag, and permits it.
    let file = match rustix::fs::memfd_create(name, flags | MemfdFlags::EXEC) {
        Err(Errno::INVAL) => rustix::fs::memfd_create(name, flags)?,
        result => result?,
    };
    // A program that may be executed and not read keeps its process undumpable:
    // no other process of the user may trace it, nor look at its descriptors.
    rustix::fs::fchmod(&file, Mode::from_raw_mode(0o111))?;
    Ok(file)
}

/// Reads until the buffer is full or the end has come.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(name: &str, bytes: u64) -> Arc<Sealed> {
        Arc::new(Sealed {
            descriptor: Arc::new(memory_file(name).unwrap()),
            digest: name.to_owned(),
            bytes,
        })
    }

    /// Uses programs of these sizes, one after the other, and ends all uses.
    fn kept_of(sizes: &[u64]) -> Vec<String> {
        let programs = Programs::default();
        let use_one =
            |(at, bytes): (usize, &u64)| programs.insert(program(&at.to_string(), *bytes));
        let ids: Vec<_> = sizes.iter().enumerate().map(use_one).collect();
        for id in ids {
            programs.forget(id);
        }
        let table = programs.table();
        table.kept.iter().map(|kept| kept.digest.clone()).collect()
    }

    #[test]
    fn only_the_last_few_programs_are_kept() {
        let few = vec![1; KEPT_MAX];
        assert_eq!(kept_of(&few).len(), KEPT_MAX);

        let more = vec![1; KEPT_MAX + 1];
        let kept = kept_of(&more);
        assert_eq!((kept.len(), kept[0].as_str()), (KEPT_MAX, "1"));
    }

    #[test]
    fn large_programs_are_kept_only_while_there_is_room() {
        assert_eq!(kept_of(&[1, KEPT_BYTES_MAX - 1]), ["0", "1"]);
        assert_eq!(kept_of(&[1, KEPT_BYTES_MAX]), ["1"]);
        assert!(kept_of(&[KEPT_BYTES_MAX + 1]).is_empty());
    }

    #[test]
    fn what_is_used_again_is_kept_longest_and_once() {
        let programs = Programs::default();
        let [first, second] = [program("first", 1), program("second", 1)];

        for used in [&first, &second, &first] {
            programs.insert(Arc::clone(used));
        }

        let table = programs.table();
        let kept: Vec<_> = table.kept.iter().map(|kept| &*kept.digest).collect();
        assert_eq!(kept, ["second", "first"]);
    }

    #[test]
    fn a_file_that_was_changed_just_now_has_no_fingerprint() {
        let mut stat = rustix::fs::fstat(memory_file("stat").unwrap()).unwrap();
        stat.st_ctime = 1000;
        let mut has_one = |nanoseconds, now_ms| {
            stat.st_ctime_nsec = nanoseconds;
            Fingerprint::of(&stat, Duration::from_millis(now_ms)).is_some()
        };

        // 1000.001 s on a file system that counts finely, 1000 s on any other.
        assert!(!has_one(1_000_000, 1_000_101));
        assert!(has_one(1_000_000, 1_000_102));
        assert!(!has_one(0, 1_003_000));
        assert!(has_one(0, 1_003_001));
    }
}
