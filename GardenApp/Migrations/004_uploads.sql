-- The bytes are files on the volume, named by id; the name that the user gave lives only here.
CREATE TABLE uploads (
    id            uuid PRIMARY KEY,
    owner         text NOT NULL,
    garden_id     uuid REFERENCES gardens ON DELETE SET NULL,
    file_name     text NOT NULL,
    content_type  text NOT NULL,
    size          bigint NOT NULL,
    sha256        text NOT NULL,
    created_at    timestamptz NOT NULL
);
CREATE INDEX uploads_by_owner ON uploads (owner, id);
