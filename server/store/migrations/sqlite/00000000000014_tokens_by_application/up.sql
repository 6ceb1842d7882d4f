-- Finds the holders of refresh tokens of an application, whose tokens a service may revoke at once.
CREATE INDEX refresh_tokens_by_application ON refresh_tokens (application_id, account_id);
