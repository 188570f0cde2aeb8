//! Programs that are ready to be executed: sealed copies that no file leads to.
//!
//! What was hashed is what will run: the bytes are hashed on their way into a
//! memory file that is then sealed against every change, and a host executes
//! that descriptor. Changing the file in the catalogue changes nothing (PK-06).

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustix::fs::{MemfdFlags, Mode, SealFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::ids::ProgramId;
use crate::rooms::catalogue::elf;
use crate::rooms::catalogue::limits::PROGRAM_BYTES_MAX;

/// The programs that deployments use. Cheap to clone; all clones are one table.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    in_use: HashMap<ProgramId, Arc<Sealed>>,
    // Only what a deployment uses is kept in memory, hence the weak ends.
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
    changed: (i64, i64),
}

impl Fingerprint {
    /// Of a file that has not been changed for a while.
    ///
    /// Two changes within one tick of the file system's clock leave the same
    /// fingerprint; a file that was changed just now therefore has none.
    #[allow(clippy::useless_conversion)] // the types of `stat` differ between machines
    pub(super) fn of(stat: &Stat, now_s: i64) -> Option<Self> {
        let seconds = i64::try_from(stat.st_ctime).ok()?;
        (seconds.checked_add(2)? < now_s).then_some(())?;
        Some(Self {
            device: u64::from(stat.st_dev),
            inode: u64::from(stat.st_ino),
            size: i64::try_from(stat.st_size).ok()?,
            changed: (seconds, i64::try_from(stat.st_ctime_nsec).ok()?),
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
        table.in_use.insert(id, sealed);
        id
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

    /// Ends the use of a program.
    pub fn forget(&self, id: ProgramId) {
        let mut table = self.table();
        table.in_use.remove(&id);
        table
            .by_digest
            .retain(|_, sealed| sealed.strong_count() > 0);
        table.by_file.retain(|_, sealed| sealed.strong_count() > 0);
    }

    /// The sealed copy of a file in exactly this state, when a deployment uses it.
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
