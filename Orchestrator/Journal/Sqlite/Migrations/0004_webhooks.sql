-- How a stack makes images of what happened in its repository. The secret stands among the secrets.
CREATE TABLE webhooks (
    stack  TEXT PRIMARY KEY,
    branch TEXT,
    images TEXT NOT NULL
) STRICT, WITHOUT ROWID;
