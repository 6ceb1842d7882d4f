//! Issuing mailed codes.

use super::{Conn, Work, audit, budgets};
use crate::cached::Cache as _;
use crate::rows::{AccountRow, MailedCodeRow};
use crate::schema::{accounts, challenges, mailed_codes, sessions};
use crate::work::{Actor, IssueCode, Issued, Spend, Spent, Unit};
use countersign_domain::account::Account;
use countersign_domain::audit::AuditEvent;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Stores a code for whoever asked, within the account's sending budget. A new code takes the place of the old one;
/// no budget of tries is touched by that (N5).
pub(crate) async fn issue_code(connection: &mut Conn, issue: &IssueCode) -> Work<Issued> {
    let now = issue.now.as_millis();
    let row: Option<AccountRow> = match &issue.actor {
        Actor::Challenge(digest) => {
            let live = challenges::digest.eq(digest.as_bytes().as_slice()).and(challenges::expires_at.gt(now));
            let query = challenges::table.inner_join(accounts::table).filter(live);
            query.select(AccountRow::as_select()).get_result(connection).await.optional()?
        }
        Actor::Session { session_id, .. } => {
            let live = sessions::id.eq(session_id.to_text()).and(sessions::expires_at.gt(now));
            let query = sessions::table.inner_join(accounts::table).filter(live);
            query.select(AccountRow::as_select()).get_result(connection).await.optional()?
        }
    };
    let Some(row) = row else { return Ok(Unit::Rollback(Issued::NoActor)) };
    let account = Account::try_from(row)?;

    let sending = Spend {
        name: format!("mailed-codes:{}", account.id),
        limit: issue.policy.mailed_codes,
        window: issue.policy.mailed_code_window,
        now: issue.now,
    };
    if let Spent::Exhausted { until } = budgets::take(connection, &sending).await? {
        return Ok(Unit::Rollback(Issued::Exhausted { until }));
    }
    let code = MailedCodeRow {
        subject: issue.actor.subject().to_text(),
        account_id: account.id.to_text(),
        mac: issue.mac.to_vec(),
        tries: 0,
        failures: 0,
        created_at: now,
        expires_at: (issue.now + issue.policy.mailed_code_lifetime).as_millis(),
    };
    diesel::insert_into(mailed_codes::table)
        .values(&code)
        .on_conflict(mailed_codes::subject)
        .do_update()
        .set((
            mailed_codes::mac.eq(&code.mac),
            mailed_codes::tries.eq(code.tries),
            mailed_codes::failures.eq(code.failures),
            mailed_codes::created_at.eq(code.created_at),
            mailed_codes::expires_at.eq(code.expires_at),
        ))
        .cached()
        .execute(connection)
        .await?;
    audit::write(connection, &AuditEvent { account_id: Some(account.id), ..issue.event.clone() }).await?;
    Ok(Unit::Commit(Issued::To(Box::new(account))))
}
