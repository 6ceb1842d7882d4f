//! Issuing codes that are sent.

use super::{Conn, Work, audit, budgets, methods};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, ChallengeRow, MailedCodeRow};
use crate::schema::{accounts, challenges, mailed_codes, sessions};
use crate::work::{Actor, IssueCode, Issued, OpenChallenge, SendTo, Spend, Spent, Unit};
use countersign_domain::account::Account;
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::MethodId;
use countersign_domain::mailed_code::{Address, Subject};
use countersign_domain::method::{MethodKind, primary_address};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Stores a code for whoever asked, within the sending budgets of account and address. A new code takes the place of
/// the old one; no budget of tries is touched by that (N5).
pub(crate) async fn issue_code(connection: &mut Conn, issue: &IssueCode) -> Work<Issued> {
    let Some((account, end)) = find_account(connection, issue).await? else {
        return Ok(Unit::Rollback(Issued::NoActor));
    };
    let (address, method_id) = match find_address(connection, issue, &account).await? {
        Ok(found) => found,
        Err(refused) => return Ok(Unit::Rollback(refused)),
    };
    for name in [format!("mailed-codes:{}", account.id), format!("mailed-codes-to:{}", address.as_str())] {
        let (limit, window) = (issue.policy.mailed_codes, issue.policy.mailed_code_window);
        let sending = Spend { name, limit, window, now: issue.now };
        if let Spent::Exhausted { until } = budgets::take(connection, &sending).await? {
            return Ok(Unit::Rollback(Issued::Exhausted { until }));
        }
    }
    let expires_at = (issue.now + issue.lifetime).as_millis();
    let code = MailedCodeRow {
        subject: issue.actor.subject().to_text(),
        account_id: account.id.to_text(),
        method_id: method_id.map(MethodId::to_text),
        mac: issue.mac.to_vec(),
        tries: 0,
        failures: 0,
        created_at: issue.now.as_millis(),
        expires_at: end.map_or(expires_at, |end| expires_at.min(end)),
    };
    store(connection, &code).await?;
    audit::write(connection, &AuditEvent { account_id: Some(account.id), ..issue.event.clone() }).await?;
    Ok(Unit::Commit(Issued::To { account: Box::new(account), address }))
}

/// Puts a code in the place of the one before it, within the transaction that is open.
pub(super) async fn store(connection: &mut Conn, code: &MailedCodeRow) -> Result<(), StoreError> {
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

/// Whose code it is, and when the challenge ends that it answers.
async fn find_account(connection: &mut Conn, issue: &IssueCode) -> Result<Option<(Account, Option<i64>)>, StoreError> {
    let now = issue.now.as_millis();
    let found: Option<(AccountRow, Option<i64>)> = match &issue.actor {
        Actor::Challenge(digest) => {
            let live = challenges::digest.eq(digest.as_bytes().as_slice()).and(challenges::expires_at.gt(now));
            let query = challenges::table.inner_join(accounts::table).filter(live);
            let query = query.select((AccountRow::as_select(), challenges::expires_at.nullable()));
            query.get_result(connection).await.optional()?
        }
        Actor::Session { session_id, .. } => {
            let live = sessions::id.eq(session_id.to_text()).and(sessions::expires_at.gt(now));
            let query = sessions::table.inner_join(accounts::table).filter(live);
            let row = query.select(AccountRow::as_select()).get_result(connection).await.optional()?;
            row.map(|row| (row, None))
        }
        Actor::Holder { account_id, .. } => {
            let query = accounts::table.find(account_id.to_text()).select(AccountRow::as_select());
            query.get_result(connection).await.optional()?.map(|row| (row, None))
        }
    };
    found.map(|(row, end)| Ok((Account::try_from(row)?, end))).transpose()
}

/// Where the code goes, and by which method.
async fn find_address(
    connection: &mut Conn,
    issue: &IssueCode,
    account: &Account,
) -> Result<Result<(Address, Option<MethodId>), Issued>, StoreError> {
    let methods = match &issue.to {
        SendTo::Address(address) => return Ok(Ok((address.clone(), None))),
        SendTo::Primary if !account.two_factor_enabled => {
            let email = account.email.clone().map(|email| (Address::Email(email), None));
            return Ok(email.ok_or(Issued::NoMethod));
        }
        SendTo::Primary | SendTo::Method(_) => methods::methods_of(connection, &account.id).await?,
    };
    let method = match &issue.to {
        SendTo::Method(handle) => methods.iter().find(|method| method.handle == *handle),
        _ => primary_address(&methods),
    };
    Ok(match method {
        None => Err(Issued::NoMethod),
        Some(method) => match &method.address {
            Some(address) => Ok((address.clone(), Some(method.id))),
            None => {
                debug_assert_eq!(method.kind, MethodKind::Authenticator, "all others have an address");
                Err(Issued::CannotSend)
            }
        },
    })
}

/// Opens a challenge together with a code that answers it; says whether the account is there.
pub(crate) async fn open_challenge(connection: &mut Conn, open: &OpenChallenge) -> Work<bool> {
    let challenge = &open.challenge;
    let there: i64 =
        accounts::table.filter(accounts::id.eq(challenge.account_id.to_text())).count().get_result(connection).await?;
    if there == 0 {
        return Ok(Unit::Rollback(false));
    }
    diesel::insert_into(challenges::table).values(ChallengeRow::from(challenge)).execute(connection).await?;
    let code = MailedCodeRow {
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
    Ok(Unit::Commit(true))
}
