-- Locks that a service sets until some time, on whose behalf, and why.
ALTER TABLE accounts ADD COLUMN suspended_until BIGINT;
ALTER TABLE accounts ADD COLUMN suspended_at BIGINT;
ALTER TABLE accounts ADD COLUMN suspended_by TEXT;
ALTER TABLE accounts ADD COLUMN suspension_comment TEXT;

-- Lists the users of a tenant in the order of their ids.
CREATE INDEX accounts_by_tenant ON accounts (tenant_id, id);
