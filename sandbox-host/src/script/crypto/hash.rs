//! The four hashes, and what is built of them alone.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Refused;

/// A hash that scripts may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

// The same expression for each hash.
macro_rules! each {
    ($hash:expr, $name:ident => $act:expr) => {
        match $hash {
            Hash::Sha1 => {
                type $name = Sha1;
                $act
            }
            Hash::Sha256 => {
                type $name = Sha256;
                $act
            }
            Hash::Sha384 => {
                type $name = Sha384;
                $act
            }
            Hash::Sha512 => {
                type $name = Sha512;
                $act
            }
        }
    };
}

impl Hash {
    pub(super) fn named(name: &str) -> Result<Self, Refused> {
        match name {
            "SHA-1" => Ok(Self::Sha1),
            "SHA-256" => Ok(Self::Sha256),
            "SHA-384" => Ok(Self::Sha384),
            "SHA-512" => Ok(Self::Sha512),
            other => Err(("NotSupportedError", format!("there is no hash `{other}`"))),
        }
    }

    pub(super) fn digest(self, data: &[u8]) -> Vec<u8> {
        each!(self, H => H::digest(data).to_vec())
    }

    pub(super) fn mac(self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Refused> {
        each!(self, H => {
            let mut mac = Hmac::<H>::new_from_slice(key).map_err(|_| unusable())?;
            mac.update(data);
            Ok(mac.finalize().into_bytes().to_vec())
        })
    }

    // In a time that does not tell how much of it is right.
    pub(super) fn verify_mac(self, key: &[u8], mac: &[u8], data: &[u8]) -> Result<bool, Refused> {
        each!(self, H => {
            let mut own = Hmac::<H>::new_from_slice(key).map_err(|_| unusable())?;
            own.update(data);
            Ok(own.verify_slice(mac).is_ok())
        })
    }

    pub(super) fn expand(
        self,
        key: &[u8],
        salt: &[u8],
        info: &[u8],
        out: &mut [u8],
    ) -> Result<(), Refused> {
        let too_long = |_| {
            (
                "OperationError",
                "so many bits cannot be derived".to_owned(),
            )
        };
        each!(self, H => Hkdf::<H>::new(Some(salt), key).expand(info, out).map_err(too_long))
    }

    pub(super) fn stretch(self, password: &[u8], salt: &[u8], rounds: u32, out: &mut [u8]) {
        each!(self, H => pbkdf2::pbkdf2_hmac::<H>(password, salt, rounds, out));
    }

    /// Bytes of a digest.
    pub(super) const fn length(self) -> u32 {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

fn unusable() -> Refused {
    ("OperationError", "the key cannot be used".to_owned())
}
