//! Passing a second factor, in a challenge and in a live session.
//!
//! Three steps: claim the attempt, which counts it; judge the code, which changes nothing; complete it, which every guard can still
//! stop. A code that is quick to judge takes one transaction for all three (`at_once`). Where a backup code may have been presented,
//! which is hashed, the claim is a transaction of its own (`attempt`), and so is what follows (`completion`).

mod at_once;
mod attempt;
mod completion;

use super::sign_in::Granted;
use super::{Authenticated, Caller, FlowError, Flows};
pub(super) use attempt::Judged;
use countersign_domain::account::{Account, Unusable};
use countersign_domain::attempt::{Claimant as ClaimantKey, Expected};
use countersign_domain::backup_code::BackupCode;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::observer::SecondFactorResult;
use countersign_domain::passkey::response::{AssertionResponse, EncodedAssertion, presented_challenge};
use countersign_domain::presented_code::PresentedCode;
use countersign_domain::secret::{Bearer, ChangePasswordId, Digest, StepUpToken};
use countersign_domain::terms::{Grant, Terms};
use countersign_domain::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;

/// Who presents a second factor.
#[derive(Clone, Debug)]
pub enum Claimant {
    /// A sign-in that waits for it, by the digest of its challenge token.
    Challenge(Digest),
    Session(Box<Authenticated>),
}

impl Claimant {
    pub(super) fn key(&self) -> ClaimantKey {
        match self {
            Self::Challenge(digest) => ClaimantKey::Challenge(*digest),
            Self::Session(authenticated) => {
                ClaimantKey::Session { session_id: authenticated.session.id, account_id: authenticated.account.id }
            }
        }
    }
}

/// A second factor as presented.
#[derive(Debug)]
pub struct Attempt {
    pub expected: Expected,
    pub code: PresentedCode,
    /// In place of a code.
    pub assertion: Option<Box<Assertion>>,
    pub request: Request,
    /// The application, if the challenge does not name it.
    pub application_id: Option<ApplicationId>,
    /// The tenant that the caller means; a challenge of another one does not exist for it.
    pub tenant_id: Option<TenantId>,
    /// Whether a refresh token is wanted, where tokens are granted.
    pub wants_tokens: bool,
}

/// A response of a passkey.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// Digest of what finds the ceremony.
    pub ceremony: Digest,
    pub response: AssertionResponse,
}

impl Attempt {
    /// An attempt with a passkey. Its signature is what is counted as a guess.
    pub(super) fn of_passkey(assertion: Assertion) -> Self {
        let signature = BASE64URL_NOPAD.encode(&assertion.response.signature);
        let attempt = Self::of(Factor::Passkey, &signature);
        Self { assertion: Some(Box::new(assertion)), ..attempt }
    }

    /// An attempt with the passkey that has signed a response, which names its ceremony; `None` if it is not encoded as it should be.
    #[must_use]
    pub fn by_passkey(response: &EncodedAssertion<'_>) -> Option<Self> {
        let ceremony = presented_challenge(response.client_data)?;
        Some(Self::of_passkey(Assertion { ceremony, response: response.decode()? }))
    }

    /// An attempt with one factor that asks for nothing else. The code is as typed.
    #[must_use]
    pub fn of(factor: Factor, code: &str) -> Self {
        Self::of_expected(Expected::One(factor), code)
    }

    /// An attempt with a code of whichever factor, as typed.
    #[must_use]
    pub fn of_any(code: &str) -> Self {
        let backup_code = !BackupCode::parse_typed(&PresentedCode::new(code)).is_empty();
        Self::of_expected(Expected::Any { backup_code }, code)
    }

    fn of_expected(expected: Expected, code: &str) -> Self {
        Self {
            expected,
            code: PresentedCode::new(code),
            assertion: None,
            request: Request::default(),
            application_id: None,
            tenant_id: None,
            wants_tokens: false,
        }
    }
}

/// What a right second factor led to.
#[derive(Debug)]
pub enum Verified {
    /// A challenge ended in what the terms grant.
    Granted {
        granted: Granted,
        /// The token of a newly trusted device.
        trust: Option<Bearer>,
        /// Shows that a second factor was passed; where tokens are granted.
        step_up: StepUpToken,
        /// The caller's `state` (JSON text).
        state: Option<String>,
    },
    /// A challenge was consumed without a grant, as asked.
    Confirmed(Box<Account>),
    PasswordChangeDue(ChangePasswordId),
    Unusable(Unusable),
    /// The second factor is switched on, and the session replaced.
    Enabled(Box<Authenticated>),
    /// The live session has passed a second factor.
    Passed {
        session: Box<Authenticated>,
        has_new_token: bool,
    },
}

/// Why a second factor is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The challenge is unknown, expired or used, or the session has ended.
    NoClaimant,
    /// Wrong or used.
    WrongCode,
    /// Right, but another request used the same one-time code at the same moment.
    CodeUsed,
    /// Right, but another request used the same backup code at the same moment.
    BackupCodeUsed,
    /// The tenant does not allow this factor.
    NotAllowed,
    NotEnrolled,
    /// No one-time code is waiting, or no response of a passkey is waited for.
    NoCode,
    /// The one-time code has no tries left.
    CodeExhausted,
    /// The challenge has no tries left.
    ChallengeExhausted,
    /// The account is locked, or its long-term limit of guesses is reached.
    Locked {
        until: Timestamp,
    },
}

impl Refused {
    /// Another request used the same code at the same moment.
    fn spent(factor: Factor) -> Self {
        match factor {
            Factor::Totp => Self::WrongCode,
            Factor::Passkey => Self::NoCode,
            Factor::OneTimeCode => Self::CodeUsed,
            Factor::BackupCode => Self::BackupCodeUsed,
        }
    }

    /// How the attempt ended; `None` if that was noted when it was recorded.
    fn result(self) -> Option<SecondFactorResult> {
        match self {
            Self::WrongCode | Self::CodeUsed | Self::BackupCodeUsed => None,
            Self::NoClaimant => Some(SecondFactorResult::NoChallenge),
            Self::Locked { .. } => Some(SecondFactorResult::Locked),
            Self::CodeExhausted | Self::ChallengeExhausted => Some(SecondFactorResult::Exhausted),
            Self::NotAllowed | Self::NotEnrolled | Self::NoCode => Some(SecondFactorResult::NotPossible),
        }
    }
}

impl Flows {
    /// Verifies a second factor and opens what is decided.
    ///
    /// # Errors
    /// When the hashing queue is full (before anything is counted), or the database fails.
    pub async fn verify_second_factor(
        &self,
        caller: &Caller,
        claimant: Claimant,
        attempt: Attempt,
        terms: &Terms,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        // Before anything is counted: a server that cannot sign is no reason to charge an account.
        if terms.grant == Grant::Tokens {
            self.check_signing()?;
        }
        if attempt.expected.includes(Factor::BackupCode) {
            self.verify_in_two_transactions(caller, claimant, attempt, terms).await
        } else {
            self.verify_at_once(caller, claimant, attempt, terms).await
        }
    }

    /// Notes how an attempt ended. Each is noted once: where it is recorded if it is, else where it is refused.
    pub(super) fn note_second_factor(&self, caller: &Caller, factor: Option<Factor>, result: SecondFactorResult) {
        self.observer().second_factor_ended(factor, result, caller.dialect);
    }

    /// Notes how an attempt ended that led to this, if that was not noted where it was recorded.
    fn note_refusal<T>(
        &self,
        caller: &Caller,
        factor: Option<Factor>,
        outcome: &Result<Result<T, Refused>, FlowError>,
    ) {
        let result = match outcome {
            Ok(Ok(_)) => None,
            Ok(Err(refused)) => refused.result(),
            Err(_) => Some(SecondFactorResult::Error),
        };
        if let Some(result) = result {
            self.note_second_factor(caller, factor, result);
        }
    }
}
