//! What this dialect chooses.

use countersign_domain::backup_code::Alphabet;
use countersign_domain::policy::Policy;
use countersign_domain::terms::{CeremonyForm, ChallengeForm, EnrolmentPlace, Grant, Terms, TrustForm};

/// Sessions, found by their token; an account that has to enrol does so in one.
#[must_use]
pub fn terms(policy: &Policy) -> Terms {
    Terms {
        grant: Grant::Session,
        enrolment: EnrolmentPlace::Session,
        trust: TrustForm::Rotating,
        challenge: ChallengeForm::Token,
        challenge_lifetime: policy.challenge_lifetime,
        code_lifetime: policy.one_time_code_lifetime,
        backup_codes: Alphabet::Mixed,
        ceremony: CeremonyForm::Token,
        // Clients rely on `twoFactorMethods` being `["totp", "otp"]` after an app is enrolled (wire reference §7).
        email_with_app: true,
    }
}
