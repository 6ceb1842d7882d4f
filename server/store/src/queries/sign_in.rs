//! Completing a sign-in whose password was right.

use super::sessions::open_session;
use super::{Conn, Work, audit, budgets, enrolment};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{ChallengeRow, TrustedDeviceRow};
use crate::schema::{accounts, challenges, trusted_devices};
use crate::work::{CompleteSignIn, NewTrust, SignIn, Unit};
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::challenge::Challenge;
use countersign_domain::ids::AccountId;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Opens a session or a challenge. Which of them is decided here, by what the account is at this moment and not by
/// what it was when the password was looked up.
pub(crate) async fn complete_sign_in(connection: &mut Conn, sign_in: &CompleteSignIn) -> Work<SignIn> {
    let now = sign_in.event.at;
    let id = sign_in.account_id.to_text();
    let unchanged = accounts::credentials_version.eq(sign_in.credentials_version);
    let enabled: Option<bool> = diesel::update(accounts::table.find(&id).filter(unchanged))
        .set(accounts::last_sign_in_at.eq(now.as_millis()))
        .returning(accounts::two_factor_enabled)
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(two_factor_enabled) = enabled else { return Ok(Unit::Rollback(SignIn::Stale)) };
    if let Some(hash) = &sign_in.rehashed {
        let new_hash = accounts::password_hash.eq(hash.to_text());
        diesel::update(accounts::table.find(&id)).set(new_hash).cached().execute(connection).await?;
    }
    let outcome = if !two_factor_enabled {
        SignIn::SignedIn
    } else if rotate_trust(connection, sign_in.account_id, sign_in.trust.as_ref(), now).await? {
        SignIn::Trusted
    } else {
        let has_totp = enrolment::has_confirmed_authenticator(connection, sign_in.account_id).await?;
        SignIn::Challenged { has_totp }
    };
    let kind = match outcome {
        SignIn::SignedIn => EventKind::SignedIn,
        SignIn::Trusted => EventKind::SignedInFromTrustedDevice,
        SignIn::Challenged { .. } | SignIn::Stale => EventKind::ChallengeOpened,
    };
    let session = (kind != EventKind::ChallengeOpened).then_some(&sign_in.session);
    let session_id = session.map(|session| session.session.id);
    let event = AuditEvent { kind, session_id, ..sign_in.event.clone() };
    together!(
        connection;
        budgets::refill(&sign_in.budget),
        open_challenge(session.is_none().then_some(&sign_in.challenge)),
        open_session(session),
        audit::write(&event),
    );
    Ok(Unit::Commit(outcome))
}

async fn open_challenge(connection: &mut Conn, challenge: Option<&Challenge>) -> Result<(), StoreError> {
    if let Some(challenge) = challenge {
        diesel::insert_into(challenges::table).values(ChallengeRow::from(challenge)).execute(connection).await?;
    }
    Ok(())
}

/// Replaces a trust that is still good; whoever deletes the row is the one who used it.
async fn rotate_trust(
    connection: &mut Conn,
    account_id: AccountId,
    trust: Option<&(Digest, NewTrust)>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some((presented, next)) = trust else { return Ok(false) };
    let used = diesel::delete(trusted_devices::table.find(presented.as_bytes().as_slice()))
        .filter(trusted_devices::account_id.eq(account_id.to_text()))
        .filter(trusted_devices::expires_at.gt(now.as_millis()))
        .execute(connection)
        .await?;
    if used == 0 {
        return Ok(false);
    }
    diesel::insert_into(trusted_devices::table)
        .values(TrustedDeviceRow::new(next, account_id, now))
        .execute(connection)
        .await?;
    Ok(true)
}
