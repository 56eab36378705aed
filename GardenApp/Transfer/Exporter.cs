using System.Data;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dapper;
using GardenApp.Database;
using GardenApp.Uploads;
using Npgsql;

namespace GardenApp.Transfer;

/// <summary>
/// Writes one user's data as a zip of JSON lines and files, from one snapshot of the database. The same data gives the same bytes,
/// so that export, import, export can be compared.
/// </summary>
internal sealed class Exporter
{
    // A zip cannot say "no time".
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly GardenDatabase _database;
    private readonly UploadFiles _files;

    internal Exporter(GardenDatabase database, UploadFiles files)
    {
        _database = database;
        _files = files;
    }

    /// <summary>Returns how many gardens and uploads there were.</summary>
    internal async Task<(int Gardens, int Uploads)> WriteAsync(string user, Stream output, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using var zip = await ZipArchive.CreateAsync(output, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, cancellationToken);

        await using (var manifest = Open(zip, Manifest.EntryName))
            await JsonSerializer.SerializeAsync(manifest, new Manifest(Manifest.Name, Manifest.Current, user), GardenJson.Default.Manifest, cancellationToken);
        var gardens = await WriteRowsAsync(zip, connection, "gardens.jsonl", UserQueries.Gardens, user, GardenJson.Default.Garden, cancellationToken);
        await WriteRowsAsync(zip, connection, "plants.jsonl", UserQueries.Plants, user, GardenJson.Default.Plant, cancellationToken);
        await WriteRowsAsync(zip, connection, "readings.jsonl", UserQueries.Readings, user, GardenJson.Default.SensorReading, cancellationToken);
        await WriteRowsAsync(zip, connection, "insights.jsonl", UserQueries.Insights, user, GardenJson.Default.Insight, cancellationToken);
        var uploads = await WriteRowsAsync(zip, connection, "uploads.jsonl", UserQueries.Uploads, user, GardenJson.Default.Upload, cancellationToken);
        foreach (var upload in await connection.QueryAsync<Upload>(new CommandDefinition(UserQueries.Uploads, new { user }, cancellationToken: cancellationToken)))
            await WriteFileAsync(zip, upload, cancellationToken);
        return (gardens, uploads);
    }

    private static async Task<int> WriteRowsAsync<T>(ZipArchive zip, NpgsqlConnection connection, string name, string query, string user,
        JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var count = 0;
        await using var entry = Open(zip, name);
        await foreach (var row in connection.QueryUnbufferedAsync<T>(query, new { user }).WithCancellation(cancellationToken))
        {
            await JsonSerializer.SerializeAsync(entry, row, type, cancellationToken);
            await entry.WriteAsync("\n"u8.ToArray(), cancellationToken);
            count++;
        }
        return count;
    }

    private async Task WriteFileAsync(ZipArchive zip, Upload upload, CancellationToken cancellationToken)
    {
        await using var file = _files.OpenRead(upload.Id) ?? throw new TransferException($"the volume does not have '{upload.FileName}' ({upload.Id})");
        if (file.Length != upload.Size) throw new TransferException($"'{upload.FileName}' ({upload.Id}) has {file.Length} bytes instead of {upload.Size}");
        await using var entry = Open(zip, EntryOf(upload.Id));
        await file.CopyToAsync(entry, cancellationToken);
    }

    internal static string EntryOf(Guid upload) => $"uploads/{upload:N}";

    private static Stream Open(ZipArchive zip, string name)
    {
        var entry = zip.CreateEntry(name, CompressionLevel.Optimal);
        entry.LastWriteTime = NoTime;
        return entry.Open();
    }
}
