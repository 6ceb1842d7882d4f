-- What joins an audit event with the lines of the log and with traces of other programs. Events of the version before, and those
-- of commands, have neither.
ALTER TABLE audit_events ADD COLUMN request_id TEXT;
ALTER TABLE audit_events ADD COLUMN trace_id TEXT;
