-- Time at which the long-term count of guesses at the second factor has decayed; null before the first one.
ALTER TABLE accounts ADD COLUMN guesses_decay_at BIGINT;
-- Raised when an administrator lifts the limits of the account; the names of its password quotas contain it.
ALTER TABLE accounts ADD COLUMN limits_epoch BIGINT NOT NULL DEFAULT 0;

-- Networks from which an account has completed a sign-in. The digest is a keyed MAC of account and network.
CREATE TABLE known_networks (
    digest BYTEA NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX known_networks_by_account ON known_networks (account_id);
CREATE INDEX known_networks_by_expiry ON known_networks (expires_at);
