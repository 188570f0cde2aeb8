//! # Allocation — fresh addresses, and those that are given out again
//!
//! Address:  hyperty-runtime://<runtime>/address-allocation
//! Answers:  Create (allocate), Delete (release)   — see protocol::api::allocation
//! Keeps:    the stream of numbers that fresh addresses are made of; reusable
//!           addresses by whose they are, on disk
//! Holds:    a fresh address is given out once; a reusable one goes to whoever had it
//! Not here: who owns them now (rooms/registry)

mod reuse;

use protocol::Address;
use protocol::address::BadAddress;

pub use reuse::{Reuse, ReuseKey};

/// Schemes of which nobody is given an address: they name owners, not objects.
const RESERVED: [&str; 10] = [
    "hyperty",
    "hyperty-runtime",
    "domain",
    "domain-idp",
    "global",
    "mn",
    "user",
    "user-guid",
    "hyperty-catalogue",
    "https",
];

/// The allocation room.
#[derive(Debug)]
pub struct Allocation {
    state: [u64; 4],
    /// What is given out again.
    pub reuse: Reuse,
}

/// Why no address can be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    /// The scheme is not one of objects.
    #[error("`{0}` is not a scheme of data objects")]
    Reserved(String),
    /// The scheme or the domain do not make an address.
    #[error(transparent)]
    Bad(#[from] BadAddress),
}

impl Allocation {
    /// Starts from a seed that nobody can guess.
    pub fn new(seed: [u8; 32]) -> Self {
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(seed.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        }
        // An all-zero state would stay zero for ever.
        if state == [0; 4] {
            state = [1, 2, 3, 4];
        }
        Self {
            state,
            reuse: Reuse::default(),
        }
    }

    /// A fresh address of an object scheme.
    pub fn object(&mut self, scheme: &str, domain: &str) -> Result<Address, NoAddress> {
        if RESERVED
            .iter()
            .any(|reserved| reserved.eq_ignore_ascii_case(scheme))
            || scheme.eq_ignore_ascii_case("runtime")
        {
            return Err(NoAddress::Reserved(scheme.to_owned()));
        }
        Ok(self.fresh(scheme, domain, "")?)
    }

    /// A fresh address `scheme://domain/[folder/]uuid`.
    pub fn fresh(
        &mut self,
        scheme: &str,
        domain: &str,
        folder: &str,
    ) -> Result<Address, BadAddress> {
        format!("{scheme}://{domain}/{folder}{}", self.uuid()).parse()
    }

    /// A fresh identifier.
    pub fn identifier(&mut self) -> String {
        self.uuid()
    }

    /// Random bytes for a nonce.
    pub fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        for bytes in nonce.chunks_exact_mut(8) {
            bytes.copy_from_slice(&self.number().to_le_bytes());
        }
        nonce
    }

    // xoshiro256**: not for secrets, which the shell draws from the kernel.
    /// The next number of the stream.
    pub fn number(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    // Version 4, as RFC 9562 writes it.
    fn uuid(&mut self) -> String {
        let (high, low) = (self.number(), self.number());
        let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}
