-- Sets of backups. The number counts up within a stack and is never given twice.
CREATE TABLE backup_sets (
    stack      TEXT    NOT NULL,
    sequence   INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    started_at TEXT    NOT NULL,
    ended_at   TEXT,
    problem    TEXT,
    hint       TEXT,
    manifest   TEXT,
    zones      TEXT    NOT NULL DEFAULT '{}',
    proved_at  TEXT,
    PRIMARY KEY (stack, sequence)
) STRICT;

CREATE UNIQUE INDEX backup_sets_by_id ON backup_sets (stack, id);

-- Up to where each schedule has been carried out: this is what makes a run that was missed while the daemon was away due at its start.
CREATE TABLE backup_schedules (
    stack TEXT NOT NULL,
    kind  TEXT NOT NULL,
    cron  TEXT NOT NULL,
    zone  TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (stack, kind)
) STRICT, WITHOUT ROWID;

-- What became of each due run: success, failure, skipped, or running.
CREATE TABLE backup_outcomes (
    stack    TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    due_at   TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    detail   TEXT,
    at       TEXT    NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (stack, kind, due_at)
) STRICT, WITHOUT ROWID;

-- Records of drills: never changed, never taken away; each hash covers the one before it.
CREATE TABLE drills (
    number  INTEGER PRIMARY KEY,
    stack   TEXT    NOT NULL,
    set_id  TEXT    NOT NULL,
    at      TEXT    NOT NULL,
    passed  INTEGER NOT NULL,
    content TEXT    NOT NULL,
    hash    BLOB    NOT NULL
) STRICT;

CREATE INDEX drills_by_stack ON drills (stack, number);

CREATE TRIGGER drills_are_not_changed BEFORE UPDATE ON drills BEGIN SELECT RAISE(ABORT, 'records of drills are append-only'); END;
CREATE TRIGGER drills_are_not_taken_away BEFORE DELETE ON drills BEGIN SELECT RAISE(ABORT, 'records of drills are append-only'); END;

-- What was made to be thrown away: written before it is made, removed after it is gone.
CREATE TABLE shadows (
    name     TEXT PRIMARY KEY,
    stack    TEXT NOT NULL,
    begun_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE restores (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    stack      TEXT NOT NULL,
    state      TEXT NOT NULL,
    content    TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX restores_by_stack ON restores (stack, id);
