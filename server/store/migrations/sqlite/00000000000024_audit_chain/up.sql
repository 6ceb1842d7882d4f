-- The chain of the audit trail: see `domain/src/audit_chain.rs`. Events of the version before have no MAC. An event is in no block
-- until it is sealed, and has the number 0 if it was refused.
ALTER TABLE audit_events ADD COLUMN mac BLOB;
ALTER TABLE audit_events ADD COLUMN block BIGINT;

-- Finds what has yet to be sealed, and the events of a block, in the order of time.
CREATE INDEX audit_events_by_block ON audit_events (block, at);

CREATE TABLE audit_blocks (
    number BIGINT NOT NULL PRIMARY KEY,
    previous BLOB NOT NULL,
    events BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    unsigned_until BIGINT NOT NULL,
    hash BLOB NOT NULL,
    entries BLOB NOT NULL,
    is_checkpoint BOOLEAN NOT NULL,
    key_id TEXT NOT NULL,
    mac BLOB NOT NULL
);

-- Blocks by the key that authenticates them.
CREATE INDEX audit_blocks_by_key ON audit_blocks (key_id, number);
