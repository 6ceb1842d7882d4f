//! Enrolling, adding, renaming and switching off second factors.

use super::locking::lock_at;
use super::sessions::open_session;
use super::users::methods_if;
use super::{Conn, RunQueryDsl, TxResult, attempts, audit, endings, pipeline_commit, quotas, spent_steps, tickets};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{BackupCodeRow, MethodRow, OneTimeCodeRow, first_factor};
use crate::schema::{accounts, backup_codes, challenges, mailed_codes, methods, passkeys, sessions};
use crate::work::{
    AddMethod, BeginEnrolment, Changed, DisableTwoFactor, EnrolMail, EnrolmentBegun, MailEnrolled, MethodAdded,
    NewFactor, NewMethod, RenameMethod, ReplaceBackupCodes, Spent, TxOutcome,
};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::address::{Address, MethodKind};
use countersign_domain::attempt::{Authenticator, Material, StoredBackupCode};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::add_method::{self, AddMethod as Decision, KnownSecret, WaitingChallenge};
use countersign_domain::decisions::address_change::AddressChange;
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::enrol_mail::{self, EnrolMail as MailDecision};
use countersign_domain::decisions::enrolment::{self, Enrolment};
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::method::{Method, MethodHandle};
use countersign_domain::one_time_code::Subject;
use countersign_domain::quota::{AccountQuota, QuotaOwner, QuotaUse};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// The confirmed authenticator apps of an account, the oldest first, and the pending one.
pub(crate) async fn authenticators_of(
    connection: &mut Conn,
    account_id: &AccountId,
) -> Result<(Vec<Authenticator>, Option<Authenticator>), StoreError> {
    let rows: Vec<MethodRow> = methods::table
        .filter(methods::account_id.eq(account_id.to_text()))
        .filter(methods::kind.eq(MethodKind::Authenticator.name()))
        .order((methods::created_at, methods::kind, methods::id))
        .select(MethodRow::as_select())
        .load(connection)
        .await?;
    confirmed_and_pending(rows)
}

/// Separates confirmed apps from the pending one; there is at most one.
pub(super) fn confirmed_and_pending(
    rows: Vec<MethodRow>,
) -> Result<(Vec<Authenticator>, Option<Authenticator>), StoreError> {
    let (mut confirmed, mut pending) = (Vec::new(), None);
    for row in rows {
        match row.confirmed_at {
            Some(_) => confirmed.push(Authenticator::try_from(row)?),
            None => pending = Some(Authenticator::try_from(row)?),
        }
    }
    Ok((confirmed, pending))
}

/// The confirmed methods of an account, the oldest first.
pub(crate) async fn methods_of(connection: &mut Conn, account_id: &AccountId) -> Result<Vec<Method>, StoreError> {
    let rows: Vec<MethodRow> = methods::table
        .filter(methods::account_id.eq(account_id.to_text()))
        .filter(methods::confirmed_at.is_not_null())
        .order((methods::created_at, methods::kind, methods::id))
        .select(MethodRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Method::try_from).collect()
}

/// Whether a method has this id.
pub(super) async fn has_id(connection: &mut Conn, id: MethodId) -> Result<bool, StoreError> {
    let found = methods::table.find(id.to_text()).select(methods::id).get_result::<String>(connection).await;
    Ok(found.optional()?.is_some())
}

/// The first of `handles` that no method and no passkey of the account has.
pub(super) async fn free_handle(
    connection: &mut Conn,
    account_id: AccountId,
    handles: &[MethodHandle; 3],
) -> Result<MethodHandle, StoreError> {
    let (of_methods, of_passkeys) =
        pipeline!(connection; handles_of_methods(account_id), handles_of_passkeys(account_id));
    let is_taken = |handle: &MethodHandle| of_methods.iter().chain(&of_passkeys).any(|taken| taken == handle.as_str());
    let free = handles.iter().find(|handle| !is_taken(handle));
    free.cloned().ok_or(StoreError::Corrupt { table: "methods", what: "its handles: none of three was free" })
}

async fn handles_of_methods(connection: &mut Conn, account_id: AccountId) -> Result<Vec<String>, StoreError> {
    let mine = methods::table.filter(methods::account_id.eq(account_id.to_text()));
    Ok(mine.select(methods::handle).load(connection).await?)
}

async fn handles_of_passkeys(connection: &mut Conn, account_id: AccountId) -> Result<Vec<String>, StoreError> {
    let mine = passkeys::table.filter(passkeys::account_id.eq(account_id.to_text()));
    Ok(mine.select(passkeys::handle).load(connection).await?)
}

/// Stores a method, within the open transaction. A method for the same address stays, and is proved if this one is.
pub(super) async fn insert(
    connection: &mut Conn,
    account_id: AccountId,
    method: &NewMethod,
    is_proved: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let NewFactor::Address(address) = &method.factor
        && let [known, ..] = ids_at(connection, account_id, address).await?.as_slice()
    {
        if is_proved {
            prove(connection, known, now).await?;
        }
        return Ok(());
    }
    let handle = free_handle(connection, account_id, &method.handles).await?;
    insert_row(connection, MethodRow::confirmed(method, &handle, account_id, is_proved, now)).await
}

/// Ids of the account's methods for an address.
async fn ids_at(connection: &mut Conn, account_id: AccountId, address: &Address) -> Result<Vec<String>, StoreError> {
    let same = methods::kind.eq(address.kind().name()).and(methods::address.eq(address.as_str()));
    let mine = methods::table.filter(methods::account_id.eq(account_id.to_text())).filter(same);
    Ok(mine.select(methods::id).load(connection).await?)
}

/// Notes that a code which was sent to a method's address has been presented, within the open transaction.
async fn prove(connection: &mut Conn, id: &str, now: Timestamp) -> Result<(), StoreError> {
    let proved_at = methods::proved_at.eq(now.as_millis());
    diesel::update(methods::table.find(id)).set(proved_at).cached().execute(connection).await?;
    Ok(())
}

/// Notes that the account's own e-mail address is proved, if it is this one; within the open transaction.
pub(super) async fn verify_own_address(
    connection: &mut Conn,
    account_id: AccountId,
    address: &EmailAddress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let own = accounts::table.find(account_id.to_text()).filter(accounts::email.eq(address.as_str()));
    diesel::update(own.filter(accounts::email_verified.eq(false)))
        .set((accounts::email_verified.eq(true), accounts::updated_at.eq(now.as_millis())))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets the methods for an address follow it to the one that took its place, within the open transaction, and deletes every
/// code that was sent to the old one.
pub(super) async fn follow(
    connection: &mut Conn,
    account_id: AccountId,
    change: &AddressChange,
) -> Result<(), StoreError> {
    let id = account_id.to_text();
    let old = ids_at(connection, account_id, &change.from).await?;
    let is_method_already = !ids_at(connection, account_id, &change.to).await?.is_empty();
    for method in &old {
        let sent = mailed_codes::account_id.eq(&id).and(mailed_codes::method_id.eq(method));
        diesel::delete(mailed_codes::table.filter(sent)).execute(connection).await?;
        if is_method_already {
            diesel::delete(methods::table.find(method)).execute(connection).await?;
        } else {
            diesel::update(methods::table.find(method))
                .set((methods::address.eq(change.to.as_str()), methods::proved_at.eq(None::<i64>)))
                .cached()
                .execute(connection)
                .await?;
        }
    }
    let enables = Subject::Enable { account_id, address: change.from.clone() }.to_text();
    diesel::delete(mailed_codes::table.find(enables)).execute(connection).await?;
    if change.from.kind() == MethodKind::Email {
        // Sent to the account's own address, for sessions of an account without a method.
        let own = mailed_codes::method_id.is_null().and(mailed_codes::subject.like("session:%"));
        let sent = mailed_codes::table.filter(mailed_codes::account_id.eq(&id)).filter(own);
        diesel::delete(sent).execute(connection).await?;
    }
    Ok(())
}

/// Turns the second factor on, within the open transaction; `false` if it is on already or the account is gone. What ends with
/// that is for the caller to carry out.
pub(super) async fn switch_on(
    connection: &mut Conn,
    account_id: AccountId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let off = accounts::table.find(account_id.to_text()).filter(accounts::two_factor_enabled.eq(false));
    let touched = diesel::update(off)
        .set((accounts::two_factor_enabled.eq(true), accounts::updated_at.eq(now.as_millis())))
        .cached()
        .execute(connection)
        .await?;
    Ok(touched == 1)
}

/// Turns the second factor off, within the open transaction, and removes what it consists of: returns its methods. What ends with
/// that is for the caller to carry out.
pub(super) async fn switch_off(
    connection: &mut Conn,
    account_id: AccountId,
    now: Timestamp,
) -> Result<Vec<Method>, StoreError> {
    let id = account_id.to_text();
    diesel::update(accounts::table.find(&id))
        .set((accounts::two_factor_enabled.eq(false), accounts::updated_at.eq(now.as_millis())))
        .cached()
        .execute(connection)
        .await?;
    spent_steps::remember(connection, account_id, None, now).await?;
    let removed: Vec<MethodRow> = diesel::delete(methods::table.filter(methods::account_id.eq(&id)))
        .returning(MethodRow::as_returning())
        .get_results(connection)
        .await?;
    diesel::delete(backup_codes::table.filter(backup_codes::account_id.eq(&id))).execute(connection).await?;
    let confirmed = removed.into_iter().filter(|row| row.confirmed_at.is_some());
    confirmed.map(Method::try_from).collect()
}

/// Adds a method. The code of an authenticator app was judged by the caller; that of an address is judged here, where its
/// tries are counted.
pub(crate) async fn add_method(connection: &mut Conn, add: &AddMethod) -> TxResult<MethodAdded> {
    let id = add.account_id.to_text();
    let Some(account) = lock_at(connection, add.account_id, add.versions).await? else {
        return Ok(TxOutcome::Rollback(MethodAdded::Stale));
    };
    let found = match &add.method.factor {
        NewFactor::Authenticator(app) => {
            let found = spent_steps::find(connection, add.account_id, app, &add.known_apps, add.now).await?;
            let Some(found) = found else { return Ok(TxOutcome::Rollback(MethodAdded::Stale)) };
            Some((found, app.step))
        }
        NewFactor::Address(_) => None,
    };
    let (confirmed, waiting) = pipeline!(connection; methods_if(true, add.account_id), waiting_challenge(add));
    let has_step_up = match &add.step_up {
        Some(ticket) => tickets::is_valid(connection, ticket, add.account_id, add.versions, add.now).await?,
        None => false,
    };
    let facts = add_method::Facts {
        account: &account,
        tenant: add.rules.tenant_of(&account),
        manager: &add.manager,
        has_fresh_proof: add.has_password || has_step_up,
        kind: add.method.factor.kind(),
        confirmed: confirmed.len(),
        authenticators: confirmed.iter().filter(|method| method.kind == MethodKind::Authenticator).count(),
        challenge: match (&add.challenge, &waiting) {
            (None, _) => WaitingChallenge::NotNamed,
            (Some(_), Some((_, name))) => WaitingChallenge::Live(first_factor(name)),
            (Some(_), None) => WaitingChallenge::Gone,
        },
        secret: found.as_ref().map_or(KnownSecret::New, |(found, _)| found.secret),
    };
    let decision = add_method::decide(&facts, &add.terms, &add.rules.policy, add.now);
    let Some(kind) = decision.event() else {
        return Ok(TxOutcome::Rollback(MethodAdded::Decided(decision)));
    };
    if let Decision::AlreadyAdded { .. } | Decision::Replayed = decision {
        if let (Decision::AlreadyAdded { is_replay: false }, Some((found, step))) = (decision, &found) {
            spent_steps::advance(connection, &found.method_ids, *step, add.now).await?;
        }
        return audit::write_and_commit(connection, &add.audit.event(kind), MethodAdded::Decided(decision)).await;
    }
    if let NewFactor::Address(address) = &add.method.factor {
        match prove_address(connection, add, &account, address).await? {
            AddressProof::Given => {}
            AddressProof::Missing(outcome) => return Ok(TxOutcome::Commit(outcome)),
            AddressProof::NotJudged(outcome) => return Ok(TxOutcome::Rollback(outcome)),
        }
    }
    // A ticket is used up by what it authorises. A request that was refused, for a mistyped code or for anything else, leaves it
    // as it was: good for the same one change, until the same end.
    if let (Decision::First(_), Some(ticket)) = (decision, &add.step_up)
        && !tickets::spend(connection, ticket, add.account_id, add.versions, add.now).await?
    {
        return Ok(TxOutcome::Rollback(MethodAdded::Decided(Decision::ProofDue)));
    }
    if let (Some((digest, mac)), Some((expires_at, _))) = (&add.challenge, waiting) {
        let code = OneTimeCodeRow {
            subject: Subject::Challenge(*digest).to_text(),
            account_id: id.clone(),
            method_id: None,
            mac: mac.to_vec(),
            tries: 0,
            failures: 0,
            created_at: add.now.as_millis(),
            expires_at,
        };
        super::codes::store(connection, &code).await?;
    }
    // An enrolment of the same secret that was begun is finished by this.
    if let Some((begun, _)) = &found {
        for method_id in &begun.method_ids {
            diesel::delete(methods::table.find(method_id)).execute(connection).await?;
        }
    }
    // The code of an address was presented above.
    insert(connection, add.account_id, &add.method, true, add.now).await?;
    if let NewFactor::Address(Address::Email(address)) = &add.method.factor
        && !account.email_verified
    {
        verify_own_address(connection, add.account_id, address, add.now).await?;
    }
    if let Decision::First(_) = decision {
        // The account has a second factor now, so an app that was never confirmed is dropped.
        pipeline!(
            connection;
            switch_on(add.account_id, add.now),
            delete_codes(add.account_id, false),
            delete_pending(add.account_id),
            insert_codes(add.account_id, &add.backup_codes, false, add.now),
        );
    }
    if let Some(ends) = decision.ends() {
        endings::carry_out(connection, add.account_id, ends, None).await?;
    }
    audit::write_and_commit(connection, &add.audit.event(kind), MethodAdded::Decided(decision)).await
}

/// End of the challenge that waits for the method, if one is named and live.
async fn waiting_challenge(connection: &mut Conn, add: &AddMethod) -> Result<Option<(i64, String)>, StoreError> {
    let Some((digest, _)) = &add.challenge else { return Ok(None) };
    let mine = challenges::account_id.eq(add.account_id.to_text());
    let current = challenges::credentials_version
        .eq(add.versions.credentials)
        .and(challenges::factors_version.eq(add.versions.factors));
    let live = mine.and(challenges::expires_at.gt(add.now.as_millis())).and(current);
    let challenge = challenges::table.find(digest.as_bytes().as_slice()).filter(live);
    Ok(challenge.select((challenges::expires_at, challenges::first_factor)).get_result(connection).await.optional()?)
}

enum AddressProof {
    Given,
    /// A code was judged and was wrong.
    Missing(MethodAdded),
    NotJudged(MethodAdded),
}

/// Whether the code that was sent to the address was presented. A right one is spent, a wrong one costs a try, and counts for the
/// account whatever code it was for: a new code brings no new guesses (N5).
async fn prove_address(
    connection: &mut Conn,
    add: &AddMethod,
    account: &Account,
    address: &Address,
) -> Result<AddressProof, StoreError> {
    let subject = Subject::Enable { account_id: add.account_id, address: address.clone() };
    let cap = i64::from(add.rules.policy.one_time_code_tries);
    let Some(code) = attempts::take_try_of_code(connection, &subject, cap, add.now).await? else {
        let kind = format!("enable:{}:{}:%", add.account_id, address.kind().name());
        let other = mailed_codes::account_id.eq(add.account_id.to_text()).and(mailed_codes::subject.like(kind));
        let live = mailed_codes::expires_at.gt(add.now.as_millis()).and(mailed_codes::subject.ne(subject.to_text()));
        let count: i64 = mailed_codes::table.filter(other.and(live)).count().get_result(connection).await?;
        let outcome = if count > 0 { MethodAdded::OtherAddress } else { MethodAdded::WrongCode };
        return Ok(AddressProof::NotJudged(outcome));
    };
    let stored = code.mac.clone();
    let guess = add
        .presentation
        .map(|presentation| presentation.guess(&Material { one_time_code: Some(code), ..Material::default() }));
    if guess.is_some() && guess == account.wrong_guess {
        return Ok(AddressProof::NotJudged(MethodAdded::WrongCode));
    }
    let quota = QuotaUse {
        name: format!("address-proofs:{}", add.account_id),
        limit: AccountQuota::AddressProofs.limit(&add.rules.policy),
        owner: Some(QuotaOwner { account_id: add.account_id, counts: AccountQuota::AddressProofs }),
    };
    if let Spent::Exhausted { until } = quotas::take_use(connection, &quota, add.now).await? {
        return Ok(AddressProof::NotJudged(MethodAdded::TooManyWrongCodes { until }));
    }
    if !add.macs.iter().any(|mac| mac.as_slice() == stored) {
        diesel::update(mailed_codes::table.find(subject.to_text()))
            .set(mailed_codes::failures.eq(mailed_codes::failures + 1))
            .cached()
            .execute(connection)
            .await?;
        if let Some(guess) = &guess {
            attempts::remember_guess(connection, add.account_id, guess).await?;
        }
        audit::write(connection, &add.audit.event(EventKind::SecondFactorRejected)).await?;
        return Ok(AddressProof::Missing(MethodAdded::WrongCode));
    }
    quotas::restore(connection, std::slice::from_ref(&quota)).await?;
    diesel::delete(mailed_codes::table.find(subject.to_text())).execute(connection).await?;
    Ok(AddressProof::Given)
}

/// Gives a method a name; says whether there is such a method.
pub(crate) async fn rename_method(connection: &mut Conn, rename: &RenameMethod) -> TxResult<bool> {
    let mine = methods::account_id.eq(rename.account_id.to_text()).and(methods::handle.eq(rename.handle.as_str()));
    let touched = diesel::update(methods::table.filter(mine).filter(methods::confirmed_at.is_not_null()))
        .set(methods::name.eq(rename.name.clone()))
        .cached()
        .execute(connection)
        .await?;
    if touched == 0 && !rename_passkey(connection, rename).await? {
        return Ok(TxOutcome::Rollback(false));
    }
    audit::write_and_commit(connection, &rename.event, true).await
}

/// Sets the label of the passkey with the handle; says whether there is one.
async fn rename_passkey(connection: &mut Conn, rename: &RenameMethod) -> Result<bool, StoreError> {
    let mine = passkeys::account_id.eq(rename.account_id.to_text()).and(passkeys::handle.eq(rename.handle.as_str()));
    let renamed = diesel::update(passkeys::table.filter(mine)).set(passkeys::name.eq(rename.name.clone()));
    Ok(renamed.cached().execute(connection).await? > 0)
}

async fn insert_codes(
    connection: &mut Conn,
    account_id: AccountId,
    codes: &[StoredBackupCode],
    is_pending: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = codes.iter().map(|code| BackupCodeRow::new(code, account_id, is_pending, now));
    pipeline_all!(connection, rows, insert_code);
    Ok(())
}

async fn insert_code(connection: &mut Conn, row: BackupCodeRow) -> Result<(), StoreError> {
    diesel::insert_into(backup_codes::table).values(row).execute(connection).await?;
    Ok(())
}

/// Stores an authenticator app to be confirmed later, and its backup codes. While the second factor is on, both are pending and
/// the old ones stay valid until the new app is confirmed (attack 29).
pub(crate) async fn begin_enrolment(connection: &mut Conn, begin: &BeginEnrolment) -> TxResult<EnrolmentBegun> {
    let (account, handle) = pipeline!(
        connection;
        lock_at(begin.account_id, begin.versions),
        free_handle(begin.account_id, &begin.handles),
    );
    let Some(account) = account else { return Ok(TxOutcome::Rollback(EnrolmentBegun::Stale)) };
    let tenant = begin.rules.tenant_of(&account);
    let facts = enrolment::Facts { account: &account, tenant, manager: &begin.manager };
    let decision = enrolment::decide(&facts, &begin.rules.policy, begin.now);
    let Some(kind) = decision.event() else {
        return Ok(TxOutcome::Rollback(EnrolmentBegun::Decided(decision)));
    };
    let keeps_old_codes = decision == Enrolment::Replacement;

    let row = MethodRow::pending(&begin.authenticator, &handle, begin.account_id, begin.now);
    let event = begin.audit.event(kind);
    pipeline!(
        connection;
        delete_pending(begin.account_id),
        insert_row(row),
        delete_codes(begin.account_id, keeps_old_codes),
        insert_codes(begin.account_id, &begin.backup_codes, keeps_old_codes, begin.now),
        audit::write(&event),
        pipeline_commit(audit::is_one_statement(&event)),
    );
    Ok(TxOutcome::Commit(EnrolmentBegun::Decided(decision)))
}

/// Drops an app that was never confirmed, within the open transaction.
async fn delete_pending(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    let pending = methods::account_id.eq(account_id.to_text()).and(methods::confirmed_at.is_null());
    diesel::delete(methods::table.filter(pending)).execute(connection).await?;
    Ok(())
}

async fn insert_row(connection: &mut Conn, row: MethodRow) -> Result<(), StoreError> {
    diesel::insert_into(methods::table).values(row).execute(connection).await?;
    Ok(())
}

/// Deletes backup codes of an account, all or those that are pending; within the open transaction.
async fn delete_codes(connection: &mut Conn, account_id: AccountId, only_pending: bool) -> Result<(), StoreError> {
    let mine = backup_codes::table.filter(backup_codes::account_id.eq(account_id.to_text()));
    if only_pending {
        diesel::delete(mine.filter(backup_codes::is_pending)).execute(connection).await?;
    } else {
        diesel::delete(mine).execute(connection).await?;
    }
    Ok(())
}

/// Makes codes by e-mail a second factor, or begins it, as decided.
pub(crate) async fn enrol_mail(connection: &mut Conn, enrol: &EnrolMail) -> TxResult<MailEnrolled> {
    let Some(account) = lock_at(connection, enrol.account_id, enrol.versions).await? else {
        return Ok(TxOutcome::Rollback(MailEnrolled::Stale));
    };
    let methods = methods_of(connection, &enrol.account_id).await?;
    let tenant = enrol.rules.tenant_of(&account);
    let facts = enrol_mail::Facts { account: &account, tenant, manager: &enrol.manager, methods: &methods };
    let decision = enrol_mail::decide(&facts, &enrol.rules.policy, enrol.now);
    let Some(kind) = decision.event() else {
        return Ok(TxOutcome::Rollback(MailEnrolled::Decided(decision)));
    };
    let is_for =
        |own: &EmailAddress| matches!(&enrol.method.factor, NewFactor::Address(Address::Email(to)) if to == own);
    if !account.email.as_ref().is_some_and(is_for) {
        return Ok(TxOutcome::Rollback(MailEnrolled::Stale));
    }
    if decision == MailDecision::First {
        let ended = diesel::delete(sessions::table.find(enrol.session_id.to_text())).execute(connection).await?;
        if ended == 0 {
            return Ok(TxOutcome::Rollback(MailEnrolled::Stale));
        }
        switch_on(connection, enrol.account_id, enrol.now).await?;
    }
    if decision.gives_codes() {
        // The newest enrolment counts: an app that was never confirmed is dropped.
        pipeline!(
            connection;
            delete_pending(enrol.account_id),
            delete_codes(enrol.account_id, false),
            insert_codes(enrol.account_id, &enrol.backup_codes, false, enrol.now),
        );
    }
    if matches!(decision, MailDecision::First | MailDecision::Further) {
        insert(connection, enrol.account_id, &enrol.method, false, enrol.now).await?;
    }
    if let Some(ends) = decision.ends() {
        let after = endings::carry_out(connection, enrol.account_id, ends, None).await?;
        let Some(versions) = after else { return Ok(TxOutcome::Rollback(MailEnrolled::Stale)) };
        open_session(connection, (decision == MailDecision::First).then_some(&enrol.session), versions).await?;
    }
    audit::write_and_commit(connection, &enrol.audit.event(kind), MailEnrolled::Decided(decision)).await
}

/// Puts a pending authenticator app, and the backup codes that came with it, in the place of the old ones; within
/// the open transaction. Of several apps the oldest one is replaced.
pub(super) async fn confirm_authenticator(
    connection: &mut Conn,
    account_id: AccountId,
    method_id: MethodId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = account_id.to_text();
    let ((confirmed, _), waiting) = pipeline!(connection; authenticators_of(&account_id), pending_codes(account_id));
    if let [oldest, ..] = confirmed.as_slice() {
        spent_steps::remember(connection, account_id, Some(oldest.id), now).await?;
        diesel::delete(methods::table.find(oldest.id.to_text())).execute(connection).await?;
    }
    diesel::update(methods::table.find(method_id.to_text()))
        .set(methods::confirmed_at.eq(now.as_millis()))
        .cached()
        .execute(connection)
        .await?;
    if waiting > 0 {
        let mine = backup_codes::account_id.eq(&id);
        let old = backup_codes::table.filter(mine).filter(backup_codes::is_pending.eq(false));
        diesel::delete(old).execute(connection).await?;
        let mine = backup_codes::table.filter(backup_codes::account_id.eq(&id));
        diesel::update(mine).set(backup_codes::is_pending.eq(false)).cached().execute(connection).await?;
    }
    Ok(())
}

/// The number of backup codes that come with an app which is not confirmed.
async fn pending_codes(connection: &mut Conn, account_id: AccountId) -> Result<i64, StoreError> {
    let mine = backup_codes::table.filter(backup_codes::account_id.eq(account_id.to_text()));
    Ok(mine.filter(backup_codes::is_pending).count().get_result(connection).await?)
}

/// Replaces all backup codes, if the account still has its second factor and the same password.
pub(crate) async fn replace_backup_codes(connection: &mut Conn, replace: &ReplaceBackupCodes) -> TxResult<Changed> {
    let account = lock_at(connection, replace.account_id, replace.versions).await?;
    if !account.is_some_and(|account| account.two_factor_enabled) {
        return Ok(TxOutcome::Rollback(Changed::Stale));
    }
    pipeline!(
        connection;
        delete_codes(replace.account_id, false),
        insert_codes(replace.account_id, &replace.backup_codes, false, replace.now),
        audit::write(&replace.event),
        pipeline_commit(audit::is_one_statement(&replace.event)),
    );
    Ok(TxOutcome::Commit(Changed::Done))
}

/// Turns the second factor off, ends everything that depended on it, and replaces the session.
pub(crate) async fn disable_two_factor(connection: &mut Conn, disable: &DisableTwoFactor) -> TxResult<Changed> {
    if lock_at(connection, disable.account_id, disable.versions).await?.is_none() {
        return Ok(TxOutcome::Rollback(Changed::Stale));
    }
    let ended = diesel::delete(sessions::table.find(disable.session_id.to_text())).execute(connection).await?;
    if ended == 0 {
        return Ok(TxOutcome::Rollback(Changed::Stale));
    }
    let removed = switch_off(connection, disable.account_id, disable.now).await?;
    let after = endings::carry_out(connection, disable.account_id, Event::SecondFactorOff, None).await?;
    let Some(versions) = after else { return Ok(TxOutcome::Rollback(Changed::Stale)) };
    open_session(connection, Some(&disable.session), versions).await?;
    audit::write_removal(connection, &disable.event, &removed).await?;
    Ok(TxOutcome::Commit(Changed::Done))
}
