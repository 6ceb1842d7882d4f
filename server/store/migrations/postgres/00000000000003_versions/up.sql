-- Grants carry the versions of their account's credentials and second factors, as of when they were opened, and are dead once
-- those are raised. Counting begins anew with this migration, so that the rows of a node of the version before, which
-- leaves the new columns out, are as of now: they are good until the first event that raises the account's version. After
-- such an event they are dead from the start on nodes of this version, because a default cannot be the version of the moment: the
-- account signs in again. They never live longer than other rows.

UPDATE accounts SET credentials_version = 0;
ALTER TABLE accounts ADD COLUMN factors_version BIGINT NOT NULL DEFAULT 0;

ALTER TABLE sessions ADD COLUMN credentials_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN factors_version BIGINT NOT NULL DEFAULT 0;
-- Time of the sign-in that it goes back to; NULL for that of the row itself.
ALTER TABLE sessions ADD COLUMN signed_in_at BIGINT;

ALTER TABLE refresh_tokens ADD COLUMN credentials_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE refresh_tokens ADD COLUMN factors_version BIGINT NOT NULL DEFAULT 0;

ALTER TABLE trusted_devices ADD COLUMN credentials_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trusted_devices ADD COLUMN factors_version BIGINT NOT NULL DEFAULT 0;
-- Time at which a second factor was passed for it; NULL for that of the row itself.
ALTER TABLE trusted_devices ADD COLUMN given_at BIGINT;

ALTER TABLE challenges ADD COLUMN credentials_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE challenges ADD COLUMN factors_version BIGINT NOT NULL DEFAULT 0;

ALTER TABLE tickets ADD COLUMN credentials_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN factors_version BIGINT NOT NULL DEFAULT 0;
