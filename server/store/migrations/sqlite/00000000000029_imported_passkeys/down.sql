ALTER TABLE passkeys DROP COLUMN imported;
