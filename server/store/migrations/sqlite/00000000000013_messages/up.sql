-- Messages to users, stored with what they are about and delivered after it. Recipient and text are sealed. While a message waits,
-- next_attempt_at says from when on a node may take it; a node that takes it moves that to the end of its lease. There is
-- none when the message has ended: sent, dead, or superseded by a newer one with the same topic.
CREATE TABLE messages (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    topic BLOB,
    key_id TEXT NOT NULL,
    sealed BLOB NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT,
    lease_owner TEXT,
    created_at BIGINT NOT NULL,
    dead_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX messages_by_account ON messages (account_id);
CREATE INDEX messages_by_topic ON messages (topic) WHERE topic IS NOT NULL;
CREATE INDEX messages_by_attempt ON messages (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX messages_by_death ON messages (dead_at);
