//! Making a right second factor count: all of it or nothing.

use super::locking::lock_user;
use super::sessions::open_session;
use super::sign_in::absence;
use super::users::{UserRow, methods_if, registrations_if};
use super::{
    Conn, RunQueryDsl, TxResult, audit, ceremonies, endings, is_presumed, known_networks, may_pipeline_commit, methods,
    millis, passkeys, pipeline_commit, refresh_tokens, spent_steps, tickets, trusted_devices,
};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::AccountRow;
use crate::schema::{
    accounts, backup_codes, challenges, mailed_codes, methods as methods_table, passkey_ceremonies, sessions,
};
use crate::work::{CompleteSecondFactor, MethodsRemoved, RemoveMethods, SecondFactorCompleted, TxOutcome};
use countersign_domain::account::{Account, Versions};
use countersign_domain::address::MethodKind;
use countersign_domain::attempt::{Claimant, Proof, StoredCode};
use countersign_domain::audit::AuditEvent;
use countersign_domain::backup_code;
use countersign_domain::decisions::removal::{self, Removal};
use countersign_domain::decisions::second_factor::{self, SecondFactor, SessionChange};
use countersign_domain::decisions::usable::{passkeys_as_methods, usable_methods};
use countersign_domain::ids::{AccountId, MethodId, SessionId};
use countersign_domain::method::Method;
use countersign_domain::passkey::Passkey;
use countersign_domain::terms::Grant;
use countersign_domain::time::Timestamp;
use countersign_domain::user::User;
use diesel::prelude::*;
use std::time::Duration;

fn decide(input: &CompleteSecondFactor, account: &Account) -> SecondFactor {
    let tenant = input.rules.tenant_of(account);
    let facts = second_factor::Facts {
        account,
        tenant,
        claimant: &input.claimant,
        proof: &input.proof,
        is_assured: input.is_assured,
    };
    second_factor::decide(&facts, input.request, &input.terms, input.now)
}

/// What the transaction has read of the account whose row it holds.
pub(super) struct LockedAccount {
    pub(super) account: Account,
    pub(super) last_sign_in_at: Option<i64>,
    /// Backup codes that can still be used, if one of them is the proof.
    codes: usize,
}

impl LockedAccount {
    /// Of an attempt that this transaction has claimed. Its code was quick to judge, so it is no backup code.
    pub(super) fn of_claim(account: Account, last_sign_in_at: Option<i64>) -> Self {
        Self { account, last_sign_in_at, codes: 0 }
    }
}

/// Makes a code count that was claimed and judged before: reads again what the judgement stands on, and decides on that.
pub(crate) async fn complete_second_factor(
    connection: &mut Conn,
    input: &CompleteSecondFactor,
) -> TxResult<SecondFactorCompleted> {
    let (row, claimant_is_there, proof) =
        pipeline!(connection; lock_user(input.account.id), find_claimant(input), find_proof(input));
    let Some((row, _, last_sign_in_at)) = row else {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::ClaimantGone));
    };
    let account = Account::try_from(row)?;
    if account.versions() != input.account.versions() {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::Changed(Box::new(account))));
    }
    if let Some(refused) = refusal(input, claimant_is_there, proof.is_unspent) {
        return Ok(TxOutcome::Rollback(refused));
    }
    // The method that comes along is for the address that the account had when the attempt was claimed.
    if decide(input, &account) != decide(input, &input.account) || account.email != input.account.email {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::Changed(Box::new(account))));
    }
    complete(connection, input, LockedAccount { account, last_sign_in_at, codes: proof.codes }).await
}

/// Why the code does not count, if the claimant is gone or the code was used.
fn refusal(input: &CompleteSecondFactor, claimant_is_there: bool, is_unspent: bool) -> Option<SecondFactorCompleted> {
    // A code that is presented twice in one session is reported as used, not as a missing session.
    let in_session = input.claimant.session_id().is_some();
    match (claimant_is_there, is_unspent) {
        (true, true) => None,
        (false, false) if in_session => Some(SecondFactorCompleted::ProofSpent),
        (false, _) => Some(SecondFactorCompleted::ClaimantGone),
        (true, false) => Some(SecondFactorCompleted::ProofSpent),
    }
}

/// Spends the code, uses up the challenge, and opens what is decided on the account, whose row this transaction holds. All statements
/// travel together, and the commit with them if nothing else is left to do.
pub(super) async fn complete(
    connection: &mut Conn,
    input: &CompleteSecondFactor,
    held: LockedAccount,
) -> TxResult<SecondFactorCompleted> {
    let (account_id, now, before) = (held.account.id, input.now, held.account.versions());
    let decision = decide(input, &held.account);
    if decision == SecondFactor::EnrolmentDue {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::EnrolmentDue));
    }
    let signs_in = matches!(decision, SecondFactor::SignedIn { .. });
    let grants_tokens = signs_in && input.terms.grant == Grant::Tokens;
    let opens_session = decision.grants() && !grants_tokens;
    let trust = matches!(decision, SecondFactor::SignedIn { trusts_device: true }).then_some(&input.trust);
    let ticket = match decision {
        SecondFactor::PasswordChangeDue => input.change_password.as_ref(),
        SecondFactor::SignedIn { .. } => input.step_up.as_ref(),
        _ => None,
    };
    let session = opens_session.then_some(&input.session);
    let own = input.claimant.session_id();
    let session_id = session.map(|session| session.session.id).or(own);
    let events = events(input, &held, decision, session_id);

    if let SecondFactor::Enabled(switch) = decision {
        methods::switch_on(connection, account_id, now).await?;
        if let Some(method) = input.email_method.as_ref().filter(|_| switch.adds_email) {
            methods::insert(connection, account_id, method, proves_email(input), now).await?;
        }
    }
    if let Proof::Totp { method_id, confirms: true, .. } = &input.proof {
        methods::confirm_authenticator(connection, account_id, *method_id, now).await?;
    }
    let proves_address = verify_address(connection, input).await?;
    spent_steps::renew(connection, account_id, input.renewal.as_ref()).await?;
    let versions = decision.ends().map_or(before, |ends| ends.raises().after(before));
    if let Some(ends) = decision.ends() {
        endings::carry_out(connection, account_id, ends, own).await?;
    }
    let network = input.network.as_ref().filter(|_| signs_in);
    // The rows of a user are decoded before `COMMIT` is sent: a second factor that has taken effect cannot fail any more. And an
    // account that it changes is read before, so that the response is right although it is not known whether it was committed.
    let reads_user = grants_tokens || decision.ends().is_some();
    let commits = !reads_user && may_pipeline_commit(connection) && events.iter().all(audit::is_one_statement);
    let signed_in_at = signs_in.then_some(now);
    let (row, claimant_is_there, proof_is_spent, (), (), (), (), (), (), mut methods, passkeys, registrations, (), ()) = pipeline!(
        connection;
        forget_failures_and_commit(account_id, input.charge, signed_in_at),
        use_up_claimant(input, decision.session_change(), before, versions, commits),
        spend_proof(&input.proof, &input.claimant, now, commits),
        mark_method_used(&input.proof, now),
        open_session(session, versions),
        refresh_tokens::open(
            input.refresh_token.as_ref().filter(|_| grants_tokens), account_id, versions, now
        ),
        tickets::give(ticket, account_id, versions, now),
        trusted_devices::give(trust, account_id, versions, &input.rules.policy, now),
        known_networks::record(network, account_id),
        methods_if(grants_tokens, account_id),
        passkeys::passkeys_if(grants_tokens, account_id),
        registrations_if(grants_tokens, account_id),
        audit::write_all(&events),
        pipeline_commit(commits),
    );
    let (account, profile) = match row {
        Forgotten::Read(row) => (Account::try_from(row.0)?, row.1),
        // As it was locked, with what is changed.
        Forgotten::Unread => {
            let email_verified = held.account.email_verified || proves_address;
            let guess_level = held.account.guess_level.map(|level| level - input.charge);
            let account =
                Account { lock_ends_at: None, wrong_guess: None, guess_level, email_verified, ..held.account };
            (account, Default::default())
        }
        Forgotten::Gone => return Ok(TxOutcome::Rollback(SecondFactorCompleted::ClaimantGone)),
    };
    if let Some(refused) = refusal(input, claimant_is_there, proof_is_spent) {
        return Ok(TxOutcome::Rollback(refused));
    }
    let user = grants_tokens.then(|| {
        let last_sign_in_at = Some(now);
        methods.extend(passkeys.iter().filter(|_| account.two_factor_enabled).map(Passkey::as_method));
        Box::new(User { account: account.clone(), profile, last_sign_in_at, methods, registrations })
    });
    Ok(TxOutcome::Commit(SecondFactorCompleted::Done { decision, account: Box::new(account), user }))
}

/// What the audit trail records of a right code: what it did; that a backup code is used up, a device trusted; that few codes are left;
/// that a sign-in comes after a long absence.
fn events(
    input: &CompleteSecondFactor,
    held: &LockedAccount,
    decision: SecondFactor,
    session_id: Option<SessionId>,
) -> Vec<AuditEvent> {
    let in_session = |event: AuditEvent| AuditEvent { session_id, ..event };
    let further = input.more_audit.iter().zip(decision.further_events(input.proof.factor()));
    let further = further.map(|(context, kind)| in_session(context.event(kind)));
    let is_backup_code = matches!(input.proof, Proof::BackupCode(_));
    let are_few = is_backup_code && backup_code::are_few(held.codes.saturating_sub(1));
    let signs_in = matches!(decision, SecondFactor::SignedIn { .. });
    let absence = absence(held.last_sign_in_at, &input.rules, input.now).filter(|_| signs_in);
    let of_code = [
        Some(in_session(input.audit.event(decision.event()))),
        are_few.then(|| input.few_codes.clone()),
        absence.map(|kind| in_session(input.absence_audit.event(kind))),
    ];
    of_code.into_iter().flatten().chain(further).collect()
}

/// Whether the code was sent to the account's own address, without a method for it. A challenge has such a code only if a
/// calling service delivered it.
fn proves_email(input: &CompleteSecondFactor) -> bool {
    let in_session = matches!(input.claimant, Claimant::Session { .. });
    in_session && matches!(&input.proof, Proof::OneTimeCode(StoredCode { method_id: None, .. }))
}

/// A code that was sent to the account's own e-mail address proves it. Returns whether it did, and was not proved before.
async fn verify_address(connection: &mut Conn, input: &CompleteSecondFactor) -> Result<bool, StoreError> {
    let Some(own) = input.account.email.as_ref().filter(|_| !input.account.email_verified) else { return Ok(false) };
    let proved = match &input.proof {
        Proof::OneTimeCode(StoredCode { method_id: Some(id), .. }) => {
            let same = methods_table::kind.eq(MethodKind::Email.name()).and(methods_table::address.eq(own.as_str()));
            let method = methods_table::table.find(id.to_text()).filter(same);
            let count: i64 = method.count().get_result(connection).await?;
            count > 0
        }
        _ => proves_email(input),
    };
    if proved {
        methods::verify_own_address(connection, input.account.id, own, input.now).await?;
    }
    Ok(proved)
}

/// Spends the code and removes the methods that it is for.
pub(crate) async fn remove_methods(connection: &mut Conn, input: &RemoveMethods) -> TxResult<MethodsRemoved> {
    let (account_id, now) = (input.account_id, input.now);
    let (row, proof_is_spent, (), mut methods, known) = pipeline!(
        connection;
        forget_failures(account_id, input.charge, None),
        spend_proof(&input.proof, &input.claimant, now, false),
        mark_method_used(&input.proof, now),
        methods_if(true, account_id),
        passkeys::passkeys_if(input.rules.relying_party.is_some(), account_id),
    );
    let Some((row, ..)) = row.filter(|_| proof_is_spent) else {
        return Ok(TxOutcome::Rollback(MethodsRemoved::ProofSpent));
    };
    let account = Account::try_from(row)?;
    spent_steps::renew(connection, account_id, input.renewal.as_ref()).await?;
    let ids = |methods: &[Method]| methods.iter().map(|method| method.id).collect::<Vec<_>>();
    // They may be what is left.
    methods.extend(passkeys_as_methods(&known, &account, &input.rules));
    let own_passkeys: Vec<MethodId> = known.iter().map(|passkey| passkey.id).collect();
    let confirmed = ids(&methods);
    let usable = ids(&usable_methods(methods.clone(), &account, input.rules.tenant_of(&account)));
    let facts = removal::Facts {
        account: &account,
        manager: &input.manager,
        factor: input.proof.factor(),
        named: input.named,
        confirmed: &confirmed,
        passkeys: &own_passkeys,
        usable: &usable,
    };
    let decision = removal::decide(&facts, &input.rules.policy, now);
    let removed = match decision {
        Removal::NotNamed | Removal::NoMethod | Removal::SecondFactorDue(_) => {
            return Ok(TxOutcome::Rollback(MethodsRemoved::Decided(decision)));
        }
        Removal::Passkey(id) => {
            passkeys::remove(connection, id).await?;
            Vec::new()
        }
        Removal::LastPasskey(id) => {
            passkeys::remove(connection, id).await?;
            methods::switch_off(connection, account_id, now).await?
        }
        Removal::One(method_id) => {
            spent_steps::remember(connection, account_id, Some(method_id), now).await?;
            diesel::delete(methods_table::table.find(method_id.to_text())).execute(connection).await?;
            methods.iter().filter(|method| method.id == method_id).cloned().collect()
        }
        Removal::SwitchOff => methods::switch_off(connection, account_id, now).await?,
    };
    if let Some(ends) = decision.ends() {
        endings::carry_out(connection, account_id, ends, None).await?;
    }
    if let Some(kind) = decision.event() {
        audit::write_removal(connection, &input.audit.event(kind), &removed).await?;
    }
    if let Some(kind) = decision.further_event(input.proof.factor()) {
        audit::write(connection, &input.more_audit.event(kind)).await?;
    }
    Ok(TxOutcome::Commit(MethodsRemoved::Decided(decision)))
}

/// How many backup codes an account can still use.
pub(super) async fn usable_codes(connection: &mut Conn, account_id: AccountId) -> Result<usize, StoreError> {
    Ok(usable_code_ids(connection, account_id).await?.len())
}

/// Whether the challenge or the session is live, and as the account is now.
async fn find_claimant(connection: &mut Conn, input: &CompleteSecondFactor) -> Result<bool, StoreError> {
    let (now, versions) = (input.now.as_millis(), input.account.versions());
    let found: Option<i64> = match &input.claimant {
        Claimant::Challenge(digest) => {
            let current = challenges::credentials_version
                .eq(versions.credentials)
                .and(challenges::factors_version.eq(versions.factors));
            let challenge = challenges::table.find(digest.as_bytes().as_slice()).filter(current);
            challenge.select(challenges::expires_at).get_result(connection).await.optional()?
        }
        Claimant::Session { session_id, .. } => {
            let current = sessions::credentials_version
                .eq(versions.credentials)
                .and(sessions::token_digest.eq(input.session_token.as_bytes().as_slice()));
            let session = sessions::table.find(session_id.to_text()).filter(current).select(sessions::expires_at);
            session.get_result(connection).await.optional()?
        }
        Claimant::Holder { .. } => return Ok(true),
    };
    Ok(found.is_some_and(|expires_at| expires_at > now))
}

struct FoundProof {
    is_unspent: bool,
    /// [`LockedAccount::codes`]
    codes: usize,
}

/// Whether the code can still be used.
async fn find_proof(connection: &mut Conn, input: &CompleteSecondFactor) -> Result<FoundProof, StoreError> {
    let now = input.now.as_millis();
    let (is_unspent, codes) = match &input.proof {
        Proof::Totp { method_id, step, .. } => {
            let method = methods_table::table.find(method_id.to_text()).select(methods_table::last_step);
            let last_step: Option<Option<i64>> = method.get_result(connection).await.optional()?;
            (last_step.is_some_and(|last| last.is_none_or(|last| last < *step)), 0)
        }
        Proof::OneTimeCode(code) => {
            let same = mailed_codes::mac.eq(code.mac.as_slice()).and(mailed_codes::expires_at.gt(now));
            let code = mailed_codes::table.find(input.claimant.subject().to_text()).filter(same);
            let count: i64 = code.count().get_result(connection).await?;
            (count > 0, 0)
        }
        Proof::BackupCode(id) => {
            let codes = usable_code_ids(connection, input.account.id).await?;
            (codes.contains(&id.to_text()), codes.len())
        }
        Proof::Passkey { ceremony, .. } => (ceremonies::find_live(connection, ceremony, input.now).await?.is_some(), 0),
    };
    Ok(FoundProof { is_unspent, codes })
}

/// Backup codes that an account can still use.
async fn usable_code_ids(connection: &mut Conn, account_id: AccountId) -> Result<Vec<String>, StoreError> {
    let mine = backup_codes::table.filter(backup_codes::account_id.eq(account_id.to_text()));
    let usable = mine.filter(backup_codes::is_pending.eq(false)).filter(backup_codes::used_at.is_null());
    Ok(usable.select(backup_codes::id).load(connection).await?)
}

/// Clears the account's consecutive failures, gives back what this attempt had added to the long-term count (it was no wrong
/// guess), notes the sign-in if it is one, and locks the row; `None` if it is gone.
async fn forget_failures(
    connection: &mut Conn,
    account_id: AccountId,
    charge: Duration,
    signed_in_at: Option<Timestamp>,
) -> Result<Option<UserRow>, StoreError> {
    let row = diesel::update(accounts::table.find(account_id.to_text()))
        .set((
            accounts::failed_attempts.eq(0),
            accounts::consecutive_locks.eq(0),
            accounts::locked_until.eq(None::<i64>),
            accounts::guesses_decay_at.eq(accounts::guesses_decay_at - millis(charge)),
            signed_in_at.map(|at| accounts::last_sign_in_at.eq(at.as_millis())),
        ))
        .returning((AccountRow::as_returning(), accounts::profile, accounts::last_sign_in_at))
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    Ok(row)
}

/// The same in a pipeline with `COMMIT`.
async fn forget_failures_and_commit(
    connection: &mut Conn,
    account_id: AccountId,
    charge: Duration,
    signed_in_at: Option<Timestamp>,
) -> Result<Forgotten, StoreError> {
    match forget_failures(connection, account_id, charge, signed_in_at).await {
        Ok(Some(row)) => Ok(Forgotten::Read(Box::new(row))),
        Ok(None) => Ok(Forgotten::Gone),
        Err(error) if is_presumed(connection, &error) => Ok(Forgotten::Unread),
        Err(error) => Err(error),
    }
}

/// The account's row after its failures were forgotten.
enum Forgotten {
    Read(Box<UserRow>),
    Gone,
    /// The connection was lost after `COMMIT` was sent.
    Unread,
}

/// Deletes the challenge, or changes the session as decided; `false` if it is gone, of older credentials, or has another
/// token by now.
async fn use_up_claimant(
    connection: &mut Conn,
    input: &CompleteSecondFactor,
    change: SessionChange,
    before: Versions,
    after: Versions,
    must: bool,
) -> Result<bool, StoreError> {
    let now = input.now.as_millis();
    Ok(match &input.claimant {
        Claimant::Challenge(digest) => {
            let live = challenges::expires_at.gt(now);
            let current = challenges::credentials_version
                .eq(before.credentials)
                .and(challenges::factors_version.eq(before.factors));
            let challenge = challenges::table.find(digest.as_bytes().as_slice()).filter(live.and(current));
            affect_one!(connection, must, diesel::delete(challenge))
        }
        Claimant::Session { session_id, .. } => {
            let live = sessions::expires_at.gt(now).and(sessions::credentials_version.eq(after.credentials));
            let session = sessions::table.find(session_id.to_text()).filter(live);
            let session = session.filter(sessions::token_digest.eq(input.session_token.as_bytes().as_slice()));
            match change {
                SessionChange::Replaced => affect_one!(connection, must, diesel::delete(session)),
                SessionChange::NewToken => {
                    let renewed = (
                        sessions::token_digest.eq(input.session.token.as_bytes().as_slice()),
                        sessions::second_factor_at.eq(now),
                        sessions::factors_version.eq(after.factors),
                    );
                    affect_one!(connection, must, diesel::update(session).set(renewed))
                }
                SessionChange::Renewed => {
                    let renewed = (sessions::second_factor_at.eq(now), sessions::factors_version.eq(after.factors));
                    affect_one!(connection, must, diesel::update(session).set(renewed))
                }
                SessionChange::Kept => true,
            }
        }
        // Its account's row is locked already.
        Claimant::Holder { .. } => true,
    })
}

/// Marks the presented code as used; `false` if another request was first.
async fn spend_proof(
    connection: &mut Conn,
    proof: &Proof,
    claimant: &Claimant,
    now: Timestamp,
    must: bool,
) -> Result<bool, StoreError> {
    Ok(match proof {
        Proof::Totp { method_id, step, .. } => {
            let unspent = methods_table::last_step.is_null().or(methods_table::last_step.lt(*step));
            let method = methods_table::table.find(method_id.to_text()).filter(unspent);
            let used = (methods_table::last_step.eq(*step), methods_table::last_used_at.eq(now.as_millis()));
            affect_one!(connection, must, diesel::update(method).set(used))
        }
        Proof::OneTimeCode(code) => {
            let same = mailed_codes::mac.eq(code.mac.as_slice()).and(mailed_codes::expires_at.gt(now.as_millis()));
            let subject = claimant.subject().to_text();
            affect_one!(connection, must, diesel::delete(mailed_codes::table.find(subject).filter(same)))
        }
        Proof::Passkey { ceremony, .. } => {
            let live = passkey_ceremonies::expires_at.gt(now.as_millis());
            let ceremony = passkey_ceremonies::table.find(ceremony.as_bytes().as_slice()).filter(live);
            affect_one!(connection, must, diesel::delete(ceremony))
        }
        Proof::BackupCode(id) => {
            let unused = backup_codes::table.find(id.to_text()).filter(backup_codes::used_at.is_null());
            let used_at = backup_codes::used_at.eq(now.as_millis());
            affect_one!(connection, must, diesel::update(unused).set(used_at))
        }
    })
}

/// Notes the use of the passkey, or of the method that a one-time code was sent by, which also proves its address; that of an authenticator app is noted where its step is
/// spent.
async fn mark_method_used(connection: &mut Conn, proof: &Proof, now: Timestamp) -> Result<(), StoreError> {
    if let Proof::Passkey { id, asserted, .. } = proof {
        passkeys::note_use(connection, *id, *asserted, now).await?;
    }
    if let Proof::OneTimeCode(StoredCode { method_id: Some(id), .. }) = proof {
        diesel::update(methods_table::table.find(id.to_text()))
            .set((methods_table::last_used_at.eq(now.as_millis()), methods_table::proved_at.eq(now.as_millis())))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}
