-- The form in which user names are compared, beside `username_key`, which is unique: several accounts may have names of one
-- form that versions before the form have told apart. They keep the keys that they had.
--
-- A row whose form is missing, or another one than its key, is to be looked at: a node of the version before has written it,
-- or another account has its form. The index has no other rows.
ALTER TABLE accounts ADD COLUMN username_form TEXT;
CREATE INDEX accounts_by_username_form ON accounts (tenant_id, username_form);
CREATE INDEX accounts_to_normalize ON accounts (id)
WHERE username_key IS NOT NULL AND (username_form IS NULL OR username_form <> username_key);

-- An ASCII key is its own form.
UPDATE accounts SET username_form = username_key WHERE length(CAST(username_key AS BLOB)) = length(username_key);
