//! The memory of slots: made, handed out by its two ends, sealed.
//!
//! Two descriptors of one memory file, opened apart: they share neither a
//! position nor flags, so nothing goes from the reading end to the writing one.
//! The file keeps its size, is never executed, and is opened by nobody else.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use protocol::limits::SLOT_BYTES;
use rustix::fs::{
    MemfdFlags, Mode, OFlags, SealFlags, fchmod, fcntl_add_seals, ftruncate, memfd_create, open,
};
use rustix::io::{Errno, Result};

use crate::ids::SlotId;

/// The writing end of each slot, by which it is sealed in the end.
#[derive(Debug, Default)]
pub(super) struct Slots {
    memory: BTreeMap<SlotId, Arc<OwnedFd>>,
}

impl Slots {
    /// Makes a slot; gives its reading end.
    pub(super) fn make(&mut self, slot: SlotId) -> Result<Arc<OwnedFd>> {
        let memory = memory_file()?;
        ftruncate(&memory, SLOT_BYTES as u64)?;
        // Not yet against further seals: `seal` adds the one against writing.
        fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW)?;
        let reading = reading_end(&memory)?;
        fchmod(&memory, Mode::empty())?;
        self.memory.insert(slot, Arc::new(memory));
        Ok(Arc::new(reading))
    }

    /// The writing end of a slot.
    pub(super) fn writing_end(&self, slot: SlotId) -> Option<Arc<OwnedFd>> {
        self.memory.get(&slot).map(Arc::clone)
    }

    /// How many descriptors are held.
    pub(super) fn descriptors(&self) -> usize {
        self.memory.len()
    }

    /// Ends all writing to a slot, also by who kept its descriptor, and forgets it.
    ///
    /// This seal waits for nobody. It leaves shared mappings as they are, but a
    /// sandbox can have none (`policies/sandbox/native.toml`).
    pub(super) fn seal(&mut self, slot: SlotId) {
        if let Some(memory) = self.memory.remove(&slot)
            && let Err(error) = fcntl_add_seals(&memory, SealFlags::FUTURE_WRITE)
        {
            tracing::error!(%slot, %error, "a slot cannot be sealed");
        }
    }
}

fn memory_file() -> Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // A kernel before 6.3 does not know the flag; there the file is not executed
    // because the profiles permit no such call.
    match memfd_create("slot", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create("slot", flags),
        made => made,
    }
}

// Its reads leave no time of access behind, which the writing end could look at.
fn reading_end(memory: &OwnedFd) -> Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOATIME;
    open(path, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::{pread, pwrite};

    use super::*;

    const SLOT: SlotId = SlotId(1);

    fn made() -> (Slots, Arc<OwnedFd>, Arc<OwnedFd>) {
        let mut slots = Slots::default();
        let reading = slots.make(SLOT).unwrap();
        let writing = slots.writing_end(SLOT).unwrap();
        (slots, writing, reading)
    }

    #[test]
    fn what_the_writing_end_writes_the_reading_end_reads() {
        let (_slots, writing, reading) = made();
        let mut bytes = [0; 4];

        assert_eq!(pwrite(&writing, b"body", 7), Ok(4));

        assert_eq!(pread(&reading, &mut bytes, 7), Ok(4));
        assert_eq!(&bytes, b"body");
    }

    #[test]
    fn the_reading_end_writes_nothing_and_cannot_be_made_to() {
        let (_slots, _writing, reading) = made();
        let path = format!("/proc/self/fd/{}", reading.as_raw_fd());

        assert_eq!(pwrite(&reading, b"x", 0), Err(Errno::BADF));
        assert!(fcntl_add_seals(&reading, SealFlags::WRITE).is_err());
        if !rustix::process::geteuid().is_root() {
            let again = open(path, OFlags::RDWR, Mode::empty());
            assert_eq!(again.map(drop), Err(Errno::ACCESS));
        }
    }

    #[test]
    fn a_slot_keeps_its_size() {
        let (_slots, writing, _reading) = made();
        let end = SLOT_BYTES as u64;

        assert_eq!(pwrite(&writing, b"x", end - 1), Ok(1));
        assert_eq!(pwrite(&writing, b"x", end), Err(Errno::PERM));
        assert_eq!(ftruncate(&writing, end - 1), Err(Errno::PERM));
        assert_eq!(ftruncate(&writing, end + 1), Err(Errno::PERM));
    }

    #[test]
    fn a_sealed_slot_is_written_by_nobody_and_still_read() {
        let (mut slots, writing, reading) = made();
        pwrite(&writing, b"before", 0).unwrap();
        let mut bytes = [0; 6];

        slots.seal(SLOT);

        assert_eq!(pwrite(&writing, b"after!", 0), Err(Errno::PERM));
        let hole = fallocate(
            &writing,
            FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
            0,
            6,
        );
        assert_eq!(hole, Err(Errno::PERM));
        assert_eq!(pread(&reading, &mut bytes, 0), Ok(6));
        assert_eq!(&bytes, b"before");
        assert_eq!(slots.descriptors(), 0);
    }

    #[test]
    fn reading_leaves_no_time_behind() {
        let (_slots, writing, reading) = made();
        let before = rustix::fs::fstat(&writing).unwrap();

        for at in 0..100 {
            pread(&reading, &mut [0; 4096], at * 4096).unwrap();
        }

        let after = rustix::fs::fstat(&writing).unwrap();
        let time = |stat: &rustix::fs::Stat| (stat.st_atime, stat.st_atime_nsec);
        assert_eq!(time(&after), time(&before));
    }
}
