-- The versions of a name are counted here, so that a number is never given twice, not even after the secret was removed.
CREATE TABLE secret_names (
    stack TEXT    NOT NULL,
    name  TEXT    NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (stack, name)
) STRICT, WITHOUT ROWID;

-- sealed: nonce (12 bytes), ciphertext, tag (16 bytes) of AES-256-GCM.
CREATE TABLE secrets (
    stack      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at TEXT    NOT NULL,
    removed    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (stack, name, version)
) STRICT;
