-- Public keys that users sign in with, or pass as a second factor. `handle` is what the FusionAuth dialect calls a method's id; it is
-- unique among the methods of the account, too.
CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    handle TEXT NOT NULL,
    credential_id BLOB NOT NULL,
    relying_party TEXT NOT NULL,
    public_key BLOB NOT NULL,
    counter BIGINT NOT NULL,
    name TEXT,
    transports TEXT NOT NULL,
    aaguid BLOB NOT NULL,
    user_verified BOOLEAN NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backed_up BOOLEAN NOT NULL,
    attestation TEXT NOT NULL,
    attestation_object BLOB,
    last_used_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX passkeys_by_credential ON passkeys (credential_id);
CREATE UNIQUE INDEX passkeys_by_account ON passkeys (account_id, handle);

-- Registrations and assertions that a client was asked for and has not sent yet. A row is deleted by the first response to it.
-- `digest` is that of what finds it, `challenge` that of what has to be signed. `sign_in` is the digest of the challenge of a sign-in
-- that waits for its second factor. Versions are those of the account when it began.
CREATE TABLE passkey_ceremonies (
    digest BLOB NOT NULL PRIMARY KEY,
    challenge BLOB NOT NULL,
    purpose TEXT NOT NULL,
    relying_party TEXT NOT NULL,
    account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    sign_in BLOB,
    session_id TEXT,
    demands_verification BOOLEAN NOT NULL,
    credentials_version BIGINT NOT NULL,
    factors_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX passkey_ceremonies_by_expiry ON passkey_ceremonies (expires_at);
CREATE INDEX passkey_ceremonies_by_account ON passkey_ceremonies (account_id);
