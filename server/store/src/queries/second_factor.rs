//! Making a right second factor count: all of it or nothing.

use super::sessions::open_session;
use super::sign_in::{note_absence, note_sign_in};
use super::users::{UserRow, methods_if, registrations_if};
use super::{
    Conn, RunQueryDsl, TxResult, audit, endings, known_networks, methods, millis, refresh_tokens, spent_steps, tickets,
    trusted_devices,
};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::AccountRow;
use crate::schema::{accounts, backup_codes, challenges, mailed_codes, methods as methods_table, sessions};
use crate::work::{CompleteSecondFactor, MethodsRemoved, RemoveMethods, SecondFactorCompleted, TxOutcome};
use countersign_domain::account::{Account, Versions};
use countersign_domain::address::MethodKind;
use countersign_domain::attempt::{Claimant, Proof, StoredCode};
use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::backup_code;
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::removal::{self, Removal};
use countersign_domain::decisions::second_factor::{self, SecondFactor, SessionChange};
use countersign_domain::decisions::usable::usable_methods;
use countersign_domain::ids::AccountId;
use countersign_domain::method::Method;
use countersign_domain::terms::Grant;
use countersign_domain::time::Timestamp;
use countersign_domain::user::User;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
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

/// Spends the code, uses up the challenge, and opens what is decided.
///
/// The decision is made on the account as it was claimed, so that all statements travel together; it is made again on the
/// row that this transaction holds, and if it is another one nothing is written.
pub(crate) async fn complete_second_factor(
    connection: &mut Conn,
    input: &CompleteSecondFactor,
) -> TxResult<SecondFactorCompleted> {
    match complete(connection, input).await {
        // Every foreign key refers to the account: it was deleted since the attempt was claimed.
        Err(StoreError::Refused(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _))) => {
            Ok(TxOutcome::Rollback(SecondFactorCompleted::ClaimantGone))
        }
        outcome => outcome,
    }
}

async fn complete(connection: &mut Conn, input: &CompleteSecondFactor) -> TxResult<SecondFactorCompleted> {
    let (account_id, now) = (input.account.id, input.now);
    let decision = decide(input, &input.account);
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
    let mut event = input.audit.event(decision.event());
    event.session_id = session.map(|session| session.session.id).or(own);

    if let SecondFactor::Enabled(switch) = decision {
        if !methods::switch_on(connection, account_id, now).await? {
            return changed(connection, account_id).await;
        }
        if let Some(method) = input.email_method.as_ref().filter(|_| switch.adds_email) {
            methods::insert(connection, account_id, method, proves_email(input), now).await?;
        }
    }
    verify_address(connection, input).await?;
    let network = input.network.as_ref().filter(|_| signs_in);
    let raises = decision.ends().map(Event::raises);
    let before = input.account.versions();
    let versions = raises.map_or(before, |raises| raises.after(before));
    if let Some(ends) = decision.ends()
        && endings::carry_out(connection, account_id, ends, own).await?.is_none()
    {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::ClaimantGone));
    }
    let (row, claimant_is_there, proof_is_spent, codes_left, (), (), (), (), (), (), (), (), methods, registrations) = pipeline!(
        connection;
        forget_failures(account_id, input.charge),
        use_up_claimant(input, decision.session_change(), before, versions),
        spend_proof(&input.proof, &input.claimant, now),
        codes_left(&input.proof, account_id),
        mark_method_used(&input.proof, now),
        open_session(session, versions),
        refresh_tokens::open(
            input.refresh_token.as_ref().filter(|_| grants_tokens), account_id, versions, now
        ),
        tickets::give(ticket, account_id, versions, now),
        trusted_devices::give(trust, account_id, versions, &input.rules.policy, now),
        known_networks::record(network, account_id),
        audit::write(&event),
        note_sign_in(signs_in, account_id, now),
        methods_if(grants_tokens, account_id),
        registrations_if(grants_tokens, account_id),
    );
    let Some((row, profile, last_sign_in_at)) = row else {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::ClaimantGone));
    };
    let account = Account::try_from(row)?;
    let switched_on = matches!(decision, SecondFactor::Enabled(_));
    let was = Account { two_factor_enabled: account.two_factor_enabled && !switched_on, ..account.clone() };
    let was_at = raises.map_or(account.versions(), |raises| raises.before(account.versions()));
    let was = was.with_versions(was_at);
    if was_at != before {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::Changed(Box::new(was))));
    }
    // Who presents one code twice in one session is told that it is used, not that the session has another token.
    if !proof_is_spent && own.is_some() {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::ProofSpent));
    }
    if !claimant_is_there {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::ClaimantGone));
    }
    if !proof_is_spent {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::ProofSpent));
    }
    // The method that comes along is for the address that the account had when the attempt was claimed.
    if decide(input, &was) != decision || was.email != input.account.email {
        return Ok(TxOutcome::Rollback(SecondFactorCompleted::Changed(Box::new(was))));
    }
    spent_steps::renew(connection, account_id, input.renewal.as_ref()).await?;
    if codes_left.is_some_and(backup_code::are_few) {
        audit::write(connection, &input.few_codes).await?;
    }
    if let Proof::Totp { method_id, confirms: true, .. } = &input.proof {
        methods::confirm_authenticator(connection, account_id, *method_id, now).await?;
    }
    for (context, kind) in input.more_audit.iter().zip(decision.further_events(input.proof.factor())) {
        let further = AuditEvent { session_id: event.session_id, ..context.event(kind) };
        audit::write(connection, &further).await?;
    }
    if signs_in {
        let absence_audit = AuditContext { session_id: event.session_id, ..input.absence_audit.clone() };
        note_absence(connection, last_sign_in_at, &absence_audit, &input.rules).await?;
    }
    let user = grants_tokens.then(|| {
        let last_sign_in_at = Some(now);
        Box::new(User { account: account.clone(), profile, last_sign_in_at, methods, registrations })
    });
    Ok(TxOutcome::Commit(SecondFactorCompleted::Done { decision, account: Box::new(account), user }))
}

/// Whether the code was sent to the account's own address, without a method for it. A challenge has such a code only if a
/// calling service delivered it.
fn proves_email(input: &CompleteSecondFactor) -> bool {
    let in_session = matches!(input.claimant, Claimant::Session { .. });
    in_session && matches!(&input.proof, Proof::OneTimeCode(StoredCode { method_id: None, .. }))
}

/// A code that was sent to the account's own e-mail address proves it.
async fn verify_address(connection: &mut Conn, input: &CompleteSecondFactor) -> Result<(), StoreError> {
    let Some(own) = input.account.email.as_ref().filter(|_| !input.account.email_verified) else { return Ok(()) };
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
    Ok(())
}

/// The second factor was switched on, or the account deleted, since the attempt was claimed.
async fn changed(connection: &mut Conn, account_id: AccountId) -> TxResult<SecondFactorCompleted> {
    let row: Option<AccountRow> = accounts::table
        .find(account_id.to_text())
        .select(AccountRow::as_select())
        .get_result(connection)
        .await
        .optional()?;
    Ok(TxOutcome::Rollback(match row {
        Some(row) => SecondFactorCompleted::Changed(Box::new(Account::try_from(row)?)),
        None => SecondFactorCompleted::ClaimantGone,
    }))
}

/// Spends the code and removes the methods that it is for.
pub(crate) async fn remove_methods(connection: &mut Conn, input: &RemoveMethods) -> TxResult<MethodsRemoved> {
    let (account_id, now) = (input.account_id, input.now);
    let (row, proof_is_spent, (), methods) = pipeline!(
        connection;
        forget_failures(account_id, input.charge),
        spend_proof(&input.proof, &input.claimant, now),
        mark_method_used(&input.proof, now),
        methods_if(true, account_id),
    );
    let Some((row, ..)) = row.filter(|_| proof_is_spent) else {
        return Ok(TxOutcome::Rollback(MethodsRemoved::ProofSpent));
    };
    let account = Account::try_from(row)?;
    spent_steps::renew(connection, account_id, input.renewal.as_ref()).await?;
    let ids = |methods: &[Method]| methods.iter().map(|method| method.id).collect::<Vec<_>>();
    let confirmed = ids(&methods);
    let usable = ids(&usable_methods(methods.clone(), &account, input.rules.tenant_of(&account)));
    let facts = removal::Facts {
        account: &account,
        manager: &input.manager,
        factor: input.proof.factor(),
        named: input.named,
        confirmed: &confirmed,
        usable: &usable,
    };
    let decision = removal::decide(&facts, &input.rules.policy, now);
    let removed = match decision {
        Removal::NotNamed | Removal::NoMethod | Removal::SecondFactorDue(_) => {
            return Ok(TxOutcome::Rollback(MethodsRemoved::Decided(decision)));
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

/// How many backup codes are left, if one of them was the proof.
async fn codes_left(connection: &mut Conn, proof: &Proof, account_id: AccountId) -> Result<Option<usize>, StoreError> {
    match proof {
        Proof::BackupCode(_) => usable_codes(connection, account_id).await.map(Some),
        _ => Ok(None),
    }
}

/// How many backup codes an account can still use.
pub(super) async fn usable_codes(connection: &mut Conn, account_id: AccountId) -> Result<usize, StoreError> {
    let mine = backup_codes::table.filter(backup_codes::account_id.eq(account_id.to_text()));
    let usable = mine.filter(backup_codes::is_pending.eq(false)).filter(backup_codes::used_at.is_null());
    let count: i64 = usable.count().get_result(connection).await?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Clears the account's consecutive failures, gives back what this attempt had added to the long-term count (it was no wrong
/// guess), and locks its row; `None` if it is gone.
async fn forget_failures(
    connection: &mut Conn,
    account_id: AccountId,
    charge: Duration,
) -> Result<Option<UserRow>, StoreError> {
    let row = diesel::update(accounts::table.find(account_id.to_text()))
        .set((
            accounts::failed_attempts.eq(0),
            accounts::consecutive_locks.eq(0),
            accounts::locked_until.eq(None::<i64>),
            accounts::guesses_decay_at.eq(accounts::guesses_decay_at - millis(charge)),
        ))
        .returning((AccountRow::as_returning(), accounts::profile, accounts::last_sign_in_at))
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    Ok(row)
}

/// Deletes the challenge, or changes the session as decided; `false` if it is gone, of older credentials, or has another
/// token by now.
async fn use_up_claimant(
    connection: &mut Conn,
    input: &CompleteSecondFactor,
    change: SessionChange,
    before: Versions,
    after: Versions,
) -> Result<bool, StoreError> {
    let now = input.now.as_millis();
    let touched = match &input.claimant {
        Claimant::Challenge(digest) => {
            let live = challenges::expires_at.gt(now);
            let current = challenges::credentials_version
                .eq(before.credentials)
                .and(challenges::factors_version.eq(before.factors));
            let challenge = challenges::table.find(digest.as_bytes().as_slice()).filter(live.and(current));
            diesel::delete(challenge).execute(connection).await?
        }
        Claimant::Session { session_id, .. } => {
            let live = sessions::expires_at.gt(now).and(sessions::credentials_version.eq(after.credentials));
            let session = sessions::table.find(session_id.to_text()).filter(live);
            let session = session.filter(sessions::token_digest.eq(input.session_token.as_bytes().as_slice()));
            match change {
                SessionChange::Replaced => diesel::delete(session).execute(connection).await?,
                SessionChange::NewToken => {
                    diesel::update(session)
                        .set((
                            sessions::token_digest.eq(input.session.token.as_bytes().as_slice()),
                            sessions::second_factor_at.eq(now),
                            sessions::factors_version.eq(after.factors),
                        ))
                        .cached()
                        .execute(connection)
                        .await?
                }
                SessionChange::Renewed => {
                    diesel::update(session)
                        .set((sessions::second_factor_at.eq(now), sessions::factors_version.eq(after.factors)))
                        .cached()
                        .execute(connection)
                        .await?
                }
                SessionChange::Kept => 1,
            }
        }
        // Its account's row is locked already.
        Claimant::Holder { .. } => 1,
    };
    Ok(touched == 1)
}

/// Marks the presented code as used; `false` if another request was first.
async fn spend_proof(
    connection: &mut Conn,
    proof: &Proof,
    claimant: &Claimant,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let touched = match proof {
        Proof::Totp { method_id, step, .. } => {
            let unspent = methods_table::last_step.is_null().or(methods_table::last_step.lt(*step));
            diesel::update(methods_table::table.find(method_id.to_text()).filter(unspent))
                .set((methods_table::last_step.eq(*step), methods_table::last_used_at.eq(now.as_millis())))
                .cached()
                .execute(connection)
                .await?
        }
        Proof::OneTimeCode(code) => {
            let same = mailed_codes::mac.eq(code.mac.as_slice()).and(mailed_codes::expires_at.gt(now.as_millis()));
            let subject = claimant.subject().to_text();
            diesel::delete(mailed_codes::table.find(subject).filter(same)).execute(connection).await?
        }
        Proof::BackupCode(id) => {
            diesel::update(backup_codes::table.find(id.to_text()).filter(backup_codes::used_at.is_null()))
                .set(backup_codes::used_at.eq(now.as_millis()))
                .cached()
                .execute(connection)
                .await?
        }
    };
    Ok(touched == 1)
}

/// Notes the use of the method that a one-time code was sent by, which also proves its address; that of an authenticator app is noted where its step is
/// spent.
async fn mark_method_used(connection: &mut Conn, proof: &Proof, now: Timestamp) -> Result<(), StoreError> {
    if let Proof::OneTimeCode(StoredCode { method_id: Some(id), .. }) = proof {
        diesel::update(methods_table::table.find(id.to_text()))
            .set((methods_table::last_used_at.eq(now.as_millis()), methods_table::proved_at.eq(now.as_millis())))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}
