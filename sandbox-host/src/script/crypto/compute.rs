//! Ciphers and derivations: what needs a secret and gives bytes.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use aes_gcm::{AesGcm, Nonce};

use super::hash::Hash;
use super::{Refused, bytes};

/// Rounds of PBKDF2, times the blocks that are asked for.
///
/// They run in one turn, which nothing interrupts: a million take about half a
/// second, and after four seconds of silence the core ends the sandbox. What is
/// recommended for passwords is 600 000.
const ROUNDS_MAX: u64 = 1_000_000;

/// Bytes that one derivation gives.
const DERIVED_BYTES_MAX: u32 = 64 * 1024;

/// Encrypts or decrypts with AES-GCM; the tag stands behind the text.
pub(super) fn aes_gcm(
    key: &[u8],
    word: &str,
    iv: &[u8],
    more: &[u8],
    data: &[u8],
) -> Result<Vec<u8>, Refused> {
    let nonce = Nonce::<U12>::try_from(iv).map_err(|_| {
        let reason = format!("an `iv` of {} bytes is not supported: say 12", iv.len());
        ("NotSupportedError", reason)
    })?;
    match key.len() {
        16 => with::<AesGcm<Aes128, U12>>(key, word, &nonce, more, data),
        24 => with::<AesGcm<Aes192, U12>>(key, word, &nonce, more, data),
        _ => with::<AesGcm<Aes256, U12>>(key, word, &nonce, more, data),
    }
}

fn with<C: Aead<NonceSize = U12> + KeyInit>(
    key: &[u8],
    word: &str,
    nonce: &Nonce<U12>,
    aad: &[u8],
    msg: &[u8],
) -> Result<Vec<u8>, Refused> {
    let failed = || ("OperationError", format!("cannot {word}"));
    let cipher = C::new_from_slice(key).map_err(|_| failed())?;
    let payload = Payload { msg, aad };
    let done = match word {
        "encrypt" => cipher.encrypt(nonce, payload),
        _ => cipher.decrypt(nonce, payload),
    };
    done.map_err(|_| failed())
}

/// Derives so many bytes: `[HKDF, hash, salt, info]` or `[PBKDF2, hash, salt]` and rounds.
pub(super) fn derive(
    secret: &[u8],
    how: &[String],
    rounds: u32,
    length: u32,
) -> Result<Vec<u8>, Refused> {
    let word = |at: usize| how.get(at).map_or("", String::as_str);
    let hash = Hash::named(word(1))?;
    let salt = bytes(word(2))?;
    if length > DERIVED_BYTES_MAX {
        let reason = format!("{length} bytes are more than {DERIVED_BYTES_MAX}");
        return Err(("OperationError", reason));
    }
    let mut out = vec![0; length as usize];
    if word(0) == "HKDF" {
        hash.expand(secret, &salt, &bytes(word(3))?, &mut out)?;
        return Ok(out);
    }
    let blocks = u64::from(length.div_ceil(hash.length()).max(1));
    if rounds == 0 || u64::from(rounds) * blocks > ROUNDS_MAX {
        let reason = format!(
            "{rounds} iterations for {blocks} blocks are not between 1 and {ROUNDS_MAX} in all"
        );
        return Err(("OperationError", reason));
    }
    hash.stretch(secret, &salt, rounds, &mut out);
    Ok(out)
}
