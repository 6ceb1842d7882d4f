//! Access tokens: who is logged in, in a form that others can verify.

use super::log_in::LoggedIn;
use super::{Caller, FlowError, Flows, with_random};
use countersign_domain::account::{EmailAddress, Username};
use countersign_domain::audit::EventKind;
use countersign_domain::ids::{AccountId, ApplicationId, AuditId, RefreshTokenId, TenantId};
use countersign_domain::jwt::{self, Claims, Jwk};
use countersign_domain::secret::RefreshToken;
use countersign_domain::time::Timestamp;
use countersign_store::work::{Person, RefreshTokenUsed, UseRefreshToken};

/// An access token and when it ends.
#[derive(Clone)]
pub struct AccessToken {
    /// The token.
    pub text: String,
    /// Its end.
    pub expires_at: Timestamp,
}

/// What a refresh token gives.
pub struct Refreshed {
    /// The new access token.
    pub access_token: AccessToken,
    /// The refresh token that takes the place of the one that was used.
    pub refresh_token: RefreshToken,
    /// The name of all that follow from the same log-in.
    pub refresh_token_id: RefreshTokenId,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// What an access token goes back to.
struct Origin<'a> {
    person: &'a Person,
    application_id: Option<ApplicationId>,
    logged_in_at: Timestamp,
    second_factor: bool,
    refresh_token_id: Option<RefreshTokenId>,
}

impl Flows {
    /// An access token for somebody who is logged in.
    ///
    /// # Errors
    /// When there is no key to sign it with.
    pub fn access_token(&self, logged_in: &LoggedIn) -> Result<AccessToken, FlowError> {
        self.issue(&Origin {
            person: &logged_in.person,
            application_id: logged_in.application_id,
            logged_in_at: logged_in.at,
            second_factor: logged_in.second_factor_at.is_some(),
            refresh_token_id: logged_in.refresh_token.as_ref().map(|(_, id)| *id),
        })
    }

    fn issue(&self, origin: &Origin<'_>) -> Result<AccessToken, FlowError> {
        let now = self.now();
        let expires_at = now + self.policy.access_token_lifetime;
        let seconds = |at: Timestamp| i64::try_from(at.as_unix_seconds()).unwrap_or(i64::MAX);
        let account = &origin.person.account;
        let registered = origin
            .application_id
            .and_then(|id| origin.person.registrations.iter().find(|registration| registration.application_id == id));
        let claims = Claims {
            aud: origin.application_id.map(ApplicationId::to_hyphenated),
            exp: seconds(expires_at),
            iat: seconds(now),
            iss: self.tokens.issuer.clone(),
            sub: account.id.to_hyphenated(),
            jti: with_random(|random| AuditId::generate(now, random)).to_hyphenated(),
            authentication_type: "PASSWORD".to_owned(),
            email: account.email.as_ref().map(|email: &EmailAddress| email.as_str().to_owned()),
            email_verified: account.email_verified,
            preferred_username: account.username.as_ref().map(|name: &Username| name.as_str().to_owned()),
            application_id: registered.map(|registration| registration.application_id.to_hyphenated()),
            roles: registered.map(|registration| registration.roles.clone()),
            sid: origin.refresh_token_id.map(RefreshTokenId::to_hyphenated),
            auth_time: seconds(origin.logged_in_at),
            tid: account.tenant_id.to_hyphenated(),
            amr: vec![if origin.second_factor { "mfa" } else { "pwd" }.to_owned()],
        };
        let text = jwt::sign(&claims, self.tokens.algorithm, &self.keyring)?;
        Ok(AccessToken { text, expires_at })
    }

    /// What a token says, if it is one of ours and its time is now.
    #[must_use]
    pub fn read_access_token(&self, text: &str) -> Option<Claims> {
        jwt::verify(text, self.now(), &self.tokens.issuer, &self.keyring)
    }

    /// The person whose token this is, if it still stands for them: the account may be used, and the password is the one
    /// that they logged in with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holder(&self, text: &str, tenant: Option<TenantId>) -> Result<Option<(Person, Claims)>, FlowError> {
        let Some(claims) = self.read_access_token(text) else { return Ok(None) };
        let Some(id): Option<AccountId> = claims.account_id() else { return Ok(None) };
        let Some(person) = self.person(id, tenant).await? else { return Ok(None) };
        let account = &person.account;
        let changed = i64::try_from(account.password_changed_at.as_unix_seconds()).unwrap_or(i64::MAX);
        let stands = account.unusable(self.now()).is_none() && changed <= claims.auth_time;
        Ok(stands.then_some((person, claims)))
    }

    /// Uses a refresh token up for a new access token and the next refresh token.
    ///
    /// # Errors
    /// When the database fails; then the token is still good.
    pub async fn refresh(&self, caller: &Caller, text: &str) -> Result<Option<Refreshed>, FlowError> {
        let Some(presented) = RefreshToken::parse(text) else { return Ok(None) };
        let now = self.now();
        let next = with_random(RefreshToken::generate);
        let expires_at = now + self.policy.refresh_token_lifetime;
        let used = UseRefreshToken {
            digest: presented.digest(),
            next: next.digest(),
            now,
            expires_at,
            event: caller.event(EventKind::TokenRefreshed, None, now),
        };
        let signed_in = match self.store.use_refresh_token(used).await? {
            RefreshTokenUsed::Done(signed_in) => *signed_in,
            RefreshTokenUsed::Reused | RefreshTokenUsed::Unknown => return Ok(None),
        };
        let Some(person) = self.person(signed_in.account.id, None).await? else { return Ok(None) };
        let access_token = self.issue(&Origin {
            person: &person,
            application_id: Some(signed_in.application_id),
            logged_in_at: signed_in.signed_in_at,
            second_factor: signed_in.second_factor_at.is_some(),
            refresh_token_id: Some(signed_in.family_id),
        })?;
        let refresh_token_id = signed_in.family_id;
        Ok(Some(Refreshed { access_token, refresh_token: next, refresh_token_id, expires_at }))
    }

    /// The public keys that verify tokens.
    #[must_use]
    pub fn public_keys(&self) -> Vec<Jwk> {
        jwt::public_keys(self.tokens.algorithm, &self.keyring)
    }
}
