using System.Collections.Immutable;
using Dapper;
using GardenApp.Database;
using GardenApp.Paging;

namespace GardenApp.Insights;

/// <summary>Insights in PostgreSQL.</summary>
internal sealed class InsightStore
{
    private const string Columns = """
        id AS "Id", garden_id AS "GardenId", insight_type AS "InsightType", severity AS "Severity", message AS "Message",
        model_provider AS "ModelProvider", created_at AS "CreatedAt"
        """;

    private readonly GardenDatabase _database;
    private readonly TimeProvider _time;

    public InsightStore(GardenDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    internal async Task<ImmutableArray<Insight>> AddAsync(Guid gardenId, string provider, ImmutableArray<Finding> findings, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        await using var connection = await _database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<Insight>(new CommandDefinition(
            $"""
            INSERT INTO insights (id, garden_id, insight_type, severity, message, model_provider, created_at)
            SELECT f.id, @gardenId, f.type, f.severity, f.message, @provider, @now FROM unnest(@ids, @types, @severities, @messages) AS f (id, type, severity, message)
            RETURNING {Columns}
            """,
            new
            {
                gardenId,
                provider,
                now,
                ids = findings.Select(_ => Guid.CreateVersion7(now)).ToArray(),
                types = findings.Select(finding => finding.InsightType).ToArray(),
                severities = findings.Select(finding => finding.Severity).ToArray(),
                messages = findings.Select(finding => finding.Message).ToArray(),
            },
            cancellationToken: cancellationToken))];
    }

    /// <summary>Newest first.</summary>
    internal async Task<Page<Insight>> ListAsync(Guid gardenId, PageRequest page, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        var parameters = new { gardenId, page.Offset, page.Limit };
        var items = await connection.QueryAsync<Insight>(new CommandDefinition(
            $"SELECT {Columns} FROM insights WHERE garden_id = @gardenId ORDER BY created_at DESC, id OFFSET @Offset LIMIT @Limit", parameters, cancellationToken: cancellationToken));
        var total = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            "SELECT count(*) FROM insights WHERE garden_id = @gardenId", parameters, cancellationToken: cancellationToken));
        return new Page<Insight>([.. items], total, page.Offset, page.Limit);
    }
}
