-- The account that a quota belongs to, and what it counts, so that an administrator can see and lift it. Rows of the version
-- before have neither and expire within days.
ALTER TABLE budgets ADD COLUMN account_id TEXT;
ALTER TABLE budgets ADD COLUMN counts TEXT;
CREATE INDEX budgets_by_account ON budgets (account_id) WHERE account_id IS NOT NULL;
