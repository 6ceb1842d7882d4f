//! Keys of services.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::api_keys;
use countersign_domain::api_key::ApiKeyRecord;
use countersign_domain::ids::{ApiKeyId, TenantId};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(crate) struct ApiKeyRow {
    id: String,
    name: String,
    tenant_id: Option<String>,
    permissions: Option<String>,
    created_at: i64,
    revoked_at: Option<i64>,
}

impl TryFrom<ApiKeyRow> for ApiKeyRecord {
    type Error = StoreError;

    fn try_from(row: ApiKeyRow) -> Result<Self, StoreError> {
        let tenant = |text: String| TenantId::parse(&text).ok_or(corrupt("api_keys", "its tenant"));
        Ok(Self {
            id: ApiKeyId::parse(&row.id).ok_or(corrupt("api_keys", "its id"))?,
            name: row.name,
            tenant_id: row.tenant_id.map(tenant).transpose()?,
            permissions: row.permissions,
            created_at: Timestamp::from_millis(row.created_at),
            revoked_at: row.revoked_at.map(Timestamp::from_millis),
        })
    }
}
