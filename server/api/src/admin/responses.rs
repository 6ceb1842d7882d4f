//! Response bodies, which are also what the command line prints with `--json`. What is unknown or does not apply is `null`, but for the
//! few properties that are left out.
//!
//! `Debug` prints no values: many of them are personal data.

use crate::responses::{UUID, responses};
use crate::time::{WireTime, nullable_time};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

responses! {
    /// `listUsers`.
    UserPage {
        /// The users.
        users: Vec<User>,
        /// Where the next page begins.
        #[schemars(schema_with = "nullable_text")]
        next_cursor: Option<String>,
    }

    /// A user, without anything secret.
    User {
        /// Id of the user.
        #[schemars(regex = "UUID")]
        id: String,
        /// Id of the tenant.
        #[schemars(regex = "UUID")]
        tenant_id: String,
        /// The e-mail address, in lower case.
        #[schemars(schema_with = "nullable_text")]
        email: Option<String>,
        /// Whether it is verified.
        email_verified: bool,
        /// The user name.
        #[schemars(schema_with = "nullable_text")]
        username: Option<String>,
        /// The telephone number.
        #[schemars(schema_with = "nullable_text")]
        phone_number: Option<String>,
        /// The name as it is shown.
        name: String,
        /// False for a deactivated user.
        active: bool,
        /// From when on the account may not be used.
        #[schemars(schema_with = "nullable_time")]
        expires_at: Option<WireTime>,
        /// Whether there is a password to sign in with.
        has_password: bool,
        /// Whether it has to be changed at the next sign-in.
        password_change_required: bool,
        /// When it was set.
        password_changed_at: WireTime,
        /// Whether a sign-in asks for a second factor.
        two_factor_enabled: bool,
        /// What was enrolled.
        methods: Vec<TwoFactorMethod>,
        /// The applications that the user is registered for.
        registrations: Vec<Registration>,
        /// When the user last signed in.
        #[schemars(schema_with = "nullable_time")]
        last_sign_in_at: Option<WireTime>,
        /// When the account was made.
        created_at: WireTime,
        /// When it was last changed.
        updated_at: WireTime,
    }

    /// A method that gives a second factor.
    TwoFactorMethod {
        /// Id of the method, within those of the user.
        id: String,
        /// Its kind.
        kind: String,
        /// Name chosen by the user.
        #[schemars(schema_with = "nullable_text")]
        name: Option<String>,
        /// Where codes are sent.
        #[schemars(schema_with = "nullable_text")]
        address: Option<String>,
        /// When a code that was sent there was presented.
        #[schemars(schema_with = "nullable_time")]
        proved_at: Option<WireTime>,
        /// When it was last used.
        #[schemars(schema_with = "nullable_time")]
        last_used_at: Option<WireTime>,
    }

    /// The registration of a user for an application.
    Registration {
        /// Id of the registration.
        #[schemars(regex = "UUID")]
        id: String,
        /// Id of the application.
        #[schemars(regex = "UUID")]
        application_id: String,
        /// The roles of the user in it.
        roles: Vec<String>,
        /// The name of the user in it.
        #[schemars(schema_with = "nullable_text")]
        username: Option<String>,
        /// When the user last signed in to it.
        #[schemars(schema_with = "nullable_time")]
        last_sign_in_at: Option<WireTime>,
        /// When it was made.
        created_at: WireTime,
    }

    /// `readUser`: a user with what is counted against the account.
    UserDetails {
        /// The user.
        #[serde(flatten)]
        user: User,
        /// What is counted.
        limits: AccountLimits,
    }

    /// What is counted against an account.
    AccountLimits {
        /// When the user can sign in again.
        #[schemars(schema_with = "nullable_time")]
        locked_until: Option<WireTime>,
        /// Wrong second factors in a row.
        failed_attempts: i64,
        /// Locks since the last success.
        locks: i64,
        /// Guesses at the second factor that still count towards the long-term limit.
        guesses: i64,
        /// That limit.
        guess_limit: i64,
        /// Wrong passwords that still count, from unknown networks and devices.
        failed_passwords: i64,
        /// From how many on passwords from there are refused.
        failed_password_limit: i64,
        /// No password from there is judged before this time.
        #[schemars(schema_with = "nullable_time")]
        passwords_refused_until: Option<WireTime>,
        /// The lock that a service has set.
        #[schemars(schema_with = "nullable_suspension")]
        suspension: Option<Suspension>,
        /// Further quotas in which something counts.
        quotas: Vec<Quota>,
    }

    /// A lock that a service has set.
    Suspension {
        /// When it ends.
        until: WireTime,
        /// When it was set.
        since: WireTime,
        /// The user on whose behalf, as the service said.
        #[schemars(schema_with = "nullable_id")]
        by: Option<String>,
        /// Why.
        #[schemars(schema_with = "nullable_text")]
        comment: Option<String>,
    }

    /// A quota in which something counts.
    Quota {
        /// What it counts.
        counts: String,
        /// How much still counts.
        used: i64,
        /// From how much on it refuses.
        limit: i64,
        /// Until when it refuses.
        #[schemars(schema_with = "nullable_time")]
        refused_until: Option<WireTime>,
    }

    /// What was done, and to which user.
    UserChange {
        /// Id of the user.
        #[schemars(regex = "UUID")]
        id: String,
        /// What was done.
        done: Done,
    }

    /// `listGrants`.
    Grants {
        /// Sessions, the newest first.
        sessions: Vec<Session>,
        /// Refresh tokens, the newest first.
        refresh_tokens: Vec<RefreshToken>,
        /// Trusted devices, those that were used last first.
        trusted_devices: Vec<TrustedDevice>,
    }

    /// A session.
    Session {
        /// Its id.
        #[schemars(regex = "UUID")]
        id: String,
        /// What the client is called in a list.
        device: String,
        /// The client's `User-Agent` at sign-in; empty if unknown.
        user_agent: String,
        /// The client's address at sign-in; empty if unknown.
        ip_address: String,
        /// When a second factor was last passed in it.
        #[schemars(schema_with = "nullable_time")]
        second_factor_at: Option<WireTime>,
        /// When the user signed in.
        signed_in_at: WireTime,
        /// When it was last used.
        last_used_at: WireTime,
        /// When it ends, if it is not used before.
        expires_at: WireTime,
    }

    /// A refresh token.
    RefreshToken {
        /// Its id.
        #[schemars(regex = "UUID")]
        id: String,
        /// The application that the user logged in to.
        #[schemars(regex = "UUID")]
        application_id: String,
        /// The user's device.
        device: Device,
        /// Its address at the login; empty if unknown.
        ip_address: String,
        /// When the user logged in.
        signed_in_at: WireTime,
        /// When it was last used.
        last_used_at: WireTime,
    }

    /// The device of a login, as the service described it.
    Device {
        /// What it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Its kind.
        #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
    }

    /// A device that skips the second factor.
    TrustedDevice {
        /// Its id.
        #[schemars(regex = "UUID")]
        id: String,
        /// What it is called in a list.
        name: String,
        /// The client's `User-Agent` when trust was given; empty if unknown.
        user_agent: String,
        /// The client's address when trust was given; empty if unknown.
        ip_address: String,
        /// When trust was given.
        trusted_at: WireTime,
        /// When it was last used.
        last_used_at: WireTime,
        /// When the trust ends, if it is not used before.
        expires_at: WireTime,
    }

    /// What an export of a user always has.
    ExportedAccount {
        /// The account.
        account: Map<String, Value>,
        /// Its events, the oldest first.
        audit_events: Vec<AuditEvent>,
        /// Where the events go on, if there are more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }

    /// `readStatistics`.
    Statistics {
        /// When it was counted.
        at: WireTime,
        /// Counts of each tenant.
        tenants: Vec<TenantStatistics>,
        /// Counts of the whole server.
        #[serde(flatten)]
        server: Option<ServerStatistics>,
    }

    /// Counts of the users of a tenant.
    TenantStatistics {
        /// Id of the tenant.
        #[schemars(regex = "UUID")]
        tenant_id: String,
        /// All users.
        users: i64,
        /// Those with a second factor.
        with_second_factor: i64,
        /// Those who are deactivated.
        deactivated: i64,
        /// Those who are locked.
        locked: i64,
    }

    /// Counts that are not of a tenant.
    ServerStatistics {
        /// Sessions that have not expired.
        sessions: i64,
        /// Refresh tokens that have not expired.
        refresh_tokens: i64,
        /// Trusted devices that have not expired.
        trusted_devices: i64,
        /// Messages that are neither delivered nor given up.
        messages_waiting: i64,
        /// When the oldest of them was stored.
        #[schemars(schema_with = "nullable_time")]
        oldest_message_at: Option<WireTime>,
        /// How often each kind of event happened within the last 24 hours.
        events_of_last_day: BTreeMap<String, i64>,
    }

    /// `listAuditEvents`.
    AuditEventPage {
        /// The events.
        events: Vec<AuditEvent>,
        /// Where the next page begins.
        #[schemars(schema_with = "nullable_text")]
        next_cursor: Option<String>,
    }

    /// An event of the audit trail.
    AuditEvent {
        /// Id of the event.
        #[schemars(regex = "UUID")]
        id: String,
        /// When it happened.
        at: WireTime,
        /// What happened.
        kind: String,
        /// The account that it happened to.
        #[schemars(schema_with = "nullable_id")]
        account: Option<String>,
        /// The session that it happened in.
        #[schemars(schema_with = "nullable_id")]
        session: Option<String>,
        /// The kind of second factor.
        #[schemars(schema_with = "nullable_text")]
        factor: Option<String>,
        /// The API that was called.
        dialect: String,
        /// The client's address.
        #[schemars(schema_with = "nullable_text")]
        ip_address: Option<String>,
        /// Who asked for it.
        actor: Actor,
        /// What the request is called in the access log.
        #[schemars(schema_with = "nullable_text")]
        request_id: Option<String>,
        /// The trace that the request belongs to.
        #[schemars(schema_with = "nullable_text")]
        trace_id: Option<String>,
    }

    /// Who asked for something.
    Actor {
        /// A user, a service, an operator, or the server by a rule of its own.
        kind: String,
        /// The API key of a service.
        #[schemars(regex = "UUID")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api_key_id: Option<String>,
        /// The name of an operator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    }
}

/// `exportUser`: everything that is stored about a user.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct UserExport {
    /// What is there of each user.
    #[serde(flatten)]
    pub account: ExportedAccount,
    /// Further kinds of things that are stored, by their names.
    #[serde(flatten)]
    pub tables: BTreeMap<String, Vec<Map<String, Value>>>,
}

impl fmt::Debug for UserExport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UserExport").finish_non_exhaustive()
    }
}

// The derived schema of a flattened map allows any other property.
impl JsonSchema for UserExport {
    fn schema_name() -> String {
        "UserExport".to_owned()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ExportedAccount::json_schema(generator).into_object();
        let rows = generator.subschema_for::<Vec<Map<String, Value>>>();
        schema.object().additional_properties = Some(Box::new(rows));
        schema.into()
    }
}

/// What was done to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// Locks and counts are gone.
    Unlocked,
    /// The second factor is gone.
    FactorsReset,
    /// The password is set.
    PasswordSet,
    /// Sign-ins are refused.
    Deactivated,
    /// Sign-ins are possible again.
    Reactivated,
    /// The user is gone.
    Deleted,
    /// Everything that was open has ended.
    AllRevoked,
    /// A session has ended.
    SessionRevoked,
    /// A refresh token has ended.
    RefreshTokenRevoked,
    /// The trust in a device has ended.
    DeviceRevoked,
}

/// Which events come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AuditOrder {
    /// The newest.
    NewestFirst,
    /// The oldest.
    OldestFirst,
}

/// A required, nullable text. The derived schema of an `Option` would be optional instead.
fn nullable_text(generator: &mut SchemaGenerator) -> Schema {
    Option::<String>::json_schema(generator)
}

/// A required, nullable id.
fn nullable_id(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Option::<String>::json_schema(generator).into_object();
    schema.string().pattern = Some(UUID.to_owned());
    schema.into()
}

/// A required lock, or `null`.
fn nullable_suspension(generator: &mut SchemaGenerator) -> Schema {
    Option::<Suspension>::json_schema(generator)
}
