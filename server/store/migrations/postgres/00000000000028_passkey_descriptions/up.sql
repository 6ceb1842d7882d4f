-- What is shown of a passkey besides its label, and whether its authenticator lists it: NULL where nobody has said.
ALTER TABLE passkeys ADD COLUMN user_name TEXT;
ALTER TABLE passkeys ADD COLUMN user_agent TEXT;
ALTER TABLE passkeys ADD COLUMN discoverable BOOLEAN;

-- What the request that began a ceremony asked for, for the one that completes it: of a registration the label and what is shown; of a
-- sign-in the application, the one passkey that is taken, and the caller's own state, which is JSON.
ALTER TABLE passkey_ceremonies ADD COLUMN name TEXT;
ALTER TABLE passkey_ceremonies ADD COLUMN user_name TEXT;
ALTER TABLE passkey_ceremonies ADD COLUMN user_agent TEXT;
ALTER TABLE passkey_ceremonies ADD COLUMN application_id TEXT;
ALTER TABLE passkey_ceremonies ADD COLUMN passkey_id TEXT;
ALTER TABLE passkey_ceremonies ADD COLUMN state TEXT;
