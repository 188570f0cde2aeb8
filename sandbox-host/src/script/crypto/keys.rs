//! Keys by number: made, taken in, given out, used.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, Verifier};
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use zeroize::Zeroizing;

use super::super::random::Random;
use super::Refused;
use super::hash::Hash;

/// Keys of one sandbox, a few hundred bytes each. They go with their objects, when
/// the engine looks for garbage.
const KEYS_MAX: usize = 10_000;

/// Bytes of one secret: a longer one is hashed first by everything that takes it.
const SECRET_BYTES_MAX: usize = 64 * 1024;

// PKCS#8 and SPKI of the two 25519 curves: all but the key is always the same
// (RFC 8410). The byte that differs stands where the zero is.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x00, 0x04, 0x22, 0x04, 0x20,
];
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x00, 0x03, 0x21, 0x00,
];
const X25519: u8 = 0x6e;
const ED25519: u8 = 0x70;

/// All keys of a sandbox.
#[derive(Default)]
pub(in crate::script) struct Keys {
    keys: BTreeMap<u32, Key>,
    last: u32,
}

pub(super) enum Key {
    Secret(Zeroizing<Vec<u8>>),
    P256(p256::SecretKey),
    P256Public(p256::PublicKey),
    P384(p384::SecretKey),
    P384Public(p384::PublicKey),
    Ed(Box<ed25519_dalek::SigningKey>),
    EdPublic(ed25519_dalek::VerifyingKey),
    X(x25519_dalek::StaticSecret),
    XPublic(x25519_dalek::PublicKey),
}

impl Keys {
    /// A new key of a kind: `secret` of so many bytes, or the private key of a curve.
    pub(super) fn generate(&mut self, kind: &str, length: u32) -> Result<u32, Refused> {
        let length = match kind {
            "secret" => length as usize,
            "P-384" => 48,
            _ => 32,
        };
        if length > SECRET_BYTES_MAX {
            return Err(data("the key is too long"));
        }
        let format = if kind == "secret" { "raw" } else { "scalar" };
        // A number beyond the curve's order is drawn less than once in 2^32 times.
        loop {
            let failed = |_| ("OperationError", "no random numbers".to_owned());
            let random = Zeroizing::new(Random::bytes(length).map_err(failed)?);
            if let Ok(key) = read(kind, format, &random) {
                return self.enter(key);
            }
        }
    }

    /// Takes a key in.
    pub(super) fn import(
        &mut self,
        kind: &str,
        format: &str,
        bytes: &[u8],
    ) -> Result<u32, Refused> {
        if bytes.len() > SECRET_BYTES_MAX {
            return Err(data("the key is too long"));
        }
        self.enter(read(kind, format, bytes)?)
    }

    /// Gives a key out; whether it may be is for the caller to know.
    pub(super) fn export(&self, key: u32, format: &str) -> Result<Vec<u8>, Refused> {
        self.get(key)?.write(format)
    }

    /// The public key of a private one, as a key of its own.
    pub(super) fn public(&mut self, key: u32) -> Result<u32, Refused> {
        let public = match self.get(key)? {
            Key::P256(key) => Key::P256Public(key.public_key()),
            Key::P384(key) => Key::P384Public(key.public_key()),
            Key::Ed(key) => Key::EdPublic(key.verifying_key()),
            Key::X(key) => Key::XPublic(x25519_dalek::PublicKey::from(key)),
            _ => return Err(access()),
        };
        self.enter(public)
    }

    pub(super) fn forget(&mut self, key: u32) {
        self.keys.remove(&key);
    }

    pub(super) fn get(&self, key: u32) -> Result<&Key, Refused> {
        self.keys.get(&key).ok_or_else(access)
    }

    fn enter(&mut self, key: Key) -> Result<u32, Refused> {
        if self.keys.len() >= KEYS_MAX {
            let reason = format!("there are {KEYS_MAX} keys already");
            return Err(("OperationError", reason));
        }
        self.last += 1;
        self.keys.insert(self.last, key);
        Ok(self.last)
    }
}

impl Key {
    pub(super) fn secret(&self) -> Result<&[u8], Refused> {
        match self {
            Self::Secret(bytes) => Ok(bytes),
            _ => Err(access()),
        }
    }

    /// A signature: HMAC, ECDSA (both numbers, one behind the other) or Ed25519.
    pub(super) fn sign(&self, hash: &str, data: &[u8]) -> Result<Vec<u8>, Refused> {
        let failed = |_| {
            (
                "OperationError",
                "this hash is too short for the curve".to_owned(),
            )
        };
        match self {
            Self::Secret(key) => Hash::named(hash)?.mac(key, data),
            Self::P256(key) => {
                let digest = Hash::named(hash)?.digest(data);
                let signed = p256::ecdsa::SigningKey::from(key).sign_prehash(&digest);
                let signed: p256::ecdsa::Signature = signed.map_err(failed)?;
                Ok(signed.to_bytes().to_vec())
            }
            Self::P384(key) => {
                let digest = Hash::named(hash)?.digest(data);
                let signed = p384::ecdsa::SigningKey::from(key).sign_prehash(&digest);
                let signed: p384::ecdsa::Signature = signed.map_err(failed)?;
                Ok(signed.to_bytes().to_vec())
            }
            Self::Ed(key) => Ok(key.sign(data).to_bytes().to_vec()),
            _ => Err(access()),
        }
    }

    pub(super) fn verify(&self, hash: &str, sign: &[u8], data: &[u8]) -> Result<bool, Refused> {
        match self {
            Self::Secret(key) => Hash::named(hash)?.verify_mac(key, sign, data),
            Self::P256Public(key) => {
                let digest = Hash::named(hash)?.digest(data);
                let key = p256::ecdsa::VerifyingKey::from(key);
                let sign = p256::ecdsa::Signature::from_slice(sign);
                Ok(sign.is_ok_and(|sign| key.verify_prehash(&digest, &sign).is_ok()))
            }
            Self::P384Public(key) => {
                let digest = Hash::named(hash)?.digest(data);
                let key = p384::ecdsa::VerifyingKey::from(key);
                let sign = p384::ecdsa::Signature::from_slice(sign);
                Ok(sign.is_ok_and(|sign| key.verify_prehash(&digest, &sign).is_ok()))
            }
            Self::EdPublic(key) => {
                let sign = ed25519_dalek::Signature::from_slice(sign);
                Ok(sign.is_ok_and(|sign| key.verify(data, &sign).is_ok()))
            }
            _ => Err(access()),
        }
    }

    /// What a private and a public key of one curve have in common.
    pub(super) fn agree(&self, other: &Self) -> Result<Vec<u8>, Refused> {
        match (self, other) {
            (Self::P256(key), Self::P256Public(other)) => {
                Ok(key.diffie_hellman(other).raw_secret_bytes().to_vec())
            }
            (Self::P384(key), Self::P384Public(other)) => {
                Ok(key.diffie_hellman(other).raw_secret_bytes().to_vec())
            }
            (Self::X(key), Self::XPublic(other)) => {
                let shared = key.diffie_hellman(other);
                if !shared.was_contributory() {
                    return Err(("OperationError", "the public key is a weak one".to_owned()));
                }
                Ok(shared.to_bytes().to_vec())
            }
            _ => Err(access()),
        }
    }

    fn write(&self, format: &str) -> Result<Vec<u8>, Refused> {
        let failed = || {
            (
                "OperationError",
                format!("cannot write the key as `{format}`"),
            )
        };
        Ok(match (self, format) {
            (Self::Secret(bytes), "raw") => bytes.to_vec(),
            (Self::P256Public(key), "raw") => key.to_sec1_point(false).as_bytes().to_vec(),
            (Self::P384Public(key), "raw") => key.to_sec1_point(false).as_bytes().to_vec(),
            (Self::EdPublic(key), "raw") => key.to_bytes().to_vec(),
            (Self::XPublic(key), "raw") => key.to_bytes().to_vec(),
            (Self::P256(key), "scalar") => key.to_bytes().to_vec(),
            (Self::P384(key), "scalar") => key.to_bytes().to_vec(),
            (Self::Ed(key), "scalar") => key.to_bytes().to_vec(),
            (Self::X(key), "scalar") => key.to_bytes().to_vec(),
            (Self::P256(key), "pkcs8") => {
                let der = key.to_pkcs8_der().map_err(|_| failed())?;
                der.as_bytes().to_vec()
            }
            (Self::P384(key), "pkcs8") => {
                let der = key.to_pkcs8_der().map_err(|_| failed())?;
                der.as_bytes().to_vec()
            }
            (Self::P256Public(key), "spki") => {
                let der = key.to_public_key_der().map_err(|_| failed())?;
                der.as_bytes().to_vec()
            }
            (Self::P384Public(key), "spki") => {
                let der = key.to_public_key_der().map_err(|_| failed())?;
                der.as_bytes().to_vec()
            }
            (Self::Ed(key), "pkcs8") => framed(&PKCS8, ED25519, key.as_bytes()),
            (Self::X(key), "pkcs8") => framed(&PKCS8, X25519, &key.to_bytes()),
            (Self::EdPublic(key), "spki") => framed(&SPKI, ED25519, key.as_bytes()),
            (Self::XPublic(key), "spki") => framed(&SPKI, X25519, key.as_bytes()),
            _ => return Err(access()),
        })
    }
}

fn read(kind: &str, format: &str, bytes: &[u8]) -> Result<Key, Refused> {
    let wrong = || data(format!("this is no key of `{kind}` in the form `{format}`"));
    let fixed = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| wrong());
    Ok(match (kind, format) {
        ("secret", "raw") => Key::Secret(Zeroizing::new(bytes.to_vec())),
        ("P-256", "raw") => {
            Key::P256Public(p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| wrong())?)
        }
        ("P-256", "spki") => {
            Key::P256Public(p256::PublicKey::from_public_key_der(bytes).map_err(|_| wrong())?)
        }
        ("P-256", "pkcs8") => {
            Key::P256(p256::SecretKey::from_pkcs8_der(bytes).map_err(|_| wrong())?)
        }
        ("P-256", "scalar") if bytes.len() == 32 => {
            Key::P256(p256::SecretKey::from_slice(bytes).map_err(|_| wrong())?)
        }
        ("P-384", "raw") => {
            Key::P384Public(p384::PublicKey::from_sec1_bytes(bytes).map_err(|_| wrong())?)
        }
        ("P-384", "spki") => {
            Key::P384Public(p384::PublicKey::from_public_key_der(bytes).map_err(|_| wrong())?)
        }
        ("P-384", "pkcs8") => {
            Key::P384(p384::SecretKey::from_pkcs8_der(bytes).map_err(|_| wrong())?)
        }
        ("P-384", "scalar") if bytes.len() == 48 => {
            Key::P384(p384::SecretKey::from_slice(bytes).map_err(|_| wrong())?)
        }
        ("Ed25519", "raw") => ed_public(&fixed(bytes)?).ok_or_else(wrong)?,
        ("Ed25519", "spki") => {
            let key = unframed(&SPKI, ED25519, bytes).ok_or_else(wrong)?;
            ed_public(&fixed(key)?).ok_or_else(wrong)?
        }
        ("Ed25519", "scalar") => ed_private(&fixed(bytes)?),
        ("Ed25519", "pkcs8") => {
            ed_private(&fixed(unframed(&PKCS8, ED25519, bytes).ok_or_else(wrong)?)?)
        }
        ("X25519", "raw") => Key::XPublic(fixed(bytes)?.into()),
        ("X25519", "spki") => {
            Key::XPublic(fixed(unframed(&SPKI, X25519, bytes).ok_or_else(wrong)?)?.into())
        }
        ("X25519", "scalar") => Key::X(fixed(bytes)?.into()),
        ("X25519", "pkcs8") => {
            Key::X(fixed(unframed(&PKCS8, X25519, bytes).ok_or_else(wrong)?)?.into())
        }
        _ => return Err(wrong()),
    })
}

fn ed_private(seed: &[u8; 32]) -> Key {
    Key::Ed(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
}

fn ed_public(point: &[u8; 32]) -> Option<Key> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(point).ok()?;
    Some(Key::EdPublic(key))
}

fn frame(frame: &[u8], curve: u8) -> Vec<u8> {
    let mut frame = frame.to_vec();
    // Right behind the identifier's first bytes.
    let at = frame.windows(2).position(|two| two == [0x2b, 0x65]);
    if let Some(byte) = at.and_then(|at| frame.get_mut(at + 2)) {
        *byte = curve;
    }
    frame
}

fn framed(around: &[u8], curve: u8, key: &[u8]) -> Vec<u8> {
    [&frame(around, curve), key].concat()
}

fn unframed<'b>(around: &[u8], curve: u8, bytes: &'b [u8]) -> Option<&'b [u8]> {
    bytes.strip_prefix(frame(around, curve).as_slice())
}

fn data(reason: impl Into<String>) -> Refused {
    ("DataError", reason.into())
}

fn access() -> Refused {
    ("InvalidAccessError", "the key is not for this".to_owned())
}
