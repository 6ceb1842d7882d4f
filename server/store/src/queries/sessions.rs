//! Live sessions.

use super::{Conn, TxResult, audit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, SessionRow};
use crate::schema::{accounts, sessions};
use crate::work::{ExtendSession, NewSession, RevokeSessions, SessionSelector, TxOutcome};
use countersign_domain::account::Account;
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, SessionId};
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// The live session with this token, and its account.
pub(crate) async fn session_by_token(
    connection: &mut Conn,
    (token, now): &(Digest, Timestamp),
) -> Result<Option<(Session, Account)>, StoreError> {
    let row: Option<(SessionRow, AccountRow)> = sessions::table
        .inner_join(accounts::table)
        .filter(sessions::token_digest.eq(token.as_bytes().as_slice()))
        .filter(sessions::expires_at.gt(now.as_millis()))
        .select((SessionRow::as_select(), AccountRow::as_select()))
        .get_result(connection)
        .await
        .optional()?;
    row.map(|(session, account)| Ok((Session::try_from(session)?, Account::try_from(account)?))).transpose()
}

/// The live sessions of an account, the newest first.
pub(crate) async fn sessions_of(
    connection: &mut Conn,
    (account_id, now): &(AccountId, Timestamp),
) -> Result<Vec<Session>, StoreError> {
    let rows = sessions::table
        .filter(sessions::account_id.eq(account_id.to_text()))
        .filter(sessions::expires_at.gt(now.as_millis()))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .select(SessionRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Session::try_from).collect()
}

/// Stores a session, if there is one to open; within the open transaction.
pub(super) async fn open_session(connection: &mut Conn, session: Option<&NewSession>) -> Result<(), StoreError> {
    if let Some(session) = session {
        diesel::insert_into(sessions::table).values(SessionRow::from(session)).execute(connection).await?;
    }
    Ok(())
}

/// Extends a session; says whether it was still there.
pub(crate) async fn extend_session(connection: &mut Conn, extend: &ExtendSession) -> TxResult<bool> {
    let touched = diesel::update(sessions::table.find(extend.session_id.to_text()))
        .set((sessions::updated_at.eq(extend.now.as_millis()), sessions::expires_at.eq(extend.expires_at.as_millis())))
        .cached()
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(touched == 1))
}

/// Whether the database answers.
pub(crate) async fn ping(connection: &mut Conn, (): &()) -> Result<(), StoreError> {
    diesel::select(1_i32.into_sql::<diesel::sql_types::Integer>()).execute(connection).await?;
    Ok(())
}

/// Ends the session with this token, if there is one.
pub(crate) async fn sign_out(connection: &mut Conn, (token, event): &(Digest, AuditEvent)) -> TxResult<()> {
    let ended: Option<(String, String)> = diesel::delete(sessions::table)
        .filter(sessions::token_digest.eq(token.as_bytes().as_slice()))
        .returning((sessions::id, sessions::account_id))
        .get_result(connection)
        .await
        .optional()?;
    let Some((id, account_id)) = ended else { return Ok(TxOutcome::Rollback(())) };
    let event =
        AuditEvent { session_id: SessionId::parse(&id), account_id: AccountId::parse(&account_id), ..event.clone() };
    audit::write(connection, &event).await?;
    Ok(TxOutcome::Commit(()))
}

/// Ends sessions of one account; says how many. Sessions of other accounts are out of reach (attack 36).
pub(crate) async fn revoke_sessions(connection: &mut Conn, revoke: &RevokeSessions) -> TxResult<usize> {
    let mine = sessions::account_id.eq(revoke.account_id.to_text());
    let ended = match &revoke.which {
        SessionSelector::All => diesel::delete(sessions::table.filter(mine)).execute(connection).await?,
        SessionSelector::AllBut(id) => {
            diesel::delete(sessions::table.filter(mine).filter(sessions::id.ne(id.to_text())))
                .execute(connection)
                .await?
        }
        SessionSelector::WithToken(token) => {
            let with_token = sessions::token_digest.eq(token.as_bytes().as_slice());
            diesel::delete(sessions::table.filter(mine).filter(with_token)).execute(connection).await?
        }
        SessionSelector::WithId(id) => {
            diesel::delete(sessions::table.filter(mine).filter(sessions::id.eq(id.to_text())))
                .execute(connection)
                .await?
        }
    };
    if ended > 0 {
        audit::write(connection, &revoke.event).await?;
    }
    Ok(TxOutcome::Commit(ended))
}
