//! The store's calls: one for each unit of work, whatever the database.

use crate::error::StoreError;
use crate::sqlite::Sqlite;
use crate::work::{
    Authenticator, BeginEnrolment, ChangePassword, Changed, Claim, ClaimAttempt, CompleteSignIn, DisableTwoFactor,
    FailAttempt, IssueCode, Issued, PassSecondFactor, Passed, ReplaceBackupCodes, RevokeSessions, SignIn, SignUp,
    SignedUp, Spend, Spent,
};
use crate::{postgres, sqlite};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, SessionId};
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use diesel_async::pooled_connection::deadpool::Pool;
use std::time::Duration;

/// How often work is done again when another transaction was in its way.
const RETRIES: u32 = 8;

pub(crate) enum Backend {
    Sqlite(Sqlite),
    Postgres(Pool<postgres::Conn>),
}

/// An open database. Cheap to share behind an `Arc`; all calls may run at once.
pub struct Store {
    pub(crate) backend: Backend,
}

macro_rules! units {
    ($($(#[$doc:meta])* $kind:ident $name:ident($input:ty) -> $output:ty;)*) => {
        impl Store {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// When the database is not available or refuses; then nothing is known to have happened.
                pub async fn $name(&self, input: $input) -> Result<$output, StoreError> {
                    units!(@$kind self, $name, input)
                }
            )*
        }
    };
    (@read $store:ident, $name:ident, $input:ident) => {
        match &$store.backend {
            Backend::Sqlite(sqlite) => {
                let mut connection = sqlite.readers.get().await.map_err(StoreError::unavailable)?;
                sqlite::queries::$name(&mut connection, &$input).await
            }
            Backend::Postgres(pool) => {
                let mut connection = pool.get().await.map_err(StoreError::unavailable)?;
                postgres::queries::$name(&mut connection, &$input).await
            }
        }
    };
    (@write $store:ident, $name:ident, $input:ident) => {
        match &$store.backend {
            Backend::Sqlite(sqlite) => {
                let mut connection = sqlite.writer.get().await.map_err(StoreError::unavailable)?;
                let whole = move || futures::executor::block_on(async move {
                    sqlite::begin(&mut connection).await?;
                    let work = sqlite::queries::$name(&mut connection, &$input).await;
                    sqlite::finish(&mut connection, work).await
                });
                tokio::task::spawn_blocking(whole).await.map_err(StoreError::unavailable)?
            }
            Backend::Postgres(pool) => {
                let mut retries = 0;
                loop {
                    let mut connection = pool.get().await.map_err(StoreError::unavailable)?;
                    postgres::begin(&mut connection).await?;
                    let work = postgres::queries::$name(&mut connection, &$input).await;
                    match postgres::finish(&mut connection, work).await {
                        Err(error) if error.is_conflict() && retries < RETRIES => {
                            drop(connection);
                            retries += 1;
                            tokio::time::sleep(Duration::from_millis(u64::from(2_u32.pow(retries)))).await;
                        }
                        outcome => break outcome,
                    }
                }
            }
        }
    };
}

units! {
    /// The account with this address.
    read account_by_email(EmailAddress) -> Option<Account>;
    /// The live session with this token at this time, and whose it is.
    read session_by_token((Digest, Timestamp)) -> Option<(Session, Account)>;
    /// The live sessions of an account at this time, the newest first.
    read sessions_of((AccountId, Timestamp)) -> Vec<Session>;
    /// The confirmed and the pending authenticator app of an account.
    read authenticators_of(AccountId) -> (Option<Authenticator>, Option<Authenticator>);

    /// Writes a line of the audit trail that stands for itself.
    write record(AuditEvent) -> ();
    /// Takes one from a budget.
    write spend(Spend) -> Spent;
    /// Makes the budget of this name whole again.
    write give_back(String) -> ();
    /// Makes an account and its first session.
    write sign_up(SignUp) -> SignedUp;
    /// Opens a session or a challenge after a right password.
    write complete_sign_in(CompleteSignIn) -> SignIn;
    /// Ends the session with this token, if there is one; the event is completed with whose it was.
    write sign_out((Digest, AuditEvent)) -> ();
    /// Extends a session: its name, now, and its new end. Says whether it was still there.
    write extend_session((SessionId, Timestamp, Timestamp)) -> bool;
    /// Ends sessions of one account; says how many.
    write revoke_sessions(RevokeSessions) -> usize;
    /// Sets a new password; ends all trust and all open challenges.
    write change_password(ChangePassword) -> Changed;
    /// Claims an attempt at a second factor before the code is looked at.
    write claim_attempt(ClaimAttempt) -> Claim;
    /// Records an attempt that was judged and failed.
    write fail_attempt(FailAttempt) -> ();
    /// Makes a right second factor count.
    write pass_second_factor(PassSecondFactor) -> Passed;
    /// Stores a code to be sent.
    write issue_code(IssueCode) -> Issued;
    /// Stores an authenticator app that is to be confirmed, and its backup codes.
    write begin_enrolment(BeginEnrolment) -> Changed;
    /// Replaces all backup codes.
    write replace_backup_codes(ReplaceBackupCodes) -> Changed;
    /// Removes every second factor of an account and replaces the session.
    write disable_two_factor(DisableTwoFactor) -> Changed;
}

impl Store {
    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.account_by_email(EmailAddress::new("")).await.map(drop)
    }
}
