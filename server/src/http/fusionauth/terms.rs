//! What this dialect chooses.

use countersign_domain::backup_code::Alphabet;
use countersign_domain::policy::Policy;
use countersign_domain::terms::{CeremonyForm, ChallengeForm, EnrolmentPlace, Grant, Terms, TrustForm};

/// Tokens; an account that has to enrol does so while its challenge waits.
#[must_use]
pub(super) fn terms(policy: &Policy) -> Terms {
    Terms {
        grant: Grant::Tokens,
        enrolment: EnrolmentPlace::Challenge,
        trust: TrustForm::Lasting,
        challenge: ChallengeForm::TwoFactorId,
        challenge_lifetime: policy.two_factor_id_lifetime,
        code_lifetime: policy.two_factor_id_lifetime,
        backup_codes: Alphabet::Capitals,
        ceremony: CeremonyForm::Challenge,
        email_with_app: false,
    }
}
