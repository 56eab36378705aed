CREATE TABLE gardens (
    id          uuid PRIMARY KEY,
    owner       text NOT NULL,
    name        text NOT NULL,
    location    text,
    area_m2     numeric(10, 2),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX gardens_by_owner ON gardens (owner, id);

CREATE TABLE plants (
    id                uuid PRIMARY KEY,
    garden_id         uuid NOT NULL REFERENCES gardens ON DELETE CASCADE,
    species           text NOT NULL,
    nickname          text,
    planted_on        date,
    water_every_days  integer,
    notes             text,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);
CREATE INDEX plants_by_garden ON plants (garden_id, id);
