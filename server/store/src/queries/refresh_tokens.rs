//! Refresh tokens: each is used once, and gives the next one.

use super::users::{self, UserRow};
use super::{Conn, TxResult, audit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, RefreshTokenRow};
use crate::schema::{accounts, refresh_tokens};
use crate::work::{NewRefreshToken, RefreshTokenUsed, RefreshedSignIn, TxOutcome, UseRefreshToken};
use countersign_domain::account::Versions;
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
    versions: Versions,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(token) = token {
        let row = RefreshTokenRow::first(token, account_id, versions, now);
        diesel::insert_into(refresh_tokens::table).values(row).execute(connection).await?;
    }
    Ok(())
}

/// Uses a token up and stores the next one. The account's row is locked first: parallel presentations, and whatever ends the
/// account's tokens, queue up there, and nobody waits for one who holds a token of the same family.
pub(crate) async fn use_refresh_token(
    connection: &mut Conn,
    presented: &UseRefreshToken,
) -> TxResult<RefreshTokenUsed> {
    let now = presented.now.as_millis();
    let token = || refresh_tokens::table.find(presented.digest.as_bytes().as_slice());
    let user: Option<UserRow> =
        diesel::update(accounts::table.filter(accounts::id.eq_any(token().select(refresh_tokens::account_id))))
            .set(accounts::credentials_version.eq(accounts::credentials_version))
            .returning((AccountRow::as_returning(), accounts::profile, accounts::last_sign_in_at))
            .cached()
            .get_result(connection)
            .await
            .optional()?;
    let Some(user) = user else { return Ok(TxOutcome::Rollback(RefreshTokenUsed::Refused)) };
    let live = refresh_tokens::used_at.is_null().and(refresh_tokens::expires_at.gt(now));
    let claimed: Option<RefreshTokenRow> = diesel::update(token().filter(live))
        .set(refresh_tokens::used_at.eq(now))
        .returning(RefreshTokenRow::as_returning())
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(claimed) = claimed else { return not_claimed(connection, presented).await };
    let user = users::load(connection, user).await?;
    let (policy, account) = (&presented.rules.policy, &user.account);
    let signed_in_at = Timestamp::from_millis(claimed.signed_in_at);
    let facts = TokenFacts {
        token: TokenState::Claimed,
        account: Some((account, presented.rules.tenant_of(account).login_policy)),
        credentials_version: claimed.credentials_version,
        signed_in_at,
    };
    let decision = refresh::refresh_token(&facts, policy, presented.now);
    let (TokenRefresh::Rotated, Some(kind)) = (decision, decision.event()) else {
        return Ok(TxOutcome::Rollback(RefreshTokenUsed::Refused));
    };
    let (family_id, application_id) = claimed.names()?;
    let expires_at = presented.expires_at.min(signed_in_at + policy.refresh_token_absolute_lifetime);
    let refreshed = RefreshedSignIn {
        family_id,
        application_id,
        second_factor_at: claimed
            .second_factor_at
            .filter(|_| claimed.factors_version == account.factors_version)
            .map(Timestamp::from_millis),
        signed_in_at,
        expires_at,
        user,
    };
    let next = RefreshTokenRow {
        digest: presented.next.as_bytes().to_vec(),
        used_at: None,
        created_at: now,
        expires_at: expires_at.as_millis(),
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
    let facts =
        TokenFacts { token: state, account: None, credentials_version: 0, signed_in_at: Timestamp::from_millis(0) };
    let decision = refresh::refresh_token(&facts, &presented.rules.policy, presented.now);
    let (Some(kind), Some(used)) = (decision.event(), used) else {
        return Ok(TxOutcome::Rollback(RefreshTokenUsed::Refused));
    };
    let family = refresh_tokens::table.filter(refresh_tokens::family_id.eq(&used.family_id));
    diesel::delete(family).execute(connection).await?;
    let event = AuditEvent { account_id: AccountId::parse(&used.account_id), ..presented.audit.event(kind) };
    audit::write(connection, &event).await?;
    Ok(TxOutcome::Commit(RefreshTokenUsed::Reused))
}
