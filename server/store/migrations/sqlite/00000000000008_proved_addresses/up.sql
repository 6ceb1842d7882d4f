-- When a code that was sent to a method's address was presented. Rows that the version before writes have no such time, so
-- their addresses count as not proved.
ALTER TABLE methods ADD COLUMN proved_at BIGINT;

-- A code was presented if the method was used, or if one added it.
UPDATE methods SET proved_at = coalesce(last_used_at, created_at)
WHERE kind <> 'authenticator' AND (
    last_used_at IS NOT NULL
    OR EXISTS (
        SELECT 1 FROM audit_events
        WHERE audit_events.account_id = methods.account_id AND audit_events.at = methods.created_at
            AND audit_events.factor = 'mailed-code' AND audit_events.kind IN ('method-added', 'two-factor-enabled')
    )
);
