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

/// An event, and the versions of the account before and after it.
#[derive(Clone, Copy)]
struct Happened<'a> {
    event: Event,
    account_id: &'a str,
    before: Versions,
    after: Versions,
}

/// Rows of one table that are at the versions before the event are moved on to those after it.
macro_rules! move_on {
    ($connection:ident, $happened:ident, $table:ident) => {{
        let Happened { account_id, before, after, .. } = $happened;
        if before != after {
            let current =
                $table::credentials_version.eq(before.credentials).and($table::factors_version.eq(before.factors));
            diesel::update($table::table.filter($table::account_id.eq(account_id)).filter(current))
                .set(($table::credentials_version.eq(after.credentials), $table::factors_version.eq(after.factors)))
                .cached()
                .execute($connection)
                .await?;
        }
    }};
}

/// A function that lets the rows of one table, of which a session may have opened none or all, end or survive.
macro_rules! end_or_move_on {
    ($name:ident, $table:ident, $grant:expr) => {
        async fn $name(connection: &mut Conn, happened: Happened<'_>) -> Result<(), StoreError> {
            match endings::decide(happened.event, $grant) {
                Ending::Ends | Ending::LosesSecondFactor => {
                    let mine = $table::table.filter($table::account_id.eq(happened.account_id));
                    diesel::delete(mine).execute(connection).await?;
                }
                Ending::Survives => move_on!(connection, happened, $table),
            }
            Ok(())
        }
    };
}

end_or_move_on!(end_challenges, challenges, Grant::Challenge);
end_or_move_on!(end_tickets, tickets, Grant::Ticket);
end_or_move_on!(end_trust, trusted_devices, Grant::TrustedDevice);

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
    let happened = Happened { event, account_id: &id, before: raises.before(after), after };
    pipeline!(
        connection;
        end_sessions(happened, keep),
        end_challenges(happened),
        end_codes(happened),
        end_tickets(happened),
        end_former_addresses(happened),
        end_trust(happened),
        end_refresh_tokens(happened),
    );
    Ok(Some(after))
}

async fn end_codes(connection: &mut Conn, happened: Happened<'_>) -> Result<(), StoreError> {
    if endings::decide(happened.event, Grant::OneTimeCode) == Ending::Ends {
        let mine = mailed_codes::table.filter(mailed_codes::account_id.eq(happened.account_id));
        diesel::delete(mine).execute(connection).await?;
    }
    Ok(())
}

async fn end_former_addresses(connection: &mut Conn, happened: Happened<'_>) -> Result<(), StoreError> {
    if endings::decide(happened.event, Grant::FormerAddress) == Ending::Ends {
        let mine = former_addresses::table.filter(former_addresses::account_id.eq(happened.account_id));
        diesel::delete(mine).execute(connection).await?;
    }
    Ok(())
}

async fn end_refresh_tokens(connection: &mut Conn, happened: Happened<'_>) -> Result<(), StoreError> {
    let mine = refresh_tokens::account_id.eq(happened.account_id);
    match endings::decide(happened.event, Grant::RefreshToken) {
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
        Ending::Survives => move_on!(connection, happened, refresh_tokens),
    }
    Ok(())
}

/// A session ends by the version of the credentials alone: it may have lost its second factor before.
async fn move_sessions_on(
    connection: &mut Conn,
    Happened { account_id, before, after, .. }: Happened<'_>,
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
    happened: Happened<'_>,
    keep: Option<SessionId>,
) -> Result<(), StoreError> {
    let mine = sessions::account_id.eq(happened.account_id);
    match (endings::decide(happened.event, Grant::Session), keep) {
        (Ending::Ends, None) => {
            diesel::delete(sessions::table.filter(mine)).execute(connection).await?;
        }
        (Ending::Ends, Some(keep)) => {
            let others = sessions::table.filter(mine).filter(sessions::id.ne(keep.to_text()));
            diesel::delete(others).execute(connection).await?;
            move_sessions_on(connection, happened).await?;
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
        (Ending::Survives, _) => move_sessions_on(connection, happened).await?,
    }
    Ok(())
}
