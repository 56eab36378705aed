using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dapper;
using GardenApp.Database;
using GardenApp.Uploads;
using Npgsql;

namespace GardenApp.Transfer;

/// <summary>
/// Brings an export back, all of it or nothing: rows in one transaction, and files first, because a file without a row harms nobody.
/// Entries of the zip are looked up by the ids in its own list, so no name in it is ever a path.
/// </summary>
internal sealed class Importer
{
    private const int LongestLine = 1024 * 1024;

    private readonly GardenDatabase _database;
    private readonly UploadFiles _files;

    internal Importer(GardenDatabase database, UploadFiles files)
    {
        _database = database;
        _files = files;
    }

    /// <summary>Returns the user and how many gardens and uploads came in.</summary>
    internal async Task<(string User, int Gardens, int Uploads)> ReadAsync(Stream input, string? user, bool replace, CancellationToken cancellationToken)
    {
        await using var zip = await ZipArchive.CreateAsync(input, ZipArchiveMode.Read, leaveOpen: true, entryNameEncoding: null, cancellationToken);
        var manifest = await ReadManifestAsync(zip, cancellationToken);
        var owner = user ?? manifest.User;
        await using var connection = await _database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var obsolete = await MakeRoomAsync(connection, owner, replace, cancellationToken);

        var gardens = await AddAsync(zip, connection, "gardens.jsonl", UserQueries.AddGarden, GardenJson.Default.Garden, garden => garden with { Owner = owner }, cancellationToken);
        await AddAsync(zip, connection, "plants.jsonl", UserQueries.AddPlant, GardenJson.Default.Plant, Same, cancellationToken);
        await AddAsync(zip, connection, "readings.jsonl", UserQueries.AddReading, GardenJson.Default.SensorReading, Same, cancellationToken);
        await AddAsync(zip, connection, "insights.jsonl", UserQueries.AddInsight, GardenJson.Default.Insight, Same, cancellationToken);
        var uploads = new List<Upload>();
        await AddAsync(zip, connection, "uploads.jsonl", UserQueries.AddUpload, GardenJson.Default.Upload, upload =>
        {
            uploads.Add(upload);
            return upload with { Owner = owner };
        }, cancellationToken);

        await WriteFilesAsync(zip, uploads, kept: obsolete, () => transaction.CommitAsync(cancellationToken), cancellationToken);
        foreach (var id in obsolete.Except(uploads.Select(upload => upload.Id))) _files.Delete(id);
        return (owner, gardens, uploads.Count);
    }

    private static T Same<T>(T row) => row;

    private static async Task<Manifest> ReadManifestAsync(ZipArchive zip, CancellationToken cancellationToken)
    {
        await using var entry = await Entry(zip, Manifest.EntryName).OpenAsync(cancellationToken);
        var manifest = await JsonSerializer.DeserializeAsync(entry, GardenJson.Default.Manifest, cancellationToken);
        return manifest switch
        {
            { Format: Manifest.Name, Version: Manifest.Current, User: not null } => manifest,
            { Format: Manifest.Name, Version: > Manifest.Current } => throw new TransferException($"the export has version {manifest.Version}, and this build reads {Manifest.Current}"),
            _ => throw new TransferException("this is no export of GardenApp"),
        };
    }

    // The ids of the uploads that the user had.
    private static async Task<Guid[]> MakeRoomAsync(NpgsqlConnection connection, string user, bool replace, CancellationToken cancellationToken)
    {
        if (!replace)
        {
            var rows = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
                "SELECT (SELECT count(*) FROM gardens WHERE owner = @user) + (SELECT count(*) FROM uploads WHERE owner = @user)", new { user }, cancellationToken: cancellationToken));
            return rows == 0 ? [] : throw new TransferException($"{user} has data here already; --replace deletes it first");
        }
        await connection.ExecuteAsync(new CommandDefinition("DELETE FROM gardens WHERE owner = @user", new { user }, cancellationToken: cancellationToken));
        return [.. await connection.QueryAsync<Guid>(new CommandDefinition("DELETE FROM uploads WHERE owner = @user RETURNING id", new { user }, cancellationToken: cancellationToken))];
    }

    private static async Task<int> AddAsync<T>(ZipArchive zip, NpgsqlConnection connection, string name, string statement, JsonTypeInfo<T> type,
        Func<T, T> change, CancellationToken cancellationToken) where T : class
    {
        var number = 0;
        await using var entry = await Entry(zip, name).OpenAsync(cancellationToken);
        using var reader = new StreamReader(entry);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            number++;
            if (line.Length > LongestLine) throw new TransferException($"{name}:{number} is longer than {LongestLine} characters");
            try
            {
                var row = JsonSerializer.Deserialize(line, type) ?? throw new TransferException($"{name}:{number} is null");
                await connection.ExecuteAsync(new CommandDefinition(statement, change(row), cancellationToken: cancellationToken));
            }
            catch (Exception exception) when (exception is JsonException or PostgresException)
            {
                throw new TransferException($"{name}:{number}: {(exception as PostgresException)?.MessageText ?? exception.Message}");
            }
        }
        return number;
    }

    private async Task WriteFilesAsync(ZipArchive zip, List<Upload> uploads, Guid[] kept, Func<Task> commit, CancellationToken cancellationToken)
    {
        var written = new List<Guid>();
        try
        {
            foreach (var upload in uploads)
            {
                await using var content = await Entry(zip, Exporter.EntryOf(upload.Id)).OpenAsync(cancellationToken);
                written.Add(upload.Id);
                if (await _files.WriteAsync(upload.Id, content, upload.Size, cancellationToken) != (upload.Size, upload.Sha256))
                    throw new TransferException($"'{upload.FileName}' ({upload.Id}) is not what its list says");
            }
            await commit();
        }
        catch
        {
            foreach (var id in written.Except(kept)) _files.Delete(id);
            throw;
        }
    }

    private static ZipArchiveEntry Entry(ZipArchive zip, string name) => zip.GetEntry(name) ?? throw new TransferException($"the file has no '{name}'");
}
