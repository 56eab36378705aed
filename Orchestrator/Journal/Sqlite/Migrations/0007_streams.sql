-- Holes in continuous streams, and new bases that are needed, until a set has been made that answers them. What a restart must not forget.
CREATE TABLE stream_needs (
    stack   TEXT    NOT NULL,
    service TEXT    NOT NULL,
    at      TEXT    NOT NULL,
    why     TEXT    NOT NULL,
    hole    INTEGER NOT NULL,
    met_by  TEXT,
    PRIMARY KEY (stack, service, at)
) STRICT, WITHOUT ROWID;
