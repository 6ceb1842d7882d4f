//! Live sessions.

use super::{Conn, RunQueryDsl, TxResult, audit, endings};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::SessionRow;
use crate::schema::{accounts, sessions};
use crate::work::{ExtendSession, NewSession, NoteSessionUse, RevokeSessions, SessionSelector, TxOutcome};
use countersign_domain::account::Versions;
use countersign_domain::audit::AuditEvent;
use countersign_domain::decisions::endings::Event;
use countersign_domain::ids::{AccountId, SessionId};
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// The live sessions of an account, the newest first.
pub(crate) async fn sessions_of(
    connection: &mut Conn,
    (account_id, now): &(AccountId, Timestamp),
) -> Result<Vec<Session>, StoreError> {
    let rows: Vec<(SessionRow, i64)> = sessions::table
        .inner_join(accounts::table)
        .filter(sessions::account_id.eq(account_id.to_text()))
        .filter(sessions::expires_at.gt(now.as_millis()))
        .filter(sessions::credentials_version.eq(accounts::credentials_version))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .select((SessionRow::as_select(), accounts::factors_version))
        .load(connection)
        .await?;
    rows.into_iter().map(|(row, factors_version)| row.into_session(factors_version)).collect()
}

/// Stores a session, if there is one to open; within the open transaction.
pub(super) async fn open_session(
    connection: &mut Conn,
    session: Option<&NewSession>,
    versions: Versions,
) -> Result<(), StoreError> {
    if let Some(session) = session {
        diesel::insert_into(sessions::table).values(SessionRow::new(session, versions)).execute(connection).await?;
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

/// Notes that a session is in use. Requests that do it at once note it once.
pub(crate) async fn note_session_use(connection: &mut Conn, used: &NoteSessionUse) -> TxResult<()> {
    let now = used.now.as_millis();
    let is_older = sessions::last_used_at.is_null().or(sessions::last_used_at.lt(now));
    diesel::update(sessions::table.find(used.session_id.to_text()).filter(is_older))
        .set(sessions::last_used_at.eq(now))
        .cached()
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(()))
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
    audit::write_and_commit(connection, &event, ()).await
}

/// Ends sessions of one account. Sessions of other accounts are out of reach (attack 36).
pub(crate) async fn revoke_sessions(connection: &mut Conn, revoke: &RevokeSessions) -> TxResult<bool> {
    let account_id = revoke.account_id;
    let mine = sessions::account_id.eq(account_id.to_text());
    let ended = match &revoke.which {
        SessionSelector::All => {
            endings::carry_out(connection, account_id, Event::SessionsRevoked, None).await?.is_some()
        }
        SessionSelector::AllBut(id) => {
            endings::carry_out(connection, account_id, Event::SessionsRevoked, Some(*id)).await?.is_some()
        }
        SessionSelector::WithToken(token) => {
            let with_token = sessions::token_digest.eq(token.as_bytes().as_slice());
            diesel::delete(sessions::table.filter(mine).filter(with_token)).execute(connection).await? > 0
        }
        SessionSelector::WithId(id) => {
            let with_id = sessions::id.eq(id.to_text());
            diesel::delete(sessions::table.filter(mine).filter(with_id)).execute(connection).await? > 0
        }
    };
    match ended {
        true => audit::write_and_commit(connection, &revoke.event, true).await,
        false => Ok(TxOutcome::Rollback(false)),
    }
}
