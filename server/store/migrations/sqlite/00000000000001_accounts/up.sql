-- Times are milliseconds since the Unix epoch, identifiers are 32 hexadecimal digits, digests are SHA-256.

CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    email_verified BOOLEAN NOT NULL,
    image TEXT,
    password_hash TEXT,
    two_factor_enabled BOOLEAN NOT NULL,
    credentials_version BIGINT NOT NULL,
    failed_attempts BIGINT NOT NULL,
    consecutive_locks BIGINT NOT NULL,
    locked_until BIGINT,
    last_sign_in_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE authenticators (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    key_id TEXT NOT NULL,
    sealed_secret BLOB NOT NULL,
    last_step BIGINT,
    confirmed_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX authenticators_by_account ON authenticators (account_id);

CREATE TABLE backup_codes (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    selector BLOB NOT NULL,
    hash TEXT NOT NULL,
    is_pending BOOLEAN NOT NULL,
    used_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX backup_codes_by_account ON backup_codes (account_id);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token_digest BLOB NOT NULL UNIQUE,
    is_remembered BOOLEAN NOT NULL,
    second_factor_at BIGINT,
    ip_address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE challenges (
    digest BLOB NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    tries BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    is_remembered BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX challenges_by_account ON challenges (account_id);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);

CREATE TABLE mailed_codes (
    subject TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    mac BLOB NOT NULL,
    tries BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX mailed_codes_by_account ON mailed_codes (account_id);
CREATE INDEX mailed_codes_by_expiry ON mailed_codes (expires_at);

CREATE TABLE trusted_devices (
    digest BLOB NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX trusted_devices_by_account ON trusted_devices (account_id);
CREATE INDEX trusted_devices_by_expiry ON trusted_devices (expires_at);

CREATE TABLE budgets (
    name TEXT NOT NULL PRIMARY KEY,
    spent BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX budgets_by_expiry ON budgets (expires_at);

CREATE TABLE audit_events (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    account_id TEXT,
    session_id TEXT,
    factor TEXT,
    dialect TEXT NOT NULL,
    ip_address TEXT NOT NULL
);
CREATE INDEX audit_events_by_account ON audit_events (account_id, at);
CREATE INDEX audit_events_by_time ON audit_events (at);
