//! The tables that are filled in bulk, as the server's migrations make them: see `server/store/src/schema.rs`.

use crate::rows::Table;

/// One row for each account.
pub(crate) const ACCOUNTS: Table = Table {
    name: "accounts",
    columns: &[
        ("id", false),
        ("tenant_id", false),
        ("email", false),
        ("name", false),
        ("email_verified", false),
        ("image", false),
        ("profile", false),
        ("password_hash", false),
        ("password_changed_at", false),
        ("password_change_required", false),
        ("is_active", false),
        ("two_factor_enabled", false),
        ("credentials_version", false),
        ("failed_attempts", false),
        ("consecutive_locks", false),
        ("locked_until", false),
        ("last_sign_in_at", false),
        ("created_at", false),
        ("updated_at", false),
    ],
};

/// One row for each second factor.
pub(crate) const METHODS: Table = Table {
    name: "methods",
    columns: &[
        ("id", false),
        ("account_id", false),
        ("handle", false),
        ("kind", false),
        ("address", false),
        ("key_id", false),
        ("sealed_secret", true),
        ("last_step", false),
        ("confirmed_at", false),
        ("created_at", false),
        ("secret_fingerprint", true),
    ],
};

/// One row for each backup code.
pub(crate) const BACKUP_CODES: Table = Table {
    name: "backup_codes",
    columns: &[
        ("id", false),
        ("account_id", false),
        ("selector", true),
        ("hash", false),
        ("is_pending", false),
        ("used_at", false),
        ("created_at", false),
    ],
};

/// One row for each session.
pub(crate) const SESSIONS: Table = Table {
    name: "sessions",
    columns: &[
        ("id", false),
        ("account_id", false),
        ("token_digest", true),
        ("is_remembered", false),
        ("second_factor_at", false),
        ("ip_address", false),
        ("user_agent", false),
        ("created_at", false),
        ("updated_at", false),
        ("expires_at", false),
    ],
};

/// One row for each open challenge.
pub(crate) const CHALLENGES: Table = Table {
    name: "challenges",
    columns: &[
        ("digest", true),
        ("account_id", false),
        ("tries", false),
        ("failures", false),
        ("is_remembered", false),
        ("created_at", false),
        ("expires_at", false),
    ],
};

/// One row for each trusted device.
pub(crate) const TRUSTED_DEVICES: Table = Table {
    name: "trusted_devices",
    columns: &[("digest", true), ("account_id", false), ("created_at", false), ("expires_at", false)],
};
