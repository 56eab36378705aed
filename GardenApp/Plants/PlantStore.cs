using Dapper;
using GardenApp.Database;
using GardenApp.Paging;

namespace GardenApp.Plants;

/// <summary>Plants in PostgreSQL. Every statement names the garden too: a plant is only found where it grows.</summary>
internal sealed class PlantStore
{
    private const string Columns = """
        id AS "Id", garden_id AS "GardenId", species AS "Species", nickname AS "Nickname", planted_on AS "PlantedOn",
        water_every_days AS "WaterEveryDays", notes AS "Notes", created_at AS "CreatedAt", updated_at AS "UpdatedAt"
        """;

    private readonly GardenDatabase _database;
    private readonly TimeProvider _time;

    public PlantStore(GardenDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    internal async Task<Page<Plant>> ListAsync(Guid gardenId, PageRequest page, CancellationToken cancellationToken)
    {
        if (!_database.IsConfigured) return new Page<Plant>([], 0, page.Offset, page.Limit);
        await using var connection = await _database.OpenAsync(cancellationToken);
        var parameters = new { gardenId, page.Offset, page.Limit };
        var items = await connection.QueryAsync<Plant>(new CommandDefinition(
            $"SELECT {Columns} FROM plants WHERE garden_id = @gardenId ORDER BY id OFFSET @Offset LIMIT @Limit", parameters, cancellationToken: cancellationToken));
        var total = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            "SELECT count(*) FROM plants WHERE garden_id = @gardenId", parameters, cancellationToken: cancellationToken));
        return new Page<Plant>([.. items], total, page.Offset, page.Limit);
    }

    internal async Task<Plant?> FindAsync(Guid gardenId, Guid id, CancellationToken cancellationToken)
    {
        if (!_database.IsConfigured) return null;
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<Plant>(new CommandDefinition(
            $"SELECT {Columns} FROM plants WHERE garden_id = @gardenId AND id = @id", new { gardenId, id }, cancellationToken: cancellationToken));
    }

    internal async Task<Plant> CreateAsync(Guid gardenId, PlantRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.QuerySingleAsync<Plant>(new CommandDefinition(
            $"""
            INSERT INTO plants (id, garden_id, species, nickname, planted_on, water_every_days, notes, created_at, updated_at)
            VALUES (@id, @gardenId, @Species, @Nickname, @PlantedOn, @WaterEveryDays, @Notes, @now, @now) RETURNING {Columns}
            """,
            Parameters(gardenId, Guid.CreateVersion7(_time.GetUtcNow()), request), cancellationToken: cancellationToken));
    }

    internal async Task<Plant?> ReplaceAsync(Guid gardenId, Guid id, PlantRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<Plant>(new CommandDefinition(
            $"""
            UPDATE plants SET species = @Species, nickname = @Nickname, planted_on = @PlantedOn, water_every_days = @WaterEveryDays, notes = @Notes,
                              updated_at = @now
            WHERE garden_id = @gardenId AND id = @id RETURNING {Columns}
            """,
            Parameters(gardenId, id, request), cancellationToken: cancellationToken));
    }

    internal async Task<bool> DeleteAsync(Guid gardenId, Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition(
            "DELETE FROM plants WHERE garden_id = @gardenId AND id = @id", new { gardenId, id }, cancellationToken: cancellationToken)) > 0;
    }

    private object Parameters(Guid gardenId, Guid id, PlantRequest request) =>
        new { id, gardenId, request.Species, request.Nickname, request.PlantedOn, request.WaterEveryDays, request.Notes, now = _time.GetUtcNow() };
}
