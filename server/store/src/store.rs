//! The store's calls: one for each unit of work, whatever the database.

use crate::error::StoreError;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::work::{
    AccountWritten, AddMethod, ApiKeyRecord, Authenticator, BeginEnrolment, ChangeAccount, ChangePassword, Changed,
    Claim, ClaimAttempt, CompleteSignIn, CreateAccount, DisableTwoFactor, FailAttempt, IssueCode, Issued, MethodAdded,
    OpenChallenge, PassSecondFactor, Passed, Passing, Person, PresentedTicket, Purge, PurgeTable, Purged,
    RefreshTokenUsed, Register, RenameMethod, ReplaceBackupCodes, RevokeSessions, SignIn, SignUp, SignedUp, Spend,
    Spent, StoredTrust, UseRefreshToken, Whose,
};
use crate::{postgres, sqlite};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, ApiKeyId, SessionId, TenantId};
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
    /// The account with this address in this tenant.
    pub read account_by_email((TenantId, EmailAddress)) -> Option<Account>;
    /// Everything about a person.
    pub read person(Whose) -> Option<Person>;
    /// The live session with this token at this time, and whose it is.
    pub read session_by_token((Digest, Timestamp)) -> Option<(Session, Account)>;
    /// The live sessions of an account at this time, the newest first.
    pub read sessions_of((AccountId, Timestamp)) -> Vec<Session>;
    /// The confirmed authenticator apps of an account, the oldest first, and the one that waits to be confirmed.
    pub read authenticators_of(AccountId) -> (Vec<Authenticator>, Option<Authenticator>);
    /// A live trust of an account at this time.
    pub read trust((Digest, AccountId, Timestamp)) -> Option<StoredTrust>;
    /// Whose ticket this is, if it is good at this time, and what whoever asked for it wants to have back. The text that
    /// has to be known with it is not looked at.
    pub read ticket((PresentedTicket, Timestamp)) -> Option<(Account, Option<String>)>;
    /// The key of a service, unless it was revoked.
    pub read api_key(Digest) -> Option<ApiKeyRecord>;
    /// The keys of all services, revoked ones too.
    pub read api_keys(()) -> Vec<ApiKeyRecord>;

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

    /// Makes an account without signing in to it.
    pub write create_account(CreateAccount) -> AccountWritten;
    /// Changes an account, if it is still what was read; a new password, or deactivation, ends what the account opened.
    pub write change_account(ChangeAccount) -> AccountWritten;
    /// Removes an account and all that belongs to it, but for the audit trail; says whether it was there.
    pub write delete_account((AccountId, AuditEvent)) -> bool;
    /// Registers a person for an application; says whether they were not yet.
    pub write register(Register) -> bool;
    /// Opens a challenge without a password, together with a code; says whether the account is there.
    pub write open_challenge(OpenChallenge) -> bool;
    /// Adds a second factor; with the first one, signing in asks for it.
    pub write add_method(AddMethod) -> MethodAdded;
    /// Gives a second factor a name; says whether there is such a one.
    pub write rename_method(RenameMethod) -> bool;
    /// Uses a refresh token up, and stores the next one.
    pub write use_refresh_token(UseRefreshToken) -> RefreshTokenUsed;
    /// Stores the key of a service.
    pub write add_api_key((ApiKeyRecord, Digest)) -> ();
    /// Revokes the key of a service; says whether there was one that could be.
    pub write revoke_api_key((ApiKeyId, Timestamp)) -> bool;

    /// Removes some of what has passed from one table; says how many.
    write purge_table(PurgeTable) -> usize;
}

impl Store {
    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.account_by_email((TenantId::DEFAULT, EmailAddress::new(""))).await.map(drop)
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
            refresh_tokens: passed(Passing::RefreshTokens).await?,
            tickets: passed(Passing::Tickets).await?,
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
