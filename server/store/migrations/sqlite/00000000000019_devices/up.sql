-- What a user knows a trusted device, a session or the device of a refresh token by. A trust keeps its id and its name when its
-- digest is replaced. Rows that the version before writes have none of this: the id of such a trust follows from its digest, and it
-- was used last when it was made.
ALTER TABLE trusted_devices ADD COLUMN id TEXT;
ALTER TABLE trusted_devices ADD COLUMN name TEXT;
ALTER TABLE trusted_devices ADD COLUMN user_agent TEXT;
ALTER TABLE trusted_devices ADD COLUMN ip_address TEXT;
ALTER TABLE trusted_devices ADD COLUMN last_used_at BIGINT;
UPDATE trusted_devices SET last_used_at = created_at;

ALTER TABLE sessions ADD COLUMN last_used_at BIGINT;

-- JSON: `name`, `description` and `type`, as the client that logged in describes it.
ALTER TABLE refresh_tokens ADD COLUMN device TEXT;
ALTER TABLE refresh_tokens ADD COLUMN ip_address TEXT;
