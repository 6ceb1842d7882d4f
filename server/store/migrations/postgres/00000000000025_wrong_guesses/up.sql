-- The last second factor that was wrong, as a keyed MAC with what it was compared with: presented again, it counts once.
ALTER TABLE accounts ADD COLUMN wrong_guess BYTEA;
