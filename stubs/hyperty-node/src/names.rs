//! Words that nobody can guess: runtime tokens and new addresses.

use sha2::{Digest, Sha256};

/// Makes words from a secret and a counter.
///
/// The secret is new at each start, so that no word comes twice; with a known one
/// a simulation can be played again.
pub struct Names {
    secret: [u8; 32],
    count: u64,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

impl Names {
    /// Starts from 32 random bytes.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self { secret, count: 0 }
    }

    /// 128 bits as 32 hexadecimal digits.
    pub fn token(&mut self) -> String {
        hex(&self.next("token"))
    }

    /// A UUID of version 4 (RFC 9562).
    pub fn uuid(&mut self) -> String {
        let mut bytes = self.next("uuid");
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let digits = hex(&bytes);
        let part = |range| digits.get(range).unwrap_or_default();
        format!(
            "{}-{}-{}-{}-{}",
            part(0..8),
            part(8..12),
            part(12..16),
            part(16..20),
            part(20..32)
        )
    }

    fn next(&mut self, purpose: &str) -> [u8; 16] {
        self.count += 1;
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(self.count.to_le_bytes());
        hash.update(purpose);
        let digest: [u8; 32] = hash.finalize().into();
        let [half, _] = halves(&digest);
        half
    }
}

fn halves(digest: &[u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    for (half, chunk) in halves.iter_mut().zip(digest.chunks_exact(16)) {
        half.copy_from_slice(chunk);
    }
    halves
}

/// Hexadecimal digits, lower case.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 of a text, in hexadecimal digits.
pub fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}
