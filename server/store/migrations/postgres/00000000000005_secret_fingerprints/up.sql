-- A TOTP secret is known again by a keyed fingerprint, once for each account. Rows of versions without it have none until
-- they are used.
ALTER TABLE methods ADD COLUMN secret_fingerprint BYTEA;
CREATE UNIQUE INDEX methods_by_fingerprint ON methods (account_id, secret_fingerprint);

-- The newest accepted step of secrets whose methods were removed, for as long as its code could be presented again.
CREATE TABLE spent_steps (
    secret_fingerprint BYTEA NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    last_step BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX spent_steps_by_account ON spent_steps (account_id);
CREATE INDEX spent_steps_by_expiry ON spent_steps (expires_at);

-- A known value for each key that was the active one of a keyring: a node has to open the newest.
CREATE TABLE keyring_canaries (
    number BIGINT NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    secrets_bound_from BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX keyring_canaries_by_key ON keyring_canaries (key_id);
