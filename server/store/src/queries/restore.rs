//! What ends when a database of the past is in use again. All rows of several tables are changed: no unit of work of a request.

use super::{Conn, RunQueryDsl, TxResult, audit};
use crate::schema::{
    accounts, challenges, mailed_codes, messages, methods, passkey_ceremonies, refresh_tokens, sessions, spent_steps,
    tickets, trusted_devices,
};
use crate::work::{AllGrantsEnded, EndAllGrants};
use countersign_domain::address::MethodKind;
use countersign_domain::decisions::endings::{Ending, Grant};
use countersign_domain::decisions::restore;
use countersign_domain::message::MessageKind;
use diesel::prelude::*;

/// Deletes all rows of a table of grants, if such grants end; evaluates to their number.
macro_rules! end {
    ($connection:ident, $grant:ident, $table:ident) => {
        match restore::ending(Grant::$grant) {
            Ending::Ends | Ending::LosesSecondFactor => diesel::delete($table::table).execute($connection).await?,
            Ending::Survives => 0,
        }
    };
}

/// Ends what all accounts have opened, and uses up the codes that apps show now.
pub(crate) async fn end_all_grants(connection: &mut Conn, end: &EndAllGrants) -> TxResult<AllGrantsEnded> {
    let (by, step) = (restore::raised_by(end.now), restore::used_up_to(end.now));
    // First, as in every unit of work that touches several rows of an account. It ends access tokens, too.
    let accounts = diesel::update(accounts::table)
        .set((
            accounts::credentials_version.eq(accounts::credentials_version + by),
            accounts::factors_version.eq(accounts::factors_version + by),
        ))
        .execute(connection)
        .await?;
    let challenges = end!(connection, Challenge, challenges);
    end!(connection, Challenge, passkey_ceremonies);
    end!(connection, OneTimeCode, mailed_codes);
    end!(connection, Ticket, tickets);
    let ended = AllGrantsEnded {
        accounts,
        challenges,
        sessions: end!(connection, Session, sessions),
        refresh_tokens: end!(connection, RefreshToken, refresh_tokens),
        trusted_devices: end!(connection, TrustedDevice, trusted_devices),
    };
    let is_app = methods::kind.eq(MethodKind::Authenticator.name());
    let is_earlier = methods::last_step.is_null().or(methods::last_step.lt(step));
    diesel::update(methods::table.filter(is_app).filter(is_earlier))
        .set(methods::last_step.eq(step))
        .execute(connection)
        .await?;
    diesel::update(spent_steps::table.filter(spent_steps::last_step.lt(step)))
        .set(spent_steps::last_step.eq(step))
        .execute(connection)
        .await?;
    // What they hold has ended, and most of them were delivered.
    let has_ended = |kind: &MessageKind| match kind {
        MessageKind::AddressChangeUndoLink => restore::ending(Grant::FormerAddress) != Ending::Survives,
        kind => !kind.is_notice(),
    };
    let dead = MessageKind::ALL.into_iter().filter(has_ended);
    let dead: Vec<&str> = dead.map(MessageKind::name).collect();
    diesel::delete(messages::table.filter(messages::kind.eq_any(dead))).execute(connection).await?;
    audit::write_and_commit(connection, &end.event, ended).await
}
