ALTER TABLE accounts DROP COLUMN wrong_guess;
