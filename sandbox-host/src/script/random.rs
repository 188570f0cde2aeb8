//! Random numbers from the system, taken in advance.
//!
//! One system call serves many `Math.random`; the engine's own generator is
//! seeded from the clock.
//!
//! Not the crate `getrandom`: in a static program it does not find libc's
//! function, and would open `/dev/urandom`, which is not there any more.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// Bytes taken from the system at once.
const STOCK: usize = 512;

#[derive(Debug)]
pub(super) struct Random {
    stock: [u8; STOCK],
    used: usize,
}

impl Default for Random {
    fn default() -> Self {
        Self {
            stock: [0; STOCK],
            used: STOCK,
        }
    }
}

impl Random {
    /// A number from 0 up to, and without, 1.
    pub(super) fn number(&mut self) -> Result<f64, Errno> {
        if self.used >= STOCK {
            fill(&mut self.stock)?;
            self.used = 0;
        }
        let chunk = self
            .stock
            .get(self.used..)
            .and_then(|rest| rest.first_chunk::<8>());
        self.used += 8;
        let bits = chunk.map_or(0, |bytes| u64::from_le_bytes(*bytes)) >> 11;
        // 53 bits: as many as the fraction of a number holds, so none is rounded to 1.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
        Ok(bits as f64 / (1_u64 << 53) as f64)
    }

    pub(super) fn bytes(count: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; count];
        fill(&mut bytes)?;
        Ok(bytes)
    }
}

// A long request may be answered in part.
fn fill(mut rest: &mut [u8]) -> Result<(), Errno> {
    while !rest.is_empty() {
        let count = match getrandom(&mut *rest, GetRandomFlags::empty()) {
            Ok(count) => count,
            Err(Errno::INTR) => 0,
            Err(error) => return Err(error),
        };
        rest = rest.get_mut(count..).unwrap_or_default();
    }
    Ok(())
}
