//! The store's calls: one for each unit of work, on either database.

use crate::error::StoreError;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::work::{
    AccountWritten, AddCanary, AddMethod, BeginEnrolment, ChangeAccount, ChangePassword, Changed, Claim, ClaimAttempt,
    CompleteSecondFactor, CompleteSignIn, CreateAccount, DisableTwoFactor, EndTrust, EnrolMail, EnrolmentBegun,
    ExpiringTable, ExtendSession, FailAttempt, FindTrust, FindUnnormalized, IssueCode, Issued, KeyringFacts,
    LiftLimits, MailEnrolled, MethodAdded, MethodsRemoved, OpenChallenge, PasswordTry, PresentedTicket, Purge,
    PurgeTable, Purged, RefreshTokenUsed, Register, Registered, RemoveMethods, RenameMethod, ReplaceBackupCodes,
    ReturnAttempt, RevokeSessions, SecondFactorCompleted, SignInCompleted, TakePasswordTry, Unnormalized,
    UseRefreshToken, UsernameConflict, UsernameNormalized, UsernamesNormalized,
};
use crate::{postgres, sqlite};
use countersign_domain::account::Account;
use countersign_domain::api_key::ApiKeyRecord;
use countersign_domain::attempt::Authenticator;
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, ApiKeyId};
use countersign_domain::limits::StoredLimits;
use countersign_domain::quota::QuotaUse;
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device::TrustedDevice;
use countersign_domain::user::{AccountLookup, User};

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
                /// If the database is not available or refuses a statement; nothing is known to have been written.
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
    /// An account alone.
    pub read account(AccountLookup) -> Option<Account>;
    /// An account with its profile, methods and registrations.
    pub read user(AccountLookup) -> Option<User>;
    /// The session with this token that is live at this time, and its account.
    pub read session_by_token((Digest, Timestamp)) -> Option<(Session, Account)>;
    /// The sessions of an account that are live at this time, the newest first.
    pub read sessions_of((AccountId, Timestamp)) -> Vec<Session>;
    /// The confirmed authenticator apps of an account, the oldest first, and the one being enrolled.
    pub read authenticators_of(AccountId) -> (Vec<Authenticator>, Option<Authenticator>);
    /// The locks and limits of an account.
    pub read account_limits(AccountId) -> Option<StoredLimits>;
    /// A live trust of an account.
    pub read trust(FindTrust) -> Option<TrustedDevice>;
    /// The account of a ticket that is valid at this time, and the issuer's own state. The `trustChallenge` is not compared.
    pub read ticket((PresentedTicket, Timestamp)) -> Option<(Account, Option<String>)>;
    /// An API key, unless it is revoked.
    pub read api_key(Digest) -> Option<ApiKeyRecord>;
    /// All API keys, revoked ones included.
    pub read api_keys(()) -> Vec<ApiKeyRecord>;
    /// The accounts whose user name has the form of another account's.
    pub read username_conflicts(()) -> Vec<UsernameConflict>;
    /// The newest canary, the newest authenticator app, and whether there are accounts.
    pub read keyring_facts(()) -> KeyringFacts;
    /// Checks that the database responds.
    pub read ping(()) -> ();

    /// Writes an audit event that belongs to no other change.
    pub write record(AuditEvent) -> ();
    /// Takes the uses that a password costs, and decides whether it may be judged.
    pub write take_password_try(TakePasswordTry) -> PasswordTry;
    /// Gives back what a right password had taken.
    pub write give_back(Vec<QuotaUse>) -> ();
    /// Lifts all locks and limits of an account; says whether it is there.
    pub write lift_limits(LiftLimits) -> bool;
    /// Creates an account, with its first session or registration if there is one.
    pub write create_account(CreateAccount) -> AccountWritten;
    /// Completes a sign-in whose password was right: decides, and opens a session, tokens or a challenge.
    pub write complete_sign_in(CompleteSignIn) -> SignInCompleted;
    /// Ends the session with this token, if there is one; account and session are added to the event.
    pub write sign_out((Digest, AuditEvent)) -> ();
    /// Extends a session; says whether it was still there.
    pub write extend_session(ExtendSession) -> bool;
    /// Ends sessions of one account; says whether anything ended.
    pub write revoke_sessions(RevokeSessions) -> bool;
    /// Ends trust in all devices of an account.
    pub write end_trust(EndTrust) -> Changed;
    /// Sets a new password, and ends what ends with the old one.
    pub write change_password(ChangePassword) -> Changed;
    /// Claims an attempt at a second factor before the code is looked at.
    pub write claim_attempt(ClaimAttempt) -> Claim;
    /// Records an attempt that was judged and failed.
    pub write fail_attempt(FailAttempt) -> ();
    /// Gives an attempt back that was not judged, or not made to count.
    pub write return_attempt(ReturnAttempt) -> ();
    /// Makes a right second factor count: decides, and opens a session or tokens.
    pub write complete_second_factor(CompleteSecondFactor) -> SecondFactorCompleted;
    /// Stores a one-time code to be sent.
    pub write issue_code(IssueCode) -> Issued;
    /// Opens a challenge without a password, together with a code; `false` if the account is gone.
    pub write open_challenge(OpenChallenge) -> bool;
    /// Stores an authenticator app to be confirmed later, and its backup codes.
    pub write begin_enrolment(BeginEnrolment) -> EnrolmentBegun;
    /// Makes codes by e-mail a second factor, or begins it.
    pub write enrol_mail(EnrolMail) -> MailEnrolled;
    /// Adds a method; with the first one, signing in asks for it.
    pub write add_method(AddMethod) -> MethodAdded;
    /// Removes methods, by a right code.
    pub write remove_methods(RemoveMethods) -> MethodsRemoved;
    /// Sets the label of a method; `false` if there is no such method.
    pub write rename_method(RenameMethod) -> bool;
    /// Replaces all backup codes.
    pub write replace_backup_codes(ReplaceBackupCodes) -> Changed;
    /// Turns the second factor off and replaces the session.
    pub write disable_two_factor(DisableTwoFactor) -> Changed;

    /// Changes an account, if it is still as it was read; a new password, or deactivation, ends what the account opened.
    pub write change_account(ChangeAccount) -> AccountWritten;
    /// Deletes an account and everything that belongs to it but the audit trail; says whether it was there.
    pub write delete_account((AccountId, AuditEvent)) -> bool;
    /// Registers a user for an application.
    pub write register(Register) -> Registered;
    /// Uses a refresh token up, and stores the next one.
    pub write use_refresh_token(UseRefreshToken) -> RefreshTokenUsed;
    /// Stores an API key.
    pub write add_api_key((ApiKeyRecord, Digest)) -> ();
    /// Revokes an API key; `false` if there is none to revoke.
    pub write revoke_api_key((ApiKeyId, Timestamp)) -> bool;

    /// Finds accounts whose user name may not have the form in which names are compared now.
    write find_unnormalized(FindUnnormalized) -> Unnormalized;
    /// Brings the user name of one account to its form.
    write normalize_username(String) -> UsernameNormalized;
    /// Stores the canary of a key; `false` if the key has one, or another one was stored since the keyring was checked.
    pub write add_canary(AddCanary) -> bool;

    /// Deletes expired rows of one table; says how many.
    write purge_table(PurgeTable) -> usize;
}

/// Accounts that are looked at in one transaction, which then takes some milliseconds.
const USERNAMES_AT_ONCE: u32 = 500;

impl Store {
    /// Brings the user names that nodes of earlier versions wrote to the form in which they are compared now. Only rows that
    /// lack it are looked at, so that this may be done again at any time. A key is changed in a transaction of its own:
    /// a name that somebody takes meanwhile stops no other.
    ///
    /// # Errors
    /// If the database is not available or refuses a statement; what was done before that stays.
    pub async fn normalize_usernames(&self) -> Result<UsernamesNormalized, StoreError> {
        let (mut after, mut total) = (String::new(), UsernamesNormalized::default());
        loop {
            let found = self.find_unnormalized(FindUnnormalized { after, batch: USERNAMES_AT_ONCE }).await?;
            total.changed += found.noted;
            for id in found.due {
                match self.normalize_username(id).await? {
                    UsernameNormalized::Changed => total.changed += 1,
                    UsernameNormalized::Contested => total.contested += 1,
                    UsernameNormalized::Unchanged => {}
                }
            }
            let Some(last) = found.last else { return Ok(total) };
            after = last;
        }
    }

    /// Deletes expired rows, one transaction per table, so that no other request waits long. Several nodes may do it at once:
    /// each takes rows that the others have not taken.
    ///
    /// # Errors
    /// If the database is not available or refuses a statement; rows deleted before that stay deleted.
    pub async fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        let expired = |table| self.purge_table(PurgeTable { table, before: purge.now, batch: purge.batch });
        let mut purged = Purged {
            challenges: expired(ExpiringTable::Challenges).await?,
            one_time_codes: expired(ExpiringTable::OneTimeCodes).await?,
            sessions: expired(ExpiringTable::Sessions).await?,
            refresh_tokens: expired(ExpiringTable::RefreshTokens).await?,
            tickets: expired(ExpiringTable::Tickets).await?,
            trusted_devices: expired(ExpiringTable::TrustedDevices).await?,
            known_networks: expired(ExpiringTable::KnownNetworks).await?,
            quotas: expired(ExpiringTable::Quotas).await?,
            spent_steps: expired(ExpiringTable::SpentSteps).await?,
            audit_events: 0,
        };
        if let Some(before) = purge.audit_before {
            let old = PurgeTable { table: ExpiringTable::AuditEvents, before, batch: purge.batch };
            purged.audit_events = self.purge_table(old).await?;
        }
        Ok(purged)
    }
}
