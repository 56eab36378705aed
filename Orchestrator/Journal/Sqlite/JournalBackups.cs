using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Orchestrator.Journal.Sqlite;

/// <summary>
/// Copies of the journal beside it, made while it is in use (SQLite's online backup), each checked by opening it before it gets its name. The newest few
/// are kept.
/// </summary>
public sealed class JournalBackups(string directory, TimeProvider time)
{
    /// <summary>How many are kept.</summary>
    public const int Kept = 8;

    private const string Prefix = "journal-";
    private const string Format = "yyyyMMdd'T'HHmmssfffffff'Z'";

    public string Directory => directory;

    /// <summary>The newest first, whole or not.</summary>
    public ImmutableArray<string> Files => System.IO.Directory.Exists(directory)
        ? [.. System.IO.Directory.EnumerateFiles(directory, $"{Prefix}*.db").OrderDescending(StringComparer.Ordinal)]
        : [];

    /// <summary>When a copy was made.</summary>
    public static DateTimeOffset? MadeAt(string file) =>
        DateTimeOffset.TryParseExact(
            Path.GetFileNameWithoutExtension(file)[Prefix.Length..], Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;

    /// <summary>Copies, checks, names, and forgets the oldest.</summary>
    /// <exception cref="JournalException">It cannot be copied, or the copy is not whole.</exception>
    public async Task<string> MakeAsync(SqliteDatabase database, CancellationToken cancellationToken)
    {
        try
        {
            Prepare();
            var path = Next();
            var pending = path + ".part";
            File.Delete(pending);
            await database.CopyAsync(pending, cancellationToken);
            Keep(pending, path);
            database.Health.ReportBackup(time.GetUtcNow());
            return path;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The journal could not be copied to {directory}: {failure.Message}", failure);
        }
    }

    /// <summary>Before the schema is changed: on a connection that nobody else uses yet.</summary>
    internal void MakeBefore(SqliteConnection connection)
    {
        Prepare();
        var path = Next();
        SqliteFile.Copy(connection, path + ".part");
        Keep(path + ".part", path);
    }

    /// <summary>The newest copy that is whole; those that are not are passed over.</summary>
    public string? NewestGood() => Files.FirstOrDefault(file => SqliteFile.Examine(file) is null);

    private void Prepare()
    {
        if (System.IO.Directory.Exists(directory)) return;
        if (OperatingSystem.IsWindows()) System.IO.Directory.CreateDirectory(directory);
        else System.IO.Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>The names are in the order of the making, also when the clock was set back in between.</summary>
    private string Next()
    {
        var now = time.GetUtcNow();
        var at = Files is [var newest, ..] && MadeAt(newest) is { } last && last >= now ? last.AddTicks(1) : now;
        return Path.Combine(directory, $"{Prefix}{at.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture)}.db");
    }

    private void Keep(string pending, string path)
    {
        if (SqliteFile.Examine(pending) is { } problem)
        {
            File.Delete(pending);
            throw new JournalException($"The copy of the journal is not whole: {problem}", null, JournalFault.Damaged);
        }

        using (var file = new FileStream(pending, FileMode.Open, FileAccess.ReadWrite)) file.Flush(flushToDisk: true);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(pending, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(pending, path, overwrite: true);
        foreach (var old in Files.Skip(Kept)) File.Delete(old);
    }
}
