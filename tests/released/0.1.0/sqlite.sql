CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "accounts" (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    email TEXT,
    username TEXT,
    username_key TEXT,
    phone_number TEXT,
    name TEXT NOT NULL,
    email_verified BOOLEAN NOT NULL,
    image TEXT,
    profile TEXT NOT NULL,
    password_hash TEXT,
    password_changed_at BIGINT NOT NULL,
    password_change_required BOOLEAN NOT NULL,
    is_active BOOLEAN NOT NULL,
    expires_at BIGINT,
    two_factor_enabled BOOLEAN NOT NULL,
    credentials_version BIGINT NOT NULL,
    failed_attempts BIGINT NOT NULL,
    consecutive_locks BIGINT NOT NULL,
    locked_until BIGINT,
    last_sign_in_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    tenant_id TEXT,
    permissions TEXT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE TABLE audit_events (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    account_id TEXT,
    session_id TEXT,
    factor TEXT,
    dialect TEXT NOT NULL,
    ip_address TEXT NOT NULL
, api_key_id TEXT);
CREATE TABLE backup_codes (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    selector BLOB NOT NULL,
    hash TEXT NOT NULL,
    is_pending BOOLEAN NOT NULL,
    used_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE TABLE budgets (
    name TEXT NOT NULL PRIMARY KEY,
    spent BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE challenges (
    digest BLOB NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    tries BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    is_remembered BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
, application_id TEXT, state TEXT, trust_challenge BLOB);
CREATE TABLE mailed_codes (
    subject TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    mac BLOB NOT NULL,
    tries BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
, method_id TEXT);
CREATE TABLE methods (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    handle TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    address TEXT,
    key_id TEXT,
    sealed_secret BLOB,
    last_step BIGINT,
    confirmed_at BIGINT,
    last_used_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE TABLE refresh_tokens (
    digest BLOB NOT NULL PRIMARY KEY,
    family_id TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    application_id TEXT NOT NULL,
    second_factor_at BIGINT,
    signed_in_at BIGINT NOT NULL,
    used_at BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE registrations (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    application_id TEXT NOT NULL,
    roles TEXT NOT NULL,
    username TEXT,
    data TEXT,
    last_sign_in_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
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
CREATE TABLE tickets (
    digest BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    trust_challenge BLOB,
    state TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE trusted_devices (
    digest BLOB NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
, application_id TEXT);
CREATE UNIQUE INDEX accounts_by_email ON accounts (tenant_id, email);
CREATE UNIQUE INDEX accounts_by_phone_number ON accounts (tenant_id, phone_number);
CREATE UNIQUE INDEX accounts_by_username ON accounts (tenant_id, username_key);
CREATE INDEX audit_events_by_account ON audit_events (account_id, at);
CREATE INDEX audit_events_by_time ON audit_events (at);
CREATE INDEX backup_codes_by_account ON backup_codes (account_id);
CREATE INDEX budgets_by_expiry ON budgets (expires_at);
CREATE INDEX challenges_by_account ON challenges (account_id);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);
CREATE INDEX mailed_codes_by_account ON mailed_codes (account_id);
CREATE INDEX mailed_codes_by_expiry ON mailed_codes (expires_at);
CREATE UNIQUE INDEX methods_by_account ON methods (account_id, handle);
CREATE INDEX refresh_tokens_by_account ON refresh_tokens (account_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE UNIQUE INDEX registrations_by_account ON registrations (account_id, application_id);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX tickets_by_account ON tickets (account_id);
CREATE INDEX tickets_by_expiry ON tickets (expires_at);
CREATE INDEX trusted_devices_by_account ON trusted_devices (account_id);
CREATE INDEX trusted_devices_by_expiry ON trusted_devices (expires_at);
INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000000001');
INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000000002');
