-- The client network of the password step, as keyed digests: by which quotas count its requests, and by which the account knows
-- it once the sign-in is completed. Challenges of the version before, and those of services that name no network, have none.
ALTER TABLE challenges ADD COLUMN client_network BLOB;
ALTER TABLE challenges ADD COLUMN known_network BLOB;
