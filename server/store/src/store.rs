//! The store's calls: one for each unit of work, on either database.

use crate::account_locks::LockKey;
use crate::committed;
use crate::error::StoreError;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::work::{
    AccountWritten, AddCanary, AddMethod, AddPasskey, AllGrantsEnded, AttemptEnded, AttemptSecondFactor,
    AuditBlockSealed, AuditBlocksRemoved, AuditPlace, BeginCeremony, BeginEnrolment, ChangeAccount, ChangeAddress,
    ChangePassword, ChangeRegistration, ChangeTrustedDevice, Changed, Claim, ClaimAttempt, CompleteSecondFactor,
    CompleteSignIn, ConfirmPasskey, CountEverything, CreateAccount, DeleteOwnAccount, DeleteRegistration,
    DisableTwoFactor, EndAllGrants, EndTrust, EnrolMail, EnrolmentBegun, ExpiringTable, ExtendSession, FactorsReset,
    FailAttempt, FindAuditBlocks, FindAuditEvents, FindBlockEvents, FindCeremony, FindRefreshTokens, FindSealed,
    FindTagged, FindTokenHolders, FindTrust, FindTrustedDevices, FindUnnormalized, FindUnsealed, FindUsers,
    FinishMessage, FinishWebhookEvent, FoundCeremony, FoundTicket, FoundTrustedDevice, FoundUsers, ImportPasskeys,
    IssueCode, IssueLink, Issued, KeyringFacts, LiftLimits, LinkIssued, LinkUsed, ListUsers, MailEnrolled,
    MessageQueue, MethodAdded, MethodsRemoved, NoteKey, NoteResealed, NoteSessionUse, OpenChallenge, OwnAccountDeleted,
    PasskeyAdded, PasskeyConfirmed, PasskeysImported, PasskeysRemoved, PasswordTry, PresentedTicket, Purge, PurgeTable,
    Purged, RefreshTokenUsed, Register, Registered, RemoveAuditBlocks, RemoveMethods, RemovePasskeys, RemoveTags,
    RenameMethod, RenamePasskey, ReplaceBackupCodes, ResealedBlock, ResealedMessage, ResealedSecret, ResetFactors,
    RestoreAddress, ReturnAttempt, RevokeRefreshTokens, RevokeSessions, ScanSigned, ScannedPage, SealAuditBlock,
    SealedTable, SecondFactorCompleted, SignInCompleted, SpendCeremony, Statistics, StoredAboutUser, StoredAuditEvent,
    StoredRefreshToken, StoredWebhookEvent, SuspendAccount, TaggedPage, TakeMessages, TakePasswordTry,
    TakeWebhookEvents, Unnormalized, UpdateProfile, UseRefreshToken, UsernameConflict, UsernameNormalized,
    UsernamesNormalized, VerifyAddress, WaitingSignIn, WebhookQueue, Written,
};
use crate::{postgres, sqlite};
use countersign_domain::account::Account;
use countersign_domain::api_key::ApiKeyRecord;
use countersign_domain::attempt::Authenticator;
use countersign_domain::audit::AuditEvent;
use countersign_domain::audit_chain::{StoredBlock, WrittenEvent};
use countersign_domain::decisions::lifting::Lifting;
use countersign_domain::decisions::suspension::Suspend;
use countersign_domain::ids::{AccountId, ApiKeyId, AuditId, MethodId};
use countersign_domain::key_use::{KeyUse, NodeKeys};
use countersign_domain::language::Languages;
use countersign_domain::limits::StoredLimits;
use countersign_domain::message::StoredMessage;
use countersign_domain::observer::{Observer, StoreResult};
use countersign_domain::passkey::Passkey;
use countersign_domain::quota::QuotaUse;
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device::TrustedDevice;
use countersign_domain::user::{AccountLookup, User};
use std::sync::Arc;
use std::time::Duration;

pub(crate) enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// An open database. Cheap to share behind an `Arc`; all calls may run at once.
pub struct Store {
    pub(crate) backend: Backend,
    pub(crate) observer: Arc<dyn Observer>,
}

/// Connections of a pool; on SQLite, those that read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    pub most: usize,
    pub in_use: usize,
    /// Calls that wait for a connection.
    pub waiting: usize,
}

/// `by` names what of the input leads to the account whose row the unit locks: see [`crate::account_locks`].
macro_rules! units {
    ($($(#[$doc:meta])* $visibility:vis $kind:ident $name:ident($input:ty) -> $output:ty $(, by $($field:tt).+)?;)*) => {
        impl Store {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// If the database is not available or refuses a statement; nothing is known to have been written.
                $visibility async fn $name(&self, input: $input) -> Result<$output, StoreError> {
                    let begun = self.observer.elapsed();
                    let ended = async { units!(@$kind self, $name, input $(, $($field).+)?) }.await;
                    self.note(stringify!($name), begun, &ended);
                    ended
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
    (@write $store:ident, $name:ident, $input:ident $(, $($field:tt).+)?) => {
        match &$store.backend {
            Backend::Sqlite(sqlite) => {
                let work = move |connection: &mut sqlite::Conn| {
                    futures::executor::block_on(committed::collect(sqlite::queries::$name(connection, &$input)))
                };
                $store.observed(sqlite.writer.carry_out(work).await)
            }
            Backend::Postgres(server) => $store.observed(server.by_the_deadline(async {
                $(let _lock = server.locks.acquire(LockKey::from(&$input.$($field).+)).await;)?
                let mut tries = server.tries();
                loop {
                    let mut connection = server.writing(tries.is_retry()).await?;
                    let work = committed::collect(postgres::queries::$name(&mut connection, &$input)).await;
                    match server.finish(connection, work, &mut tries).await {
                        Err(error) if tries.again(&error).await => {}
                        outcome => break outcome,
                    }
                }
            }).await),
        }
    };
}

units! {
    /// An account alone.
    pub read account(AccountLookup) -> Option<Account>;
    /// An account with its profile, methods and registrations.
    pub read user(AccountLookup) -> Option<User>;
    /// The sessions of an account that are live at this time, the newest first.
    pub read sessions_of((AccountId, Timestamp)) -> Vec<Session>;
    /// The passkeys of an account, the oldest first.
    pub read passkeys_of(AccountId) -> Vec<Passkey>;
    /// A passkey, and its account.
    pub read passkey(MethodId) -> Option<(Passkey, Account)>;
    /// A ceremony of a passkey that waits for its response, and the passkey.
    pub read find_ceremony(FindCeremony) -> Option<FoundCeremony>;
    /// The sign-in that waits for its second factor under this digest at this time.
    pub read waiting_sign_in((Digest, Timestamp)) -> Option<WaitingSignIn>;
    /// The confirmed authenticator apps of an account, the oldest first, and the one being enrolled.
    pub read authenticators_of(AccountId) -> (Vec<Authenticator>, Option<Authenticator>);
    /// Users of a tenant, with their methods and registrations.
    pub read find_users(FindUsers) -> FoundUsers;
    /// A page of the users of a tenant, with their methods and registrations.
    pub read list_users(ListUsers) -> Vec<User>;
    /// Counts of users, grants and events.
    pub read statistics(CountEverything) -> Statistics;
    /// Everything that is stored about a user, but for secrets and the audit trail; `None` if there is no such account.
    pub read stored_about(AccountId) -> Option<StoredAboutUser>;
    /// A page of the audit trail.
    pub read audit_events(FindAuditEvents) -> Vec<StoredAuditEvent>;
    /// Where an event is in the audit trail; `None` if it is not there.
    pub read audit_place(AuditId) -> Option<AuditPlace>;
    /// The last block of the audit trail.
    pub read audit_head(()) -> Option<StoredBlock>;
    /// A page of the blocks of the audit trail.
    pub read audit_blocks(FindAuditBlocks) -> Vec<StoredBlock>;
    /// Events of some blocks, each with the number of its block.
    pub read block_events(FindBlockEvents) -> Vec<(i64, WrittenEvent)>;
    /// A page of the events that are in no block.
    pub read unsealed_events(FindUnsealed) -> Vec<WrittenEvent>;
    /// Blocks whose MAC is by a key.
    pub read sealed_blocks(FindSealed) -> Vec<StoredBlock>;
    /// The locks and limits of an account.
    pub read account_limits(AccountId) -> Option<StoredLimits>;
    /// Refresh tokens that are good at this time, one for each sign-in, the newest first.
    pub read refresh_tokens(FindRefreshTokens) -> Vec<StoredRefreshToken>;
    /// What a refresh token was given to, whether it was used or not.
    pub read refresh_token_owner(Digest) -> Option<StoredRefreshToken>;
    /// Some accounts that have refresh tokens of an application.
    pub read token_holders(FindTokenHolders) -> Vec<AccountId>;
    /// A live trust of an account.
    pub read trust(FindTrust) -> Option<TrustedDevice>;
    /// The live trusted devices of an account, those that were used last first.
    pub read trusted_devices(FindTrustedDevices) -> Vec<FoundTrustedDevice>;
    /// A ticket that is valid at this time, and its account. The `trustChallenge` is not compared.
    pub read ticket((PresentedTicket, Timestamp)) -> Option<FoundTicket>;
    /// An API key, unless it is revoked.
    pub read api_key(Digest) -> Option<ApiKeyRecord>;
    /// All API keys, revoked ones included.
    pub read api_keys(()) -> Vec<ApiKeyRecord>;
    /// The accounts whose user name has the form of another account's.
    pub read username_conflicts(()) -> Vec<UsernameConflict>;
    /// The newest canary, the newest authenticator app, whether there are accounts, and which keys rows are sealed with.
    pub read keyring_facts(()) -> KeyringFacts;
    /// Which keys nodes have loaded, and what is known of each.
    pub read key_use(()) -> KeyUse;
    /// The keys that rows are sealed with.
    pub read sealing_keys(()) -> Vec<(SealedTable, String)>;
    /// The number of rows that are sealed with a key.
    pub read count_sealed((SealedTable, String)) -> u64;
    /// Authenticator apps whose secrets are sealed with a key.
    pub read sealed_secrets(FindSealed) -> Vec<Authenticator>;
    /// Messages that are sealed with a key and wait to be delivered.
    pub read sealed_messages(FindSealed) -> Vec<StoredMessage>;
    /// Counts, on a page of a table, what is alive and was made until some time.
    pub read scan_signed(ScanSigned) -> ScannedPage;
    /// Counts, on a page, backup codes that are found by a tag.
    pub read tagged_codes(FindTagged) -> TaggedPage;
    /// The languages that the user of an account prefers.
    pub read preferred_languages(AccountId) -> Languages;
    /// What waits to be delivered.
    pub read message_queue(()) -> MessageQueue;
    /// When the next message is due.
    pub read next_message(()) -> Option<Timestamp>;
    /// What waits to be sent to receivers of webhooks.
    pub read webhook_queue(()) -> WebhookQueue;
    /// When the next event for a receiver of webhooks is due.
    pub read next_webhook_event(String) -> Option<Timestamp>;
    /// Checks that the database responds.
    pub read ping(()) -> ();

    /// Writes an audit event that belongs to no other change.
    pub write record(AuditEvent) -> ();
    /// Seals events in a new block; `None` if none wait, or another node has just sealed some.
    pub write seal_audit_block(SealAuditBlock) -> Option<AuditBlockSealed>;
    /// Removes the oldest blocks of the audit trail with their events.
    pub write remove_audit_blocks(RemoveAuditBlocks) -> AuditBlocksRemoved;
    /// Stores the MAC of a block that was made anew; `false` if the row has another one by now.
    pub write reseal_block(ResealedBlock) -> bool;
    /// Takes the uses that a password costs, and decides whether it may be judged.
    pub write take_password_try(TakePasswordTry) -> PasswordTry, by account_id;
    /// Gives back what a right password had taken.
    pub write give_back(Vec<QuotaUse>) -> ();
    /// Locks an account until some time, if that is allowed; `None` if it is gone.
    pub write suspend_account(SuspendAccount) -> Option<Suspend>, by account_id;
    /// Lifts all locks and limits of an account; says whether it is there.
    pub write lift_limits(LiftLimits) -> Option<Lifting>, by account_id;
    /// Creates an account, with its first session or registration if there is one.
    pub write create_account(CreateAccount) -> AccountWritten;
    /// Completes a sign-in whose password was right: decides, and opens a session, tokens or a challenge.
    pub write complete_sign_in(CompleteSignIn) -> SignInCompleted, by account_id;
    /// Ends the session with this token, if there is one; account and session are added to the event.
    pub write sign_out((Digest, AuditEvent)) -> (), by 0;
    /// Extends a session; says whether it was still there.
    pub write extend_session(ExtendSession) -> bool;
    /// Notes that a session is in use.
    pub write note_session_use(NoteSessionUse) -> ();
    /// Ends sessions of one account; says whether anything ended.
    pub write revoke_sessions(RevokeSessions) -> bool, by account_id;
    /// Ends trust in all devices of an account.
    pub write end_trust(EndTrust) -> Changed, by account_id;
    /// Renames a trusted device, or ends the trust in it; returns it as it is then, or was.
    pub write change_trusted_device(ChangeTrustedDevice) -> Option<FoundTrustedDevice>, by find.account_id;
    /// Sets a new password, and ends what ends with the old one.
    pub write change_password(ChangePassword) -> Changed, by account_id;
    /// Stores what a mailed link is good for, and the mail; within the quotas of its address and account.
    pub write issue_link(IssueLink) -> LinkIssued, by account_id;
    /// Marks the account's address as proved, by a mailed link.
    pub write verify_address(VerifyAddress) -> LinkUsed, by account_id;
    /// Gives an account the address that a mailed link has proved, and its former address a way back.
    pub write change_address(ChangeAddress) -> LinkUsed, by account_id;
    /// Gives an account its former address back, and ends everything that it had opened.
    pub write restore_address(RestoreAddress) -> LinkUsed, by digest;
    /// Deletes an account at its owner's wish.
    pub write delete_own_account(DeleteOwnAccount) -> OwnAccountDeleted, by account_id;
    /// Changes the name or the picture; `false` if the account is gone.
    pub write update_profile(UpdateProfile) -> bool, by account_id;
    /// Claims an attempt at a second factor before the code is looked at.
    pub write claim_attempt(ClaimAttempt) -> Claim, by claimant;
    /// Records an attempt that was judged and failed.
    pub write fail_attempt(FailAttempt) -> bool, by account_id;
    /// Gives an attempt back that was not judged, or not made to count.
    pub write return_attempt(ReturnAttempt) -> (), by account_id;
    /// Makes a right second factor count: decides, and opens a session or tokens.
    pub write complete_second_factor(CompleteSecondFactor) -> SecondFactorCompleted, by account.id;
    /// Stores a one-time code to be sent.
    pub write issue_code(IssueCode) -> Issued, by claimant;
    /// Takes messages to deliver them.
    pub write take_messages(TakeMessages) -> Vec<StoredMessage>;
    /// Takes events to send them to a receiver of webhooks.
    pub write take_webhook_events(TakeWebhookEvents) -> Vec<StoredWebhookEvent>;
    /// Notes the end of an attempt to send one; `false` if it is not this process's any more.
    pub write finish_webhook_event(FinishWebhookEvent) -> bool;
    /// Notes how an attempt to deliver a message ended; `false` if the message is another process's by now.
    pub write finish_message(FinishMessage) -> bool;
    /// Opens a challenge without a password, together with a code; `false` if the account is gone.
    pub write open_challenge(OpenChallenge) -> bool, by challenge.account_id;
    /// Stores an authenticator app to be confirmed later, and its backup codes.
    pub write begin_enrolment(BeginEnrolment) -> EnrolmentBegun, by account_id;
    /// Makes codes by e-mail a second factor, or begins it.
    pub write enrol_mail(EnrolMail) -> MailEnrolled, by account_id;
    /// Adds a method; with the first one, signing in asks for it.
    pub write add_method(AddMethod) -> MethodAdded, by account_id;
    /// Removes methods, by a right code.
    pub write remove_methods(RemoveMethods) -> MethodsRemoved, by account_id;
    /// Sets the label of a method; `false` if there is no such method.
    pub write rename_method(RenameMethod) -> bool, by account_id;
    /// Stores a ceremony of a passkey; `false` if its account has changed since it was read.
    pub write begin_ceremony(BeginCeremony) -> bool, by ceremony;
    /// Ends a ceremony whose response was not right; `false` if another response has.
    pub write spend_ceremony(SpendCeremony) -> bool;
    /// Stores a passkey.
    pub write add_passkey(AddPasskey) -> PasskeyAdded, by account_id;
    /// Stores passkeys that were registered elsewhere.
    pub write import_passkeys(ImportPasskeys) -> PasskeysImported;
    /// Notes the use of a passkey that opens nothing.
    pub write confirm_passkey(ConfirmPasskey) -> PasskeyConfirmed, by account_id;
    /// Removes one passkey of an account, or all.
    pub write remove_passkeys(RemovePasskeys) -> PasskeysRemoved, by account_id;
    /// Sets the label of a passkey, and returns the passkey with it; `None` if there is no such passkey.
    pub write rename_passkey(RenamePasskey) -> Option<Passkey>, by account_id;
    /// Replaces all backup codes.
    pub write replace_backup_codes(ReplaceBackupCodes) -> Changed, by account_id;
    /// Takes the second factor from an account, as an administrator.
    pub write reset_factors(ResetFactors) -> FactorsReset, by account_id;
    /// Turns the second factor off and replaces the session.
    pub write disable_two_factor(DisableTwoFactor) -> Changed, by account_id;

    /// Changes an account, if it is still as it was read; a new password, or deactivation, ends what the account opened.
    pub write change_account(ChangeAccount) -> AccountWritten, by account.id;
    /// Deletes an account and everything that belongs to it but the audit trail; says whether it was there.
    pub write delete_account((AccountId, AuditEvent)) -> bool, by 0;
    /// Registers a user for an application.
    pub write register(Register) -> Registered, by account_id;
    /// Changes a registration, if it is still as it was read; says whether it was.
    pub write change_registration(ChangeRegistration) -> bool, by account_id;
    /// Deletes a registration, and ends the refresh tokens of its application; says whether it was there.
    pub write delete_registration(DeleteRegistration) -> bool, by account_id;
    /// Uses a refresh token up, and stores the next one.
    pub write use_refresh_token(UseRefreshToken) -> RefreshTokenUsed, by digest;
    /// Ends refresh tokens of an account; says whether there were any.
    pub write revoke_refresh_tokens(RevokeRefreshTokens) -> bool, by account_id;
    /// Stores an API key.
    pub write add_api_key((ApiKeyRecord, Digest)) -> ();
    /// Revokes an API key; `false` if there is none to revoke.
    pub write revoke_api_key((ApiKeyId, Timestamp)) -> bool;

    /// Ends everything that the credentials of all accounts have opened, because the database is one of the past.
    pub write end_all_grants(EndAllGrants) -> AllGrantsEnded;

    /// Finds accounts whose user name may not have the form in which names are compared now.
    write find_unnormalized(FindUnnormalized) -> Unnormalized;
    /// Brings the user name of one account to its form.
    write normalize_username(String) -> UsernameNormalized;
    /// Stores the canary of a key; `false` if the key has one, or another one was stored since the keyring was checked.
    pub write add_canary(AddCanary) -> bool;
    /// Removes the canary of a key that is no longer needed.
    pub write forget_canary(String) -> ();
    /// Notes the keys that a node has loaded.
    pub write note_node(NodeKeys) -> ();
    /// Forgets a node that stops.
    pub write forget_node(String) -> ();
    /// Notes a key that a node has loaded, and whether it is the active one.
    pub write note_key(NoteKey) -> ();
    /// Stores a TOTP secret that was sealed anew; `false` if the row is another one by now.
    pub write reseal_secret(ResealedSecret) -> bool;
    /// Stores a message that was sealed anew; `false` if it is delivered by now.
    pub write reseal_message(ResealedMessage) -> bool;
    /// Notes whether rows are sealed with a key.
    pub write note_resealed(NoteResealed) -> ();
    /// Removes the tags of backup codes; returns of how many.
    pub write remove_tags(RemoveTags) -> usize;

    /// Deletes expired rows of one table; says how many.
    write purge_table(PurgeTable) -> usize;
}

/// Accounts that are looked at in one transaction, which then takes some milliseconds.
const USERNAMES_AT_ONCE: u32 = 500;

impl Store {
    /// Claims an attempt at a second factor, judges the code, and makes it count or records that it failed, in one transaction.
    ///
    /// # Errors
    /// If the database is not available or refuses a statement; nothing is known to have been written.
    pub async fn attempt_second_factor<R: Send + 'static, W: Send + 'static>(
        &self,
        attempt: AttemptSecondFactor<R, W>,
    ) -> Result<AttemptEnded<R, W>, StoreError> {
        let begun = self.observer.elapsed();
        let ended = async { units!(@write self, attempt_second_factor, attempt, claim.claimant) }.await;
        self.note("attempt_second_factor", begun, &ended);
        ended
    }

    /// The session with this token that is live at this time, and its account.
    ///
    /// # Errors
    /// If the database is not available or refuses a statement.
    pub async fn session_by_token(&self, input: (Digest, Timestamp)) -> Result<Option<(Session, Account)>, StoreError> {
        let begun = self.observer.elapsed();
        let ended = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.session_by_token(input).await,
            Backend::Postgres(server) => server.by_the_deadline(server.session_by_token(input)).await,
        };
        self.note("session_by_token", begun, &ended);
        ended
    }

    /// Whether a server took writes when this node last looked, which it does twice a second; always on SQLite.
    #[must_use]
    pub fn takes_writes(&self) -> bool {
        match &self.backend {
            Backend::Sqlite(_) => true,
            Backend::Postgres(server) => server.takes_writes(),
        }
    }

    /// The connections at this moment.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let status = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.readers.status(),
            Backend::Postgres(server) => server.status(),
        };
        let in_use = status.size.saturating_sub(status.available);
        Connections { most: status.max_size, in_use, waiting: status.waiting }
    }

    /// Reports what a unit of work has committed.
    fn observed<T>(&self, ended: Result<(T, Vec<Written>), StoreError>) -> Result<T, StoreError> {
        let (value, events) = ended?;
        for (kind, dialect) in events {
            self.observer.event_committed(kind, dialect);
        }
        Ok(value)
    }

    fn note<T>(&self, call: &'static str, begun: Duration, ended: &Result<T, StoreError>) {
        let result = match ended {
            Ok(_) => StoreResult::Done,
            Err(error) if error.is_unavailable() => StoreResult::Unavailable,
            Err(_) => StoreResult::Error,
        };
        self.observer.store_called(call, self.observer.elapsed().saturating_sub(begun), result);
    }

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
        Ok(Purged {
            challenges: expired(ExpiringTable::Challenges).await?,
            passkey_ceremonies: expired(ExpiringTable::PasskeyCeremonies).await?,
            one_time_codes: expired(ExpiringTable::OneTimeCodes).await?,
            sessions: expired(ExpiringTable::Sessions).await?,
            refresh_tokens: expired(ExpiringTable::RefreshTokens).await?,
            tickets: expired(ExpiringTable::Tickets).await?,
            former_addresses: expired(ExpiringTable::FormerAddresses).await?,
            trusted_devices: expired(ExpiringTable::TrustedDevices).await?,
            known_networks: expired(ExpiringTable::KnownNetworks).await?,
            quotas: expired(ExpiringTable::Quotas).await?,
            spent_steps: expired(ExpiringTable::SpentSteps).await?,
            messages: expired(ExpiringTable::Messages).await?,
            webhook_events: expired(ExpiringTable::WebhookEvents).await?,
        })
    }
}
