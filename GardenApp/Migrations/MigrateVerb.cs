using GardenApp.Database;
using GardenApp.Hosting;
using GardenApp.Telemetry;
using Npgsql;

namespace GardenApp.Migrations;

/// <summary><c>GardenApp migrate</c>: exit 0 when the schema is what this build needs, 1 when it could not be made so.</summary>
internal static class MigrateVerb
{
    internal static async Task<int> RunAsync(GardenSettings settings, TextWriter output, CancellationToken cancellationToken)
    {
        await using var database = new GardenDatabase(settings, new GardenMetrics());
        try
        {
            return await new Migrator(database, TimeProvider.System, output).RunAsync(settings.MigrateWait, cancellationToken) ? 0 : 1;
        }
        catch (Exception exception) when (exception is NpgsqlException or DatabaseNotConfiguredException)
        {
            await output.WriteLineAsync($"migrate: {GardenDatabase.Describe(exception)}");
            return 1;
        }
    }
}
