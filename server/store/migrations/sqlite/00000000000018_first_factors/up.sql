-- What was proved before a challenge was opened: after a mailed link, a code by e-mail is no second factor. Challenges of the version
-- before are opened by passwords.
ALTER TABLE challenges ADD COLUMN first_factor TEXT NOT NULL DEFAULT 'password';
