//! Leave to do one thing once.

use super::Conn;
use crate::error::StoreError;
use crate::rows::{AccountRow, TicketRow};
use crate::schema::{accounts, tickets};
use crate::work::{NewTicket, PresentedTicket};
use countersign_domain::account::Account;
use countersign_domain::ids::AccountId;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Stores a ticket, if one is to be given; within the transaction that is open.
pub(super) async fn give(
    connection: &mut Conn,
    ticket: Option<&NewTicket>,
    account_id: AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(ticket) = ticket {
        let row = TicketRow::new(ticket, account_id, now);
        diesel::insert_into(tickets::table).values(row).execute(connection).await?;
    }
    Ok(())
}

/// Uses a ticket up; `false` when it is not good: whoever deletes its row is the one who used it.
pub(super) async fn spend(
    connection: &mut Conn,
    ticket: &PresentedTicket,
    account_id: AccountId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let good = tickets::kind
        .eq(ticket.kind.name())
        .and(tickets::account_id.eq(account_id.to_text()))
        .and(tickets::expires_at.gt(now.as_millis()));
    let row = tickets::table.find(ticket.digest.as_bytes().as_slice()).filter(good);
    let spent = match &ticket.trust_challenge {
        Some(digest) => {
            let same = tickets::trust_challenge.eq(digest.as_bytes().as_slice());
            diesel::delete(row.filter(same)).execute(connection).await?
        }
        None => diesel::delete(row.filter(tickets::trust_challenge.is_null())).execute(connection).await?,
    };
    Ok(spent == 1)
}

/// Whose ticket this is, if it is good, and what whoever asked for it wants to have back.
pub(crate) async fn ticket(
    connection: &mut Conn,
    (ticket, now): &(PresentedTicket, Timestamp),
) -> Result<Option<(Account, Option<String>)>, StoreError> {
    let good = tickets::kind.eq(ticket.kind.name()).and(tickets::expires_at.gt(now.as_millis()));
    let found: Option<(AccountRow, Option<String>)> = tickets::table
        .inner_join(accounts::table)
        .filter(tickets::digest.eq(ticket.digest.as_bytes().as_slice()))
        .filter(good)
        .select((AccountRow::as_select(), tickets::state))
        .get_result(connection)
        .await
        .optional()?;
    found.map(|(row, state)| Ok((Account::try_from(row)?, state))).transpose()
}
