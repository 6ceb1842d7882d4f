//! Attempts at a second factor: claimed before the code is looked at, then failed here or completed in
//! [`super::second_factor`].
//!
//! A claim counts as a failure from the start. That makes the caps exact: of any number of parallel guesses only as many
//! are judged as the quota allows (attack 14), and a crash in between costs a try, never gives one.
//!
//! A code that is quick to judge is claimed, judged and recorded in one transaction ([`attempt_second_factor`]). Parallel guesses queue
//! up at the account's row, which the claim locks, so the caps are as exact. A crash rolls back what was counted, and gives no try
//! all the same: only the commit lets anybody know whether the code was right. On PostgreSQL that is two round trips: the claim, which
//! reads what the code is judged with; and the statements that make it count, with a pipelined `COMMIT`. The statements that spend the
//! code and the challenge have to affect a row ([`crate::one_row`]). If one does not, the database rolls back, and the retry does not
//! pipeline its `COMMIT`.

use super::second_factor::{LockedAccount, complete};
use super::{Conn, RunQueryDsl, TxResult, audit, ceremonies, methods, millis, passkeys, pipeline_commit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, BackupCodeRow, ChallengeRow, MethodRow};
use crate::schema::{accounts, backup_codes, challenges, mailed_codes, methods as methods_table};
use crate::work::{
    AttemptEnded, AttemptSecondFactor, Claim, ClaimAttempt, FailAttempt, Granted, ReturnAttempt, Ruling, TxOutcome,
};
use countersign_domain::account::Account;
use countersign_domain::address::MethodKind;
use countersign_domain::attempt::{AwaitedPasskey, Claimant, Expected, Material, StoredBackupCode, StoredCode};
use countersign_domain::challenge::{Factor, FirstFactor};
use countersign_domain::decisions::attempt::{self, Admission, SentCode};
use countersign_domain::guess::Guess;
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::limits;
use countersign_domain::method::Method;
use countersign_domain::one_time_code::Subject;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use std::time::Duration;

/// Filters by the claimant's account: known in a session, looked up by the challenge otherwise.
macro_rules! of_claimant {
    ($claim:expr, $column:expr, |$owned:ident| $work:expr) => {
        match &$claim.claimant {
            Claimant::Session { account_id, .. } | Claimant::Holder { account_id, .. } => {
                let $owned = $column.eq(account_id.to_text());
                $work
            }
            Claimant::Challenge(digest) => {
                let $owned = $column.eq_any(account_of(digest, $claim.now));
                $work
            }
        }
    };
}

/// Claims an attempt, or returns why there is none. The account's row is locked first, here and in
/// [`super::second_factor`]: the transaction that holds it can take the account's challenges and codes without waiting for one
/// that waits for the account.
pub(crate) async fn claim_attempt(connection: &mut Conn, claim: &ClaimAttempt) -> TxResult<Claim> {
    let (row, challenge, found) = pipeline!(connection; count_failure(claim), take_try(claim), find_stored(claim));
    let Some((row, last_sign_in_at)) = row else {
        return Ok(TxOutcome::Rollback(why_not_counted(connection, claim).await?));
    };
    let account_id = row.id.clone();
    if challenge.as_ref().is_some_and(|challenge| challenge.versions() != row.versions()) {
        return Ok(TxOutcome::Rollback(Claim::NoClaimant));
    }
    let challenge = match (&claim.claimant, challenge) {
        (Claimant::Session { .. } | Claimant::Holder { .. }, _) => None,
        (Claimant::Challenge(digest), Some(row)) => Some(row.into_challenge(*digest)?),
        (Claimant::Challenge(digest), None) => return no_try_left(connection, digest, &account_id, claim).await,
    };
    let failures = u32::try_from(row.failed_attempts).unwrap_or(u32::MAX);
    let earlier_locks = u32::try_from(row.consecutive_locks).unwrap_or(u32::MAX);
    let guess_level = Timestamp::from_millis(row.guesses_decay_at.unwrap_or_default());
    let mut account = Account::try_from(row)?;
    let Stored { mut material, sent_code, methods, has_backup_codes } = found;
    // One that began before the credentials changed has ended.
    material.passkey = material.passkey.filter(|awaited| awaited.ceremony.versions == account.versions());
    let facts = attempt::Facts {
        account: &account,
        tenant: claim.rules.tenant_of(&account),
        claimant: &claim.claimant,
        first_factor: challenge.as_ref().map_or(FirstFactor::Password, |challenge| challenge.first_factor),
        expected: claim.expected,
        presentation: claim.presentation,
        stored: material,
        sent_code,
        methods: &methods,
        has_backup_codes,
        failures,
        earlier_locks,
        guess_level,
    };
    match attempt::decide(facts, &claim.rules.policy, claim.now) {
        Admission::Granted { material, guess, guesses, locks_until, fills_limit } => {
            let rate = claim.rules.policy.account_guesses;
            if guesses > 1 {
                raise_guess_level(connection, &account_id, rate.cost(guesses - 1)).await?;
                account.guess_level = Some(guess_level + rate.cost(guesses - 1));
            }
            if let Some(until) = locks_until {
                lock(connection, &account_id, until).await?;
            }
            let (charge, locks) = (rate.cost(guesses), locks_until.is_some() || fills_limit);
            let last_sign_in_at = last_sign_in_at.map(Timestamp::from_millis);
            let granted = Granted { account, last_sign_in_at, challenge, material: *material, guess, charge, locks };
            Ok(TxOutcome::Commit(Claim::Granted(Box::new(granted))))
        }
        // What was counted of this is rolled back.
        Admission::Repeated => Ok(TxOutcome::Rollback(Claim::Repeated)),
        Admission::GuessesExhausted { until } => Ok(TxOutcome::Rollback(Claim::Locked { until })),
        Admission::NotAllowed => Ok(TxOutcome::Rollback(Claim::NotAllowed)),
        Admission::NotEnrolled => Ok(TxOutcome::Rollback(Claim::NotEnrolled)),
        Admission::NoCode => Ok(TxOutcome::Rollback(Claim::NoCode)),
        Admission::CodeExhausted => {
            // Nothing was judged, so the account is not charged.
            uncount_failure(connection, &account_id, claim.rules.policy.account_guesses.cost(1)).await?;
            diesel::delete(mailed_codes::table.find(claim.claimant.subject().to_text())).execute(connection).await?;
            Ok(TxOutcome::Commit(Claim::CodeExhausted))
        }
    }
}

/// Claims an attempt, judges it, and makes it count or records that it failed.
pub(crate) async fn attempt_second_factor<R, W>(
    connection: &mut Conn,
    attempt: &AttemptSecondFactor<R, W>,
) -> TxResult<AttemptEnded<R, W>> {
    let granted = match claim_attempt(connection, &attempt.claim).await? {
        TxOutcome::Commit(Claim::Granted(granted)) => granted,
        refused => return Ok(refused.map(AttemptEnded::NotGranted)),
    };
    Ok(match (attempt.judge)(&granted) {
        Ruling::Complete(input, opens) => {
            let last_sign_in_at = granted.last_sign_in_at.map(Timestamp::as_millis);
            let held = LockedAccount::of_claim(granted.account, last_sign_in_at);
            let completed = complete(connection, &input, held).await?;
            completed.map(|completed| AttemptEnded::Completed(completed, opens))
        }
        Ruling::Fail(fail) => {
            let failed = fail_attempt(connection, &fail).await?;
            failed.map(|locks| AttemptEnded::Failed { fail, locks })
        }
        Ruling::Withdraw(why) => TxOutcome::Rollback(AttemptEnded::Withdrawn(why)),
    })
}

/// Takes a try from a live challenge that has one left. There is none in a session.
async fn take_try(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Option<ChallengeRow>, StoreError> {
    let Claimant::Challenge(digest) = &claim.claimant else { return Ok(None) };
    let live = challenges::expires_at.gt(claim.now.as_millis());
    let has_tries = challenges::tries.lt(i64::from(claim.rules.policy.challenge_tries));
    let row = diesel::update(challenges::table.find(digest.as_bytes().as_slice()).filter(live.and(has_tries)))
        .set(challenges::tries.eq(challenges::tries + 1))
        .returning(ChallengeRow::as_returning())
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    Ok(row)
}

/// Why a challenge gave no try. Once all its tries have failed it is destroyed; while some are still being judged it
/// is not, because one of them may be right.
async fn no_try_left(
    connection: &mut Conn,
    digest: &Digest,
    account_id: &str,
    claim: &ClaimAttempt,
) -> TxResult<Claim> {
    let spent = challenges::failures.ge(i64::from(claim.rules.policy.challenge_tries));
    let live = challenges::expires_at.gt(claim.now.as_millis());
    let challenge = challenges::table.find(digest.as_bytes().as_slice()).filter(live.and(spent));
    if diesel::delete(challenge).execute(connection).await? == 0 {
        return Ok(TxOutcome::Rollback(Claim::NoClaimant));
    }
    // Nothing was judged, so the account is not charged.
    uncount_failure(connection, account_id, claim.rules.policy.account_guesses.cost(1)).await?;
    Ok(TxOutcome::Commit(Claim::ChallengeExhausted))
}

/// Counts a failure and a guess of the claimant's account, and returns it with the time of its last sign-in, unless it is locked or its long-term limit of guesses is reached.
/// The first failure after a lock starts the consecutive count anew.
async fn count_failure(
    connection: &mut Conn,
    claim: &ClaimAttempt,
) -> Result<Option<(AccountRow, Option<i64>)>, StoreError> {
    let (now, rate) = (claim.now.as_millis(), claim.rules.policy.account_guesses);
    let (guess, highest) = (millis(rate.cost(1)), rate.highest_open_level(claim.now).as_millis());
    let is_unlocked = accounts::locked_until.is_null().or(accounts::locked_until.le(now));
    let not_suspended = accounts::suspended_until.is_null().or(accounts::suspended_until.le(now));
    let has_guesses = accounts::guesses_decay_at.is_null().or(accounts::guesses_decay_at.le(highest));
    let counted = (
        accounts::failed_attempts.eq(case_when(accounts::locked_until.is_null(), accounts::failed_attempts + 1)
            .otherwise(1_i64.into_sql::<BigInt>())),
        accounts::locked_until.eq(None::<i64>),
        accounts::guesses_decay_at.eq(case_when(
            accounts::guesses_decay_at.gt(now),
            accounts::guesses_decay_at + guess,
        )
        .otherwise((now + guess).into_sql::<Nullable<BigInt>>())),
    );
    let row = of_claimant!(claim, accounts::id, |owned| {
        diesel::update(accounts::table.filter(owned).filter(is_unlocked).filter(not_suspended).filter(has_guesses))
            .set(counted)
            .returning((AccountRow::as_returning(), accounts::last_sign_in_at))
            .cached()
            .get_result(connection)
            .await
    });
    Ok(row.optional()?)
}

/// The account of a live challenge, as part of a statement.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn account_of<'a>(digest: &'a Digest, now: Timestamp) -> _ {
    let bytes: &'a [u8] = digest.as_bytes();
    let now: i64 = now.as_millis();
    challenges::table
        .filter(challenges::digest.eq(bytes))
        .filter(challenges::expires_at.gt(now))
        .select(challenges::account_id)
}

/// Adds to the long-term count of guesses, within the transaction that has counted the first of them.
async fn raise_guess_level(connection: &mut Conn, account_id: &str, charge: Duration) -> Result<(), StoreError> {
    diesel::update(accounts::table.find(account_id))
        .set(accounts::guesses_decay_at.eq(accounts::guesses_decay_at + millis(charge)))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// Why no failure could be counted: the account is locked, its long-term limit is reached, or there is no claimant.
async fn why_not_counted(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Claim, StoreError> {
    let found: Option<(Option<i64>, Option<i64>, Option<i64>)> = of_claimant!(claim, accounts::id, |owned| {
        let ends = (accounts::locked_until, accounts::suspended_until, accounts::guesses_decay_at);
        accounts::table.filter(owned).select(ends).get_result(connection).await.optional()?
    });
    let (locked_until, suspended_until, guess_level) = found.unwrap_or_default();
    let at = |millis: Option<i64>| millis.map(Timestamp::from_millis);
    let until =
        limits::locked_until(at(locked_until.max(suspended_until)), at(guess_level), &claim.rules.policy, claim.now);
    Ok(until.map_or(Claim::NoClaimant, |until| Claim::Locked { until }))
}

/// Returns a claimed attempt, and what it had added to the long-term count. If the claim locked the account, the lock is
/// removed as well.
async fn uncount_failure(connection: &mut Conn, account_id: &str, charge: Duration) -> Result<(), StoreError> {
    diesel::update(accounts::table.find(account_id))
        .set(accounts::guesses_decay_at.eq(accounts::guesses_decay_at - millis(charge)))
        .cached()
        .execute(connection)
        .await?;
    diesel::update(accounts::table.find(account_id).filter(accounts::failed_attempts.gt(0)))
        .set((
            accounts::failed_attempts.eq(accounts::failed_attempts - 1),
            accounts::consecutive_locks.eq(case_when(accounts::locked_until.is_null(), accounts::consecutive_locks)
                .otherwise(accounts::consecutive_locks - 1)),
            accounts::locked_until.eq(None::<i64>),
        ))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// Locks an account, and lets no challenge outlive the lock, so that guessing cannot resume where it was stopped
/// (attack 17).
async fn lock(connection: &mut Conn, account_id: &str, until: Timestamp) -> Result<(), StoreError> {
    diesel::update(accounts::table.find(account_id))
        .set((
            accounts::locked_until.eq(until.as_millis()),
            accounts::consecutive_locks.eq(accounts::consecutive_locks + 1),
        ))
        .cached()
        .execute(connection)
        .await?;
    let surviving = challenges::account_id.eq(account_id).and(challenges::expires_at.gt(until.as_millis()));
    diesel::update(challenges::table.filter(surviving))
        .set(challenges::expires_at.eq(until.as_millis()))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// What the presented code may be compared with.
struct Stored {
    material: Material,
    sent_code: SentCode,
    /// The confirmed methods that codes are sent by, if such a code is expected.
    methods: Vec<Method>,
    /// Whether there are backup codes, if such a code is expected in a session.
    has_backup_codes: bool,
}

async fn find_stored(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Stored, StoreError> {
    let only = |material| Stored { material, sent_code: SentCode::None, methods: Vec::new(), has_backup_codes: false };
    Ok(match claim.expected {
        Expected::One(Factor::Totp) => only(find_authenticators(connection, claim).await?),
        Expected::One(Factor::Passkey) => {
            let passkey = find_passkey(connection, claim).await?;
            only(Material { passkey, ..Material::default() })
        }
        Expected::One(Factor::BackupCode) => {
            let backup_codes = find_backup_codes(connection, claim).await?;
            only(Material { backup_codes, ..Material::default() })
        }
        Expected::One(Factor::OneTimeCode) => {
            // The app being enrolled, which a code may confirm in a session, is read with the methods.
            let ((Material { pending, .. }, methods), sent_code, has_backup_codes) =
                pipeline!(connection; find_methods(claim), take_code(claim), has_backup_codes(claim));
            Stored { material: Material { pending, ..Material::default() }, sent_code, methods, has_backup_codes }
        }
        Expected::Any { .. } => {
            let ((material, methods), sent_code, backup_codes) =
                pipeline!(connection; find_methods(claim), find_code(claim), find_backup_codes(claim));
            Stored { material: Material { backup_codes, ..material }, sent_code, methods, has_backup_codes: false }
        }
    })
}

/// The claimant's ceremony that the response of a passkey is to, and the passkey if it is the account's.
async fn find_passkey(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Option<AwaitedPasskey>, StoreError> {
    let Some(presented) = &claim.passkey else { return Ok(None) };
    let ceremony = ceremonies::find_live(connection, &presented.ceremony, claim.now).await?;
    let Some(ceremony) = ceremony.filter(|ceremony| claim.claimant.owns_ceremony_of(ceremony.purpose)) else {
        return Ok(None);
    };
    let Some(account_id) = ceremony.purpose.account_id() else { return Ok(None) };
    let passkey = passkeys::by_credential(connection, account_id, &presented.credential_id).await?;
    Ok(Some(AwaitedPasskey { ceremony, passkey }))
}

async fn find_authenticators(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Material, StoreError> {
    let is_authenticator = methods_table::kind.eq(MethodKind::Authenticator.name());
    let rows: Vec<MethodRow> = of_claimant!(claim, methods_table::account_id, |owned| {
        let mine = methods_table::table.filter(owned).filter(is_authenticator);
        let oldest_first = (methods_table::created_at, methods_table::kind, methods_table::id);
        mine.order(oldest_first).select(MethodRow::as_select()).load(connection).await?
    });
    let (authenticators, pending) = methods::confirmed_and_pending(rows)?;
    Ok(Material { authenticators, pending, ..Material::default() })
}

/// Authenticator apps, and the confirmed methods that codes are sent by.
async fn find_methods(connection: &mut Conn, claim: &ClaimAttempt) -> Result<(Material, Vec<Method>), StoreError> {
    let rows: Vec<MethodRow> = of_claimant!(claim, methods_table::account_id, |owned| {
        let oldest_first = (methods_table::created_at, methods_table::kind, methods_table::id);
        let mine = methods_table::table.filter(owned).order(oldest_first);
        mine.select(MethodRow::as_select()).load(connection).await?
    });
    let (apps, others): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.kind == MethodKind::Authenticator.name());
    let (authenticators, pending) = methods::confirmed_and_pending(apps)?;
    let confirmed = others.into_iter().filter(|row| row.confirmed_at.is_some());
    let methods = confirmed.map(Method::try_from).collect::<Result<_, _>>()?;
    Ok((Material { authenticators, pending, ..Material::default() }, methods))
}

async fn find_backup_codes(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Vec<StoredBackupCode>, StoreError> {
    if !claim.expected.includes(Factor::BackupCode) {
        return Ok(Vec::new());
    }
    let rows: Vec<BackupCodeRow> = of_claimant!(claim, backup_codes::account_id, |owned| {
        let usable = backup_codes::table.filter(owned).filter(backup_codes::is_pending.eq(false));
        usable.select(BackupCodeRow::as_select()).load(connection).await?
    });
    rows.into_iter().map(StoredBackupCode::try_from).collect()
}

/// Whether the account of a session has backup codes, used or not.
async fn has_backup_codes(connection: &mut Conn, claim: &ClaimAttempt) -> Result<bool, StoreError> {
    let Claimant::Session { account_id, .. } = &claim.claimant else { return Ok(false) };
    let mine = backup_codes::table.filter(backup_codes::account_id.eq(account_id.to_text()));
    let one: Option<String> = mine.select(backup_codes::id).first(connection).await.optional()?;
    Ok(one.is_some())
}

/// A live code that was sent. Its own tries are not counted where the presented code may be of several factors: those of the
/// challenge and of the account are.
async fn find_code(connection: &mut Conn, claim: &ClaimAttempt) -> Result<SentCode, StoreError> {
    let found: Option<(Vec<u8>, Option<String>)> = mailed_codes::table
        .find(claim.claimant.subject().to_text())
        .filter(mailed_codes::expires_at.gt(claim.now.as_millis()))
        .select((mailed_codes::mac, mailed_codes::method_id))
        .get_result(connection)
        .await
        .optional()?;
    Ok(found.map_or(SentCode::None, |found| SentCode::Waiting(stored_code(found))))
}

fn stored_code((mac, method_id): (Vec<u8>, Option<String>)) -> StoredCode {
    StoredCode { mac, method_id: method_id.as_deref().and_then(MethodId::parse) }
}

/// Takes a try from a live one-time code; like a challenge, it is deleted when all its tries have failed.
async fn take_code(connection: &mut Conn, claim: &ClaimAttempt) -> Result<SentCode, StoreError> {
    let subject = claim.claimant.subject();
    let cap = i64::from(claim.rules.policy.one_time_code_tries);
    if let Some(code) = take_try_of_code(connection, &subject, cap, claim.now).await? {
        return Ok(SentCode::Waiting(code));
    }
    let live = mailed_codes::table.find(subject.to_text()).filter(mailed_codes::expires_at.gt(claim.now.as_millis()));
    let failures: Option<i64> = live.select(mailed_codes::failures).get_result(connection).await.optional()?;
    Ok(if failures.is_some_and(|failures| failures >= cap) { SentCode::Exhausted } else { SentCode::None })
}

/// Takes a try from a live one-time code, if it has one left.
pub(super) async fn take_try_of_code(
    connection: &mut Conn,
    subject: &Subject,
    cap: i64,
    now: Timestamp,
) -> Result<Option<StoredCode>, StoreError> {
    let live = mailed_codes::table.find(subject.to_text()).filter(mailed_codes::expires_at.gt(now.as_millis()));
    let taken: Option<(Vec<u8>, Option<String>)> = diesel::update(live.filter(mailed_codes::tries.lt(cap)))
        .set(mailed_codes::tries.eq(mailed_codes::tries + 1))
        .returning((mailed_codes::mac, mailed_codes::method_id))
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    Ok(taken.map(stored_code))
}

/// Records an attempt that was judged and failed. It was counted when it was claimed. Says whether it has locked the account.
pub(crate) async fn fail_attempt(connection: &mut Conn, fail: &FailAttempt) -> TxResult<bool> {
    let mut locks = false;
    if fail.is_replay {
        uncount_failure(connection, &fail.account_id.to_text(), fail.charge).await?;
    } else if let Some(event) = &fail.lock_event
        && is_locked(connection, fail).await?
    {
        audit::write(connection, event).await?;
        locks = true;
    }
    pipeline!(
        connection;
        remember(fail),
        fail_challenge(fail),
        fail_code(fail),
        ceremonies::spend_if(fail.ceremony.as_ref()),
        audit::write(&fail.event),
        pipeline_commit(audit::is_one_statement(&fail.event)),
    );
    Ok(TxOutcome::Commit(locks))
}

/// Gives an attempt back that could not be judged: to the account, to the challenge, and to the code that was sent if its
/// tries were counted.
pub(crate) async fn return_attempt(connection: &mut Conn, give: &ReturnAttempt) -> TxResult<()> {
    uncount_failure(connection, &give.account_id.to_text(), give.charge).await?;
    if let Claimant::Challenge(digest) = &give.claimant {
        let challenge = challenges::table.find(digest.as_bytes().as_slice()).filter(challenges::tries.gt(0));
        diesel::update(challenge).set(challenges::tries.eq(challenges::tries - 1)).cached().execute(connection).await?;
    }
    if give.expected == Expected::One(Factor::OneTimeCode) {
        let code = mailed_codes::table.find(give.claimant.subject().to_text()).filter(mailed_codes::tries.gt(0));
        diesel::update(code).set(mailed_codes::tries.eq(mailed_codes::tries - 1)).cached().execute(connection).await?;
    }
    audit::write_and_commit(connection, &give.event, ()).await
}

/// Whether the account is still locked by the attempt, or its long-term limit full: a right code of a parallel attempt ends the
/// first and makes room in the second.
async fn is_locked(connection: &mut Conn, fail: &FailAttempt) -> Result<bool, StoreError> {
    let found: Option<(Option<i64>, Option<i64>)> = accounts::table
        .find(fail.account_id.to_text())
        .select((accounts::locked_until, accounts::guesses_decay_at))
        .get_result(connection)
        .await
        .optional()?;
    let (lock_ends_at, guess_level) = found.unwrap_or_default();
    let at = |millis: Option<i64>| millis.map(Timestamp::from_millis);
    Ok(limits::locked_until(at(lock_ends_at), at(guess_level), &fail.rules.policy, fail.event.at).is_some())
}

/// Stores what was wrong, so that the same is known if it is presented again.
async fn remember(connection: &mut Conn, fail: &FailAttempt) -> Result<(), StoreError> {
    remember_guess(connection, fail.account_id, &fail.guess).await
}

pub(super) async fn remember_guess(
    connection: &mut Conn,
    account_id: AccountId,
    guess: &Guess,
) -> Result<(), StoreError> {
    diesel::update(accounts::table.find(account_id.to_text()))
        .set(accounts::wrong_guess.eq(guess.as_bytes().as_slice()))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

async fn fail_challenge(connection: &mut Conn, fail: &FailAttempt) -> Result<(), StoreError> {
    if let Claimant::Challenge(digest) = &fail.claimant {
        diesel::update(challenges::table.find(digest.as_bytes().as_slice()))
            .set(challenges::failures.eq(challenges::failures + 1))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn fail_code(connection: &mut Conn, fail: &FailAttempt) -> Result<(), StoreError> {
    if fail.factor == Some(Factor::OneTimeCode) {
        diesel::update(mailed_codes::table.find(fail.claimant.subject().to_text()))
            .set(mailed_codes::failures.eq(mailed_codes::failures + 1))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}
