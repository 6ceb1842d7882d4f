//! Completing a sign-in whose password, or what stands in its place, was right.

use super::locking::lock_user;
use super::sessions::open_session;
use super::users::{methods_if, registrations_if};
use super::{
    Conn, RunQueryDsl, TxResult, audit, known_networks, methods, passkeys, pipeline_commit, quotas, refresh_tokens,
    tickets, trusted_devices,
};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::ChallengeRow;
use crate::schema::{accounts, challenges};
use crate::work::{CompleteSignIn, SignInCompleted, SignInDecided, TxOutcome};
use countersign_domain::account::{Account, Versions};
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::challenge::{Challenge, FirstFactor};
use countersign_domain::decisions::absence;
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::decisions::sign_in::{self, Proved, SignIn};
use countersign_domain::decisions::trust::Trust;
use countersign_domain::decisions::usable::{completing_methods, passkeys_as_methods};
use countersign_domain::ids::AccountId;
use countersign_domain::passkey::Passkey;
use countersign_domain::terms::{Grant, Rules};
use countersign_domain::time::Timestamp;
use countersign_domain::user::User;
use diesel::prelude::*;

/// Opens what is decided on the account as it is at this moment, not as it was when the password was checked.
pub(crate) async fn complete_sign_in(connection: &mut Conn, input: &CompleteSignIn) -> TxResult<SignInCompleted> {
    let now = input.audit.at;
    let id = input.account_id.to_text();
    // All rows are decoded before `COMMIT` is sent: a sign-in that has taken effect cannot fail any more.
    let wants_tokens = input.terms.grant == Grant::Tokens;
    let (user, mut methods, known, registrations) = pipeline!(
        connection;
        lock_user(input.account_id),
        methods_if(true, input.account_id),
        passkeys::passkeys_if(wants_tokens || input.rules.relying_party.is_some(), input.account_id),
        registrations_if(wants_tokens, input.account_id),
    );
    let current = user.filter(|(row, ..)| row.versions().credentials == input.credentials_version);
    let Some((row, profile, last_sign_in_at)) = current else {
        return Ok(TxOutcome::Rollback(SignInCompleted::Stale));
    };
    let mut account = Account::try_from(row)?;
    // Undone with everything else if the ticket turns out not to be valid.
    if let Some((address, event)) = &input.proved {
        methods::verify_own_address(connection, account.id, address, now).await?;
        if !account.email_verified && account.email.as_ref() == Some(address) {
            (account.email_verified, account.updated_at) = (true, now);
            audit::write(connection, event).await?;
        }
    }
    let proved = match &input.passkey {
        None => Proved::One(input.challenge.first_factor),
        Some(used) => match passkeys::use_assertion(connection, used, account.id, now).await? {
            None => return Ok(TxOutcome::Rollback(SignInCompleted::Stale)),
            Some(PasskeyUse::Counts { proves_two: true }) => Proved::Both,
            Some(PasskeyUse::Counts { proves_two: false }) => Proved::One(FirstFactor::Passkey),
            Some(refused) => return Ok(TxOutcome::Commit(SignInCompleted::PasskeyRefused(refused))),
        },
    };
    let (tenant, versions) = (input.rules.tenant_of(&account), account.versions());
    let decide = |is_trusted| {
        let facts = sign_in::Facts {
            account: &account,
            login_policy: tenant.login_policy,
            requires_verified_email: tenant.requires_verified_email,
            proved,
            is_trusted,
        };
        sign_in::decide(&facts, &input.terms, now)
    };
    let (mut decision, mut trust) = (decide(false), Trust::Ignored);
    // Only then, because a token that is used is replaced.
    if decision == SignIn::SecondFactorDue {
        trust = trusted_devices::use_trust(connection, input, versions, now).await?;
        decision = decide(trust == Trust::Counts);
    }
    let Some(kind) = decision.event(proved) else {
        let decided = SignInDecided { decision, account, trust, methods: Vec::new(), user: None };
        let decided = SignInCompleted::Decided(Box::new(decided));
        // A ceremony is good for one response, whatever comes of it.
        return Ok(if input.passkey.is_some() { TxOutcome::Commit(decided) } else { TxOutcome::Rollback(decided) });
    };
    if let Some(ticket) = &input.ticket
        && !tickets::spend(connection, ticket, input.account_id, versions, now).await?
    {
        return Ok(TxOutcome::Rollback(SignInCompleted::Stale));
    }
    if let Some(hash) = &input.rehashed {
        let new_hash = accounts::password_hash.eq(hash.to_text());
        diesel::update(accounts::table.find(&id)).set(new_hash).cached().execute(connection).await?;
    }
    let session = input.session.as_ref().filter(|_| decision.is_granted());
    let refresh_token = input.refresh_token.as_ref().filter(|_| decision.is_granted());
    let challenge = decision.is_challenged().then_some(&input.challenge);
    let ticket = input.change_password.as_ref().filter(|_| decision == SignIn::PasswordChangeDue);
    let grants_tokens = decision.is_granted() && wants_tokens;
    let mut event = input.audit.event(kind);
    event.session_id = session.map(|session| session.session.id);
    let absence = absence(last_sign_in_at, &input.rules, now).filter(|_| decision.is_granted());
    let absence = absence.map(|kind| AuditEvent { session_id: event.session_id, ..input.absence_audit.event(kind) });
    let events: Vec<AuditEvent> = std::iter::once(event).chain(absence).collect();
    let network = input.network.as_ref().filter(|_| matches!(decision, SignIn::Granted { .. }));
    let commits = events.iter().all(audit::is_one_statement);
    pipeline!(
        connection;
        quotas::restore(&input.password_uses),
        known_networks::record(network, input.account_id),
        open_challenge(challenge, versions),
        open_session(session, versions),
        refresh_tokens::open(refresh_token, input.account_id, versions, now),
        tickets::give(ticket, input.account_id, versions, now),
        audit::write_all(&events),
        note_sign_in(decision.is_granted(), input.account_id, now),
        pipeline_commit(commits),
    );
    let (methods, user) = if grants_tokens {
        let last_sign_in_at = Some(now);
        methods.extend(known.iter().filter(|_| account.two_factor_enabled).map(Passkey::as_method));
        (Vec::new(), Some(User { account: account.clone(), profile, last_sign_in_at, methods, registrations }))
    } else if decision.is_challenged() {
        if decision == SignIn::SecondFactorDue {
            methods.extend(passkeys_as_methods(&known, &account, &input.rules));
        }
        (completing_methods(methods, input.challenge.first_factor, &account, tenant), None)
    } else {
        (Vec::new(), None)
    };
    let decided = SignInDecided { decision, account, trust, methods, user };
    Ok(TxOutcome::Commit(SignInCompleted::Decided(Box::new(decided))))
}

/// Notes the time of a completed sign-in, if it is one; within the open transaction.
pub(super) async fn note_sign_in(
    connection: &mut Conn,
    is_completed: bool,
    account_id: AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if is_completed {
        diesel::update(accounts::table.find(account_id.to_text()))
            .set(accounts::last_sign_in_at.eq(now.as_millis()))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// What is recorded, and told the user, of a sign-in that comes after a long absence, if this one does.
pub(super) fn absence(last_sign_in_at: Option<i64>, rules: &Rules, now: Timestamp) -> Option<EventKind> {
    absence::decide(last_sign_in_at.map(Timestamp::from_millis), &rules.policy, now).event()
}

async fn open_challenge(
    connection: &mut Conn,
    challenge: Option<&Challenge>,
    versions: Versions,
) -> Result<(), StoreError> {
    if let Some(challenge) = challenge {
        diesel::insert_into(challenges::table)
            .values(ChallengeRow::new(challenge, versions))
            .execute(connection)
            .await?;
    }
    Ok(())
}
