//! Carrying out what [`endings`](countersign_domain::decisions::endings) says, within the open transaction.
//!
//! The first statement locks the account's row. All units of work that touch several rows of an account do that first, and
//! then take challenges before codes, so that no two of them wait for each other.

use super::{Conn, RunQueryDsl};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::schema::{
    accounts, challenges, former_addresses, mailed_codes, refresh_tokens, sessions, tickets, trusted_devices,
};
use countersign_domain::account::Versions;
use countersign_domain::decisions::endings::{self, Ending, Event, Grant};
use countersign_domain::ids::{AccountId, SessionId};
use diesel::prelude::*;

/// Rows of one table that are at the versions before the event are moved on to those after it.
macro_rules! move_on {
    ($connection:ident, $table:ident, $id:ident, $before:ident, $after:ident) => {
        if $before != $after {
            let current =
                $table::credentials_version.eq($before.credentials).and($table::factors_version.eq($before.factors));
            diesel::update($table::table.filter($table::account_id.eq(&$id)).filter(current))
                .set(($table::credentials_version.eq($after.credentials), $table::factors_version.eq($after.factors)))
                .cached()
                .execute($connection)
                .await?;
        }
    };
}

/// Rows of one table, of which a session may have opened none or all, end or survive.
macro_rules! end_or_move_on {
    ($connection:ident, $event:ident, $grant:expr, $table:ident, $id:ident, $before:ident, $after:ident) => {
        match endings::decide($event, $grant) {
            Ending::Ends | Ending::LosesSecondFactor => {
                diesel::delete($table::table.filter($table::account_id.eq(&$id))).execute($connection).await?;
            }
            Ending::Survives => move_on!($connection, $table, $id, $before, $after),
        }
    };
}

/// Raises the account's versions and ends what the event ends, but for the session `keep`, which the caller asks in. Returns the
/// versions after it; `None` if the account is gone.
pub(super) async fn carry_out(
    connection: &mut Conn,
    account_id: AccountId,
    event: Event,
    keep: Option<SessionId>,
) -> Result<Option<Versions>, StoreError> {
    let (id, raises) = (account_id.to_text(), event.raises());
    let raised: Option<(i64, i64)> = diesel::update(accounts::table.find(&id))
        .set((
            accounts::credentials_version.eq(accounts::credentials_version + i64::from(raises.credentials)),
            accounts::factors_version.eq(accounts::factors_version + i64::from(raises.factors)),
        ))
        .returning((accounts::credentials_version, accounts::factors_version))
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some((credentials, factors)) = raised else { return Ok(None) };
    let after = Versions { credentials, factors };
    let before = raises.before(after);
    end_sessions(connection, account_id, event, keep, before, after).await?;
    end_or_move_on!(connection, event, Grant::Challenge, challenges, id, before, after);
    if endings::decide(event, Grant::OneTimeCode) == Ending::Ends {
        diesel::delete(mailed_codes::table.filter(mailed_codes::account_id.eq(&id))).execute(connection).await?;
    }
    end_or_move_on!(connection, event, Grant::Ticket, tickets, id, before, after);
    if endings::decide(event, Grant::FormerAddress) == Ending::Ends {
        diesel::delete(former_addresses::table.filter(former_addresses::account_id.eq(&id)))
            .execute(connection)
            .await?;
    }
    end_or_move_on!(connection, event, Grant::TrustedDevice, trusted_devices, id, before, after);
    let mine = refresh_tokens::account_id.eq(&id);
    match endings::decide(event, Grant::RefreshToken) {
        Ending::Ends => {
            diesel::delete(refresh_tokens::table.filter(mine)).execute(connection).await?;
        }
        Ending::LosesSecondFactor => {
            diesel::update(refresh_tokens::table.filter(mine))
                .set(refresh_tokens::second_factor_at.eq(None::<i64>))
                .cached()
                .execute(connection)
                .await?;
        }
        Ending::Survives => move_on!(connection, refresh_tokens, id, before, after),
    }
    Ok(Some(after))
}

/// A session ends by the version of the credentials alone: it may have lost its second factor before.
async fn move_sessions_on(
    connection: &mut Conn,
    account_id: &str,
    before: Versions,
    after: Versions,
) -> Result<(), StoreError> {
    if before.credentials != after.credentials {
        let current = sessions::credentials_version.eq(before.credentials);
        diesel::update(sessions::table.filter(sessions::account_id.eq(account_id)).filter(current))
            .set(sessions::credentials_version.eq(after.credentials))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn end_sessions(
    connection: &mut Conn,
    account_id: AccountId,
    event: Event,
    keep: Option<SessionId>,
    before: Versions,
    after: Versions,
) -> Result<(), StoreError> {
    let id = account_id.to_text();
    let mine = sessions::account_id.eq(&id);
    match (endings::decide(event, Grant::Session), keep) {
        (Ending::Ends, None) => {
            diesel::delete(sessions::table.filter(mine)).execute(connection).await?;
        }
        (Ending::Ends, Some(keep)) => {
            let others = sessions::table.filter(mine).filter(sessions::id.ne(keep.to_text()));
            diesel::delete(others).execute(connection).await?;
            move_sessions_on(connection, &id, before, after).await?;
        }
        // Their version of the factors says it already; a node of the version before reads the time alone.
        (Ending::LosesSecondFactor, keep) => {
            let keep = keep.map(SessionId::to_text).unwrap_or_default();
            diesel::update(sessions::table.filter(mine).filter(sessions::id.ne(keep)))
                .set(sessions::second_factor_at.eq(None::<i64>))
                .cached()
                .execute(connection)
                .await?;
        }
        (Ending::Survives, _) => move_sessions_on(connection, &id, before, after).await?,
    }
    Ok(())
}
