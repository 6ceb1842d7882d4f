-- The account's e-mail address when a link was mailed: the ticket is good as long as the account has it. Tickets that no mail
-- carries, and those of the version before, have none.
ALTER TABLE tickets ADD COLUMN address TEXT;
