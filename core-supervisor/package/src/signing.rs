//! Signing, for authors. Keys are those of minisign, in its own files.

use std::io::Cursor;

use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};

use crate::archive::{Unread, read};
use crate::pack::{Unpacked, archive};
use crate::signature::{Key, NotKey, Unverified};

/// Why something was not signed.
#[derive(Debug, thiserror::Error)]
pub enum NotSigned {
    /// No package.
    #[error("{0}")]
    Unread(#[from] Unread),
    /// It would not be one.
    #[error("{0}")]
    Unpacked(#[from] Unpacked),
    /// The key file, or its password.
    #[error("the secret key cannot be used: {0}")]
    Secret(String),
    /// What minisign made is no key.
    #[error("{0}")]
    Key(#[from] NotKey),
    /// What was signed does not verify.
    #[error("{0}")]
    Unverified(#[from] Unverified),
}

/// What opens a secret key's file.
#[derive(Debug, Clone)]
pub enum Password {
    /// Nothing: the file is not encrypted.
    None,
    /// Whoever sits at the terminal is asked.
    Ask,
    /// This.
    Given(String),
}

/// A new pair: the public key, and the text of the secret key's file.
pub fn generate(password: Password) -> Result<(Key, String), NotSigned> {
    let pair = match password {
        Password::Given(password) => KeyPair::generate_encrypted_keypair(Some(password)),
        Password::Ask => KeyPair::generate_encrypted_keypair(None),
        Password::None => KeyPair::generate_unencrypted_keypair(),
    };
    let KeyPair { pk, sk } = pair.map_err(secret)?;
    let key: Key = pk.to_base64().parse()?;
    let comment = format!("minisign secret key of {}", key.id());
    let text = sk.to_box(Some(&comment)).map_err(secret)?;
    Ok((key, text.into_string()))
}

/// The secret key in the text of a file.
pub fn secret_key(text: &str, password: Password) -> Result<SecretKey, NotSigned> {
    let held = SecretKeyBox::from_string(text).map_err(secret)?;
    let key = match password {
        Password::Given(password) => held.into_secret_key(Some(password)),
        Password::Ask => held.into_secret_key(None),
        Password::None => held.into_unencrypted_secret_key(),
    };
    key.map_err(secret)
}

/// Signs a package; a signature that it had gives way.
pub fn sign(package: &[u8], by: &SecretKey) -> Result<(Vec<u8>, Key), NotSigned> {
    let package = read(package)?;
    let public = PublicKey::from_secret_key(by).map_err(secret)?;
    let key: Key = public.to_base64().parse()?;
    let manifest = &package.manifest;
    let signature = minisign::sign(
        Some(&public),
        by,
        Cursor::new(manifest.text()),
        Some(&manifest.title()),
        Some("signature of manifest.json"),
    );
    let signature = signature.map_err(secret)?.into_string();
    key.verify(manifest, &signature)?;
    let bytes = archive(manifest, Some((&signature, &key.file())), package.files())?;
    Ok((bytes, key))
}

#[allow(clippy::needless_pass_by_value)] // the form that `map_err` wants
fn secret(e: minisign::PError) -> NotSigned {
    NotSigned::Secret(e.to_string())
}
