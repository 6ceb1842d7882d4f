//! One-time codes, sent by mail or SMS: short-lived, bound to the purpose they were requested for, stored as a keyed MAC.

use crate::address::Address;
use crate::ids::{AccountId, MethodId, SessionId};
use crate::keyring::{Keyring, Purpose};
use crate::presented_code::PresentedCode;
use crate::random::{self, DIGITS};
use crate::secret::Digest;
use data_encoding::HEXLOWER;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// In digits: 6, the least that NIST SP 800-63B-4 §3.1.3.2 allows.
const LENGTH: usize = 6;

/// The longest code that a caller may choose, in characters.
pub const LONGEST_CHOSEN: usize = 256;

/// The purpose a code was requested for. It is accepted for nothing else (OWASP ASVS 5.0, 6.6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A sign-in that waits for a second factor.
    Challenge(Digest),
    /// A second factor in a live session.
    Session(SessionId),
    /// Adding an address of the account as a method.
    Enable { account_id: AccountId, address: Address },
    /// Removing a method.
    Disable { account_id: AccountId, method_id: MethodId },
}

impl Subject {
    /// The form that is stored, such as `challenge:<digest>` or `session:<id>`.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Challenge(digest) => format!("challenge:{}", HEXLOWER.encode(digest.as_bytes())),
            Self::Session(id) => format!("session:{id}"),
            Self::Enable { account_id, address: Address::Email(address) } => {
                format!("enable:{account_id}:email:{}", address.as_str())
            }
            Self::Enable { account_id, address: Address::Sms(number) } => {
                format!("enable:{account_id}:sms:{}", number.as_str())
            }
            Self::Disable { account_id, method_id } => format!("disable:{account_id}:{method_id}"),
        }
    }
}

/// Six decimal digits, or a text chosen by a caller that delivers the code itself.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct OneTimeCode(String);

impl OneTimeCode {
    #[must_use]
    pub fn generate(random: &mut dyn CryptoRng) -> Self {
        Self(random::text(LENGTH, DIGITS, random))
    }

    /// A code that a caller chose, at most [`LONGEST_CHOSEN`] characters; in the form in which it will be presented, which is
    /// `None` if nothing of it can be seen.
    #[must_use]
    pub fn chosen(text: &str) -> Option<Self> {
        let code = PresentedCode::new(text);
        (!code.as_str().is_empty() && text.chars().count() <= LONGEST_CHOSEN).then(|| Self(code.as_str().to_owned()))
    }

    /// Takes whatever a client presented; a wrong one does not match.
    #[must_use]
    pub fn presented(code: &PresentedCode) -> Self {
        Self(code.as_str().chars().take(LONGEST_CHOSEN + 1).collect())
    }

    /// The plain code, for the message that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// With the account, so that a row that was moved to another account's challenge or session is no code there.
    fn message(&self, subject: &Subject, account: AccountId) -> String {
        format!("{account}:{}:{}", subject.to_text(), self.0)
    }

    /// The MAC that is stored.
    #[must_use]
    pub fn mac(&self, subject: &Subject, account: AccountId, keyring: &Keyring) -> [u8; 32] {
        keyring.mac(Purpose::OneTimeCode, self.message(subject, account).as_bytes())
    }

    /// The MACs that may be stored, one for each key of the ring.
    #[must_use]
    pub fn macs(&self, subject: &Subject, account: AccountId, keyring: &Keyring) -> Vec<[u8; 32]> {
        keyring.macs(Purpose::OneTimeCode, self.message(subject, account).as_bytes())
    }

    /// Whether `mac` was made from this code for this subject of this account.
    #[must_use]
    pub fn matches(&self, subject: &Subject, account: AccountId, mac: &[u8], keyring: &Keyring) -> bool {
        keyring.verify(Purpose::OneTimeCode, self.message(subject, account).as_bytes(), mac)
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OneTimeCode([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::account_id;
    use crate::secret::ChallengeToken;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::collections::HashSet;

    #[test]
    fn codes_have_six_digits_each_of_which_varies_n6_a_6_5_4() {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        let codes: Vec<OneTimeCode> = (0..1_000).map(|_| OneTimeCode::generate(&mut random)).collect();
        assert!(codes.iter().all(|code| code.0.len() == 6), "leading zeros are kept");
        for place in 0..6 {
            let digits: HashSet<u8> = codes.iter().map(|code| code.0.as_bytes()[place]).collect();
            assert_eq!(digits, (b'0'..=b'9').collect(), "place {place}");
        }
    }

    #[test]
    fn a_code_answers_only_what_it_was_sent_for() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let ring = Keyring::generate(&mut random);
        let subject = || Subject::Challenge(ChallengeToken::generate(&mut ChaCha20Rng::seed_from_u64(9)).digest());
        let other = Subject::Challenge(ChallengeToken::generate(&mut random).digest());
        let code = OneTimeCode::generate(&mut random);
        assert!(code.expose().len() == 6 && code.expose().bytes().all(|byte| byte.is_ascii_digit()));
        let (mine, others) = (account_id(1), account_id(2));
        let mac = code.mac(&subject(), mine, &ring);
        let presented = |text: &str| OneTimeCode::presented(&PresentedCode::new(text));
        assert!(presented(code.expose()).matches(&subject(), mine, &mac, &ring));
        assert!(!code.matches(&other, mine, &mac, &ring) && !code.matches(&subject(), others, &mac, &ring));
        assert!(!presented(&format!("{}0", code.expose())).matches(&subject(), mine, &mac, &ring));
        assert!(!presented("").matches(&subject(), mine, &mac, &ring));
    }
}
