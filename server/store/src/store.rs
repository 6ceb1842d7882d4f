//! The store's calls: one for each unit of work, whatever the database.

use crate::error::StoreError;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::work::{
    Authenticator, BeginEnrolment, ChangePassword, Changed, Claim, ClaimAttempt, CompleteSignIn, DisableTwoFactor,
    FailAttempt, IssueCode, Issued, PassSecondFactor, Passed, Passing, Purge, PurgeTable, Purged, ReplaceBackupCodes,
    RevokeSessions, SignIn, SignUp, SignedUp, Spend, Spent,
};
use crate::{postgres, sqlite};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, SessionId};
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;

pub(crate) enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// An open database. Cheap to share behind an `Arc`; all calls may run at once.
pub struct Store {
    pub(crate) backend: Backend,
}

macro_rules! units {
    ($($(#[$doc:meta])* $visibility:vis $kind:ident $name:ident($input:ty) -> $output:ty;)*) => {
        impl Store {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// When the database is not available or refuses; then nothing is known to have happened.
                $visibility async fn $name(&self, input: $input) -> Result<$output, StoreError> {
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
            Backend::Postgres(server) => server.by_the_deadline(async {
                let mut tries = server.tries();
                loop {
                    let mut connection = server.reading().await?;
                    let read = postgres::queries::$name(&mut connection, &$input).await;
                    match postgres::finish_read(connection, read) {
                        Err(error) if tries.again(&error).await => {}
                        outcome => break outcome,
                    }
                }
            }).await,
        }
    };
    (@write $store:ident, $name:ident, $input:ident) => {
        match &$store.backend {
            Backend::Sqlite(sqlite) => {
                let work = move |connection: &mut sqlite::Conn| {
                    futures::executor::block_on(sqlite::queries::$name(connection, &$input))
                };
                sqlite.writer.carry_out(work).await
            }
            Backend::Postgres(server) => server.by_the_deadline(async {
                let mut tries = server.tries();
                loop {
                    let mut connection = server.writing().await?;
                    let work = postgres::queries::$name(&mut connection, &$input).await;
                    match postgres::finish(connection, work).await {
                        Err(error) if tries.again(&error).await => {}
                        outcome => break outcome,
                    }
                }
            }).await,
        }
    };
}

units! {
    /// The account with this address.
    pub read account_by_email(EmailAddress) -> Option<Account>;
    /// The live session with this token at this time, and whose it is.
    pub read session_by_token((Digest, Timestamp)) -> Option<(Session, Account)>;
    /// The live sessions of an account at this time, the newest first.
    pub read sessions_of((AccountId, Timestamp)) -> Vec<Session>;
    /// The confirmed and the pending authenticator app of an account.
    pub read authenticators_of(AccountId) -> (Option<Authenticator>, Option<Authenticator>);

    /// Writes a line of the audit trail that stands for itself.
    pub write record(AuditEvent) -> ();
    /// Takes one from a budget.
    pub write spend(Spend) -> Spent;
    /// Makes the budget of this name whole again.
    pub write give_back(String) -> ();
    /// Makes an account and its first session.
    pub write sign_up(SignUp) -> SignedUp;
    /// Opens a session or a challenge after a right password.
    pub write complete_sign_in(CompleteSignIn) -> SignIn;
    /// Ends the session with this token, if there is one; the event is completed with whose it was.
    pub write sign_out((Digest, AuditEvent)) -> ();
    /// Extends a session: its name, now, and its new end. Says whether it was still there.
    pub write extend_session((SessionId, Timestamp, Timestamp)) -> bool;
    /// Ends sessions of one account; says how many.
    pub write revoke_sessions(RevokeSessions) -> usize;
    /// Sets a new password; ends all trust and all open challenges.
    pub write change_password(ChangePassword) -> Changed;
    /// Claims an attempt at a second factor before the code is looked at.
    pub write claim_attempt(ClaimAttempt) -> Claim;
    /// Records an attempt that was judged and failed.
    pub write fail_attempt(FailAttempt) -> ();
    /// Makes a right second factor count.
    pub write pass_second_factor(PassSecondFactor) -> Passed;
    /// Stores a code to be sent.
    pub write issue_code(IssueCode) -> Issued;
    /// Stores an authenticator app that is to be confirmed, and its backup codes.
    pub write begin_enrolment(BeginEnrolment) -> Changed;
    /// Replaces all backup codes.
    pub write replace_backup_codes(ReplaceBackupCodes) -> Changed;
    /// Removes every second factor of an account and replaces the session.
    pub write disable_two_factor(DisableTwoFactor) -> Changed;

    /// Removes some of what has passed from one table; says how many.
    write purge_table(PurgeTable) -> usize;
}

impl Store {
    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.account_by_email(EmailAddress::new("")).await.map(drop)
    }

    /// Removes what has passed, in a transaction of its own for each table, so that nothing else waits for long.
    /// Several nodes may do it at once: each takes what the others have not taken yet.
    ///
    /// # Errors
    /// When the database is not available or refuses; what was removed before that stays removed.
    pub async fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        let passed = |table| self.purge_table(PurgeTable { table, before: purge.now, batch: purge.batch });
        let mut purged = Purged {
            challenges: passed(Passing::Challenges).await?,
            mailed_codes: passed(Passing::MailedCodes).await?,
            sessions: passed(Passing::Sessions).await?,
            trusted_devices: passed(Passing::TrustedDevices).await?,
            budgets: passed(Passing::Budgets).await?,
            audit_events: 0,
        };
        if let Some(before) = purge.audit_before {
            let old = PurgeTable { table: Passing::AuditEvents, before, batch: purge.batch };
            purged.audit_events = self.purge_table(old).await?;
        }
        Ok(purged)
    }
}
