//! Steps that were accepted from secrets whose methods are gone, and what the account has of a secret.

use super::{Conn, RunQueryDsl};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::schema::{methods, spent_steps};
use crate::work::NewAuthenticator;
use countersign_domain::address::MethodKind;
use countersign_domain::decisions::add_method::KnownSecret;
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::stored_secret::Renewal;
use countersign_domain::time::Timestamp;
use countersign_domain::totp::STEP_SECONDS;
use diesel::prelude::*;

/// How long an accepted step is remembered, from its beginning: an hour, much longer than its code is right on nodes whose
/// clocks differ.
const REMEMBERED: i64 = 60 * 60 * 1_000;

/// Remembers the newest accepted step of methods that are about to be deleted: of one, or of all of the account. Within
/// the open transaction, which holds the account's row.
pub(super) async fn remember(
    connection: &mut Conn,
    account_id: AccountId,
    only: Option<MethodId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let of_account = methods::table.filter(methods::account_id.eq(account_id.to_text()));
    let columns = (methods::id, methods::secret_fingerprint, methods::last_step);
    let rows: Vec<(String, Option<Vec<u8>>, Option<i64>)> = of_account.select(columns).load(connection).await?;
    for (id, fingerprint, last_step) in rows {
        let (Some(fingerprint), Some(last_step)) = (fingerprint, last_step) else { continue };
        if only.is_some_and(|only| only.to_text() != id) {
            continue;
        }
        let expires_at = last_step.saturating_mul(STEP_SECONDS.cast_signed() * 1_000).saturating_add(REMEMBERED);
        if expires_at <= now.as_millis() {
            continue;
        }
        // An app that was added again has used a later step than the one that was removed before.
        diesel::delete(spent_steps::table.find(&fingerprint)).execute(connection).await?;
        diesel::insert_into(spent_steps::table)
            .values((
                spent_steps::secret_fingerprint.eq(fingerprint),
                spent_steps::account_id.eq(account_id.to_text()),
                spent_steps::last_step.eq(last_step),
                spent_steps::expires_at.eq(expires_at),
            ))
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// What an account has of a secret.
pub(super) struct Found {
    pub(super) secret: KnownSecret,
    /// The methods with it, confirmed or not.
    pub(super) method_ids: Vec<String>,
}

/// Looks for a secret among an account's apps and among those that were removed, within the open transaction, which holds
/// the account's row. `None` if an app cannot be compared, because a node of an earlier version has added it since.
pub(super) async fn find(
    connection: &mut Conn,
    account_id: AccountId,
    app: &NewAuthenticator,
    known_apps: &[(MethodId, bool)],
    now: Timestamp,
) -> Result<Option<Found>, StoreError> {
    type Row = (String, Option<Vec<u8>>, Option<i64>, Option<i64>);
    let rows: Vec<Row> = methods::table
        .filter(methods::account_id.eq(account_id.to_text()))
        .filter(methods::kind.eq(MethodKind::Authenticator.name()))
        .select((methods::id, methods::secret_fingerprint, methods::last_step, methods::confirmed_at))
        .load(connection)
        .await?;
    let (mut method_ids, mut last_steps, mut is_enrolled) = (Vec::new(), Vec::new(), false);
    for (id, fingerprint, last_step, confirmed_at) in rows {
        let has_fingerprint = |bytes: &[u8]| app.fingerprints.iter().any(|one| one.as_bytes().as_slice() == bytes);
        let opened = known_apps.iter().find(|(known, _)| known.to_text() == id);
        let is_same = match (fingerprint, opened) {
            (_, Some((_, is_same))) => *is_same,
            (Some(bytes), None) => has_fingerprint(&bytes),
            (None, None) => return Ok(None),
        };
        if is_same {
            is_enrolled |= confirmed_at.is_some();
            last_steps.extend(last_step);
            method_ids.push(id);
        }
    }
    if is_enrolled {
        let is_replay = last_steps.into_iter().max().is_some_and(|last| app.step <= last);
        return Ok(Some(Found { secret: KnownSecret::Enrolled { is_replay }, method_ids }));
    }
    let mut is_used = false;
    for fingerprint in &app.fingerprints {
        let last_step: Option<i64> = spent_steps::table
            .find(fingerprint.as_bytes().as_slice())
            .filter(spent_steps::expires_at.gt(now.as_millis()))
            .select(spent_steps::last_step)
            .get_result(connection)
            .await
            .optional()?;
        is_used |= last_step.is_some_and(|last| app.step <= last);
    }
    let secret = if is_used { KnownSecret::Used } else { KnownSecret::New };
    Ok(Some(Found { secret, method_ids }))
}

/// Marks a step as used by these methods.
pub(super) async fn advance(
    connection: &mut Conn,
    method_ids: &[String],
    step: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    for id in method_ids {
        diesel::update(methods::table.find(id))
            .set((methods::last_step.eq(step), methods::last_used_at.eq(now.as_millis())))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Completes the row of an app that an earlier version wrote, within the open transaction, which holds the account's row.
/// Of several apps with one secret, which earlier versions could store, one gets the fingerprint.
pub(super) async fn renew(
    connection: &mut Conn,
    account_id: AccountId,
    renewal: Option<&Renewal>,
) -> Result<(), StoreError> {
    let Some(Renewal { method_id, fingerprint, sealed }) = renewal else { return Ok(()) };
    let (id, bytes) = (method_id.to_text(), fingerprint.as_bytes().to_vec());
    if let Some(sealed) = sealed {
        diesel::update(methods::table.find(&id))
            .set((methods::key_id.eq(&sealed.key_id), methods::sealed_secret.eq(&sealed.bytes)))
            .cached()
            .execute(connection)
            .await?;
    }
    let of_account = methods::account_id.eq(account_id.to_text());
    let others = methods::table.filter(of_account).filter(methods::secret_fingerprint.eq(&bytes));
    let others: i64 = others.filter(methods::id.ne(&id)).count().get_result(connection).await?;
    if others == 0 {
        diesel::update(methods::table.find(&id).filter(methods::secret_fingerprint.is_null()))
            .set(methods::secret_fingerprint.eq(bytes))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}
