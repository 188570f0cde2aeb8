//! Signing in without telling the password (RFC 5802, RFC 7677).
//!
//! Both ends prove that they know it: a server that cannot is not believed, even
//! when it says that we are let in.

use std::num::NonZeroU32;

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::limits::ROUNDS;

/// The hash of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SCRAM-SHA-512.
    Sha512,
    /// SCRAM-SHA-256.
    Sha256,
    /// SCRAM-SHA-1, which old servers have alone; sound in this use.
    Sha1,
}

impl Hash {
    /// All of them, the best first, with the names of their mechanisms.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Sha512, "SCRAM-SHA-512"),
        (Self::Sha256, "SCRAM-SHA-256"),
        (Self::Sha1, "SCRAM-SHA-1"),
    ];

    fn bytes(self) -> usize {
        match self {
            Self::Sha512 => 64,
            Self::Sha256 => 32,
            Self::Sha1 => 20,
        }
    }

    fn rounds(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        }
    }

    fn keyed(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha512 => hmac::HMAC_SHA512,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        };
        let key = hmac::Key::new(algorithm, key);
        hmac::sign(&key, text).as_ref().to_vec()
    }

    fn of(self, text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha512 => &digest::SHA512,
            Self::Sha256 => &digest::SHA256,
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        };
        digest::digest(algorithm, text).as_ref().to_vec()
    }
}

/// Why the other end is not believed, or cannot be told who we are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotProved {
    /// Characters that no password may have (RFC 4013).
    #[error("the account's name or password has characters that none may have")]
    Password,
    /// Its challenge is none.
    #[error("its challenge makes no sense")]
    Challenge,
    /// It repeats another exchange, or somebody else's.
    #[error("its challenge is for somebody else")]
    Nonce,
    /// Too few rounds to be safe, or more than anybody needs.
    #[error("it wants {0} rounds of the hash, and {min} to {max} are made", min = ROUNDS.start(), max = ROUNDS.end())]
    Rounds(u32),
    /// It does not know the password itself.
    #[error("it does not prove that it knows the account: is it the right server?")]
    Server,
}

/// One sign-in.
#[derive(Debug)]
pub struct Scram {
    hash: Hash,
    password: String,
    nonce: String,
    first: String,
    expected: Vec<u8>,
}

impl Scram {
    /// Begins one with a nonce that nobody can guess.
    ///
    /// # Errors
    /// [`NotProved::Password`].
    pub fn new(hash: Hash, user: &str, password: &str, nonce: &str) -> Result<Self, NotProved> {
        let prepared = |text| stringprep::saslprep(text).map_err(|_| NotProved::Password);
        let user = prepared(user)?.replace('=', "=3D").replace(',', "=2C");
        Ok(Self {
            hash,
            password: prepared(password)?.into_owned(),
            nonce: nonce.to_owned(),
            first: format!("n={user},r={nonce}"),
            expected: Vec::new(),
        })
    }

    /// What is said first.
    pub fn first(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// The answer to the server's challenge.
    ///
    /// # Errors
    /// [`NotProved`] when the challenge is not to be answered.
    pub fn answer(&mut self, challenge: &str) -> Result<String, NotProved> {
        let mut parts = challenge.split(',');
        let mut part = |name: &str| parts.next()?.strip_prefix(name);
        let nonce = part("r=").ok_or(NotProved::Challenge)?;
        let salt = part("s=").and_then(|salt| STANDARD.decode(salt).ok());
        let salt = salt.ok_or(NotProved::Challenge)?;
        let rounds: u32 = part("i=")
            .and_then(|rounds| rounds.parse().ok())
            .ok_or(NotProved::Challenge)?;
        let theirs = nonce.strip_prefix(&self.nonce).unwrap_or_default();
        if theirs.is_empty() {
            return Err(NotProved::Nonce);
        }
        if !ROUNDS.contains(&rounds) {
            return Err(NotProved::Rounds(rounds));
        }
        let salted = self.salted(&salt, rounds)?;
        let last = format!("c=biws,r={nonce}");
        let all = format!("{},{challenge},{last}", self.first);
        let client = self.hash.keyed(&salted, b"Client Key");
        let signature = self.hash.keyed(&self.hash.of(&client), all.as_bytes());
        let proof: Vec<_> = client.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let server = self.hash.keyed(&salted, b"Server Key");
        self.expected = self.hash.keyed(&server, all.as_bytes());
        Ok(format!("{last},p={}", STANDARD.encode(proof)))
    }

    /// What the server says in the end: whether it knows the account as well.
    ///
    /// # Errors
    /// [`NotProved::Server`].
    pub fn check(&self, last: &str) -> Result<(), NotProved> {
        let signature = last
            .strip_prefix("v=")
            .and_then(|rest| rest.split(',').next());
        let signature = signature.and_then(|signature| STANDARD.decode(signature).ok());
        let signature = signature.filter(|_| !self.expected.is_empty());
        let proved = signature.map(|signature| {
            constant_time::verify_slices_are_equal(&signature, &self.expected).is_ok()
        });
        proved
            .filter(|proved| *proved)
            .map(|_| ())
            .ok_or(NotProved::Server)
    }

    fn salted(&self, salt: &[u8], rounds: u32) -> Result<Vec<u8>, NotProved> {
        let rounds = NonZeroU32::new(rounds).ok_or(NotProved::Challenge)?;
        let mut salted = vec![0; self.hash.bytes()];
        pbkdf2::derive(
            self.hash.rounds(),
            rounds,
            salt,
            self.password.as_bytes(),
            &mut salted,
        );
        Ok(salted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7677 §3.
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                             s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn begun() -> Scram {
        Scram::new(Hash::Sha256, "user", "pencil", NONCE).unwrap()
    }

    #[test]
    fn an_exchange_is_that_of_the_standard() {
        let mut scram = begun();

        let answer = scram.answer(CHALLENGE).unwrap();

        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        assert_eq!(
            answer,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let proof = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(scram.check(proof), Ok(()));
        assert_eq!(scram.check("v=AAAA"), Err(NotProved::Server));
        assert_eq!(scram.check(""), Err(NotProved::Server));
    }

    // RFC 5802 §5.
    #[test]
    fn the_older_hash_is_that_of_the_standard() {
        let nonce = "fyko+d2lbbFgONRv9qkxdawL";
        let mut scram = Scram::new(Hash::Sha1, "user", "pencil", nonce).unwrap();

        let challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        let answer = scram.answer(challenge).unwrap();

        assert!(
            answer.ends_with(",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
            "{answer}"
        );
        assert_eq!(scram.check("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), Ok(()));
    }

    #[test]
    fn a_challenge_that_is_wrong_is_not_answered() {
        let answer = |challenge: &str| begun().answer(challenge).unwrap_err();
        let with = |rounds: u32| CHALLENGE.replace("4096", &rounds.to_string());

        assert_eq!(answer(""), NotProved::Challenge);
        assert_eq!(answer("e=other-error"), NotProved::Challenge);
        assert_eq!(answer("m=x,r=a,s=b,i=4096"), NotProved::Challenge);
        assert_eq!(answer(&CHALLENGE.replace("rOpr", "xOpr")), NotProved::Nonce);
        assert_eq!(
            answer(&format!("r={NONCE},s=W22Z,i=4096")),
            NotProved::Nonce
        );
        assert_eq!(answer(&with(ROUNDS.start() - 1)), NotProved::Rounds(4_095));
        assert_eq!(answer(&with(ROUNDS.end() + 1)), NotProved::Rounds(500_001));
        assert!(begun().answer(&with(*ROUNDS.end())).is_ok());
    }

    #[test]
    fn nobody_is_believed_before_the_challenge() {
        assert_eq!(begun().check("v="), Err(NotProved::Server));
    }

    #[test]
    fn names_and_passwords_are_made_ready() {
        let scram = Scram::new(Hash::Sha256, "a=b,c", "p\u{aa}", "n").unwrap();

        assert_eq!(scram.first(), "n,,n=a=3Db=2Cc,r=n");
        assert_eq!(scram.password, "pa");
        let bad = Scram::new(Hash::Sha256, "a", "p\u{7}", "n");
        assert_eq!(bad.unwrap_err(), NotProved::Password);
    }
}
