//! Access tokens, in a form that relying parties verify by themselves, and refresh tokens.

use super::sign_in::TokenGrant;
use super::{Caller, FlowError, Flows};
use countersign_domain::account::{Account, EmailAddress, Username};
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::decisions::endings::{self, Ending, Grant};
use countersign_domain::decisions::session_scope::{self, SessionScope};
use countersign_domain::ids::{AccountId, ApplicationId, AuditId, RefreshTokenId, TenantId};
use countersign_domain::jwt::{self, Claims, Jwk};
use countersign_domain::secret::RefreshToken;
use countersign_domain::time::Timestamp;
use countersign_domain::user::{AccountLookup, Registration, User};
use countersign_store::work::{RefreshTokenUsed, RefreshedSignIn, UseRefreshToken};
use std::time::Duration;

/// How many times a one-time token may have been replaced within its grace, until a request that comes late with the first one
/// gets none. A client that loses so many races waits for no response.
const SUCCESSORS: usize = 8;

#[derive(Clone)]
pub struct AccessToken {
    pub text: String,
    pub expires_at: Timestamp,
}

/// What an access token is presented for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPurpose {
    /// A step of an enrolment.
    Enrolment,
    Other,
}

/// What a refresh token gives.
pub struct Refreshed {
    pub access_token: AccessToken,
    /// Good from now on: the token that was used, or the one that takes its place.
    pub refresh_token: RefreshToken,
    /// Id of all tokens that follow from the same sign-in.
    pub refresh_token_id: RefreshTokenId,
    /// Time until it ends.
    pub lifetime: Duration,
}

/// The sign-in that an access token is issued for.
struct TokenSource<'a> {
    user: &'a User,
    application_id: Option<ApplicationId>,
    signed_in_at: Timestamp,
    has_second_factor: bool,
    refresh_token_id: Option<RefreshTokenId>,
}

impl Flows {
    /// An access token for a sign-in.
    ///
    /// # Errors
    /// When there is no key to sign it with.
    pub fn access_token(&self, grant: &TokenGrant) -> Result<AccessToken, FlowError> {
        self.issue(&TokenSource {
            user: &grant.user,
            application_id: grant.application_id,
            signed_in_at: grant.at,
            has_second_factor: grant.second_factor_at.is_some(),
            refresh_token_id: grant.refresh_token.as_ref().map(|(_, id)| *id),
        })
    }

    fn issue(&self, source: &TokenSource<'_>) -> Result<AccessToken, FlowError> {
        let now = self.now();
        let expires_at = now + self.policy().access_token_lifetime;
        let seconds = |at: Timestamp| i64::try_from(at.as_unix_seconds()).unwrap_or(i64::MAX);
        let account = &source.user.account;
        let registration = source.application_id.and_then(|id| source.user.registration(id));
        let settings = &self.services.tokens;
        let claims = Claims {
            aud: source.application_id.map(ApplicationId::to_hyphenated),
            exp: seconds(expires_at),
            iat: seconds(now),
            iss: settings.issuer.clone(),
            sub: account.id.to_hyphenated(),
            jti: self.random().draw(|random| AuditId::generate(now, random)).to_hyphenated(),
            authentication_type: "PASSWORD".to_owned(),
            email: account.email.as_ref().map(|email: &EmailAddress| email.as_str().to_owned()),
            email_verified: account.email_verified,
            preferred_username: account.username.as_ref().map(|name: &Username| name.as_str().to_owned()),
            application_id: registration.map(|registration: &Registration| registration.application_id.to_hyphenated()),
            roles: registration.map(|registration| registration.roles.clone()),
            registration_id: registration.map(|registration| registration.id.to_hyphenated()),
            sid: source.refresh_token_id.map(RefreshTokenId::to_hyphenated),
            auth_time: seconds(source.signed_in_at),
            tid: TenantId::to_hyphenated(account.tenant_id),
            amr: vec![if source.has_second_factor { "mfa" } else { "pwd" }.to_owned()],
            acr: Some(if source.has_second_factor { Claims::TWO_FACTORS } else { Claims::ONE_FACTOR }.to_owned()),
            credentials_version: account.credentials_version,
            factors_version: account.factors_version,
        };
        let text = jwt::sign(&claims, settings.algorithm, self.keyring())?;
        Ok(AccessToken { text, expires_at })
    }

    /// The claims of an access token of this server that is valid now.
    #[must_use]
    pub fn read_access_token(&self, text: &str) -> Option<Claims> {
        jwt::verify(text, self.now(), &self.services.tokens, self.keyring())
    }

    /// Makes sure that access tokens can be signed, before something is used up for one.
    pub(super) fn check_signing(&self) -> Result<(), FlowError> {
        Ok(jwt::check_signing(self.services.tokens.algorithm, self.keyring())?)
    }

    /// The user of an access token, if the token still stands for them: the account may be used, and nothing has ended what
    /// its credentials have opened. Where a second factor is required, an account without one gets nothing but its enrolment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_holder(
        &self,
        text: &str,
        tenant: Option<TenantId>,
        purpose: TokenPurpose,
    ) -> Result<Option<(User, Claims)>, FlowError> {
        let Some(claims) = self.read_access_token(text) else { return Ok(None) };
        let Some(id): Option<AccountId> = claims.account_id() else { return Ok(None) };
        let Some(user) = self.user(AccountLookup::Id(id), tenant).await? else { return Ok(None) };
        let account = &user.account;
        let is_registered = claims.has_registration(&user.registrations);
        let stands = account.unusable(self.now()).is_none()
            && claims.credentials_version == account.credentials_version
            && (is_registered || endings::with_registration(Grant::AccessToken) == Ending::Survives);
        let scope = session_scope::decide(account, self.rules().tenant_of(account).login_policy);
        let in_scope = scope == SessionScope::Full || purpose == TokenPurpose::Enrolment;
        let claims = claims.for_account(account);
        Ok((stands && in_scope).then_some((user, claims)))
    }

    /// The holder of an access token as one who manages second factors; `None` if its audience does not.
    #[must_use]
    pub fn manager(&self, claims: &Claims, account: &Account) -> Option<Manager> {
        let assurance = Assurance::of_claims(claims)?;
        self.rules().audience_manages_factors(claims, account).then_some(Manager::Owner(assurance))
    }

    /// Uses a refresh token for a new access token. It stays good, or is used up for the next one.
    ///
    /// # Errors
    /// When the database fails; then the token is still valid.
    pub async fn refresh(&self, caller: &Caller, text: &str) -> Result<Option<Refreshed>, FlowError> {
        let Some(presented) = RefreshToken::parse(text) else { return Ok(None) };
        self.check_signing()?;
        let Some((refresh_token, signed_in)) = self.use_refresh_token(caller, presented).await? else {
            return Ok(None);
        };
        let access_token = self.issue(&TokenSource {
            user: &signed_in.user,
            application_id: Some(signed_in.application_id),
            signed_in_at: signed_in.signed_in_at,
            has_second_factor: signed_in.second_factor_at.is_some(),
            refresh_token_id: Some(signed_in.family_id),
        })?;
        let (refresh_token_id, lifetime) = (signed_in.family_id, self.now().until(signed_in.expires_at));
        Ok(Some(Refreshed { access_token, refresh_token, refresh_token_id, lifetime }))
    }

    /// The token that is good from now on, and its sign-in.
    async fn use_refresh_token(
        &self,
        caller: &Caller,
        mut presented: RefreshToken,
    ) -> Result<Option<(RefreshToken, RefreshedSignIn)>, FlowError> {
        for _ in 0..SUCCESSORS {
            let now = self.now();
            let successors = presented.successors(self.keyring());
            let used = UseRefreshToken {
                digest: presented.digest(),
                successors: successors.iter().map(RefreshToken::digest).collect(),
                rules: self.rules(),
                now,
                expires_at: now + self.policy().refresh_token_lifetime,
                audit: self.audit(caller, now),
            };
            let named = |digest| successors.into_iter().find(|successor| successor.digest() == digest);
            match self.store().use_refresh_token(used).await? {
                RefreshTokenUsed::Renewed(signed_in) => return Ok(Some((presented, *signed_in))),
                RefreshTokenUsed::Replaced(digest, signed_in) => {
                    return Ok(named(digest).map(|successor| (successor, *signed_in)));
                }
                RefreshTokenUsed::Superseded(digest) => match named(digest) {
                    Some(successor) => presented = successor,
                    None => return Ok(None),
                },
                RefreshTokenUsed::Reused | RefreshTokenUsed::Refused => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Public keys that verify access tokens.
    #[must_use]
    pub fn public_keys(&self) -> Vec<Jwk> {
        jwt::public_keys(&self.services.tokens, self.keyring())
    }
}
