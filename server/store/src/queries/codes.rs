//! Issuing codes that are sent.

use super::attempts::account_of;
use super::users::methods_if;
use super::{Conn, TxResult, audit, quotas};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, ChallengeRow, OneTimeCodeRow};
use crate::schema::{accounts, challenges, mailed_codes, sessions};
use crate::work::{IssueCode, Issued, OpenChallenge, Spent, TxOutcome};
use countersign_domain::account::{Account, Versions};
use countersign_domain::attempt::Claimant;
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::delivery::{self, Delivery, SendTo};
use countersign_domain::decisions::sending;
use countersign_domain::ids::MethodId;
use countersign_domain::one_time_code::Subject;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Stores a code, within the sending quotas of account and address. It takes the place of the one before; no count of tries
/// is reset by that (N5).
pub(crate) async fn issue_code(connection: &mut Conn, issue: &IssueCode) -> TxResult<Issued> {
    let Some((account, challenge_ends)) = lock_account(connection, issue).await? else {
        return Ok(TxOutcome::Rollback(Issued::NoClaimant));
    };
    let needs_methods = match issue.to {
        SendTo::Address(_) => false,
        SendTo::Primary => account.two_factor_enabled,
        SendTo::Method(_) => true,
    };
    let methods = methods_if(connection, needs_methods, account.id).await?;
    let facts = delivery::Facts {
        tenant: issue.rules.tenant_of(&account),
        methods: methods.clone(),
        locked_until: account.locked_until(&issue.rules.policy, issue.now),
        is_service: issue.is_service,
        subject: &issue.claimant.subject(),
        to: &issue.to,
        account: &account,
    };
    let (address, method_id) = match delivery::decide(facts) {
        Delivery::To { address, method_id } => (address, method_id),
        Delivery::NoMethod => return Ok(TxOutcome::Rollback(Issued::NoMethod)),
        Delivery::CannotSend => return Ok(TxOutcome::Rollback(Issued::CannotSend)),
        Delivery::NotAllowed => return Ok(TxOutcome::Rollback(Issued::NotAllowed)),
        Delivery::Locked { until } => return Ok(TxOutcome::Rollback(Issued::Locked { until })),
    };
    let policy = &issue.rules.policy;
    let method = methods.iter().find(|method| Some(method.id) == method_id);
    let recipient = sending::recipient(&account, method);
    for quota in sending::quotas(account.id, &address, recipient, issue.network.as_deref(), policy) {
        if let Spent::Exhausted { until } = quotas::take_use(connection, Some(&quota), issue.now).await? {
            return Ok(TxOutcome::Rollback(Issued::Exhausted { until }));
        }
    }
    let expires_at = (issue.now + issue.lifetime).as_millis();
    let code = OneTimeCodeRow {
        subject: issue.claimant.subject().to_text(),
        account_id: account.id.to_text(),
        method_id: method_id.map(MethodId::to_text),
        mac: issue.mac.to_vec(),
        tries: 0,
        failures: 0,
        created_at: issue.now.as_millis(),
        expires_at: challenge_ends.map_or(expires_at, |end| expires_at.min(end)),
    };
    let event = issue.audit.clone().about(account.id).event(EventKind::CodeSent);
    pipeline!(connection; store(&code), audit::write(&event));
    Ok(TxOutcome::Commit(Issued::To { account: Box::new(account), address }))
}

/// Stores a code in place of the one before it, within the open transaction.
pub(super) async fn store(connection: &mut Conn, code: &OneTimeCodeRow) -> Result<(), StoreError> {
    diesel::insert_into(mailed_codes::table)
        .values(code)
        .on_conflict(mailed_codes::subject)
        .do_update()
        .set(code)
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// The account of the claimant, whose row is locked, and the end of the challenge that the code completes. With the lock, a code
/// is not sent to an address that another transaction is about to change.
async fn lock_account(connection: &mut Conn, issue: &IssueCode) -> Result<Option<(Account, Option<i64>)>, StoreError> {
    let (row, claimant) = pipeline!(connection; lock_row(issue), find_claimant(issue));
    let (Some(row), Some(claimant)) = (row, claimant) else { return Ok(None) };
    let is_current = match claimant {
        LiveClaimant::Challenge { versions, .. } => versions == row.versions(),
        LiveClaimant::Session { credentials_version } => credentials_version == row.versions().credentials,
        LiveClaimant::Holder => true,
    };
    let challenge_ends = match claimant {
        LiveClaimant::Challenge { expires_at, .. } => Some(expires_at),
        LiveClaimant::Session { .. } | LiveClaimant::Holder => None,
    };
    if is_current { Ok(Some((Account::try_from(row)?, challenge_ends))) } else { Ok(None) }
}

async fn lock_row(connection: &mut Conn, issue: &IssueCode) -> Result<Option<AccountRow>, StoreError> {
    let unchanged = accounts::credentials_version.eq(accounts::credentials_version);
    let row = match &issue.claimant {
        Claimant::Challenge(digest) => {
            let account_id = account_of(digest, issue.now);
            diesel::update(accounts::table.filter(accounts::id.eq_any(account_id)))
                .set(unchanged)
                .returning(AccountRow::as_returning())
                .cached()
                .get_result(connection)
                .await
        }
        Claimant::Session { account_id, .. } | Claimant::Holder { account_id, .. } => {
            diesel::update(accounts::table.find(account_id.to_text()))
                .set(unchanged)
                .returning(AccountRow::as_returning())
                .cached()
                .get_result(connection)
                .await
        }
    };
    Ok(row.optional()?)
}

/// A claimant that has not expired, and the versions that it was opened under.
enum LiveClaimant {
    Challenge { expires_at: i64, versions: Versions },
    Session { credentials_version: i64 },
    Holder,
}

async fn find_claimant(connection: &mut Conn, issue: &IssueCode) -> Result<Option<LiveClaimant>, StoreError> {
    let now = issue.now.as_millis();
    Ok(match &issue.claimant {
        Claimant::Challenge(digest) => {
            let live = challenges::table.find(digest.as_bytes().as_slice()).filter(challenges::expires_at.gt(now));
            let columns = (challenges::expires_at, challenges::credentials_version, challenges::factors_version);
            let found: Option<(i64, i64, i64)> = live.select(columns).get_result(connection).await.optional()?;
            found.map(|(expires_at, credentials, factors)| LiveClaimant::Challenge {
                expires_at,
                versions: Versions { credentials, factors },
            })
        }
        Claimant::Session { session_id, account_id } => {
            let mine = sessions::account_id.eq(account_id.to_text()).and(sessions::expires_at.gt(now));
            let live = sessions::table.find(session_id.to_text()).filter(mine).select(sessions::credentials_version);
            let found: Option<i64> = live.get_result(connection).await.optional()?;
            found.map(|credentials_version| LiveClaimant::Session { credentials_version })
        }
        Claimant::Holder { .. } => Some(LiveClaimant::Holder),
    })
}

/// Opens a challenge together with a code that completes it; says whether the account is there.
pub(crate) async fn open_challenge(connection: &mut Conn, open: &OpenChallenge) -> TxResult<bool> {
    let challenge = &open.challenge;
    // Locks the row, so that the account is still there, and at these versions, when the challenge is.
    let row: Option<AccountRow> = diesel::update(accounts::table.find(challenge.account_id.to_text()))
        .set(accounts::credentials_version.eq(accounts::credentials_version))
        .returning(AccountRow::as_returning())
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(row) = row else { return Ok(TxOutcome::Rollback(false)) };
    let challenge_row = ChallengeRow::new(challenge, row.versions());
    diesel::insert_into(challenges::table).values(challenge_row).execute(connection).await?;
    let code = OneTimeCodeRow {
        subject: Subject::Challenge(challenge.digest).to_text(),
        account_id: challenge.account_id.to_text(),
        method_id: None,
        mac: open.mac.to_vec(),
        tries: 0,
        failures: 0,
        created_at: Timestamp::as_millis(challenge.created_at),
        expires_at: Timestamp::as_millis(challenge.expires_at),
    };
    store(connection, &code).await?;
    audit::write(connection, &open.event).await?;
    Ok(TxOutcome::Commit(true))
}
