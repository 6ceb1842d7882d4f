//! Attempts at a second factor: claimed before the code is looked at, then failed or passed.
//!
//! A claim counts as a failure from the start. That is what makes the caps exact: of any number of parallel guesses
//! only as many are ever judged as the budget allows (attack 14), and a crash in between costs a try, never gives
//! one.

use super::sessions::open_session;
use super::{Conn, Work, audit, methods, refresh_tokens, tickets};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, BackupCodeRow, ChallengeRow, MethodRow, TrustedDeviceRow};
use crate::schema::{
    accounts, backup_codes, challenges, mailed_codes, methods as methods_table, sessions, trusted_devices,
};
use crate::work::{
    Actor, Claim, ClaimAttempt, Expected, FailAttempt, Granted, Material, NewMethod, PassSecondFactor, Passed, Proof,
    StoredBackupCode, StoredCode, Unit,
};
use countersign_domain::account::Account;
use countersign_domain::audit::AuditEvent;
use countersign_domain::challenge::Factor;
use countersign_domain::ids::MethodId;
use countersign_domain::mailed_code::Subject;
use countersign_domain::method::MethodKind;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

/// Picks out what belongs to the account of whoever makes an attempt: known in a session, looked up by the challenge
/// otherwise.
macro_rules! of_actor {
    ($claim:expr, $column:expr, |$owned:ident| $work:expr) => {
        match &$claim.actor {
            Actor::Session { account_id, .. } | Actor::Holder { account_id, .. } => {
                let $owned = $column.eq(account_id.to_text());
                $work
            }
            Actor::Challenge(digest) => {
                let $owned = $column.eq_any(account_of(digest, $claim.now));
                $work
            }
        }
    };
}

/// Claims an attempt, or says why there is none to be had. The account's row is taken first, here and in
/// [`pass_second_factor`]: whoever has it may take the account's challenges and codes without waiting for somebody who
/// waits for the account.
pub(crate) async fn claim_attempt(connection: &mut Conn, claim: &ClaimAttempt) -> Work<Claim> {
    let (account, challenge, found) =
        together!(connection; count_failure(claim), take_try(claim), find_material(claim));
    let Some(account) = account else {
        return Ok(Unit::Rollback(why_not_counted(connection, claim).await?));
    };
    let account_id = account.id.clone();
    let challenge = match (&claim.actor, challenge) {
        (Actor::Session { .. } | Actor::Holder { .. }, _) => None,
        (Actor::Challenge(digest), Some(row)) => Some(row.into_challenge(*digest)?),
        (Actor::Challenge(digest), None) => return no_try_left(connection, digest, &account_id, claim).await,
    };
    let failures = account.failed_attempts;
    let earlier_locks = u32::try_from(account.consecutive_locks).unwrap_or(u32::MAX);
    let account = Account::try_from(account)?;
    let material = match found {
        Found::Material(material) if may_be_tried(connection, claim, &account).await? => material,
        Found::Nothing(Claim::NoCode) if may_be_tried(connection, claim, &account).await? => {
            return Ok(Unit::Rollback(Claim::NoCode));
        }
        Found::Material(_) | Found::Nothing(Claim::NoCode) => return Ok(Unit::Rollback(Claim::NotEnrolled)),
        Found::Nothing(claim) => return Ok(Unit::Rollback(claim)),
        Found::DeadCode => {
            // Nothing was judged, so the account is not charged.
            uncount_failure(connection, &account_id).await?;
            diesel::delete(mailed_codes::table.find(claim.actor.subject().to_text())).execute(connection).await?;
            return Ok(Unit::Commit(Claim::CodeExhausted));
        }
    };
    if failures >= i64::from(claim.policy.account_failures) {
        let until = claim.now + claim.policy.lock_after(earlier_locks);
        let event = AuditEvent { account_id: Some(account.id), ..claim.lock_event.clone() };
        lock(connection, &account_id, until, &event).await?;
    }
    Ok(Unit::Commit(Claim::Granted(Box::new(Granted { account, challenge, material }))))
}

/// Takes a try from a live challenge that has one left. There is none in a session.
async fn take_try(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Option<ChallengeRow>, StoreError> {
    let Actor::Challenge(digest) = &claim.actor else { return Ok(None) };
    let live = challenges::expires_at.gt(claim.now.as_millis());
    let has_tries = challenges::tries.lt(i64::from(claim.policy.challenge_tries));
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
async fn no_try_left(connection: &mut Conn, digest: &Digest, account_id: &str, claim: &ClaimAttempt) -> Work<Claim> {
    let spent = challenges::failures.ge(i64::from(claim.policy.challenge_tries));
    let live = challenges::expires_at.gt(claim.now.as_millis());
    let challenge = challenges::table.find(digest.as_bytes().as_slice()).filter(live.and(spent));
    if diesel::delete(challenge).execute(connection).await? == 0 {
        return Ok(Unit::Rollback(Claim::NoActor));
    }
    // Nothing was judged, so the account is not charged.
    uncount_failure(connection, account_id).await?;
    Ok(Unit::Commit(Claim::ChallengeExhausted))
}

/// Counts a failure of the actor's account, unless it is locked. The first one after a lock starts the count anew.
async fn count_failure(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Option<AccountRow>, StoreError> {
    let now = claim.now.as_millis();
    let is_open = accounts::locked_until.is_null().or(accounts::locked_until.le(now));
    let counted = (
        accounts::failed_attempts.eq(case_when(accounts::locked_until.is_null(), accounts::failed_attempts + 1)
            .otherwise(1_i64.into_sql::<BigInt>())),
        accounts::locked_until.eq(None::<i64>),
    );
    let row = of_actor!(claim, accounts::id, |owned| {
        diesel::update(accounts::table.filter(owned).filter(is_open))
            .set(counted)
            .returning(AccountRow::as_returning())
            .cached()
            .get_result(connection)
            .await
    });
    Ok(row.optional()?)
}

/// The account of a live challenge, as part of a statement.
#[diesel::dsl::auto_type(no_type_alias)]
fn account_of<'a>(digest: &'a Digest, now: Timestamp) -> _ {
    let bytes: &'a [u8] = digest.as_bytes();
    let now: i64 = now.as_millis();
    challenges::table
        .filter(challenges::digest.eq(bytes))
        .filter(challenges::expires_at.gt(now))
        .select(challenges::account_id)
}

/// Why no failure could be counted: the account is locked, or there is nobody to count it for.
async fn why_not_counted(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Claim, StoreError> {
    let until: Option<Option<i64>> = of_actor!(claim, accounts::id, |owned| {
        accounts::table.filter(owned).select(accounts::locked_until).get_result(connection).await.optional()?
    });
    let until = until.flatten().map(Timestamp::from_millis).filter(|until| *until > claim.now);
    Ok(until.map_or(Claim::NoActor, |until| Claim::Locked { until }))
}

/// Gives a claimed attempt back. If the claim was the one that locked the account, the lock goes with it.
async fn uncount_failure(connection: &mut Conn, account_id: &str) -> Result<(), StoreError> {
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
async fn lock(connection: &mut Conn, account_id: &str, until: Timestamp, event: &AuditEvent) -> Result<(), StoreError> {
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
    audit::write(connection, event).await
}

enum Found {
    Material(Material),
    Nothing(Claim),
    /// A mailed code all of whose tries have failed.
    DeadCode,
}

/// What the presented code is to be compared with.
async fn find_material(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Found, StoreError> {
    match claim.expected {
        Expected::One(Factor::Totp) => {
            let material = find_authenticators(connection, claim).await?;
            let is_there = !material.authenticators.is_empty() || material.pending.is_some();
            Ok(if is_there { Found::Material(material) } else { Found::Nothing(Claim::NotEnrolled) })
        }
        Expected::One(Factor::BackupCode) => {
            let backup_codes = find_backup_codes(connection, claim).await?;
            Ok(match backup_codes.is_empty() {
                true => Found::Nothing(Claim::NotEnrolled),
                false => Found::Material(Material { backup_codes, ..Material::default() }),
            })
        }
        Expected::One(Factor::MailedCode) => take_code(connection, claim).await,
        Expected::Any { .. } => {
            let (material, mailed_code, backup_codes) = together!(
                connection;
                find_authenticators(claim),
                find_code(claim),
                find_backup_codes(claim),
            );
            Ok(Found::Material(Material { mailed_code, backup_codes, ..material }))
        }
    }
}

async fn find_authenticators(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Material, StoreError> {
    let is_authenticator = methods_table::kind.eq(MethodKind::Authenticator.name());
    let rows: Vec<MethodRow> = of_actor!(claim, methods_table::account_id, |owned| {
        let mine = methods_table::table.filter(owned).filter(is_authenticator);
        let oldest_first = (methods_table::created_at, methods_table::kind, methods_table::id);
        mine.order(oldest_first).select(MethodRow::as_select()).load(connection).await?
    });
    let (authenticators, pending) = methods::confirmed_and_pending(rows)?;
    let pending = pending.filter(|_| matches!(claim.actor, Actor::Session { .. }));
    Ok(Material { authenticators, pending, ..Material::default() })
}

async fn find_backup_codes(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Vec<StoredBackupCode>, StoreError> {
    if !claim.expected.includes(Factor::BackupCode) {
        return Ok(Vec::new());
    }
    let rows: Vec<BackupCodeRow> = of_actor!(claim, backup_codes::account_id, |owned| {
        let usable = backup_codes::table.filter(owned).filter(backup_codes::is_pending.eq(false));
        usable.select(BackupCodeRow::as_select()).load(connection).await?
    });
    rows.into_iter().map(StoredBackupCode::try_from).collect()
}

/// A live code that was sent. Its own tries are not counted where it is one of several things that a code may be: those
/// of the challenge, or of the account, are.
async fn find_code(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Option<StoredCode>, StoreError> {
    let subject = claim.actor.subject().to_text();
    let found: Option<(Vec<u8>, Option<String>)> = mailed_codes::table
        .find(subject)
        .filter(mailed_codes::expires_at.gt(claim.now.as_millis()))
        .select((mailed_codes::mac, mailed_codes::method_id))
        .get_result(connection)
        .await
        .optional()?;
    Ok(found.map(stored_code))
}

fn stored_code((mac, method_id): (Vec<u8>, Option<String>)) -> StoredCode {
    StoredCode { mac, method_id: method_id.as_deref().and_then(MethodId::parse) }
}

/// Whether a mailed code proves anything: in a session without a second factor only an enrolment that was begun, with
/// the password, can be confirmed by mail.
async fn may_be_tried(connection: &mut Conn, claim: &ClaimAttempt, account: &Account) -> Result<bool, StoreError> {
    let in_session = matches!(claim.actor, Actor::Session { .. });
    if claim.expected != Expected::One(Factor::MailedCode) || !in_session || account.two_factor_enabled {
        return Ok(true);
    }
    let (_, pending) = methods::authenticators_of(connection, &account.id).await?;
    Ok(pending.is_some())
}

/// Takes a try from a live mailed code; like a challenge, it is destroyed when all its tries have failed.
async fn take_code(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Found, StoreError> {
    let subject = claim.actor.subject();
    let cap = i64::from(claim.policy.mailed_code_tries);
    if let Some(code) = take_try_of_code(connection, &subject, cap, claim.now).await? {
        return Ok(Found::Material(Material { mailed_code: Some(code), ..Material::default() }));
    }
    let live = mailed_codes::table.find(subject.to_text()).filter(mailed_codes::expires_at.gt(claim.now.as_millis()));
    let failures: Option<i64> = live.select(mailed_codes::failures).get_result(connection).await.optional()?;
    Ok(if failures.is_some_and(|failures| failures >= cap) { Found::DeadCode } else { Found::Nothing(Claim::NoCode) })
}

/// Takes a try from a live mailed code, if it has one left.
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

/// Records an attempt that was judged and failed. It was counted when it was claimed.
pub(crate) async fn fail_attempt(connection: &mut Conn, fail: &FailAttempt) -> Work<()> {
    if fail.is_replay {
        uncount_failure(connection, &fail.account_id.to_text()).await?;
    }
    together!(connection; fail_challenge(fail), fail_code(fail), audit::write(&fail.event));
    Ok(Unit::Commit(()))
}

async fn fail_challenge(connection: &mut Conn, fail: &FailAttempt) -> Result<(), StoreError> {
    if let Actor::Challenge(digest) = &fail.actor {
        diesel::update(challenges::table.find(digest.as_bytes().as_slice()))
            .set(challenges::failures.eq(challenges::failures + 1))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn fail_code(connection: &mut Conn, fail: &FailAttempt) -> Result<(), StoreError> {
    if fail.factor == Some(Factor::MailedCode) {
        diesel::update(mailed_codes::table.find(fail.actor.subject().to_text()))
            .set(mailed_codes::failures.eq(mailed_codes::failures + 1))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Makes a right second factor count: spends the code, uses up the challenge, opens the session. All of it or nothing.
pub(crate) async fn pass_second_factor(connection: &mut Conn, pass: &PassSecondFactor) -> Work<Passed> {
    if let Some(method) = &pass.enables {
        enable_two_factor(connection, pass, method).await?;
    }
    let ((), actor_is_there, proof_is_spent, (), (), (), (), (), ()) = together!(
        connection;
        forget_failures(pass),
        use_up_actor(pass),
        spend_proof(pass),
        mark_method_used(pass),
        open_session(pass.session.as_ref()),
        refresh_tokens::open(pass.refresh_token.as_ref(), pass.account_id, pass.now),
        tickets::give(pass.ticket.as_ref(), pass.account_id, pass.now),
        trust_device(pass),
        audit::write(&pass.event),
    );
    if !actor_is_there {
        return Ok(Unit::Rollback(Passed::ActorGone));
    }
    if !proof_is_spent {
        return Ok(Unit::Rollback(Passed::ProofSpent));
    }
    if let Proof::Totp { method_id, confirms: true, .. } = &pass.proof {
        methods::confirm_authenticator(connection, pass.account_id, *method_id, pass.now).await?;
    }
    if let Some(removal) = pass.removes {
        methods::remove(connection, pass.account_id, removal, pass.now).await?;
    }
    Ok(Unit::Commit(Passed::Done))
}

/// Turns the second factor on. Whatever other sessions passed before, it was not the factor that is on now.
async fn enable_two_factor(
    connection: &mut Conn,
    pass: &PassSecondFactor,
    method: &NewMethod,
) -> Result<(), StoreError> {
    methods::switch_on(connection, pass.account_id, pass.now).await?;
    methods::insert(connection, pass.account_id, method, pass.now).await?;
    Ok(())
}

/// A success makes the account's budget whole again.
async fn forget_failures(connection: &mut Conn, pass: &PassSecondFactor) -> Result<(), StoreError> {
    diesel::update(accounts::table.find(pass.account_id.to_text()))
        .set((
            accounts::failed_attempts.eq(0),
            accounts::consecutive_locks.eq(0),
            accounts::locked_until.eq(None::<i64>),
        ))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes the challenge, or marks or removes the session; `false` when it is not there any more.
async fn use_up_actor(connection: &mut Conn, pass: &PassSecondFactor) -> Result<bool, StoreError> {
    let now = pass.now.as_millis();
    let touched = match &pass.actor {
        Actor::Challenge(digest) => {
            let live = challenges::table.find(digest.as_bytes().as_slice()).filter(challenges::expires_at.gt(now));
            diesel::delete(live).execute(connection).await?
        }
        Actor::Session { session_id, .. } => {
            let live = sessions::table.find(session_id.to_text()).filter(sessions::expires_at.gt(now));
            match pass.session {
                Some(_) => diesel::delete(live).execute(connection).await?,
                None => {
                    diesel::update(live).set(sessions::second_factor_at.eq(now)).cached().execute(connection).await?
                }
            }
        }
        // Its account was there when its row was taken.
        Actor::Holder { .. } => 1,
    };
    Ok(touched == 1)
}

/// Marks the presented code as used; `false` when somebody else was first.
async fn spend_proof(connection: &mut Conn, pass: &PassSecondFactor) -> Result<bool, StoreError> {
    let touched = match &pass.proof {
        Proof::Totp { method_id, step, .. } => {
            let unspent = methods_table::last_step.is_null().or(methods_table::last_step.lt(*step));
            diesel::update(methods_table::table.find(method_id.to_text()).filter(unspent))
                .set((methods_table::last_step.eq(*step), methods_table::last_used_at.eq(pass.now.as_millis())))
                .cached()
                .execute(connection)
                .await?
        }
        Proof::MailedCode(code) => {
            let same = mailed_codes::mac.eq(code.mac.as_slice()).and(mailed_codes::expires_at.gt(pass.now.as_millis()));
            let subject = pass.actor.subject().to_text();
            diesel::delete(mailed_codes::table.find(subject).filter(same)).execute(connection).await?
        }
        Proof::BackupCode(id) => {
            let unspent = backup_codes::used_at.is_null();
            diesel::update(backup_codes::table.find(id.to_text()).filter(unspent))
                .set(backup_codes::used_at.eq(pass.now.as_millis()))
                .cached()
                .execute(connection)
                .await?
        }
    };
    Ok(touched == 1)
}

/// An authenticator app is marked as used where its step is spent.
async fn mark_method_used(connection: &mut Conn, pass: &PassSecondFactor) -> Result<(), StoreError> {
    if let Proof::MailedCode(StoredCode { method_id: Some(id), .. }) = &pass.proof {
        diesel::update(methods_table::table.find(id.to_text()))
            .set(methods_table::last_used_at.eq(pass.now.as_millis()))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn trust_device(connection: &mut Conn, pass: &PassSecondFactor) -> Result<(), StoreError> {
    if let Some(trust) = &pass.trust {
        let row = TrustedDeviceRow::new(trust, pass.account_id, pass.now);
        diesel::insert_into(trusted_devices::table).values(row).execute(connection).await?;
    }
    Ok(())
}
