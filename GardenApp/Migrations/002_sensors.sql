-- The key is what a device says, so that a batch that is sent twice is stored once.
CREATE TABLE sensor_readings (
    device_id    text NOT NULL,
    sensor_type  text NOT NULL,
    recorded_at  timestamptz NOT NULL,
    value        double precision NOT NULL,
    unit         text,
    garden_id    uuid REFERENCES gardens ON DELETE CASCADE,
    PRIMARY KEY (device_id, sensor_type, recorded_at)
);
CREATE INDEX sensor_readings_by_garden ON sensor_readings (garden_id, sensor_type, recorded_at DESC) WHERE garden_id IS NOT NULL;
