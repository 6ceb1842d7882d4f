//! Mailing links, and deleting an account at its owner's wish.

use super::locking::{lock, lock_at};
use super::{Conn, TxResult, accounts as account_rows, addresses, audit, messages, quotas, tickets};
use crate::work::{DeleteOwnAccount, IssueLink, LinkIssued, LinkTicket, OwnAccountDeleted, Spent, TxOutcome};
use countersign_domain::decisions::deletion::{self, Deletion};
use countersign_domain::decisions::mailed_link::{self, MailedLink, Purpose};
use countersign_domain::decisions::sending;

/// Stores what a link is good for, and its mail, within the quotas of address and account. A request to which nothing is sent
/// counts like the others, and is recorded like them.
pub(crate) async fn issue_link(connection: &mut Conn, issue: &IssueLink) -> TxResult<LinkIssued> {
    let now = issue.audit.at;
    let policy = &issue.rules.policy;
    let account = lock(connection, issue.account_id).await?;
    let is_mailed = issue.message.is_some();
    let account_id = account.as_ref().map(|account| account.id);
    let (of_name, of_account) =
        sending::link_quotas(issue.purpose, issue.requester, &issue.asked_for, account_id, policy);
    if is_mailed && let Spent::Exhausted { until } = quotas::take_use(connection, &of_name, now).await? {
        return Ok(TxOutcome::Rollback(LinkIssued::Exhausted { until }));
    }
    let of_account = match &of_account {
        Some(of_account) if is_mailed => quotas::take_use(connection, of_account, now).await?,
        Some(_) | None => Spent::Granted,
    };
    let is_taken = match issue.purpose {
        Purpose::ChangeAddress => {
            addresses::is_taken(connection, issue.tenant_id, &issue.to, issue.account_id, now).await?
        }
        Purpose::ResetPassword | Purpose::VerifyAddress | Purpose::DeleteAccount | Purpose::SignIn => false,
    };
    let facts = mailed_link::Facts {
        purpose: issue.purpose,
        account: account.as_ref(),
        manager: issue.manager,
        is_mailed,
        is_exhausted: of_account != Spent::Granted,
        is_taken,
    };
    let mut event = issue.audit.event(issue.purpose.asked());
    event.account_id = account.as_ref().map(|account| account.id);
    let issued = match (mailed_link::decide(&facts, policy, now), &account) {
        (MailedLink::Refused(refused), _) => return Ok(TxOutcome::Rollback(LinkIssued::Refused(refused))),
        (MailedLink::SignInDue, _) => return Ok(TxOutcome::Rollback(LinkIssued::SignInDue)),
        (MailedLink::Sent, Some(account)) => {
            let versions = account.versions();
            let ticket = match &issue.ticket {
                LinkTicket::New(ticket) => ticket,
                LinkTicket::InPlaceOf(replaced, ticket) => {
                    if !tickets::spend(connection, replaced, account.id, versions, now).await? {
                        return Ok(TxOutcome::Rollback(LinkIssued::NoTicket));
                    }
                    ticket
                }
            };
            tickets::give(connection, Some(ticket), account.id, versions, now).await?;
            messages::enqueue(connection, issue.message.as_ref()).await?;
            LinkIssued::Sent
        }
        (MailedLink::Sent, None) => LinkIssued::NotSent(mailed_link::NotSent::NoAccount),
        (MailedLink::NotSent(why), _) => LinkIssued::NotSent(why),
    };
    audit::write_and_commit(connection, &event, issued).await
}

/// Deletes an account and everything that belongs to it but the audit trail, if its owner may.
pub(crate) async fn delete_own_account(
    connection: &mut Conn,
    delete: &DeleteOwnAccount,
) -> TxResult<OwnAccountDeleted> {
    let now = delete.event.at;
    let Some(account) = lock_at(connection, delete.account_id, delete.versions).await? else {
        return Ok(TxOutcome::Rollback(OwnAccountDeleted::Stale));
    };
    let decision = deletion::decide(&account, &delete.manager, delete.proof, &delete.rules.policy, now);
    if decision != Deletion::Allowed {
        return Ok(TxOutcome::Rollback(OwnAccountDeleted::Decided(decision)));
    }
    if let Some(ticket) = &delete.ticket
        && !tickets::spend(connection, ticket, account.id, delete.versions, now).await?
    {
        return Ok(TxOutcome::Rollback(OwnAccountDeleted::NoTicket));
    }
    // Before, because receivers of webhooks get the user as it was.
    audit::write(connection, &delete.event).await?;
    account_rows::remove(connection, account.id).await?;
    Ok(TxOutcome::Commit(OwnAccountDeleted::Decided(decision)))
}
