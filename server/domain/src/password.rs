//! Passwords: length limits, and hashing with argon2id in the PHC string format.
//!
//! The caller passes in the memory for hashing and pools it: an allocation per hash makes a busy server grow by
//! hundreds of megabytes.
//!
//! PHC strings are read and written here and not by the crate `password-hash`: exactly one algorithm, version and set of
//! parameters is accepted, so after a general parser every check below would still be needed.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use rand_core::CryptoRng;
use std::fmt;
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Shortest accepted password in UTF-16 units (NIST SP 800-63B-4 §3.1.1.2: 8 in combination with a second factor).
pub const SHORTEST: usize = 8;
/// Longest accepted password in UTF-16 units; longer ones are refused, never truncated (NIST requires at least 64).
pub const LONGEST: usize = 128;

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordPolicyViolation {
    /// Fewer than [`SHORTEST`] UTF-16 units.
    TooShort,
    /// More than [`LONGEST`] UTF-16 units.
    TooLong,
}

/// A password in the form that is hashed: NFKC, so that the same text typed on different keyboards is the same password.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// Takes any text as a password to be checked. Text longer than any stored password is not normalised, which would
    /// cost time.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        if text.encode_utf16().take(LONGEST + 1).count() > LONGEST {
            Self(String::new())
        } else {
            Self(text.nfkc().collect())
        }
    }

    /// Takes text as a new password.
    ///
    /// # Errors
    /// If it is too short or too long. The text is counted as typed, in UTF-16 units, as browsers count.
    pub fn chosen(text: &str) -> Result<Self, PasswordPolicyViolation> {
        match text.encode_utf16().take(LONGEST + 1).count() {
            0..SHORTEST => Err(PasswordPolicyViolation::TooShort),
            SHORTEST..=LONGEST => Ok(Self(text.nfkc().collect())),
            _ => Err(PasswordPolicyViolation::TooLong),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password([redacted])")
    }
}

/// Work factors of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB, which is also the number of [`Block`]s.
    pub memory: u32,
    /// Passes over that memory.
    pub passes: u32,
}

impl Cost {
    /// For passwords: OWASP's first recommendation, 19 MiB and two passes.
    pub const PASSWORD: Self = Self { memory: 19_456, passes: 2 };
    /// For backup codes: 1 MiB and one pass. They are random (51 bits or more), so guessing them is hard
    /// already, and NIST SP 800-63B-4 §3.1.2 allows little work.
    pub const BACKUP_CODE: Self = Self { memory: 1_024, passes: 1 };

    fn params(self) -> Option<Params> {
        Params::new(self.memory, self.passes, 1, Some(HASH_BYTES)).ok()
    }
}

/// A salted argon2id hash and its work factors.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    cost: Cost,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

impl PasswordHash {
    /// Hashes `password` with a fresh salt.
    #[must_use]
    pub fn make(password: &Password, cost: Cost, random: &mut dyn CryptoRng, memory: &mut Vec<Block>) -> Self {
        Self::of(password.0.as_bytes(), cost, random, memory)
    }

    pub(crate) fn of(text: &[u8], cost: Cost, random: &mut dyn CryptoRng, memory: &mut Vec<Block>) -> Self {
        let mut salt = [0; SALT_BYTES];
        random.fill_bytes(&mut salt);
        Self { cost, salt, hash: *derive(text, &salt, cost, memory) }
    }

    /// A hash that no password matches and that costs as much to check as a real one; used where there is no account, so
    /// that response times do not reveal it (attack 44).
    #[must_use]
    pub const fn of_nobody(cost: Cost) -> Self {
        // No password is known to hash to zeroes, and to find one would take 2^256 tries.
        Self { cost, salt: [0; SALT_BYTES], hash: [0; HASH_BYTES] }
    }

    /// Whether this is the hash of `password`.
    #[must_use]
    pub fn matches(&self, password: &Password, memory: &mut Vec<Block>) -> bool {
        self.matches_bytes(password.0.as_bytes(), memory)
    }

    pub(crate) fn matches_bytes(&self, text: &[u8], memory: &mut Vec<Block>) -> bool {
        derive(text, &self.salt, self.cost, memory).ct_eq(&self.hash).into()
    }

    /// Whether the password should be hashed again because the configured cost is another one.
    #[must_use]
    pub fn is_outdated(&self, current: Cost) -> bool {
        self.cost != current
    }

    /// Reads the PHC string that [`PasswordHash::to_text`] writes; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$m=")?;
        let (memory, rest) = rest.split_once(",t=")?;
        let (passes, rest) = rest.split_once(",p=1$")?;
        let (salt, hash) = rest.split_once('$')?;
        let cost = Cost { memory: memory.parse().ok()?, passes: passes.parse().ok()? };
        cost.params()?;
        let decode = |field: &str| BASE64_NOPAD.decode(field.as_bytes()).ok();
        Some(Self { cost, salt: decode(salt)?.try_into().ok()?, hash: decode(hash)?.try_into().ok()? })
    }

    /// The PHC string: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Cost { memory, passes } = self.cost;
        let (salt, hash) = (BASE64_NOPAD.encode(&self.salt), BASE64_NOPAD.encode(&self.hash));
        format!("$argon2id$v=19$m={memory},t={passes},p=1${salt}${hash}")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash([redacted])")
    }
}

fn derive(text: &[u8], salt: &[u8], cost: Cost, memory: &mut Vec<Block>) -> Zeroizing<[u8; HASH_BYTES]> {
    let params = cost.params().expect("a cost is a constant or was checked when it was parsed");
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut hash = Zeroizing::new([0; HASH_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(text, salt, hash.as_mut(), &mut memory[..blocks])
        .expect("salt, output and memory have the sizes the parameters ask for");
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const QUICK: Cost = Cost { memory: 64, passes: 1 };

    #[test]
    fn a_hash_survives_its_text_and_matches_only_its_password() {
        let mut memory = Vec::new();
        let password = Password::chosen("correct horse").expect("long enough");
        let hash = PasswordHash::make(&password, QUICK, &mut ChaCha20Rng::seed_from_u64(1), &mut memory);
        let read = PasswordHash::parse(&hash.to_text()).expect("its own text");
        assert!(read.matches(&password, &mut memory));
        assert!(!read.matches(&Password::presented("correct horse "), &mut memory));
        assert!(!PasswordHash::of_nobody(QUICK).matches(&Password::presented(""), &mut memory));
        assert!(read.is_outdated(Cost::PASSWORD) && !read.is_outdated(QUICK));
    }

    /// The crate's own vector from the PHC winner's test suite: argon2id, version 0x13, m = 65536, t = 2, p = 1.
    #[test]
    fn the_derivation_is_argon2id() {
        let mut memory = Vec::new();
        let hash = derive(b"password", b"somesalt", Cost { memory: 65_536, passes: 2 }, &mut memory);
        assert_eq!(
            data_encoding::HEXLOWER.encode(hash.as_slice()),
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
        );
    }

    #[test]
    fn limits_are_counted_in_utf16_units_and_nothing_is_cut() {
        assert_eq!(Password::chosen("1234567").unwrap_err(), PasswordPolicyViolation::TooShort);
        assert!(Password::chosen("12345678").is_ok());
        assert!(Password::chosen("𝒳𝒳𝒳𝒳").is_ok(), "four characters beyond the BMP are eight units");
        assert!(Password::chosen(&"x".repeat(128)).is_ok());
        assert_eq!(Password::chosen(&"x".repeat(129)).unwrap_err(), PasswordPolicyViolation::TooLong);
        assert_eq!(Password::chosen(&"x".repeat(1_000_000)).unwrap_err(), PasswordPolicyViolation::TooLong);
    }

    #[test]
    fn composed_and_decomposed_letters_are_the_same_password() {
        let mut memory = Vec::new();
        let composed = Password::chosen("p\u{e4}ssw\u{f6}rter").expect("fits");
        let hash = PasswordHash::make(&composed, QUICK, &mut ChaCha20Rng::seed_from_u64(2), &mut memory);
        assert!(hash.matches(&Password::presented("pa\u{308}sswo\u{308}rter"), &mut memory));
    }

    #[test]
    fn odd_hashes_are_not_read() {
        for text in [
            "",
            "$argon2id$v=19$m=0,t=0,p=1$AA$AA",
            "$argon2i$v=19$m=64,t=1,p=1$AA$AA",
            "plain",
            "$argon2id$v=19$m=99999999999,t=1,p=1$AA$AA",
        ] {
            assert!(PasswordHash::parse(text).is_none(), "{text}");
        }
    }
}
