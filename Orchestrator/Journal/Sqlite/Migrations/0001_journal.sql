-- Times are UTC, ISO 8601 with seven digits of the second: they sort as text.

CREATE TABLE deployments (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    stack           TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    request         TEXT    NOT NULL,
    created_at      TEXT    NOT NULL,
    started_at      TEXT,
    ended_at        TEXT,
    release         INTEGER,
    before          TEXT,
    plan            TEXT,
    failure         TEXT,
    requests_total  INTEGER NOT NULL DEFAULT 0,
    requests_failed INTEGER NOT NULL DEFAULT 0,
    suspended       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX deployments_by_stack ON deployments (stack, id);
CREATE INDEX deployments_unfinished ON deployments (stack, id) WHERE state IN ('queued', 'running');

CREATE TABLE steps (
    deployment INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    started_at TEXT    NOT NULL,
    ended_at   TEXT,
    detail     TEXT,
    PRIMARY KEY (deployment, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    stack      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    deployment INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    created_at TEXT    NOT NULL,
    PRIMARY KEY (stack, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- A number is never given twice, not even after its release was removed.
CREATE TABLE release_numbers (
    stack TEXT    PRIMARY KEY,
    last  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
    stack     TEXT    NOT NULL,
    number    INTEGER NOT NULL,
    committed INTEGER NOT NULL DEFAULT 0,
    manifest  TEXT    NOT NULL,
    checksum  BLOB    NOT NULL,
    PRIMARY KEY (stack, number)
) STRICT;

-- The current generation and the one before it.
CREATE TABLE stack_states (
    stack      TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    content    TEXT    NOT NULL,
    checksum   BLOB    NOT NULL,
    saved_at   TEXT    NOT NULL,
    PRIMARY KEY (stack, generation)
) STRICT;
