//! Tickets: each authorises one thing, once.

use super::{Conn, RunQueryDsl};
use crate::error::StoreError;
use crate::rows::{AccountRow, TicketRow};
use crate::schema::{accounts, tickets};
use crate::work::{FoundTicket, NewTicket, PresentedTicket};
use countersign_domain::account::{Account, EmailAddress, Versions};
use countersign_domain::ids::AccountId;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// Stores a ticket, if there is one to store; within the open transaction.
pub(super) async fn give(
    connection: &mut Conn,
    ticket: Option<&NewTicket>,
    account_id: AccountId,
    versions: Versions,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(ticket) = ticket {
        let row = TicketRow::new(ticket, account_id, versions, now);
        diesel::insert_into(tickets::table).values(row).execute(connection).await?;
    }
    Ok(())
}

/// Whether a ticket is valid under these versions of the account.
pub(super) async fn is_valid(
    connection: &mut Conn,
    ticket: &PresentedTicket,
    account_id: AccountId,
    versions: Versions,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let is_valid = tickets::kind
        .eq(ticket.kind.name())
        .and(tickets::account_id.eq(account_id.to_text()))
        .and(tickets::expires_at.gt(now.as_millis()))
        .and(tickets::credentials_version.eq(versions.credentials))
        .and(tickets::factors_version.eq(versions.factors));
    let row =
        tickets::table.inner_join(accounts::table).filter(tickets::digest.eq(ticket.digest.as_bytes().as_slice()));
    let row = row.filter(is_valid).filter(tickets::address.is_null().or(tickets::address.eq(accounts::email)));
    let trust_challenge: Option<Option<Vec<u8>>> =
        row.select(tickets::trust_challenge).get_result(connection).await.optional()?;
    Ok(match trust_challenge {
        None => false,
        Some(None) => ticket.trust_challenges.is_empty(),
        Some(Some(mac)) => ticket.trust_challenges.iter().any(|presented| presented.as_bytes().as_slice() == mac),
    })
}

/// Uses a ticket up; `false` if it is not valid under these versions of the account. Of parallel uses, the one that deletes its row counts.
pub(super) async fn spend(
    connection: &mut Conn,
    ticket: &PresentedTicket,
    account_id: AccountId,
    versions: Versions,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !is_valid(connection, ticket, account_id, versions, now).await? {
        return Ok(false);
    }
    let row = tickets::table.find(ticket.digest.as_bytes().as_slice());
    Ok(diesel::delete(row).execute(connection).await? == 1)
}

/// A valid ticket, and its account.
pub(crate) async fn ticket(
    connection: &mut Conn,
    (ticket, now): &(PresentedTicket, Timestamp),
) -> Result<Option<FoundTicket>, StoreError> {
    let is_valid = tickets::kind.eq(ticket.kind.name()).and(tickets::expires_at.gt(now.as_millis()));
    let found: Option<(AccountRow, Option<String>, Option<String>, i64)> = tickets::table
        .inner_join(accounts::table)
        .filter(tickets::digest.eq(ticket.digest.as_bytes().as_slice()))
        .filter(is_valid)
        .filter(tickets::credentials_version.eq(accounts::credentials_version))
        .filter(tickets::factors_version.eq(accounts::factors_version))
        .filter(tickets::address.is_null().or(tickets::address.eq(accounts::email)))
        .select((AccountRow::as_select(), tickets::state, tickets::address, tickets::expires_at))
        .get_result(connection)
        .await
        .optional()?;
    let read = |(row, state, address, end): (AccountRow, _, Option<String>, _)| {
        let (address, expires_at) = (address.as_deref().map(EmailAddress::new), Timestamp::from_millis(end));
        Ok(FoundTicket { account: Account::try_from(row)?, state, address, expires_at })
    };
    found.map(read).transpose()
}
