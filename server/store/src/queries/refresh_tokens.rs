//! Refresh tokens: each is used once, and gives the next one.

use super::{Conn, Work, audit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, RefreshTokenRow};
use crate::schema::{accounts, refresh_tokens};
use crate::work::{NewRefreshToken, RefreshTokenUsed, SignedInFor, Unit, UseRefreshToken};
use countersign_domain::account::Account;
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::ids::AccountId;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Stores the first token of a sign-in, if one is to be given; within the transaction that is open.
pub(super) async fn open(
    connection: &mut Conn,
    token: Option<&NewRefreshToken>,
    account_id: AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(token) = token {
        let row = RefreshTokenRow::first(token, account_id, now);
        diesel::insert_into(refresh_tokens::table).values(row).execute(connection).await?;
    }
    Ok(())
}

/// Uses a token. One that was used before is in two hands, and nobody can say which of them is the thief's: all that
/// followed from the same sign-in ends (RFC 9700 §4.14.2).
pub(crate) async fn use_refresh_token(connection: &mut Conn, presented: &UseRefreshToken) -> Work<RefreshTokenUsed> {
    let now = presented.now.as_millis();
    let token = || refresh_tokens::table.find(presented.digest.as_bytes().as_slice());
    let live = refresh_tokens::used_at.is_null().and(refresh_tokens::expires_at.gt(now));
    let used: Option<RefreshTokenRow> = diesel::update(token().filter(live))
        .set(refresh_tokens::used_at.eq(now))
        .returning(RefreshTokenRow::as_returning())
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(used) = used else {
        let known: Option<RefreshTokenRow> =
            token().select(RefreshTokenRow::as_select()).get_result(connection).await.optional()?;
        let Some(known) = known.filter(|known| known.used_at.is_some()) else {
            return Ok(Unit::Rollback(RefreshTokenUsed::Unknown));
        };
        let family = refresh_tokens::table.filter(refresh_tokens::family_id.eq(&known.family_id));
        diesel::delete(family).execute(connection).await?;
        let kind = EventKind::RefreshTokenReused;
        let event = AuditEvent { kind, account_id: AccountId::parse(&known.account_id), ..presented.event.clone() };
        audit::write(connection, &event).await?;
        return Ok(Unit::Commit(RefreshTokenUsed::Reused));
    };
    let row: AccountRow =
        accounts::table.find(&used.account_id).select(AccountRow::as_select()).get_result(connection).await?;
    let account = Account::try_from(row)?;
    if account.unusable(presented.now).is_some() {
        return Ok(Unit::Rollback(RefreshTokenUsed::Unknown));
    }
    let (family_id, application_id) = used.names()?;
    let signed_in = SignedInFor {
        family_id,
        application_id,
        second_factor_at: used.second_factor_at.map(Timestamp::from_millis),
        signed_in_at: Timestamp::from_millis(used.signed_in_at),
        account,
    };
    let next = RefreshTokenRow {
        digest: presented.next.as_bytes().to_vec(),
        used_at: None,
        created_at: now,
        expires_at: presented.expires_at.as_millis(),
        ..used
    };
    diesel::insert_into(refresh_tokens::table).values(next).execute(connection).await?;
    let kind = EventKind::TokenRefreshed;
    let event = AuditEvent { kind, account_id: Some(signed_in.account.id), ..presented.event.clone() };
    audit::write(connection, &event).await?;
    Ok(Unit::Commit(RefreshTokenUsed::Done(Box::new(signed_in))))
}

/// Ends all tokens of an account, within the transaction that is open.
pub(super) async fn end(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    let mine = refresh_tokens::table.filter(refresh_tokens::account_id.eq(account_id.to_text()));
    diesel::delete(mine).execute(connection).await?;
    Ok(())
}
