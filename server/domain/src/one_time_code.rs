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

    /// A code that a caller chose, at most [`LONGEST_CHOSEN`] characters.
    #[must_use]
    pub fn chosen(text: &str) -> Option<Self> {
        (!text.is_empty() && text.chars().count() <= LONGEST_CHOSEN).then(|| Self(text.to_owned()))
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

    fn message(&self, subject: &Subject) -> String {
        format!("{}:{}", subject.to_text(), self.0)
    }

    /// The MAC that is stored.
    #[must_use]
    pub fn mac(&self, subject: &Subject, keyring: &Keyring) -> [u8; 32] {
        keyring.mac(Purpose::OneTimeCode, self.message(subject).as_bytes())
    }

    /// The MACs that may be stored, one for each key of the ring.
    #[must_use]
    pub fn macs(&self, subject: &Subject, keyring: &Keyring) -> Vec<[u8; 32]> {
        keyring.macs(Purpose::OneTimeCode, self.message(subject).as_bytes())
    }

    /// Whether `mac` was made from this code for this subject.
    #[must_use]
    pub fn matches(&self, subject: &Subject, mac: &[u8], keyring: &Keyring) -> bool {
        keyring.verify(Purpose::OneTimeCode, self.message(subject).as_bytes(), mac)
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
    use crate::secret::ChallengeToken;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_code_answers_only_what_it_was_sent_for() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let ring = Keyring::generate(&mut random);
        let subject = || Subject::Challenge(ChallengeToken::generate(&mut ChaCha20Rng::seed_from_u64(9)).digest());
        let other = Subject::Challenge(ChallengeToken::generate(&mut random).digest());
        let code = OneTimeCode::generate(&mut random);
        assert!(code.expose().len() == 6 && code.expose().bytes().all(|byte| byte.is_ascii_digit()));
        let mac = code.mac(&subject(), &ring);
        assert!(OneTimeCode::presented(&PresentedCode::new(code.expose())).matches(&subject(), &mac, &ring));
        assert!(!code.matches(&other, &mac, &ring));
        assert!(!OneTimeCode::presented(&PresentedCode::new(&format!("{}0", code.expose()))).matches(
            &subject(),
            &mac,
            &ring
        ));
        assert!(!OneTimeCode::presented(&PresentedCode::new("")).matches(&subject(), &mac, &ring));
    }
}
