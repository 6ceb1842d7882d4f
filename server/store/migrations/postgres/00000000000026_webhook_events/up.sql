-- Events that wait to be sent to receivers of webhooks, stored in the transaction of the audit event. From next_attempt_at on a node
-- may take a row; a node that takes it moves that to the end of its lease. A row is deleted when it was delivered, or given up.
-- There is no reference to accounts: that one was deleted is an event, too.
CREATE TABLE webhook_events (
    event_id TEXT NOT NULL,
    receiver TEXT NOT NULL,
    event_type TEXT NOT NULL,
    account_id TEXT NOT NULL,
    body TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    lease_owner TEXT,
    created_at BIGINT NOT NULL,
    dead_at BIGINT NOT NULL,
    PRIMARY KEY (event_id, receiver)
);
CREATE INDEX webhook_events_by_attempt ON webhook_events (receiver, next_attempt_at);
CREATE INDEX webhook_events_by_account ON webhook_events (account_id);
CREATE INDEX webhook_events_by_death ON webhook_events (dead_at);
