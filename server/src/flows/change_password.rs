//! Changing the password.

use super::password_check::Unconfirmed;
use super::{Authenticated, Caller, FlowError, Flows, with_random};
use countersign_domain::audit::EventKind;
use countersign_domain::password::{Cost, Password, PasswordHash, Unfit};
use countersign_store::work::{self, Changed};

/// How changing a password ends.
#[derive(Debug)]
pub enum ChangePassword {
    /// It is changed.
    Done {
        /// The session, which is a new one when all others were ended.
        authenticated: Box<Authenticated>,
        /// Whether it is a new one.
        is_new_session: bool,
    },
    /// The new password is not taken.
    UnfitPassword(Unfit),
    /// The account has no password to change.
    NoPassword,
    /// The old password was not confirmed.
    Unconfirmed(Unconfirmed),
}

impl Flows {
    /// Sets a new password. Trust in devices and open challenges end with the old one.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old password is still good.
    pub async fn change_password(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        current: &str,
        new: &str,
        ends_other_sessions: bool,
    ) -> Result<ChangePassword, FlowError> {
        let account = &authenticated.account;
        let new = match Password::chosen(new) {
            Ok(password) => password,
            Err(unfit) => return Ok(ChangePassword::UnfitPassword(unfit)),
        };
        if account.password.is_none() {
            return Ok(ChangePassword::NoPassword);
        }
        if let Err(unconfirmed) = self.confirm_password(caller, account, current).await? {
            return Ok(ChangePassword::Unconfirmed(unconfirmed));
        }
        let make =
            move |memory: &mut Vec<_>| with_random(|random| PasswordHash::make(&new, Cost::PASSWORD, random, memory));
        let password = self.hasher.admit()?.run(make).await?;
        let now = self.now();
        let old = &authenticated.session;
        let (session, token) = self.new_session(caller, account, old.is_remembered, old.second_factor_at, now);
        let change = work::ChangePassword {
            account_id: account.id,
            credentials_version: account.credentials_version,
            password,
            session: ends_other_sessions.then(|| session.clone()),
            now,
            event: caller.event_in(EventKind::PasswordChanged, old, now),
        };
        if self.store.change_password(change).await? == Changed::Stale {
            return Ok(ChangePassword::Unconfirmed(Unconfirmed::WrongPassword));
        }
        let mut authenticated = authenticated.clone();
        authenticated.account.updated_at = now;
        if ends_other_sessions {
            (authenticated.session, authenticated.token) = (session.session, token);
        }
        Ok(ChangePassword::Done { authenticated: Box::new(authenticated), is_new_session: ends_other_sessions })
    }
}
