-- People who are known by more than an e-mail address, and second factors of more kinds. Nodes of the version before
-- this one have to be stopped first.

ALTER TABLE accounts DROP CONSTRAINT accounts_email_key;
ALTER TABLE accounts ALTER COLUMN email DROP NOT NULL;
ALTER TABLE accounts ADD COLUMN tenant_id TEXT NOT NULL DEFAULT 'c0de0000000040008000000000000001';
ALTER TABLE accounts ALTER COLUMN tenant_id DROP DEFAULT;
ALTER TABLE accounts ADD COLUMN username TEXT;
ALTER TABLE accounts ADD COLUMN username_key TEXT;
ALTER TABLE accounts ADD COLUMN phone_number TEXT;
ALTER TABLE accounts ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
ALTER TABLE accounts ALTER COLUMN profile DROP DEFAULT;
ALTER TABLE accounts ADD COLUMN password_changed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ALTER COLUMN password_changed_at DROP DEFAULT;
UPDATE accounts SET password_changed_at = created_at;
ALTER TABLE accounts ADD COLUMN password_change_required BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ALTER COLUMN password_change_required DROP DEFAULT;
ALTER TABLE accounts ADD COLUMN is_active BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE accounts ALTER COLUMN is_active DROP DEFAULT;
ALTER TABLE accounts ADD COLUMN expires_at BIGINT;
CREATE UNIQUE INDEX accounts_by_email ON accounts (tenant_id, email);
CREATE UNIQUE INDEX accounts_by_username ON accounts (tenant_id, username_key);
CREATE UNIQUE INDEX accounts_by_phone_number ON accounts (tenant_id, phone_number);

-- A person's second factors, but for the backup codes. `handle` is what the FusionAuth dialect calls the method's id.
CREATE TABLE methods (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    handle TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    address TEXT,
    key_id TEXT,
    sealed_secret BYTEA,
    last_step BIGINT,
    confirmed_at BIGINT,
    last_used_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX methods_by_account ON methods (account_id, handle);

INSERT INTO methods (id, account_id, handle, kind, key_id, sealed_secret, last_step, confirmed_at, created_at)
SELECT id, account_id, CASE WHEN confirmed_at IS NULL THEN 'NEXT' ELSE 'TOTP' END, 'authenticator', key_id,
    sealed_secret, last_step, confirmed_at, created_at
FROM authenticators;
-- Until now everybody with a second factor could answer with a mailed code.
INSERT INTO methods (id, account_id, handle, kind, address, confirmed_at, created_at)
SELECT replace(gen_random_uuid()::text, '-', ''), id, 'MAIL', 'email', email, updated_at, updated_at
FROM accounts WHERE two_factor_enabled;
DROP TABLE authenticators;

ALTER TABLE challenges ADD COLUMN application_id TEXT;
ALTER TABLE challenges ADD COLUMN state TEXT;
ALTER TABLE challenges ADD COLUMN trust_challenge BYTEA;

ALTER TABLE mailed_codes ADD COLUMN method_id TEXT;

ALTER TABLE trusted_devices ADD COLUMN application_id TEXT;

-- Where a person is known, beside having an account.
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
CREATE UNIQUE INDEX registrations_by_account ON registrations (account_id, application_id);

-- A refresh token is used once; those that follow from one sign-in are a family. The used ones stay until the family
-- ends, so that a stolen one is noticed.
CREATE TABLE refresh_tokens (
    digest BYTEA NOT NULL PRIMARY KEY,
    family_id TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    application_id TEXT NOT NULL,
    second_factor_at BIGINT,
    signed_in_at BIGINT NOT NULL,
    used_at BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_account ON refresh_tokens (account_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- Leave to do one thing once: change a password, sign in with a password just changed.
CREATE TABLE tickets (
    digest BYTEA NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    trust_challenge BYTEA,
    state TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX tickets_by_account ON tickets (account_id);
CREATE INDEX tickets_by_expiry ON tickets (expires_at);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    name TEXT NOT NULL,
    tenant_id TEXT,
    permissions TEXT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

ALTER TABLE audit_events ADD COLUMN api_key_id TEXT;
