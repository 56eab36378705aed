-- Not among the columns that a running deployment writes: the word of the one who cancels must not be overwritten by the one who is cancelled.
ALTER TABLE deployments ADD COLUMN cancel_requested INTEGER NOT NULL DEFAULT 0;
