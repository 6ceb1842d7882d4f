//! An attempt at a second factor: who makes it, which codes are expected, what they are compared with.

use crate::challenge::Factor;
use crate::ids::{AccountId, BackupCodeId, MethodId, SessionId};
use crate::keyring::Sealed;
use crate::one_time_code::Subject;
use crate::passkey::Passkey;
use crate::passkey::ceremony::{Ceremony, Purpose};
use crate::passkey::verifier::Asserted;
use crate::password::PasswordHash;
use crate::secret::Digest;
use crate::secret_fingerprint::SecretFingerprint;

/// Who presents a second factor.
#[derive(Clone, Debug)]
pub enum Claimant {
    /// A sign-in that waits for it, by the digest of its challenge token.
    Challenge(Digest),
    /// A live session.
    Session { session_id: SessionId, account_id: AccountId },
    /// A service, or the holder of an access token, for an account.
    Holder {
        account_id: AccountId,
        /// What a one-time code must have been sent for.
        subject: Subject,
    },
}

impl Claimant {
    /// What a one-time code asked for by this claimant is bound to.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self {
            Self::Holder { subject, .. } => subject.clone(),
            Self::Challenge(digest) => Subject::Challenge(*digest),
            Self::Session { session_id, .. } => Subject::Session(*session_id),
        }
    }

    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::Session { session_id, .. } => Some(*session_id),
            Self::Challenge(_) | Self::Holder { .. } => None,
        }
    }

    /// Whether a response to a ceremony for this is an attempt of this claimant at a second factor.
    #[must_use]
    pub fn owns_ceremony_of(&self, purpose: Purpose) -> bool {
        match (self, purpose) {
            (Self::Challenge(digest), Purpose::SecondFactor { sign_in, .. }) => sign_in == *digest,
            (Self::Session { session_id, .. }, Purpose::StepUp { session_id: begun_in, .. }) => begun_in == *session_id,
            _ => false,
        }
    }
}

/// Which second factors a presented code may belong to; a passkey is presented as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    One(Factor),
    Any {
        /// Whether the code has the form of a backup code.
        backup_code: bool,
    },
}

impl Expected {
    #[must_use]
    pub fn includes(self, factor: Factor) -> bool {
        match self {
            Self::One(one) => one == factor,
            Self::Any { backup_code } => match factor {
                Factor::Totp | Factor::OneTimeCode => true,
                Factor::BackupCode => backup_code,
                // It is no code.
                Factor::Passkey => false,
            },
        }
    }

    /// The factor, where only one is expected.
    #[must_use]
    pub fn factor(self) -> Option<Factor> {
        match self {
            Self::One(factor) => Some(factor),
            Self::Any { .. } => None,
        }
    }
}

/// What a code is compared with; empty for factors that are not expected or not allowed.
#[derive(Debug, Default)]
pub struct Material {
    /// Confirmed authenticator apps, the oldest first.
    pub authenticators: Vec<Authenticator>,
    /// The app being enrolled; in a session only.
    pub pending: Option<Authenticator>,
    pub one_time_code: Option<StoredCode>,
    /// Used ones too, so that a second use is told from a guess.
    pub backup_codes: Vec<StoredBackupCode>,
    pub passkey: Option<AwaitedPasskey>,
}

/// A ceremony of the claimant that waits for its response, and what is stored of the passkey that responds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedPasskey {
    pub ceremony: Ceremony,
    /// `None` if the account has no such passkey.
    pub passkey: Option<Passkey>,
}

/// A one-time code as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCode {
    pub mac: Vec<u8>,
    /// The method it was sent by; `None` if the caller delivers it, or if the account has no method yet.
    pub method_id: Option<MethodId>,
}

/// An authenticator app as stored.
#[derive(Clone, Debug)]
pub struct Authenticator {
    pub id: MethodId,
    /// The account that the row belongs to.
    pub account_id: AccountId,
    pub secret: Sealed,
    /// `None` in a row that a version without fingerprints wrote.
    pub fingerprint: Option<SecretFingerprint>,
    /// The newest time step accepted from it.
    pub last_step: Option<i64>,
}

/// A backup code as stored.
#[derive(Clone, Debug)]
pub struct StoredBackupCode {
    pub id: BackupCodeId,
    /// Keyed tag that the code is found by, so that a check costs one hash; empty if the tag's key is retired.
    pub selector: Vec<u8>,
    pub hash: PasswordHash,
    pub is_spent: bool,
}

/// Which stored factor a right code belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    Totp {
        method_id: MethodId,
        /// Number of 30-second steps since the epoch.
        step: i64,
        /// Whether this app is the one being enrolled.
        confirms: bool,
    },
    OneTimeCode(StoredCode),
    BackupCode(BackupCodeId),
    Passkey {
        id: MethodId,
        /// Digest of what finds the ceremony, which is spent with it.
        ceremony: Digest,
        asserted: Asserted,
    },
}

impl Proof {
    #[must_use]
    pub fn factor(&self) -> Factor {
        match self {
            Self::Totp { .. } => Factor::Totp,
            Self::OneTimeCode(_) => Factor::OneTimeCode,
            Self::BackupCode(_) => Factor::BackupCode,
            Self::Passkey { .. } => Factor::Passkey,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{account_id, challenge, holder, session, session_id};

    #[test]
    fn a_ceremony_is_of_the_sign_in_or_the_session_that_it_began_in_51() {
        let digest = |byte| Digest::from_bytes(&[byte; 32]).expect("32 bytes");
        let account_id = account_id(1);
        let second_factor = |byte| Purpose::SecondFactor { account_id, sign_in: digest(byte) };
        let step_up = |seed| Purpose::StepUp { account_id, session_id: session_id(seed) };
        for (purpose, in_challenge, in_session) in [
            (second_factor(7), true, false),
            (second_factor(8), false, false),
            (step_up(1), false, true),
            (step_up(2), false, false),
            (Purpose::SignIn(None), false, false),
            (Purpose::Registration(account_id), false, false),
        ] {
            assert_eq!(
                (challenge().owns_ceremony_of(purpose), session().owns_ceremony_of(purpose)),
                (in_challenge, in_session)
            );
            assert!(!holder().owns_ceremony_of(purpose), "{purpose:?}");
        }
    }
}
