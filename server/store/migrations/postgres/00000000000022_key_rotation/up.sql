-- What is known of each key that keyrings hold: when a node loaded it first, when it was the active one last, and since when no
-- row is sealed with it any more. Nodes of versions before write none of this.
CREATE TABLE keyring_keys (
    key_id TEXT NOT NULL PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    active_until BIGINT,
    resealed_at BIGINT
);

-- The keys that each node has loaded, as ids separated by spaces, and those of them that it signs and seals with.
CREATE TABLE keyring_nodes (
    id TEXT NOT NULL PRIMARY KEY,
    key_ids TEXT NOT NULL,
    active_ids TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- Rows by the key that they are sealed with; messages only while they wait.
CREATE INDEX methods_by_key ON methods (key_id, id) WHERE key_id IS NOT NULL;
CREATE INDEX messages_by_key ON messages (key_id, id) WHERE next_attempt_at IS NOT NULL;
