using Dapper;
using GardenApp.Database;
using GardenApp.Migrations;
using Npgsql;

namespace GardenApp.Health;

/// <summary>Reachable, and migrated as far as this build needs.</summary>
internal sealed class DatabaseCheck
{
    private const string Name = "database";

    private readonly GardenDatabase _database;

    public DatabaseCheck(GardenDatabase database) => _database = database;

    internal async Task<HealthCheckResult> RunAsync(CancellationToken cancellationToken)
    {
        if (!_database.IsConfigured) return HealthCheckResult.Healthy(Name, "not configured: one sample garden, nothing is kept");
        try
        {
            await using var connection = await _database.OpenAsync(cancellationToken);
            var numbers = Migration.All.Select(migration => migration.Number).ToArray();
            var applied = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
                "SELECT count(*) FROM schema_migrations WHERE number = ANY(@numbers)", new { numbers }, cancellationToken: cancellationToken));
            return applied == numbers.Length
                ? HealthCheckResult.Healthy(Name, $"PostgreSQL {connection.PostgreSqlVersion}, schema {Migration.All[^1].Name}")
                : HealthCheckResult.Unhealthy(Name, $"{numbers.Length - applied} migrations are missing: run 'GardenApp migrate'");
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return HealthCheckResult.Unhealthy(Name, "not migrated: run 'GardenApp migrate'");
        }
        catch (NpgsqlException exception)
        {
            return HealthCheckResult.Unhealthy(Name, GardenDatabase.Describe(exception));
        }
    }
}
