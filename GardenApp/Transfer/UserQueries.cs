namespace GardenApp.Transfer;

/// <summary>One user's rows, always in the same order, so that the same data gives the same file.</summary>
internal static class UserQueries
{
    internal const string Gardens = """
        SELECT id AS "Id", owner AS "Owner", name AS "Name", location AS "Location", area_m2 AS "AreaSquareMetres",
               created_at AS "CreatedAt", updated_at AS "UpdatedAt"
        FROM gardens WHERE owner = @user ORDER BY id
        """;

    internal const string Plants = """
        SELECT p.id AS "Id", p.garden_id AS "GardenId", p.species AS "Species", p.nickname AS "Nickname", p.planted_on AS "PlantedOn",
               p.water_every_days AS "WaterEveryDays", p.notes AS "Notes", p.created_at AS "CreatedAt", p.updated_at AS "UpdatedAt"
        FROM plants p JOIN gardens g ON g.id = p.garden_id WHERE g.owner = @user ORDER BY p.id
        """;

    internal const string Readings = """
        SELECT r.device_id AS "DeviceId", r.sensor_type AS "SensorType", r.value AS "Value", r.unit AS "Unit", r.recorded_at AS "RecordedAt",
               r.garden_id AS "GardenId"
        FROM sensor_readings r JOIN gardens g ON g.id = r.garden_id WHERE g.owner = @user
        ORDER BY r.device_id COLLATE "C", r.sensor_type COLLATE "C", r.recorded_at
        """;

    internal const string Insights = """
        SELECT i.id AS "Id", i.garden_id AS "GardenId", i.insight_type AS "InsightType", i.severity AS "Severity", i.message AS "Message",
               i.model_provider AS "ModelProvider", i.created_at AS "CreatedAt"
        FROM insights i JOIN gardens g ON g.id = i.garden_id WHERE g.owner = @user ORDER BY i.id
        """;

    internal const string Uploads = """
        SELECT id AS "Id", owner AS "Owner", garden_id AS "GardenId", file_name AS "FileName", content_type AS "ContentType", size AS "Size",
               sha256 AS "Sha256", created_at AS "CreatedAt"
        FROM uploads WHERE owner = @user ORDER BY id
        """;

    internal const string AddGarden = """
        INSERT INTO gardens (id, owner, name, location, area_m2, created_at, updated_at)
        VALUES (@Id, @Owner, @Name, @Location, @AreaSquareMetres, @CreatedAt, @UpdatedAt)
        """;

    internal const string AddPlant = """
        INSERT INTO plants (id, garden_id, species, nickname, planted_on, water_every_days, notes, created_at, updated_at)
        VALUES (@Id, @GardenId, @Species, @Nickname, @PlantedOn, @WaterEveryDays, @Notes, @CreatedAt, @UpdatedAt)
        """;

    internal const string AddReading = """
        INSERT INTO sensor_readings (device_id, sensor_type, recorded_at, value, unit, garden_id)
        VALUES (@DeviceId, @SensorType, @RecordedAt, @Value, @Unit, @GardenId)
        """;

    internal const string AddInsight = """
        INSERT INTO insights (id, garden_id, insight_type, severity, message, model_provider, created_at)
        VALUES (@Id, @GardenId, @InsightType, @Severity, @Message, @ModelProvider, @CreatedAt)
        """;

    internal const string AddUpload = """
        INSERT INTO uploads (id, owner, garden_id, file_name, content_type, size, sha256, created_at)
        VALUES (@Id, @Owner, @GardenId, @FileName, @ContentType, @Size, @Sha256, @CreatedAt)
        """;
}
