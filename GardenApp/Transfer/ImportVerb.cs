using GardenApp.Database;
using GardenApp.Hosting;
using GardenApp.Telemetry;
using GardenApp.Uploads;
using Npgsql;

namespace GardenApp.Transfer;

/// <summary><c>GardenApp import</c>: exit 0 when everything is in, 1 when nothing is.</summary>
internal static class ImportVerb
{
    internal static async Task<int> RunAsync(GardenSettings settings, ImportArguments arguments, CancellationToken cancellationToken)
    {
        await using var database = new GardenDatabase(settings, new GardenMetrics());
        try
        {
            // A zip is read from its end, so what comes through a pipe is held in memory first.
            await using var input = arguments.File == "-" ? Console.OpenStandardInput() : File.OpenRead(arguments.File);
            var (user, gardens, uploads) = await new Importer(database, new UploadFiles(settings)).ReadAsync(input, arguments.User, arguments.Replace, cancellationToken);
            await Console.Error.WriteLineAsync($"import: {user} has {gardens} gardens and {uploads} uploads now");
            return 0;
        }
        catch (Exception exception) when (exception is TransferException or NpgsqlException or DatabaseNotConfiguredException or IOException
                                              or UnauthorizedAccessException or InvalidDataException or System.Text.Json.JsonException)
        {
            await Console.Error.WriteLineAsync($"import: {GardenDatabase.Describe(exception)}");
            return 1;
        }
    }
}
