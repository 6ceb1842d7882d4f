//! What administrators do for users: see and end what their credentials have opened, set a password, reset a lost
//! second factor, hand out everything that is stored about one. Each change is recorded with the administrator's name.
//!
//! Creating, changing, deactivating and deleting users is in [`super::users`], locks and limits in [`super::limits`], what is read of
//! many users in [`super::reports`].

use super::users::NotWritten;
use super::{Caller, FlowError, Flows};
use countersign_domain::account::Account;
use countersign_domain::audit::EventKind;
use countersign_domain::ids::{AccountId, RefreshTokenId, SessionId, TrustedDeviceId};
use countersign_domain::session::Session;
use countersign_domain::user::{AccountLookup, AccountProfile, User};
use countersign_store::work::{
    AllGrantsEnded, ChangeTrustedDevice, DeviceChange, EndAllGrants, FindRefreshTokens, FindTrustedDevices,
    RefreshTokenSelector, ResetFactors, RevokeRefreshTokens, RevokeSessions, RevokedTokens, SessionSelector,
};
pub use countersign_store::work::{
    FactorsReset, FoundTrustedDevice, StoredAboutUser, StoredRefreshToken, StoredRows, StoredValue,
};

/// How often a change is repeated because another request changed the user at the same moment.
const TRIES: u32 = 4;

/// What the credentials of an account have opened, and what still counts of it.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// The newest first.
    pub sessions: Vec<Session>,
    /// One for each sign-in, the newest first.
    pub refresh_tokens: Vec<StoredRefreshToken>,
    /// Those that were used last first.
    pub trusted_devices: Vec<FoundTrustedDevice>,
}

/// A grant that was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Session,
    RefreshToken,
    TrustedDevice,
}

/// How deactivating or reactivating a user ends.
#[derive(Debug)]
pub enum ActivityChange {
    Done(Box<User>),
    /// The user is as wanted already.
    AlreadySo,
}

impl Flows {
    /// Everything that is stored about a user, but for secrets and the audit trail; `None` if there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stored_about(&self, account_id: AccountId) -> Result<Option<StoredAboutUser>, FlowError> {
        Ok(self.store().stored_about(account_id).await?)
    }

    /// What the credentials of an account have opened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants_of(&self, account: &Account) -> Result<Grants, FlowError> {
        let (now, account_id) = (self.now(), account.id);
        let mut sessions = self.store().sessions_of((account_id, now)).await?;
        sessions.retain(|session| session.is_live(now, self.policy()));
        let which = RefreshTokenSelector::OfAccount(account_id);
        let refresh_tokens = self.store().refresh_tokens(FindRefreshTokens { which, now }).await?;
        let trusted_devices = self.store().trusted_devices(self.all_devices(account_id)).await?;
        Ok(Grants { sessions, refresh_tokens, trusted_devices })
    }

    /// Trusted devices, none of which is the caller's.
    fn all_devices(&self, account_id: AccountId) -> FindTrustedDevices {
        FindTrustedDevices { account_id, rules: self.rules(), now: self.now(), presented: Vec::new() }
    }

    /// Ends everything that the credentials of an account have opened; says whether the account is there.
    ///
    /// # Errors
    /// When the database fails; then nothing has ended.
    pub async fn revoke_all(&self, caller: &Caller, account_id: AccountId) -> Result<bool, FlowError> {
        let event = self.audit(caller, self.now()).about(account_id).event(EventKind::SessionsRevoked);
        Ok(self.store().revoke_sessions(RevokeSessions { account_id, which: SessionSelector::All, event }).await?)
    }

    /// Ends the session, the refresh token or the trust in a device with this id; `None` if the account has none.
    ///
    /// # Errors
    /// When the database fails; then it has not ended.
    pub async fn revoke_grant(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: &str,
    ) -> Result<Option<Ended>, FlowError> {
        let event = |kind| self.audit(caller, self.now()).about(account_id).event(kind);
        if let Some(id) = SessionId::parse(id) {
            let (which, event) = (SessionSelector::WithId(id), event(EventKind::SessionsRevoked));
            if self.store().revoke_sessions(RevokeSessions { account_id, which, event }).await? {
                return Ok(Some(Ended::Session));
            }
        }
        if let Some(id) = RefreshTokenId::parse(id) {
            let (which, event) = (RevokedTokens::WithId(id), event(EventKind::RefreshTokensRevoked));
            if self.store().revoke_refresh_tokens(RevokeRefreshTokens { account_id, which, event }).await? {
                return Ok(Some(Ended::RefreshToken));
            }
        }
        if let Some(id) = TrustedDeviceId::parse(id) {
            let (find, event) = (self.all_devices(account_id), event(EventKind::DeviceRevoked));
            let change = ChangeTrustedDevice { find, id, change: DeviceChange::EndTrust, event };
            if self.store().change_trusted_device(change).await?.is_some() {
                return Ok(Some(Ended::TrustedDevice));
            }
        }
        Ok(None)
    }

    /// Records that the database is one of the past. Before it is in use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_restoration(&self, caller: &Caller) -> Result<(), FlowError> {
        let event = self.audit(caller, self.now()).event(EventKind::DatabaseRestored);
        Ok(self.store().record(event).await?)
    }

    /// Ends everything that the credentials of all accounts have opened, and uses up the codes that apps show now, because the
    /// database is one of the past.
    ///
    /// # Errors
    /// When the database fails; then nothing has ended.
    pub async fn end_all_grants(&self, caller: &Caller) -> Result<AllGrantsEnded, FlowError> {
        let now = self.now();
        let event = self.audit(caller, now).event(EventKind::AllGrantsEnded);
        Ok(self.store().end_all_grants(EndAllGrants { now, event }).await?)
    }

    /// Takes a lost second factor from an account: signing in asks for the password alone.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn reset_factors(&self, caller: &Caller, account_id: AccountId) -> Result<FactorsReset, FlowError> {
        let now = self.now();
        let audit = self.audit(caller, now).about(account_id);
        Ok(self.store().reset_factors(ResetFactors { account_id, audit }).await?)
    }

    /// Sets the password of a user. Everything that the old one had opened ends, and so does a lock after wrong codes.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old password is still valid.
    pub async fn set_password_of(
        &self,
        caller: &Caller,
        account_id: AccountId,
        password: &str,
    ) -> Result<Result<User, NotWritten>, FlowError> {
        for _ in 0..TRIES {
            let Some(user) = self.user(AccountLookup::Id(account_id), None).await? else {
                return Ok(Err(NotWritten::Gone));
            };
            let (profile, is_active) = (profile_of(&user), user.account.is_active);
            match self.change_user(caller, user, profile, Some(password), is_active).await? {
                Err(NotWritten::Gone) => {}
                done => return Ok(done),
            }
        }
        Err(FlowError::Contended(TRIES))
    }

    /// Deactivates or reactivates a user, whatever else changes at the same moment.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn set_active_by_id(
        &self,
        caller: &Caller,
        account_id: AccountId,
        is_active: bool,
    ) -> Result<Result<ActivityChange, NotWritten>, FlowError> {
        for _ in 0..TRIES {
            let Some(user) = self.user(AccountLookup::Id(account_id), None).await? else {
                return Ok(Err(NotWritten::Gone));
            };
            if user.account.is_active == is_active {
                return Ok(Ok(ActivityChange::AlreadySo));
            }
            match self.set_active(caller, user, is_active).await? {
                Err(NotWritten::Gone) => {}
                done => return Ok(done.map(|user| ActivityChange::Done(Box::new(user)))),
            }
        }
        Err(FlowError::Contended(TRIES))
    }
}

/// The fields of a user as they are.
fn profile_of(user: &User) -> AccountProfile {
    let account = user.account.clone();
    AccountProfile {
        email: account.email,
        username: account.username,
        phone_number: account.phone_number,
        name: account.name,
        image: account.image,
        email_verified: account.email_verified,
        password_change_required: account.password_change_required,
        expires_at: account.expires_at,
        profile: user.profile.clone(),
    }
}
