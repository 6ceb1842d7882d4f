//! Passwords: length limits, a blocklist, and hashing with argon2id in the PHC string format.
//!
//! The caller passes in the memory for hashing and pools it: an allocation per hash makes a busy server grow by
//! hundreds of megabytes.
//!
//! PHC strings are read and written here and not by the crate `password-hash`: exactly one algorithm, version and set of
//! parameters is accepted, so after a general parser every check below would still be needed.

mod blocklist;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use rand_core::CryptoRng;
use std::fmt;
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Shortest password that may be accepted (NIST SP 800-63B-4 §3.1.1.2: 8 in combination with a second factor); operators may ask
/// for longer ones. Lengths are code points of the form that is hashed.
pub const SHORTEST: usize = 8;
/// Longest accepted password; longer ones are refused, never truncated (NIST requires at least 64).
pub const LONGEST: usize = 128;
/// Code points as typed that are looked at. NFKC composes several into one, so that an accepted password may be typed with more
/// than [`LONGEST`]; a text of more than this is never one.
const LONGEST_TYPED: usize = 4 * LONGEST;

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordPolicyViolation {
    /// Fewer code points than are asked for.
    TooShort { shortest: usize },
    /// More than [`LONGEST`] code points.
    TooLong,
    /// Among those that an attacker tries first.
    Common,
}

/// What a new password is compared with, besides the list of common ones.
#[derive(Clone, Copy, Debug)]
pub struct Blocklist<'a> {
    /// Names of the user and of the service.
    pub names: &'a [&'a str],
}

/// A password in the form that is hashed: NFKC, so that the same text typed on different keyboards is the same password.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// Takes any text as a password to be checked. Text longer than any stored password is not normalised, which would
    /// cost time.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        if is_too_long(text) { Self(String::new()) } else { Self(text.nfkc().collect()) }
    }

    /// Takes text as a new password, of `shortest` code points at least; `blocklist` is `None` where the operator has switched it off.
    ///
    /// # Errors
    /// If it is too short, too long, or on the blocklist.
    pub fn chosen(
        text: &str,
        shortest: usize,
        blocklist: Option<Blocklist<'_>>,
    ) -> Result<Self, PasswordPolicyViolation> {
        if is_too_long(text) {
            return Err(PasswordPolicyViolation::TooLong);
        }
        let password = Self(text.nfkc().collect());
        let shortest = shortest.max(SHORTEST);
        match password.0.chars().count() {
            length if length < shortest => Err(PasswordPolicyViolation::TooShort { shortest }),
            ..=LONGEST => match blocklist {
                Some(Blocklist { names }) if blocklist::holds(&password.0, names) => {
                    Err(PasswordPolicyViolation::Common)
                }
                _ => Ok(password),
            },
            _ => Err(PasswordPolicyViolation::TooLong),
        }
    }
}

fn is_too_long(text: &str) -> bool {
    text.chars().nth(LONGEST_TYPED).is_some()
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
        let password = Password::chosen("correct horse", SHORTEST, None).expect("long enough");
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
    fn lengths_are_code_points_of_what_is_hashed_and_nothing_is_cut_n15() {
        use PasswordPolicyViolation::{TooLong, TooShort};
        let chosen = |text: &str| Password::chosen(text, SHORTEST, None).map(drop);
        for (text, expected) in [
            ("1234567".to_owned(), Err(TooShort { shortest: SHORTEST })),
            ("12345678".to_owned(), Ok(())),
            // Four letters beyond the BMP are eight UTF-16 units, and four ASCII letters when they are normalised.
            ("𝒳𝒳𝒳𝒳".to_owned(), Err(TooShort { shortest: SHORTEST })),
            // Eight code points as typed, four when they are composed.
            ("a\u{308}".repeat(4), Err(TooShort { shortest: SHORTEST })),
            // One code point as typed, eighteen when it is decomposed.
            ("\u{fdfa}".to_owned(), Ok(())),
            ("😀".repeat(8), Ok(())),
            ("x".repeat(128), Ok(())),
            ("😀".repeat(128), Ok(())),
            ("a\u{308}".repeat(128), Ok(())),
            ("x".repeat(129), Err(TooLong)),
            ("x".repeat(1_000_000), Err(TooLong)),
        ] {
            assert_eq!(chosen(&text), expected, "{} code points", text.chars().count());
        }
    }

    #[test]
    fn operators_ask_for_longer_passwords_and_not_for_shorter_ones() {
        for (text, asked, expected) in [
            ("correct horse", 13, Ok(())),
            ("correct horse", 14, Err(PasswordPolicyViolation::TooShort { shortest: 14 })),
            ("1234567", 1, Err(PasswordPolicyViolation::TooShort { shortest: SHORTEST })),
        ] {
            assert_eq!(Password::chosen(text, asked, None).map(drop), expected, "{text} {asked}");
        }
    }

    #[test]
    fn whatever_can_be_chosen_can_be_presented() {
        for text in ["😀".repeat(128), "a\u{308}".repeat(128), "\u{1100}\u{1161}\u{11a8}".repeat(128)] {
            let chosen = Password::chosen(&text, SHORTEST, None).expect("128 code points");
            assert_eq!(Password::presented(&text).0, chosen.0);
        }
    }

    #[test]
    fn the_blocklist_applies_to_new_passwords_where_it_is_on_n15() {
        let on = |names| Some(Blocklist { names });
        for (text, blocklist, is_taken) in [
            ("password1", on(&[][..]), false),
            ("ｐａｓｓｗｏｒｄ1", on(&[]), false),
            ("password1", None, true),
            ("somebody@example.org", on(&["Somebody@example.org"]), false),
            ("somebody@example.org", on(&[]), true),
        ] {
            let chosen = Password::chosen(text, SHORTEST, blocklist).map(drop);
            assert_eq!(chosen, if is_taken { Ok(()) } else { Err(PasswordPolicyViolation::Common) }, "{text}");
        }
    }

    #[test]
    fn composed_and_decomposed_letters_are_the_same_password() {
        let mut memory = Vec::new();
        let composed = Password::chosen("p\u{e4}ssw\u{f6}rter", SHORTEST, None).expect("fits");
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
