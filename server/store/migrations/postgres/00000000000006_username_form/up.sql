-- How far work has come that goes through a table once, by the last id that was looked at.
CREATE TABLE progress (
    name TEXT NOT NULL PRIMARY KEY,
    position TEXT NOT NULL
);
INSERT INTO progress (name, position) VALUES ('usernames', '');

-- Accounts whose user name has the form of another account's. They keep the form that they had.
CREATE TABLE username_conflicts (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    username_key TEXT NOT NULL
);
