using GardenApp.Database;
using GardenApp.Hosting;
using GardenApp.Telemetry;
using GardenApp.Uploads;
using Npgsql;

namespace GardenApp.Transfer;

/// <summary><c>GardenApp export</c>: exit 0 when the file is complete. A failed export leaves no file.</summary>
internal static class ExportVerb
{
    internal static async Task<int> RunAsync(GardenSettings settings, ExportArguments arguments, CancellationToken cancellationToken)
    {
        await using var database = new GardenDatabase(settings, new GardenMetrics());
        var exporter = new Exporter(database, new UploadFiles(settings));
        var partial = $"{arguments.File}.part";
        try
        {
            (int Gardens, int Uploads) written;
            if (arguments.File == "-")
            {
                // A zip is written forwards and backwards; a pipe goes forwards only.
                await using var output = new BufferedStream(Console.OpenStandardOutput());
                written = await exporter.WriteAsync(arguments.User, output, cancellationToken);
            }
            else
            {
                await using (var output = new FileStream(partial, FileMode.Create, FileAccess.Write)) written = await exporter.WriteAsync(arguments.User, output, cancellationToken);
                File.Move(partial, arguments.File, overwrite: true);
            }
            await Console.Error.WriteLineAsync($"export: {arguments.User} has {written.Gardens} gardens and {written.Uploads} uploads");
            return 0;
        }
        catch (Exception exception) when (exception is TransferException or NpgsqlException or DatabaseNotConfiguredException or IOException or UnauthorizedAccessException)
        {
            if (arguments.File != "-") File.Delete(partial);
            await Console.Error.WriteLineAsync($"export: {GardenDatabase.Describe(exception)}");
            return 1;
        }
    }
}
