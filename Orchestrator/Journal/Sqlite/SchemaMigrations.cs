using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace Orchestrator.Journal.Sqlite;

/// <summary>The numbered SQL files embedded in the assembly, applied in order, each in a transaction together with the note that it was.</summary>
internal static class SchemaMigrations
{
    private const string Folder = "Orchestrator.Journal.Sqlite.Migrations.";

    // "BasM": so that a file of somebody else is not taken for ours.
    public const int ApplicationId = 0x4261734D;

    public static ImmutableArray<Migration> All { get; } = Load();

    /// <param name="backups">Where the journal is copied to before it is changed; null: nowhere.</param>
    public static void Apply(string path, SqliteConnection connection, JournalBackups? backups, TimeProvider time)
    {
        var session = new SqliteSession(connection);
        Recognise(path, session);
        session.Execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT");
        var applied = session.Query<AppliedRow>("SELECT number, name, hash FROM schema_migrations ORDER BY number");
        Compare(path, applied);
        if (applied.Length > 0 && applied.Length < All.Length)
        {
            backups?.MakeBefore(connection);
            JournalSchema.Keep(path, session, (int)applied[^1].Number);      // under its schema's number: what an upgrade that fails goes back to
        }

        foreach (var migration in All.Skip(applied.Length))
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            session.Execute(migration.Sql);
            session.Execute(
                "INSERT INTO schema_migrations (number, name, hash, applied_at) VALUES (@Number, @Name, @Hash, @At)",
                new { migration.Number, migration.Name, migration.Hash, At = Timestamp.Write(time.GetUtcNow()) });
            transaction.Commit();
        }
    }

    private static void Recognise(string path, SqliteSession session)
    {
        var id = session.Scalar<long>("PRAGMA application_id");
        if (id == ApplicationId) return;

        if (id != 0 || session.Scalar<long>("SELECT COUNT(*) FROM sqlite_schema") != 0)
            throw new JournalException($"{path} is a database, but not a journal of BasMalin: give 'data' a directory of its own.", null, JournalFault.Foreign);

        session.Execute($"PRAGMA application_id = {ApplicationId.ToString(CultureInfo.InvariantCulture)}");
    }

    private static void Compare(string path, ImmutableArray<AppliedRow> applied)
    {
        if (applied.Length > All.Length)
        {
            throw new JournalException(
                $"The journal {path} was written by a newer BasMalin: its schema is number {applied[^1].Number}, this one knows up to {All[^1].Number}. " +
                "Install the newer version again, or start with an empty data directory.", null);
        }

        foreach (var (row, known) in applied.Zip(All))
        {
            if (row.Number == known.Number && row.Hash == known.Hash) continue;

            throw new JournalException(
                $"The journal {path} has another migration {row.Number} ({row.Name}) than this BasMalin ({known.Name}): it comes from a build that was never released.", null);
        }
    }

    private static ImmutableArray<Migration> Load()
    {
        var assembly = typeof(SchemaMigrations).Assembly;
        var names = assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal));
        return [.. names.Order(StringComparer.Ordinal).Select(Read)];

        Migration Read(string resource)
        {
            using var stream = assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"{resource} is not in the assembly");
            using var reader = new StreamReader(stream, Encoding.UTF8);
            var sql = reader.ReadToEnd();
            var name = resource[Folder.Length..];
            var number = int.Parse(name.AsSpan(0, name.IndexOf('_', StringComparison.Ordinal)), NumberStyles.None, CultureInfo.InvariantCulture);
            return new Migration(number, name, sql, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
        }
    }

    public sealed record Migration(int Number, string Name, string Sql, string Hash);

    private sealed record AppliedRow(long Number, string Name, string Hash);
}
