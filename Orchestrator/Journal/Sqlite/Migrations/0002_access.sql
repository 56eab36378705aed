CREATE TABLE tokens (
    hash       BLOB PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    scope      TEXT NOT NULL,
    stack      TEXT,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    last_used  TEXT
) STRICT, WITHOUT ROWID;

-- Rows are never changed or taken away; each hash covers the one before it.
CREATE TABLE audit (
    number  INTEGER PRIMARY KEY,
    at      TEXT NOT NULL,
    who     TEXT NOT NULL,
    what    TEXT NOT NULL,
    stack   TEXT,
    outcome TEXT NOT NULL,
    hash    BLOB NOT NULL
) STRICT;

CREATE INDEX audit_by_stack ON audit (stack, number);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE deliveries (
    stack TEXT NOT NULL,
    id    TEXT NOT NULL,
    at    TEXT NOT NULL,
    PRIMARY KEY (stack, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_by_age ON deliveries (at);
