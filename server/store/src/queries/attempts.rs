//! Attempts at a second factor: claimed before the code is looked at, then failed or passed.
//!
//! A claim counts as a failure from the start. That is what makes the caps exact: of any number of parallel guesses
//! only as many are ever judged as the budget allows (attack 14), and a crash in between costs a try, never gives
//! one.

use super::{Conn, Work, audit, enrolment};
use crate::error::StoreError;
use crate::rows::{AccountRow, BackupCodeRow, ChallengeRow, SessionRow, TrustedDeviceRow};
use crate::schema::{accounts, authenticators, backup_codes, challenges, mailed_codes, sessions, trusted_devices};
use crate::work::{
    Actor, Claim, ClaimAttempt, FailAttempt, Granted, Material, PassSecondFactor, Passed, Proof, StoredBackupCode, Unit,
};
use countersign_domain::account::Account;
use countersign_domain::audit::AuditEvent;
use countersign_domain::challenge::Factor;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

/// Claims an attempt, or says why there is none to be had. The account's row is taken first, here and in
/// [`pass_second_factor`]: whoever has it may take the account's challenges and codes without waiting for somebody who
/// waits for the account.
pub(crate) async fn claim_attempt(connection: &mut Conn, claim: &ClaimAttempt) -> Work<Claim> {
    let Some(account) = count_failure(connection, claim).await? else {
        return Ok(Unit::Rollback(why_not_counted(connection, claim).await?));
    };
    let account_id = account.id.clone();
    let challenge = match &claim.actor {
        Actor::Session { .. } => None,
        Actor::Challenge(digest) => match take_try(connection, digest, claim).await? {
            Some(row) => Some(row.into_challenge(*digest)?),
            None => return no_try_left(connection, digest, &account_id, claim).await,
        },
    };
    let failures = account.failed_attempts;
    let earlier_locks = u32::try_from(account.consecutive_locks).unwrap_or(u32::MAX);
    let account = Account::try_from(account)?;
    let material = match material(connection, claim, &account).await? {
        Found::Material(material) => material,
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

/// Takes a try from a live challenge that has one left.
async fn take_try(
    connection: &mut Conn,
    digest: &Digest,
    claim: &ClaimAttempt,
) -> Result<Option<ChallengeRow>, StoreError> {
    let live = challenges::expires_at.gt(claim.now.as_millis());
    let has_tries = challenges::tries.lt(i64::from(claim.policy.challenge_tries));
    let row = diesel::update(challenges::table.find(digest.as_bytes().as_slice()).filter(live.and(has_tries)))
        .set(challenges::tries.eq(challenges::tries + 1))
        .returning(ChallengeRow::as_returning())
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
    let row = match &claim.actor {
        Actor::Session { account_id, .. } => {
            diesel::update(accounts::table.find(account_id.to_text()).filter(is_open))
                .set(counted)
                .returning(AccountRow::as_returning())
                .get_result(connection)
                .await
        }
        Actor::Challenge(digest) => {
            diesel::update(accounts::table.filter(accounts::id.eq_any(account_of(digest, claim.now))).filter(is_open))
                .set(counted)
                .returning(AccountRow::as_returning())
                .get_result(connection)
                .await
        }
    };
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
    let until: Option<Option<i64>> = match &claim.actor {
        Actor::Session { account_id, .. } => {
            let account = accounts::table.find(account_id.to_text());
            account.select(accounts::locked_until).first(connection).await.optional()?
        }
        Actor::Challenge(digest) => {
            let account = accounts::table.filter(accounts::id.eq_any(account_of(digest, claim.now)));
            account.select(accounts::locked_until).first(connection).await.optional()?
        }
    };
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
        .execute(connection)
        .await?;
    let surviving = challenges::account_id.eq(account_id).and(challenges::expires_at.gt(until.as_millis()));
    diesel::update(challenges::table.filter(surviving))
        .set(challenges::expires_at.eq(until.as_millis()))
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

async fn material(connection: &mut Conn, claim: &ClaimAttempt, account: &Account) -> Result<Found, StoreError> {
    let in_session = matches!(claim.actor, Actor::Session { .. });
    match claim.factor {
        Factor::Totp => {
            let (active, pending) = enrolment::authenticators_of(connection, &account.id).await?;
            let pending = pending.filter(|_| in_session);
            if active.is_none() && pending.is_none() {
                return Ok(Found::Nothing(Claim::NotEnrolled));
            }
            Ok(Found::Material(Material::Totp { active, pending }))
        }
        Factor::BackupCode => {
            let rows: Vec<BackupCodeRow> = backup_codes::table
                .filter(backup_codes::account_id.eq(account.id.to_text()))
                .filter(backup_codes::is_pending.eq(false))
                .select(BackupCodeRow::as_select())
                .load(connection)
                .await?;
            if rows.is_empty() {
                return Ok(Found::Nothing(Claim::NotEnrolled));
            }
            let codes = rows.into_iter().map(StoredBackupCode::try_from).collect::<Result<_, _>>()?;
            Ok(Found::Material(Material::BackupCodes(codes)))
        }
        Factor::MailedCode => {
            if in_session && !account.two_factor_enabled {
                // Only an enrolment that was begun, with the password, can be confirmed by mail.
                let (_, pending) = enrolment::authenticators_of(connection, &account.id).await?;
                if pending.is_none() {
                    return Ok(Found::Nothing(Claim::NotEnrolled));
                }
            }
            take_code(connection, claim).await
        }
    }
}

/// Takes a try from a live mailed code; like a challenge, it is destroyed when all its tries have failed.
async fn take_code(connection: &mut Conn, claim: &ClaimAttempt) -> Result<Found, StoreError> {
    let subject = claim.actor.subject().to_text();
    let cap = i64::from(claim.policy.mailed_code_tries);
    let live = || mailed_codes::table.find(&subject).filter(mailed_codes::expires_at.gt(claim.now.as_millis()));
    let mac: Option<Vec<u8>> = diesel::update(live().filter(mailed_codes::tries.lt(cap)))
        .set(mailed_codes::tries.eq(mailed_codes::tries + 1))
        .returning(mailed_codes::mac)
        .get_result(connection)
        .await
        .optional()?;
    if let Some(mac) = mac {
        return Ok(Found::Material(Material::MailedCode(mac)));
    }
    let failures: Option<i64> = live().select(mailed_codes::failures).first(connection).await.optional()?;
    Ok(if failures.is_some_and(|failures| failures >= cap) { Found::DeadCode } else { Found::Nothing(Claim::NoCode) })
}

/// Records an attempt that was judged and failed. It was counted when it was claimed.
pub(crate) async fn fail_attempt(connection: &mut Conn, fail: &FailAttempt) -> Work<()> {
    if fail.is_replay {
        uncount_failure(connection, &fail.account_id.to_text()).await?;
    }
    if let Actor::Challenge(digest) = &fail.actor {
        diesel::update(challenges::table.find(digest.as_bytes().as_slice()))
            .set(challenges::failures.eq(challenges::failures + 1))
            .execute(connection)
            .await?;
    }
    if fail.factor == Factor::MailedCode {
        diesel::update(mailed_codes::table.find(fail.actor.subject().to_text()))
            .set(mailed_codes::failures.eq(mailed_codes::failures + 1))
            .execute(connection)
            .await?;
    }
    audit::write(connection, &fail.event).await?;
    Ok(Unit::Commit(()))
}

/// Makes a right second factor count: spends the code, uses up the challenge, opens the session. All of it or nothing.
pub(crate) async fn pass_second_factor(connection: &mut Conn, pass: &PassSecondFactor) -> Work<Passed> {
    let now = pass.now.as_millis();
    let id = pass.account_id.to_text();
    // A success makes the account's budget whole again.
    let cleared =
        (accounts::failed_attempts.eq(0), accounts::consecutive_locks.eq(0), accounts::locked_until.eq(None::<i64>));
    if pass.enables {
        let enabled = (
            accounts::two_factor_enabled.eq(true),
            accounts::credentials_version.eq(accounts::credentials_version + 1),
            accounts::updated_at.eq(now),
        );
        diesel::update(accounts::table.find(&id)).set((cleared, enabled)).execute(connection).await?;
        // Whatever other sessions passed before, it was not the factor that is on now.
        diesel::update(sessions::table.filter(sessions::account_id.eq(&id)))
            .set(sessions::second_factor_at.eq(None::<i64>))
            .execute(connection)
            .await?;
    } else {
        diesel::update(accounts::table.find(&id)).set(cleared).execute(connection).await?;
    }
    let actor_is_there = match &pass.actor {
        Actor::Challenge(digest) => {
            let live = challenges::table.find(digest.as_bytes().as_slice()).filter(challenges::expires_at.gt(now));
            diesel::delete(live).execute(connection).await?
        }
        Actor::Session { session_id, .. } => {
            let live = sessions::table.find(session_id.to_text()).filter(sessions::expires_at.gt(now));
            match pass.session {
                Some(_) => diesel::delete(live).execute(connection).await?,
                None => diesel::update(live).set(sessions::second_factor_at.eq(now)).execute(connection).await?,
            }
        }
    };
    if actor_is_there == 0 {
        return Ok(Unit::Rollback(Passed::ActorGone));
    }
    if !spend_proof(connection, pass).await? {
        return Ok(Unit::Rollback(Passed::ProofSpent));
    }
    if let Some(session) = &pass.session {
        diesel::insert_into(sessions::table).values(SessionRow::from(session)).execute(connection).await?;
    }
    if let Some(trust) = &pass.trust {
        let row = TrustedDeviceRow::new(trust, pass.account_id, pass.now);
        diesel::insert_into(trusted_devices::table).values(row).execute(connection).await?;
    }
    audit::write(connection, &pass.event).await?;
    Ok(Unit::Commit(Passed::Done))
}

/// Marks the presented code as used; `false` when somebody else was first.
async fn spend_proof(connection: &mut Conn, pass: &PassSecondFactor) -> Result<bool, StoreError> {
    let touched = match &pass.proof {
        Proof::Totp { authenticator_id, step, confirms } => {
            let unspent = authenticators::last_step.is_null().or(authenticators::last_step.lt(*step));
            let touched = diesel::update(authenticators::table.find(authenticator_id.to_text()).filter(unspent))
                .set(authenticators::last_step.eq(*step))
                .execute(connection)
                .await?;
            if touched == 1 && *confirms {
                enrolment::confirm_authenticator(connection, pass.account_id, *authenticator_id, pass.now).await?;
            }
            touched
        }
        Proof::MailedCode(mac) => {
            let same = mailed_codes::mac.eq(mac.as_slice()).and(mailed_codes::expires_at.gt(pass.now.as_millis()));
            let subject = pass.actor.subject().to_text();
            diesel::delete(mailed_codes::table.find(subject).filter(same)).execute(connection).await?
        }
        Proof::BackupCode(id) => {
            let unspent = backup_codes::used_at.is_null();
            diesel::update(backup_codes::table.find(id.to_text()).filter(unspent))
                .set(backup_codes::used_at.eq(pass.now.as_millis()))
                .execute(connection)
                .await?
        }
    };
    Ok(touched == 1)
}
