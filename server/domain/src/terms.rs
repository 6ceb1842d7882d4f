//! Terms: what a dialect may choose, as data.
//!
//! Tenant policy is not among them. It is a fact that [`crate::decisions`] read from [`Rules`], so that no dialect can
//! skip it.

use crate::account::Account;
use crate::backup_code::Alphabet;
use crate::jwt::Claims;
use crate::passkey::relying_party::RelyingParty;
use crate::policy::Policy;
use crate::tenant::{Application, Directory, RefreshTokenUsage, Tenant};
use std::time::Duration;

pub use crate::secret::ChallengeForm;

/// What a dialect chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub grant: Grant,
    pub enrolment: EnrolmentPlace,
    pub trust: TrustForm,
    pub challenge: ChallengeForm,
    pub challenge_lifetime: Duration,
    /// Lifetime of a one-time code that completes a challenge or steps a session up; never longer than the challenge.
    pub code_lifetime: Duration,
    pub backup_codes: Alphabet,
    pub ceremony: CeremonyForm,
    /// Whether one-time codes by e-mail become a second factor together with the first authenticator app.
    pub email_with_app: bool,
}

/// What a completed sign-in gives to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A session, found by its token.
    Session,
    /// An access token and, where the application has them, a refresh token.
    Tokens,
}

/// Where an account without a second factor enrols if its tenant requires one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolmentPlace {
    /// In a session that can do nothing else.
    Session,
    /// In the challenge; nothing is granted before.
    Challenge,
}

/// How a trusted device proves its trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustForm {
    /// A token bound to the account by a MAC, replaced by each use.
    Rotating,
    /// A token that stays good until it expires.
    Lasting,
}

/// What finds the ceremony of a passkey when the response to it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CeremonyForm {
    /// A token that the client keeps.
    Token,
    /// The challenge in the response: anybody who has it can complete the ceremony.
    Challenge,
}

/// The facts that decisions need besides what is stored: limits, tenants and applications.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub policy: Policy,
    pub directory: Directory,
    /// For whom passkeys are made and taken; `None` where there are none.
    pub relying_party: Option<RelyingParty>,
}

impl Rules {
    /// The tenant of an account. Accounts of a tenant that is no longer configured follow the home tenant.
    #[must_use]
    pub fn tenant_of(&self, account: &Account) -> &Tenant {
        self.directory.tenant(account.tenant_id).unwrap_or(self.directory.home())
    }

    /// Whether an access token for this audience may manage the second factors of its user. A token without an audience was
    /// handed to no application.
    #[must_use]
    pub fn audience_manages_factors(&self, claims: &Claims, account: &Account) -> bool {
        match &claims.aud {
            None => true,
            Some(_) => self
                .application(claims.audience())
                .is_some_and(|application| application.manages_factors && application.tenant_id == account.tenant_id),
        }
    }

    /// How often refresh tokens of an application are good; those of one that is no longer configured, once.
    #[must_use]
    pub fn refresh_token_usage(&self, id: crate::ids::ApplicationId) -> RefreshTokenUsage {
        self.directory
            .application(id)
            .map_or(RefreshTokenUsage::OneTimeUse, |application| application.refresh_token_usage)
    }

    /// The application with this id, if one is given and configured.
    #[must_use]
    pub fn application(&self, id: Option<crate::ids::ApplicationId>) -> Option<&Application> {
        self.directory.application(id?)
    }
}
