//! Request bodies, queries and paths. Limits stated here are enforced before a handler runs ([`crate::validation`]); ids and times
//! are texts until a handler reads them.
//!
//! `Debug` prints no values: any of them may be a secret or personal data.

use super::responses::AuditOrder;
use crate::query::Numbers;
use crate::time::WireTime;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! requests {
    ($($(#[$attribute:meta])* $name:ident { $($(#[$field_attribute:meta])* $field:ident: $type:ty,)* })*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $( $(#[$field_attribute])* pub $field: $type, )* }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )* };
}

requests! {
    /// A path that names a user.
    UserPath {
        /// Id of the user.
        user_id: String,
    }

    /// A path that names something that the credentials of a user have opened.
    GrantPath {
        /// Id of the user.
        user_id: String,
        /// Id of a session, a refresh token or a trusted device.
        grant_id: String,
    }

    /// `listUsers`.
    UsersQuery {
        /// Id of the tenant.
        #[schemars(length(max = 64))]
        tenant_id: Option<String>,
        /// Beginning of the e-mail address or user name.
        #[schemars(length(max = 320))]
        starts_with: Option<String>,
        /// Users of a page.
        #[schemars(range(min = 1, max = 500))]
        limit: Option<i64>,
        /// Where the page begins.
        #[schemars(length(max = 128))]
        cursor: Option<String>,
    }

    /// `createUser`.
    NewUser {
        /// Id of the tenant.
        #[schemars(length(max = 64))]
        tenant_id: Option<String>,
        /// The e-mail address.
        #[schemars(length(max = 191))]
        email: Option<String>,
        /// Whether the address counts as verified.
        email_verified: Option<bool>,
        /// The user name.
        #[schemars(length(max = 191))]
        username: Option<String>,
        /// The name as it is shown.
        #[schemars(length(max = 256))]
        name: Option<String>,
        /// The password.
        #[schemars(length(max = 4096))]
        password: String,
        /// Whether it has to be changed at the first sign-in.
        password_change_required: Option<bool>,
    }

    /// `setPassword`.
    NewPassword {
        /// The password.
        #[schemars(length(max = 4096))]
        password: String,
    }

    /// `listAuditEvents`.
    AuditEventsQuery {
        /// Id of an account.
        #[schemars(length(max = 64))]
        account: Option<String>,
        /// Kind of the events.
        #[schemars(length(max = 64))]
        kind: Option<String>,
        /// When they begin.
        #[schemars(schema_with = "time")]
        #[serde(default)]
        since: Option<String>,
        /// Before when they end.
        #[schemars(schema_with = "time")]
        #[serde(default)]
        until: Option<String>,
        /// Which come first.
        order: Option<AuditOrder>,
        /// Events of a page.
        #[schemars(range(min = 1, max = 1000))]
        limit: Option<i64>,
        /// Where the page begins.
        #[schemars(length(max = 128))]
        cursor: Option<String>,
    }
}

/// A time, which the handler reads, because the check of a schema looks at no format.
fn time(generator: &mut SchemaGenerator) -> Schema {
    WireTime::json_schema(generator)
}

impl Numbers for UsersQuery {
    const NAMES: &'static [&'static str] = &["limit"];
}

impl Numbers for AuditEventsQuery {
    const NAMES: &'static [&'static str] = &["limit"];
}
