//! Backup codes: look-up secrets for users who have lost their other factors (NIST SP 800-63B-4 §3.1.2).

use crate::ids::AccountId;
use crate::keyring::{Keyring, Purpose};
use crate::password::{Cost, PasswordHash};
use crate::presented_code::PresentedCode;
use crate::random::{self, ALPHANUMERIC, CAPITALS};
use argon2::Block;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Codes per set.
pub const SET_SIZE: usize = 10;
/// Characters between two dashes.
const GROUP: usize = 5;
/// Groups of a code: two, as the dialects' clients know them, or three (N10).
const GROUPS: [usize; 2] = [2, 3];
/// With fewer usable codes left, a user should make new ones.
const FEW: usize = 3;
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

/// Whether a user who has so many usable codes left should make new ones.
#[must_use]
pub fn are_few(left: usize) -> bool {
    left < FEW
}

/// A code as it is displayed: `xxxxx-xxxxx` or `xxxxx-xxxxx-xxxxx`, letters and digits.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BackupCode(String);

/// The hyphen, and what editors and messengers make of it: hyphens and dashes (U+2010 to U+2015) and the minus sign.
const DASHES: [char; 8] = ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}'];

impl BackupCode {
    /// A code of so many groups of five characters.
    #[must_use]
    pub fn generate(alphabet: Alphabet, groups: usize, random: &mut dyn CryptoRng) -> Self {
        let letters = match alphabet {
            Alphabet::Mixed => ALPHANUMERIC,
            Alphabet::Capitals => CAPITALS,
        };
        let groups: Vec<String> = (0..groups).map(|_| random::text(GROUP, letters, random)).collect();
        Self(groups.join("-"))
    }

    /// Parses a code that a client presented; `None` if it is malformed. Dashes of any kind do not count, letter case does.
    #[must_use]
    pub fn parse(code: &PresentedCode) -> Option<Self> {
        let kept = code.as_str().replace(DASHES, "");
        let is_code = GROUPS.iter().any(|groups| kept.len() == groups * GROUP)
            && kept.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let groups = || (0..kept.len()).step_by(GROUP).map(|at| &kept[at..at + GROUP]).collect::<Vec<_>>();
        is_code.then(|| Self(groups().join("-")))
    }

    /// Codes that a typed text may mean: as it stands and in capitals. Empty if it cannot be a code.
    #[must_use]
    pub fn parse_typed(code: &PresentedCode) -> Vec<Self> {
        let Some(code) = Self::parse(code) else { return Vec::new() };
        let capitals = Self(code.0.to_ascii_uppercase());
        if capitals.0 == code.0 { vec![code] } else { vec![code, capitals] }
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

/// A set of [`SET_SIZE`] different codes, of so many groups each.
#[must_use]
pub fn generate_set(alphabet: Alphabet, groups: usize, random: &mut dyn CryptoRng) -> Vec<BackupCode> {
    let mut set: Vec<BackupCode> = Vec::with_capacity(SET_SIZE);
    while set.len() < SET_SIZE {
        let code = BackupCode::generate(alphabet, groups, random);
        if set.iter().all(|other| other.0 != code.0) {
            set.push(code);
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::time::Timestamp;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::collections::HashSet;

    fn parse(text: &str) -> Option<BackupCode> {
        BackupCode::parse(&PresentedCode::new(text))
    }

    #[test]
    fn a_code_is_found_and_matched_as_shown() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let (ring, mut memory) = (Keyring::generate(&mut random), Vec::new());
        let account = AccountId::generate(Timestamp::from_millis(0), &mut random);
        let code = BackupCode::generate(Alphabet::Mixed, 2, &mut random);
        let hash = code.hash(&mut random, &mut memory);
        let typed = parse(code.expose()).expect("as shown");
        assert!(typed.matches(&hash, &mut memory));
        assert_eq!(typed.selectors(account, &ring), code.selectors(account, &ring));
        for odd in ["", "-", "ääää-ääää", "12345-1234", "12345-123456", "12345_12345"] {
            assert!(parse(odd).is_none(), "{odd:?}");
        }
        assert!(!BackupCode::generate(Alphabet::Mixed, 2, &mut random).matches(&hash, &mut memory));
    }

    #[test]
    fn the_same_code_of_two_accounts_has_two_selectors() {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        let ring = Keyring::generate(&mut random);
        let code = BackupCode::generate(Alphabet::Mixed, 2, &mut random);
        let mut of_new_account = || code.selectors(AccountId::generate(Timestamp::from_millis(0), &mut random), &ring);
        assert_ne!(of_new_account(), of_new_account());
    }

    #[test]
    fn a_user_may_leave_out_separators_and_in_capitals_the_shift_key() {
        for typed in
            ["abcde-12345", "abcde12345", " abcde 12345 ", "abc-de12345", "abcde–12345", "abcde—12345", "abcde−12345"]
        {
            assert_eq!(parse(typed).expect("a code").0, "abcde-12345", "{typed:?}");
        }
        let meant = |text| {
            BackupCode::parse_typed(&PresentedCode::new(text)).iter().map(|code| code.0.clone()).collect::<Vec<_>>()
        };
        assert_eq!(meant("ABCDE-12345"), ["ABCDE-12345"]);
        assert_eq!(meant(" abcde12345 "), ["abcde-12345", "ABCDE-12345"]);
        for odd in ["", "123456", "ABCDE-1234", "ABCDE-1234!", "äbcde-12345"] {
            assert!(meant(odd).is_empty(), "{odd:?}");
        }
    }

    /// Bits of a new code of a policy in an alphabet, counted from what is generated.
    fn bits(policy: &Policy, alphabet: Alphabet, random: &mut ChaCha20Rng) -> f64 {
        let codes: Vec<BackupCode> =
            (0..500).map(|_| BackupCode::generate(alphabet, policy.backup_code_groups, random)).collect();
        let characters = |code: &BackupCode| code.0.bytes().filter(|byte| *byte != b'-').count();
        let lengths: HashSet<usize> = codes.iter().map(characters).collect();
        let letters: HashSet<u8> = codes.iter().flat_map(|code| code.0.bytes()).filter(|byte| *byte != b'-').collect();
        let [length] = lengths.into_iter().collect::<Vec<_>>().try_into().expect("one length");
        let count = |count: usize| f64::from(u32::try_from(count).expect("few"));
        count(letters.len()).log2() * count(length)
    }

    #[test]
    fn codes_of_the_strict_profile_have_64_bits_in_each_alphabet_n10_a_6_5_4() {
        let mut random = ChaCha20Rng::seed_from_u64(4);
        for (alphabet, by_default, strict) in [(Alphabet::Mixed, 59.5, 89.3), (Alphabet::Capitals, 51.7, 77.5)] {
            let mut bits = |policy| bits(&policy, alphabet, &mut random);
            let found = (bits(Policy::default()), bits(Policy::strict()));
            assert!((found.0 - by_default).abs() < 0.1 && (found.1 - strict).abs() < 0.1, "{alphabet:?}: {found:?}");
            assert!(found.1 >= 64.0, "{alphabet:?}");
        }
    }

    #[test]
    fn three_groups_read_back_however_they_are_typed_n10() {
        let mut random = ChaCha20Rng::seed_from_u64(4);
        for alphabet in [Alphabet::Mixed, Alphabet::Capitals] {
            let code = BackupCode::generate(alphabet, 3, &mut random);
            assert_eq!(code.0.len(), 17);
            for typed in [code.0.clone(), code.0.replace('-', " "), code.0.replace('-', "")] {
                assert_eq!(parse(&typed).expect("a code").0, code.0);
                assert_eq!(BackupCode::parse_typed(&PresentedCode::new(&typed))[0].0, code.0);
            }
        }
        for odd in ["abcde", "abcde-abcde-abcde-abcde", "abcde-abcde-abcd"] {
            assert!(parse(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn fewer_than_three_codes_are_few() {
        for (left, few) in [(0, true), (2, true), (3, false), (10, false)] {
            assert_eq!(are_few(left), few, "{left}");
        }
    }

    #[test]
    fn a_set_has_ten_different_codes() {
        let set = generate_set(Alphabet::Mixed, 2, &mut ChaCha20Rng::seed_from_u64(3));
        assert_eq!(set.iter().map(BackupCode::expose).collect::<HashSet<_>>().len(), SET_SIZE);
    }
}
