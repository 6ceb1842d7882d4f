//! Refresh tokens: each is used once, and gives the next one.

use super::users::{self, UserRow};
use super::{Conn, TxResult, audit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, RefreshTokenRow};
use crate::schema::{accounts, refresh_tokens};
use crate::work::{NewRefreshToken, RefreshTokenUsed, RefreshedSignIn, TxOutcome, UseRefreshToken};
use countersign_domain::audit::AuditEvent;
use countersign_domain::decisions::refresh::{self, TokenFacts, TokenRefresh, TokenState};
use countersign_domain::ids::AccountId;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Stores the first token of a sign-in, if there is one; within the open transaction.
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

/// Uses a token up and stores the next one.
pub(crate) async fn use_refresh_token(
    connection: &mut Conn,
    presented: &UseRefreshToken,
) -> TxResult<RefreshTokenUsed> {
    let now = presented.now.as_millis();
    let token = || refresh_tokens::table.find(presented.digest.as_bytes().as_slice());
    let live = refresh_tokens::used_at.is_null().and(refresh_tokens::expires_at.gt(now));
    let claimed: Option<RefreshTokenRow> = diesel::update(token().filter(live))
        .set(refresh_tokens::used_at.eq(now))
        .returning(RefreshTokenRow::as_returning())
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(claimed) = claimed else { return not_claimed(connection, presented).await };
    let user: Option<UserRow> = accounts::table
        .find(&claimed.account_id)
        .select((AccountRow::as_select(), accounts::profile, accounts::last_sign_in_at))
        .get_result(connection)
        .await
        .optional()?;
    let user = match user {
        Some(row) => Some(users::load(connection, row).await?),
        None => None,
    };
    let account = user.as_ref().map(|user| (&user.account, presented.rules.tenant_of(&user.account).login_policy));
    let decision = refresh::refresh_token(&TokenFacts { token: TokenState::Claimed, account }, presented.now);
    let (TokenRefresh::Rotated, Some(kind), Some(user)) = (decision, decision.event(), user) else {
        return Ok(TxOutcome::Rollback(RefreshTokenUsed::Refused));
    };
    let (family_id, application_id) = claimed.names()?;
    let refreshed = RefreshedSignIn {
        family_id,
        application_id,
        second_factor_at: claimed.second_factor_at.map(Timestamp::from_millis),
        signed_in_at: Timestamp::from_millis(claimed.signed_in_at),
        user,
    };
    let next = RefreshTokenRow {
        digest: presented.next.as_bytes().to_vec(),
        used_at: None,
        created_at: now,
        expires_at: presented.expires_at.as_millis(),
        ..claimed
    };
    let event = presented.audit.clone().about(refreshed.user.account.id).event(kind);
    pipeline!(connection; insert(next), audit::write(&event));
    Ok(TxOutcome::Commit(RefreshTokenUsed::Rotated(Box::new(refreshed))))
}

async fn insert(connection: &mut Conn, row: RefreshTokenRow) -> Result<(), StoreError> {
    diesel::insert_into(refresh_tokens::table).values(row).execute(connection).await?;
    Ok(())
}

/// Ends the whole sign-in if the token was used before.
async fn not_claimed(connection: &mut Conn, presented: &UseRefreshToken) -> TxResult<RefreshTokenUsed> {
    let token = refresh_tokens::table.find(presented.digest.as_bytes().as_slice());
    let known: Option<RefreshTokenRow> =
        token.select(RefreshTokenRow::as_select()).get_result(connection).await.optional()?;
    let used = known.filter(|known| known.used_at.is_some());
    let state = if used.is_some() { TokenState::Used } else { TokenState::Gone };
    let decision = refresh::refresh_token(&TokenFacts { token: state, account: None }, presented.now);
    let (Some(kind), Some(used)) = (decision.event(), used) else {
        return Ok(TxOutcome::Rollback(RefreshTokenUsed::Refused));
    };
    let family = refresh_tokens::table.filter(refresh_tokens::family_id.eq(&used.family_id));
    diesel::delete(family).execute(connection).await?;
    let event = AuditEvent { account_id: AccountId::parse(&used.account_id), ..presented.audit.event(kind) };
    audit::write(connection, &event).await?;
    Ok(TxOutcome::Commit(RefreshTokenUsed::Reused))
}

/// Ends all tokens of an account, within the open transaction.
pub(super) async fn end(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    let mine = refresh_tokens::table.filter(refresh_tokens::account_id.eq(account_id.to_text()));
    diesel::delete(mine).execute(connection).await?;
    Ok(())
}

/// Refresh tokens of an account give tokens of one factor from now on; within the open transaction.
pub(super) async fn forget_second_factor(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    let mine = refresh_tokens::table.filter(refresh_tokens::account_id.eq(account_id.to_text()));
    diesel::update(mine).set(refresh_tokens::second_factor_at.eq(None::<i64>)).cached().execute(connection).await?;
    Ok(())
}
