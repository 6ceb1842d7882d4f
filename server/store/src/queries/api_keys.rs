//! API keys.

use super::{Conn, RunQueryDsl, TxResult};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::ApiKeyRow;
use crate::schema::api_keys;
use crate::work::TxOutcome;
use countersign_domain::api_key::ApiKeyRecord;
use countersign_domain::ids::{ApiKeyId, TenantId};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// The key with this digest, unless it was revoked.
pub(crate) async fn api_key(connection: &mut Conn, digest: &Digest) -> Result<Option<ApiKeyRecord>, StoreError> {
    let row: Option<ApiKeyRow> = api_keys::table
        .filter(api_keys::digest.eq(digest.as_bytes().as_slice()))
        .filter(api_keys::revoked_at.is_null())
        .select(ApiKeyRow::as_select())
        .get_result(connection)
        .await
        .optional()?;
    row.map(ApiKeyRecord::try_from).transpose()
}

/// All keys, revoked ones too, the oldest first.
pub(crate) async fn api_keys(connection: &mut Conn, (): &()) -> Result<Vec<ApiKeyRecord>, StoreError> {
    let rows: Vec<ApiKeyRow> = api_keys::table
        .order((api_keys::created_at, api_keys::id))
        .select(ApiKeyRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(ApiKeyRecord::try_from).collect()
}

/// Stores a key.
pub(crate) async fn add_api_key(connection: &mut Conn, (key, digest): &(ApiKeyRecord, Digest)) -> TxResult<()> {
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(key.id.to_text()),
            api_keys::digest.eq(digest.as_bytes().as_slice()),
            api_keys::name.eq(&key.name),
            api_keys::tenant_id.eq(key.tenant_id.map(TenantId::to_text)),
            api_keys::permissions.eq(&key.permissions),
            api_keys::created_at.eq(key.created_at.as_millis()),
        ))
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(()))
}

/// Revokes a key; says whether there was one that could be.
pub(crate) async fn revoke_api_key(connection: &mut Conn, (id, now): &(ApiKeyId, Timestamp)) -> TxResult<bool> {
    let live = api_keys::table.find(id.to_text()).filter(api_keys::revoked_at.is_null());
    let revoked =
        diesel::update(live).set(api_keys::revoked_at.eq(now.as_millis())).cached().execute(connection).await?;
    Ok(TxOutcome::Commit(revoked == 1))
}
