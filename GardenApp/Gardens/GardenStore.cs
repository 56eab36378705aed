using Dapper;
using GardenApp.Database;
using GardenApp.Paging;

namespace GardenApp.Gardens;

/// <summary>Gardens in PostgreSQL.</summary>
internal sealed class GardenStore
{
    private const string Columns = """
        g.id AS "Id", g.owner AS "Owner", g.name AS "Name", g.location AS "Location", g.area_m2 AS "AreaSquareMetres",
        g.created_at AS "CreatedAt", g.updated_at AS "UpdatedAt", (SELECT count(*) FROM plants p WHERE p.garden_id = g.id) AS "PlantCount"
        """;

    private readonly GardenDatabase _database;
    private readonly TimeProvider _time;

    public GardenStore(GardenDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    internal async Task<Page<Garden>> ListAsync(string? owner, PageRequest page, CancellationToken cancellationToken)
    {
        if (!_database.IsConfigured) return SampleGarden.Page(owner, page);
        await using var connection = await _database.OpenAsync(cancellationToken);
        var parameters = new { owner, page.Offset, page.Limit };
        // Version 7 ids grow with time, so the order is the order of creation.
        var items = await connection.QueryAsync<Garden>(new CommandDefinition(
            $"SELECT {Columns} FROM gardens g WHERE (@owner::text IS NULL OR g.owner = @owner) ORDER BY g.id OFFSET @Offset LIMIT @Limit",
            parameters, cancellationToken: cancellationToken));
        var total = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            "SELECT count(*) FROM gardens WHERE (@owner::text IS NULL OR owner = @owner)", parameters, cancellationToken: cancellationToken));
        return new Page<Garden>([.. items], total, page.Offset, page.Limit);
    }

    internal async Task<Garden?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        if (!_database.IsConfigured) return id == SampleGarden.Only.Id ? SampleGarden.Only : null;
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<Garden>(new CommandDefinition(
            $"SELECT {Columns} FROM gardens g WHERE g.id = @id", new { id }, cancellationToken: cancellationToken));
    }

    internal async Task<Garden> CreateAsync(string owner, GardenRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.QuerySingleAsync<Garden>(new CommandDefinition(
            $"""
            WITH g AS (INSERT INTO gardens (id, owner, name, location, area_m2, created_at, updated_at)
                       VALUES (@Id, @owner, @Name, @Location, @AreaSquareMetres, @now, @now) RETURNING *)
            SELECT {Columns} FROM g
            """,
            new { Id = Guid.CreateVersion7(_time.GetUtcNow()), owner, request.Name, request.Location, request.AreaSquareMetres, now = _time.GetUtcNow() },
            cancellationToken: cancellationToken));
    }

    internal async Task<Garden?> ReplaceAsync(Guid id, GardenRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<Garden>(new CommandDefinition(
            $"""
            WITH g AS (UPDATE gardens SET name = @Name, location = @Location, area_m2 = @AreaSquareMetres, updated_at = @now WHERE id = @id RETURNING *)
            SELECT {Columns} FROM g
            """,
            new { id, request.Name, request.Location, request.AreaSquareMetres, now = _time.GetUtcNow() }, cancellationToken: cancellationToken));
    }

    internal async Task<bool> DeleteAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition("DELETE FROM gardens WHERE id = @id", new { id }, cancellationToken: cancellationToken)) > 0;
    }
}
