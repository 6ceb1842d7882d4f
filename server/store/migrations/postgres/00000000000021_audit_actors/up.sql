-- Who caused an event: `user`, `service` (with its API key), `operator` (with a name) or `server`. Rows of the version before have
-- neither; they are a service's if they have an API key, and a user's else.
ALTER TABLE audit_events ADD COLUMN actor TEXT;
ALTER TABLE audit_events ADD COLUMN operator TEXT;

-- Lists the events of a kind in the order of time.
CREATE INDEX audit_events_by_kind ON audit_events (kind, at);
