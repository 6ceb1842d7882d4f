//! Refresh tokens: used again and again, or once for the next one.

use super::locking::lock;
use super::users::{self, UserRow};
use super::{Conn, RunQueryDsl, TxResult, audit, may_pipeline_commit, pipeline_commit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, RefreshTokenRow, corrupt};
use crate::schema::{accounts, refresh_tokens};
use crate::work::{
    FindRefreshTokens, FindTokenHolders, NewRefreshToken, RefreshTokenSelector, RefreshTokenUsed, RefreshedSignIn,
    RevokeRefreshTokens, RevokedTokens, StoredRefreshToken, TxOutcome, UseRefreshToken,
};
use countersign_domain::account::Versions;
use countersign_domain::decisions::refresh::{self, Successor, TokenFacts, TokenRefresh, TokenState};
use countersign_domain::ids::AccountId;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

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

/// Uses a token. The account's row is locked first: parallel presentations, and whatever ends the account's tokens, queue up
/// there, and nobody waits for one who holds a token of the same family.
pub(crate) async fn use_refresh_token(
    connection: &mut Conn,
    presented: &UseRefreshToken,
) -> TxResult<RefreshTokenUsed> {
    let (user, token) = pipeline!(connection; lock_account(presented), find(presented.digest));
    let (Some(user), Some(token)) = (user, token) else {
        return Ok(TxOutcome::Rollback(RefreshTokenUsed::Refused));
    };
    let successor = find_successor(connection, &token, &presented.successors).await?;
    let user = users::load(connection, user).await?;
    let (now, policy, account) = (presented.now, &presented.rules.policy, &user.account);
    let (family_id, application_id) = token.names()?;
    let signed_in_at = Timestamp::from_millis(token.signed_in_at);
    let facts = TokenFacts {
        token: state(&token, successor.as_ref(), now),
        usage: presented.rules.refresh_token_usage(application_id),
        account: Some((account, presented.rules.tenant_of(account).login_policy)),
        credentials_version: token.credentials_version,
        signed_in_at,
    };
    let decision = refresh::refresh_token(&facts, policy, now);
    let Some(kind) = decision.event() else {
        return Ok(TxOutcome::Rollback(match (decision, successor) {
            (TokenRefresh::Superseded, Some((digest, _))) => RefreshTokenUsed::Superseded(digest),
            _ => RefreshTokenUsed::Refused,
        }));
    };
    let event = presented.audit.clone().about(account.id).event(kind);
    let renewed_until = presented.expires_at.min(signed_in_at + policy.refresh_token_absolute_lifetime);
    let second_factor_at = token.second_factor_at.filter(|_| token.factors_version == account.factors_version);
    let second_factor_at = second_factor_at.map(Timestamp::from_millis);
    let signed_in = |expires_at| {
        Box::new(RefreshedSignIn { user, family_id, application_id, second_factor_at, signed_in_at, expires_at })
    };
    let commits = may_pipeline_commit(connection) && audit::is_one_statement(&event);
    let (was_live, used) = match (decision, presented.successors.as_slice(), successor) {
        (TokenRefresh::Renewed, ..) => {
            let (was_live, (), ()) = pipeline!(connection; renew(presented.digest, now, renewed_until, commits), audit::write(&event), pipeline_commit(commits));
            (was_live, RefreshTokenUsed::Renewed(signed_in(renewed_until)))
        }
        (TokenRefresh::Rotated, [next, ..], _) => {
            let row = RefreshTokenRow {
                digest: next.as_bytes().to_vec(),
                created_at: now.as_millis(),
                expires_at: renewed_until.as_millis(),
                ..token
            };
            let (was_live, (), (), ()) = pipeline!(connection; use_up(presented.digest, now, commits), insert(row), audit::write(&event), pipeline_commit(commits));
            (was_live, RefreshTokenUsed::Replaced(*next, signed_in(renewed_until)))
        }
        (TokenRefresh::Repeated, _, Some((digest, successor))) => {
            audit::write(connection, &event).await?;
            let expires_at = Timestamp::from_millis(successor.expires_at);
            (true, RefreshTokenUsed::Replaced(digest, signed_in(expires_at)))
        }
        (TokenRefresh::Reused, ..) => {
            pipeline!(connection; end_family(&token.family_id), audit::write(&event));
            (true, RefreshTokenUsed::Reused)
        }
        _ => (false, RefreshTokenUsed::Refused),
    };
    Ok(if was_live { TxOutcome::Commit(used) } else { TxOutcome::Rollback(RefreshTokenUsed::Refused) })
}

async fn lock_account(connection: &mut Conn, presented: &UseRefreshToken) -> Result<Option<UserRow>, StoreError> {
    let token = refresh_tokens::table.find(presented.digest.as_bytes().as_slice());
    let account = accounts::table.filter(accounts::id.eq_any(token.select(refresh_tokens::account_id)));
    let user = account.select((AccountRow::as_select(), accounts::profile, accounts::last_sign_in_at));
    Ok(locked!(user).get_result(connection).await.optional()?)
}

async fn find(connection: &mut Conn, digest: Digest) -> Result<Option<RefreshTokenRow>, StoreError> {
    let row = refresh_tokens::table.find(digest.as_bytes().as_slice()).select(RefreshTokenRow::as_select());
    Ok(row.get_result(connection).await.optional()?)
}

/// The token that took the place of this one, if it was used.
async fn find_successor(
    connection: &mut Conn,
    token: &RefreshTokenRow,
    successors: &[Digest],
) -> Result<Option<(Digest, RefreshTokenRow)>, StoreError> {
    for digest in successors.iter().filter(|_| token.used_at.is_some()) {
        if let Some(row) = find(connection, *digest).await? {
            return Ok(Some((*digest, row)));
        }
    }
    Ok(None)
}

fn state(token: &RefreshTokenRow, successor: Option<&(Digest, RefreshTokenRow)>, now: Timestamp) -> TokenState {
    let is_live = |row: &RefreshTokenRow| row.expires_at > now.as_millis();
    match (token.used_at, successor) {
        (None, _) if is_live(token) => TokenState::Live,
        (None, _) => TokenState::Gone,
        (Some(at), successor) => TokenState::Used {
            at: Timestamp::from_millis(at),
            successor: match successor {
                Some((_, row)) if row.used_at.is_some() => Successor::Used,
                Some((_, row)) if is_live(row) => Successor::Live,
                Some(_) | None => Successor::Gone,
            },
        },
    }
}

/// A reusable token begins anew; `false` if it is not live.
async fn renew(
    connection: &mut Conn,
    digest: Digest,
    now: Timestamp,
    expires_at: Timestamp,
    must: bool,
) -> Result<bool, StoreError> {
    let live = refresh_tokens::table.find(digest.as_bytes().as_slice()).filter(refresh_tokens::used_at.is_null());
    let renewed =
        (refresh_tokens::created_at.eq(now.as_millis()), refresh_tokens::expires_at.eq(expires_at.as_millis()));
    Ok(affect_one!(connection, must, diesel::update(live).set(renewed)))
}

/// `false` if it is not live.
async fn use_up(connection: &mut Conn, digest: Digest, now: Timestamp, must: bool) -> Result<bool, StoreError> {
    let live = refresh_tokens::table.find(digest.as_bytes().as_slice()).filter(refresh_tokens::used_at.is_null());
    let used_at = refresh_tokens::used_at.eq(now.as_millis());
    Ok(affect_one!(connection, must, diesel::update(live).set(used_at)))
}

async fn insert(connection: &mut Conn, row: RefreshTokenRow) -> Result<(), StoreError> {
    diesel::insert_into(refresh_tokens::table).values(row).execute(connection).await?;
    Ok(())
}

async fn end_family(connection: &mut Conn, family_id: &str) -> Result<(), StoreError> {
    let family = refresh_tokens::table.filter(refresh_tokens::family_id.eq(family_id));
    diesel::delete(family).execute(connection).await?;
    Ok(())
}

/// Tokens that are good now, the newest sign-in first.
pub(crate) async fn refresh_tokens(
    connection: &mut Conn,
    FindRefreshTokens { which, now }: &FindRefreshTokens,
) -> Result<Vec<StoredRefreshToken>, StoreError> {
    let live = refresh_tokens::used_at.is_null().and(refresh_tokens::expires_at.gt(now.as_millis()));
    let select = RefreshTokenRow::as_select();
    let rows: Vec<RefreshTokenRow> = match which {
        RefreshTokenSelector::OfAccount(id) => {
            let mine = refresh_tokens::account_id.eq(id.to_text());
            refresh_tokens::table.filter(mine).filter(live).select(select).load(connection).await?
        }
        RefreshTokenSelector::WithId(id) => {
            let family = refresh_tokens::family_id.eq(id.to_text());
            refresh_tokens::table.filter(family).filter(live).select(select).load(connection).await?
        }
    };
    let mut tokens = rows.into_iter().map(StoredRefreshToken::try_from).collect::<Result<Vec<_>, _>>()?;
    tokens.sort_by_key(|token| std::cmp::Reverse(token.signed_in_at));
    Ok(tokens)
}

/// The account and the sign-in of a token, used or not.
pub(crate) async fn refresh_token_owner(
    connection: &mut Conn,
    digest: &Digest,
) -> Result<Option<StoredRefreshToken>, StoreError> {
    find(connection, *digest).await?.map(StoredRefreshToken::try_from).transpose()
}

pub(crate) async fn token_holders(
    connection: &mut Conn,
    FindTokenHolders { application_id, after, batch }: &FindTokenHolders,
) -> Result<Vec<AccountId>, StoreError> {
    let after = after.map(AccountId::to_text).unwrap_or_default();
    let holders: Vec<String> = refresh_tokens::table
        .filter(refresh_tokens::application_id.eq(application_id.to_text()))
        .filter(refresh_tokens::account_id.gt(after))
        .select(refresh_tokens::account_id)
        .distinct()
        .order(refresh_tokens::account_id)
        .limit(i64::from(*batch))
        .load(connection)
        .await?;
    let parsed = holders.iter().map(|id| AccountId::parse(id).ok_or(corrupt("refresh_tokens", "its account")));
    parsed.collect()
}

/// Ends tokens of one account, whose row is locked first; says whether there were any.
pub(crate) async fn revoke_refresh_tokens(connection: &mut Conn, revoke: &RevokeRefreshTokens) -> TxResult<bool> {
    let id = revoke.account_id.to_text();
    lock(connection, revoke.account_id).await?;
    let mine = refresh_tokens::table.filter(refresh_tokens::account_id.eq(&id));
    let ended = match revoke.which {
        RevokedTokens::All => diesel::delete(mine).execute(connection).await?,
        RevokedTokens::OfApplication(application) => {
            let of_application = refresh_tokens::application_id.eq(application.to_text());
            diesel::delete(mine.filter(of_application)).execute(connection).await?
        }
        RevokedTokens::WithId(family) => {
            let of_family = refresh_tokens::family_id.eq(family.to_text());
            diesel::delete(mine.filter(of_family)).execute(connection).await?
        }
    };
    if ended == 0 {
        return Ok(TxOutcome::Rollback(false));
    }
    audit::write_and_commit(connection, &revoke.event, true).await
}
