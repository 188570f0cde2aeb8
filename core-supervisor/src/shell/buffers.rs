//! Byte buffers that go from link to link, so that idle links keep none.

/// Buffers that wait for their next use.
///
/// More are needed only while that many links are blocked or in the middle of a
/// frame at once; those pay with an allocation.
const KEPT_MAX: usize = 64;

/// Memory that all waiting buffers may hold together, in bytes.
///
/// A few frames of the largest kind; an idle core shall stay small.
const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The pool.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    free: Vec<Vec<u8>>,
    bytes: usize,
}

impl Buffers {
    /// An empty buffer, with memory if some waits.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let buffer = self.free.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    /// Takes the memory of a buffer that is not needed now; its bytes are lost.
    pub(super) fn give(&mut self, buffer: &mut Vec<u8>) {
        let mut buffer = std::mem::take(buffer);
        let capacity = buffer.capacity();
        let fits = self.free.len() < KEPT_MAX && self.bytes + capacity <= KEPT_BYTES_MAX;
        if capacity > 0 && fits {
            buffer.clear();
            self.bytes += capacity;
            self.free.push(buffer);
        }
    }
}
