//! Refresh tokens of users: list and revoke them. [`super::tokens`] exchanges them.

use super::{Caller, FlowError, Flows};
use countersign_domain::account::Account;
use countersign_domain::audit::EventKind;
use countersign_domain::ids::{AccountId, ApplicationId, RefreshTokenId, TenantId};
use countersign_domain::secret::RefreshToken;
use countersign_domain::user::AccountLookup;
use countersign_store::work::{
    FindRefreshTokens, FindTokenHolders, RefreshTokenSelector, RevokeRefreshTokens, RevokedTokens,
};

pub use countersign_store::work::StoredRefreshToken;

/// Accounts whose tokens of an application are revoked before the next ones are looked for. Each is a transaction.
const HOLDERS_AT_ONCE: u32 = 500;

/// What a holder who logs out ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logout {
    This,
    /// All refresh tokens of the user.
    All,
}

impl Flows {
    /// The refresh tokens of a user of this tenant, or of any, and the user's tenant; `None` if there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_tokens(
        &self,
        tenant: Option<TenantId>,
        account_id: AccountId,
    ) -> Result<Option<(Vec<StoredRefreshToken>, TenantId)>, FlowError> {
        let Some(account) = self.account_in(tenant, account_id).await? else { return Ok(None) };
        let which = RefreshTokenSelector::OfAccount(account_id);
        let tokens = self.store().refresh_tokens(FindRefreshTokens { which, now: self.now() }).await?;
        Ok(Some((tokens, account.tenant_id)))
    }

    /// The refresh token of a sign-in, if it is good.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_token(
        &self,
        tenant: Option<TenantId>,
        id: RefreshTokenId,
    ) -> Result<Option<(StoredRefreshToken, TenantId)>, FlowError> {
        let which = RefreshTokenSelector::WithId(id);
        let found = self.store().refresh_tokens(FindRefreshTokens { which, now: self.now() }).await?;
        let Some(token) = found.into_iter().next() else { return Ok(None) };
        let account = self.account_in(tenant, token.account_id).await?;
        Ok(account.map(|account| (token, account.tenant_id)))
    }

    /// Revokes refresh tokens of a user; says whether there is such a user.
    ///
    /// # Errors
    /// When the database fails; then none was revoked.
    pub async fn revoke_refresh_tokens(
        &self,
        caller: &Caller,
        tenant: Option<TenantId>,
        account_id: AccountId,
        application_id: Option<ApplicationId>,
    ) -> Result<bool, FlowError> {
        if self.account_in(tenant, account_id).await?.is_none() {
            return Ok(false);
        }
        let which = application_id.map_or(RevokedTokens::All, RevokedTokens::OfApplication);
        self.revoke(caller, account_id, which).await?;
        Ok(true)
    }

    /// Revokes all refresh tokens of an application, those of one user after the other.
    ///
    /// # Errors
    /// When the database fails; then those of some users were revoked.
    pub async fn revoke_application_tokens(
        &self,
        caller: &Caller,
        application_id: ApplicationId,
    ) -> Result<(), FlowError> {
        let mut after = None;
        loop {
            let find = FindTokenHolders { application_id, after, batch: HOLDERS_AT_ONCE };
            let holders = self.store().token_holders(find).await?;
            for holder in &holders {
                self.revoke(caller, *holder, RevokedTokens::OfApplication(application_id)).await?;
            }
            match holders.last() {
                Some(last) => after = Some(*last),
                None => return Ok(()),
            }
        }
    }

    /// Revokes the refresh token of a sign-in by its id; says whether there was one.
    ///
    /// # Errors
    /// When the database fails; then it is not revoked.
    pub async fn revoke_refresh_token_by_id(
        &self,
        caller: &Caller,
        tenant: Option<TenantId>,
        id: RefreshTokenId,
    ) -> Result<bool, FlowError> {
        match self.refresh_token(tenant, id).await? {
            Some((token, _)) => self.revoke(caller, token.account_id, RevokedTokens::WithId(id)).await,
            None => Ok(false),
        }
    }

    /// Revokes a refresh token that was presented, with all others of its sign-in; says whether it is known.
    ///
    /// # Errors
    /// When the database fails; then it is not revoked.
    pub async fn revoke_presented_token(
        &self,
        caller: &Caller,
        tenant: Option<TenantId>,
        text: &str,
        logout: Logout,
    ) -> Result<bool, FlowError> {
        let Some(presented) = RefreshToken::parse(text) else { return Ok(false) };
        let Some(token) = self.store().refresh_token_owner(presented.digest()).await? else { return Ok(false) };
        if tenant.is_some() && self.account_in(tenant, token.account_id).await?.is_none() {
            return Ok(false);
        }
        let which = match logout {
            Logout::This => RevokedTokens::WithId(token.id),
            Logout::All => RevokedTokens::All,
        };
        self.revoke(caller, token.account_id, which).await
    }

    async fn account_in(&self, tenant: Option<TenantId>, account_id: AccountId) -> Result<Option<Account>, FlowError> {
        let lookup = match tenant {
            Some(tenant) => AccountLookup::IdIn(tenant, account_id),
            None => AccountLookup::Id(account_id),
        };
        Ok(self.store().account(lookup).await?)
    }

    async fn revoke(&self, caller: &Caller, account_id: AccountId, which: RevokedTokens) -> Result<bool, FlowError> {
        let event = self.audit(caller, self.now()).about(account_id).event(EventKind::RefreshTokensRevoked);
        Ok(self.store().revoke_refresh_tokens(RevokeRefreshTokens { account_id, which, event }).await?)
    }
}
