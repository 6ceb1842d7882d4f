//! Enrolling an authenticator app, and showing its secret again.

use super::password_check::Unconfirmed;
use super::{Authenticated, Caller, FlowError, Flows, with_random};
use countersign_domain::audit::EventKind;
use countersign_domain::backup_code::{self, Alphabet, BackupCode};
use countersign_domain::ids::{AccountId, BackupCodeId, MethodId};
use countersign_domain::keyring::Purpose;
use countersign_domain::method::MethodHandle;
use countersign_domain::totp::TotpSecret;
use countersign_store::work::{Authenticator, BeginEnrolment, Changed, StoredBackupCode};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Why factors may not be managed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// The session has not passed a second factor, and the account has one.
    SecondFactorRequired,
    /// The password was not confirmed.
    Unconfirmed(Unconfirmed),
    /// There is nothing there to manage.
    NotEnrolled,
    /// The credentials were changed, or the session ended, while the password was checked.
    Stale,
}

/// What a person needs to finish an enrolment.
#[derive(Debug)]
pub struct Enrolment {
    /// The key URI for the app.
    pub key_uri: Zeroizing<String>,
    /// The backup codes, shown once.
    pub backup_codes: Vec<BackupCode>,
}

impl Flows {
    /// Begins to enrol an authenticator app: a new secret and new backup codes. They take the place of existing ones
    /// only when a code of the new app is verified in a session.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has changed.
    pub async fn begin_enrolment(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        password: &str,
        issuer: Option<&str>,
    ) -> Result<Result<Enrolment, Forbidden>, FlowError> {
        let Authenticated { session, account, .. } = authenticated;
        if let Err(forbidden) = self.may_manage_factors(caller, authenticated, password).await? {
            return Ok(Err(forbidden));
        }
        let now = self.now();
        let (backup_codes, stored) = self.make_backup_codes(account.id, Alphabet::Mixed).await?;
        let (secret, authenticator) = with_random(|random| {
            let id = MethodId::generate(now, random);
            let secret = TotpSecret::generate(random);
            let sealed = self.keyring.seal(Purpose::TotpSecret, id.to_text().as_bytes(), secret.expose(), random);
            (secret, Authenticator { id, secret: sealed, last_step: None })
        });
        let begin = BeginEnrolment {
            account_id: account.id,
            credentials_version: account.credentials_version,
            authenticator,
            handles: new_handles(),
            backup_codes: stored,
            now,
            event: caller.event_in(EventKind::EnrolmentBegun, session, now),
        };
        Ok(match self.store.begin_enrolment(begin).await? {
            Changed::Stale | Changed::NoTicket => Err(Forbidden::Stale),
            Changed::Done => {
                let key_uri = secret.key_uri(issuer.unwrap_or(&self.app_name), account.login_name());
                Ok(Enrolment { key_uri, backup_codes })
            }
        })
    }

    /// The key URI of the app that is being enrolled, else of the one that is enrolled; of several, the oldest.
    ///
    /// # Errors
    /// When the hashing queue is full, the database fails, or the secret cannot be opened.
    pub async fn show_key_uri(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        password: &str,
    ) -> Result<Result<Zeroizing<String>, Forbidden>, FlowError> {
        let (confirmed, pending) = self.store.authenticators_of(authenticated.account.id).await?;
        let Some(authenticator) = pending.or(confirmed.into_iter().next()) else {
            return Ok(Err(Forbidden::NotEnrolled));
        };
        if let Err(forbidden) = self.may_manage_factors(caller, authenticated, password).await? {
            return Ok(Err(forbidden));
        }
        let secret = self.open_secret(&authenticator)?;
        let event = caller.event_in(EventKind::SecretShown, &authenticated.session, self.now());
        self.store.record(event).await?;
        Ok(Ok(secret.key_uri(&self.app_name, authenticated.account.login_name())))
    }

    /// The gate before everything that changes or shows a factor: a session that has passed a second factor, once the
    /// account has one, and the password (A 7.5.1).
    pub(super) async fn may_manage_factors(
        &self,
        caller: &Caller,
        Authenticated { session, account, .. }: &Authenticated,
        password: &str,
    ) -> Result<Result<(), Forbidden>, FlowError> {
        if !session.may_manage_factors(account) {
            return Ok(Err(Forbidden::SecondFactorRequired));
        }
        Ok(self.confirm_password(caller, account, password).await?.map_err(Forbidden::Unconfirmed))
    }

    /// A set of backup codes and what is stored of it.
    pub(super) async fn make_backup_codes(
        &self,
        account_id: AccountId,
        alphabet: Alphabet,
    ) -> Result<(Vec<BackupCode>, Vec<StoredBackupCode>), FlowError> {
        let (now, keyring) = (self.now(), Arc::clone(&self.keyring));
        let make = move |memory: &mut Vec<_>| {
            with_random(|random| {
                let codes = backup_code::generate_set(alphabet, random);
                let stored = codes.iter().map(|code| StoredBackupCode {
                    id: BackupCodeId::generate(now, random),
                    selector: code.selectors(account_id, &keyring).swap_remove(0),
                    hash: code.hash(random, memory),
                    is_spent: false,
                });
                let stored = stored.collect();
                (codes, stored)
            })
        };
        Ok(self.hasher.admit()?.run(make).await?)
    }

    pub(super) fn open_secret(&self, authenticator: &Authenticator) -> Result<TotpSecret, FlowError> {
        let row = authenticator.id.to_text();
        let bytes = self.keyring.open(Purpose::TotpSecret, row.as_bytes(), &authenticator.secret)?;
        TotpSecret::from_bytes(&bytes).ok_or(FlowError::ShortSecret)
    }
}

/// Names for a new method to choose from; that none of three is free among the few of an account does not happen.
pub(super) fn new_handles() -> [MethodHandle; 3] {
    with_random(|random| std::array::from_fn(|_| MethodHandle::generate(random)))
}
