//! Backup codes: look-up secrets for users who have lost their other factors (NIST SP 800-63B-4 §3.1.2).

use crate::ids::AccountId;
use crate::keyring::{Keyring, Purpose};
use crate::password::{Cost, PasswordHash};
use crate::random::{self, ALPHANUMERIC, CAPITALS};
use argon2::Block;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Codes per set.
pub const SET_SIZE: usize = 10;
const HALF: usize = 5;
/// Two bytes: enough that a set nearly always has one candidate left to hash, and too few to help an attacker with both
/// the keyring and a database dump: they reveal 16 bits of a code.
const SELECTOR_BYTES: usize = 2;

/// Characters of new codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Letters of both cases and digits: 59 bits, as in the Better Auth dialect.
    Mixed,
    /// Capital letters and digits: 51 bits, as in the FusionAuth dialect.
    Capitals,
}

/// A code as it is displayed: `xxxxx-xxxxx`, letters and digits.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BackupCode(String);

impl BackupCode {
    #[must_use]
    pub fn generate(alphabet: Alphabet, random: &mut dyn CryptoRng) -> Self {
        let letters = match alphabet {
            Alphabet::Mixed => ALPHANUMERIC,
            Alphabet::Capitals => CAPITALS,
        };
        let first = random::text(HALF, letters, random);
        Self(format!("{first}-{}", random::text(HALF, letters, random)))
    }

    /// Parses a code that a client presented; `None` if it is malformed. Letter case and dash count, nothing is trimmed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (first, second) = text.split_once('-')?;
        let is_half = |half: &str| half.len() == HALF && half.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_half(first) && is_half(second)).then(|| Self(text.to_owned()))
    }

    /// Codes that a typed text may mean: as it stands and in capitals, with the dash where it belongs, blanks left out.
    /// Empty if it cannot be a code.
    #[must_use]
    pub fn parse_typed(text: &str) -> Vec<Self> {
        let kept: String = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect();
        if kept.len() != 2 * HALF || !kept.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Vec::new();
        }
        let dashed = |letters: &str| Self(format!("{}-{}", &letters[..HALF], &letters[HALF..]));
        let capitals = kept.to_ascii_uppercase();
        let mut codes = vec![dashed(&kept)];
        if capitals != kept {
            codes.push(dashed(&capitals));
        }
        codes
    }

    /// The plain code, for the response that issues it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Keyed tags that the code's row is found by, one for each key of the ring, the active one first.
    #[must_use]
    pub fn selectors(&self, account: AccountId, keyring: &Keyring) -> Vec<Vec<u8>> {
        let message = format!("{account}:{}", self.0);
        let tags = keyring.macs(Purpose::BackupCodeSelector, message.as_bytes());
        tags.iter().map(|tag| tag[..SELECTOR_BYTES].to_vec()).collect()
    }

    /// The hash that is stored.
    #[must_use]
    pub fn hash(&self, random: &mut dyn CryptoRng, memory: &mut Vec<Block>) -> PasswordHash {
        PasswordHash::of(self.0.as_bytes(), Cost::BACKUP_CODE, random, memory)
    }

    /// Whether `hash` was made from this code.
    #[must_use]
    pub fn matches(&self, hash: &PasswordHash, memory: &mut Vec<Block>) -> bool {
        hash.matches_bytes(self.0.as_bytes(), memory)
    }
}

impl fmt::Debug for BackupCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BackupCode([redacted])")
    }
}

/// A set of [`SET_SIZE`] different codes.
#[must_use]
pub fn generate_set(alphabet: Alphabet, random: &mut dyn CryptoRng) -> Vec<BackupCode> {
    let mut set: Vec<BackupCode> = Vec::with_capacity(SET_SIZE);
    while set.len() < SET_SIZE {
        let code = BackupCode::generate(alphabet, random);
        if set.iter().all(|other| other.0 != code.0) {
            set.push(code);
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_code_is_found_and_matched_exactly_as_shown() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let (ring, mut memory) = (Keyring::generate(&mut random), Vec::new());
        let account = AccountId::generate(Timestamp::from_millis(0), &mut random);
        let code = BackupCode::generate(Alphabet::Mixed, &mut random);
        let hash = code.hash(&mut random, &mut memory);
        let typed = BackupCode::parse(code.expose()).expect("as shown");
        assert!(typed.matches(&hash, &mut memory));
        assert_eq!(typed.selectors(account, &ring), code.selectors(account, &ring));
        for odd in [
            code.expose().replace('-', ""),
            format!("{} ", code.expose()),
            String::new(),
            "ääää-ääää".into(),
            "-".into(),
        ] {
            assert!(BackupCode::parse(&odd).is_none(), "{odd:?}");
        }
        assert!(!BackupCode::generate(Alphabet::Mixed, &mut random).matches(&hash, &mut memory));
    }

    #[test]
    fn the_same_code_of_two_accounts_has_two_selectors() {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        let ring = Keyring::generate(&mut random);
        let code = BackupCode::generate(Alphabet::Mixed, &mut random);
        let mut of_new_account = || code.selectors(AccountId::generate(Timestamp::from_millis(0), &mut random), &ring);
        assert_ne!(of_new_account(), of_new_account());
    }

    #[test]
    fn a_user_may_leave_out_the_dash_and_the_shift_key() {
        let meant = |text| BackupCode::parse_typed(text).iter().map(|code| code.0.clone()).collect::<Vec<_>>();
        assert_eq!(meant("ABCDE-12345"), ["ABCDE-12345"]);
        assert_eq!(meant(" abcde12345 "), ["abcde-12345", "ABCDE-12345"]);
        for odd in ["", "123456", "ABCDE-1234", "ABCDE-1234!", "äbcde-12345"] {
            assert!(meant(odd).is_empty(), "{odd:?}");
        }
    }

    #[test]
    fn a_set_has_ten_different_codes() {
        let set = generate_set(Alphabet::Mixed, &mut ChaCha20Rng::seed_from_u64(3));
        assert_eq!(set.iter().map(BackupCode::expose).collect::<std::collections::HashSet<_>>().len(), SET_SIZE);
    }
}
