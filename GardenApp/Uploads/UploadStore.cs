using Dapper;
using GardenApp.Database;
using GardenApp.Paging;

namespace GardenApp.Uploads;

/// <summary>What is known about each upload, in PostgreSQL.</summary>
internal sealed class UploadStore
{
    private const string Columns = """
        id AS "Id", owner AS "Owner", garden_id AS "GardenId", file_name AS "FileName", content_type AS "ContentType", size AS "Size",
        sha256 AS "Sha256", created_at AS "CreatedAt"
        """;

    private readonly GardenDatabase _database;

    public UploadStore(GardenDatabase database) => _database = database;

    internal async Task AddAsync(Upload upload, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO uploads (id, owner, garden_id, file_name, content_type, size, sha256, created_at)
            VALUES (@Id, @Owner, @GardenId, @FileName, @ContentType, @Size, @Sha256, @CreatedAt)
            """, upload, cancellationToken: cancellationToken));
    }

    internal async Task<Page<Upload>> ListAsync(string owner, PageRequest page, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        var parameters = new { owner, page.Offset, page.Limit };
        var items = await connection.QueryAsync<Upload>(new CommandDefinition(
            $"SELECT {Columns} FROM uploads WHERE owner = @owner ORDER BY id OFFSET @Offset LIMIT @Limit", parameters, cancellationToken: cancellationToken));
        var total = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            "SELECT count(*) FROM uploads WHERE owner = @owner", parameters, cancellationToken: cancellationToken));
        return new Page<Upload>([.. items], total, page.Offset, page.Limit);
    }

    internal async Task<Upload?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<Upload>(new CommandDefinition(
            $"SELECT {Columns} FROM uploads WHERE id = @id", new { id }, cancellationToken: cancellationToken));
    }

    internal async Task<bool> DeleteAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition("DELETE FROM uploads WHERE id = @id", new { id }, cancellationToken: cancellationToken)) > 0;
    }
}
