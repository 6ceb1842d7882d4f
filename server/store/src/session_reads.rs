//! Reads of live sessions, which every request of a signed-in user begins with.
//!
//! On PostgreSQL, those that are asked for at the same time are one statement. On SQLite each is read on the thread that asks:
//! there is nothing to wait for that others could share.

use crate::error::StoreError;
use crate::gathering::Joined;
use crate::postgres::{self, Conn, Postgres};
use crate::rows::FoundSession;
use crate::schema::{accounts, sessions};
use crate::sqlite::Sqlite;
use crate::sqlite_conn;
use countersign_domain::account::Account;
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use std::collections::HashMap;
use std::sync::Arc;

/// Rows by the digest of the session's token. Shared, because several calls may present one token.
type FoundSessions = HashMap<Vec<u8>, Arc<FoundSession>>;

impl Sqlite {
    /// The session with this token that is live at this time, and its account.
    pub(crate) async fn session_by_token(
        &self,
        (token, now): (Digest, Timestamp),
    ) -> Result<Option<(Session, Account)>, StoreError> {
        let mut connection = self.readers.get().await.map_err(StoreError::unavailable)?;
        let found = found_sessions().filter(sessions::token_digest.eq(token.as_bytes().as_slice()));
        let found = found.select(FoundSession::as_select());
        let found: Option<FoundSession> =
            sqlite_conn::RunQueryDsl::get_result(found, &mut connection).await.optional()?;
        found.map_or(Ok(None), |found| found.if_live(now))
    }
}

impl Postgres {
    /// The session with this token that is live at this time, and its account.
    pub(crate) async fn session_by_token(
        &self,
        (token, now): (Digest, Timestamp),
    ) -> Result<Option<(Session, Account)>, StoreError> {
        let found = match self.session_reads.join(token).await {
            Joined::Answered(found) => found,
            Joined::Leading(batch) => {
                let found = self.sessions(batch.keys()).await?;
                batch.answer(|token| found.get(token.as_bytes().as_slice()).cloned())
            }
            Joined::Alone => self.sessions(&[token]).await?.into_values().next(),
        };
        found.map_or(Ok(None), |found| Arc::unwrap_or_clone(found).if_live(now))
    }

    async fn sessions(&self, tokens: &[Digest]) -> Result<FoundSessions, StoreError> {
        let mut tries = self.tries();
        loop {
            let mut connection = self.reading().await?;
            let read = sessions_by_tokens(&mut connection, tokens).await;
            match postgres::finish_read(connection, read) {
                Err(error) if tries.again(&error).await => {}
                outcome => return outcome,
            }
        }
    }
}

/// The least length of the array of tokens; shorter ones are filled up with the last token.
///
/// A generic plan, which PostgreSQL makes once for a prepared statement, assumes an array of ten elements. PostgreSQL keeps to custom
/// plans, made for each execution, as long as they look cheaper (`plan_cache_mode = auto`), which they do for shorter arrays; and
/// planning takes longer than executing here.
const LEAST_TOKENS: usize = 16;

/// The sessions with these tokens, with their accounts.
async fn sessions_by_tokens(connection: &mut Conn, tokens: &[Digest]) -> Result<FoundSessions, StoreError> {
    let mut tokens: Vec<&[u8]> = tokens.iter().map(|token| token.as_bytes().as_slice()).collect();
    if let Some(last) = tokens.last().copied() {
        tokens.resize(tokens.len().max(LEAST_TOKENS), last);
    }
    let found = found_sessions().filter(sessions::token_digest.eq_any(tokens));
    let rows: Vec<FoundSession> = RunQueryDsl::load(found.select(FoundSession::as_select()), connection).await?;
    Ok(rows.into_iter().map(|row| (row.token().to_vec(), Arc::new(row))).collect())
}

/// Sessions with their accounts; none of older credentials than the account has now.
#[diesel::dsl::auto_type]
fn found_sessions() -> _ {
    let is_current = sessions::credentials_version.eq(accounts::credentials_version);
    sessions::table.inner_join(accounts::table).filter(is_current)
}
