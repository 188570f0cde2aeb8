//! `getrandom` 0.4 for programs that live in a sandbox; see `source`.

#[path = "../../random-3/src/source.rs"]
mod source;

pub use source::{Error, fill, u32, u64};

#[cfg(feature = "sys_rng")]
pub use rand_core;

/// The system's random numbers as a generator.
#[cfg(feature = "sys_rng")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SysRng;

#[cfg(feature = "sys_rng")]
impl rand_core::TryRng for SysRng {
    type Error = Error;

    fn try_next_u32(&mut self) -> Result<u32, Error> {
        u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Error> {
        u64()
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Error> {
        fill(into)
    }
}

#[cfg(feature = "sys_rng")]
impl rand_core::TryCryptoRng for SysRng {}
