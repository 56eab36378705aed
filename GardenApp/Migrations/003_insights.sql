CREATE TABLE insights (
    id              uuid PRIMARY KEY,
    garden_id       uuid NOT NULL REFERENCES gardens ON DELETE CASCADE,
    insight_type    text NOT NULL,
    severity        text NOT NULL,
    message         text NOT NULL,
    model_provider  text NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE INDEX insights_by_garden ON insights (garden_id, created_at DESC);
