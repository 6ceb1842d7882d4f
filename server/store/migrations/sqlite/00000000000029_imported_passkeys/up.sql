-- Whether another server registered the passkey, so that its authenticator has another user handle than this one would have given.
ALTER TABLE passkeys ADD COLUMN imported BOOLEAN NOT NULL DEFAULT false;
