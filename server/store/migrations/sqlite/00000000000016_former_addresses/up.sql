-- Addresses that accounts had before, for as long as a mailed link gives them back. Meanwhile no other account may take them.
CREATE TABLE former_addresses (
    digest BLOB NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX former_addresses_by_account ON former_addresses (account_id);
CREATE INDEX former_addresses_by_address ON former_addresses (address);
CREATE INDEX former_addresses_by_expiry ON former_addresses (expires_at);
