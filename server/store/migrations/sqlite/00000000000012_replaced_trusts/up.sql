-- Digest of the value that a rotating trust took the place of, so that a second request with that value, sent at the same time,
-- is known as one of the same device. Rows that the version before writes have none: such a request is a stranger's there.
ALTER TABLE trusted_devices ADD COLUMN replaces BLOB;
