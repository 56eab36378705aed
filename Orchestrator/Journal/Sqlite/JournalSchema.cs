using Microsoft.Data.Sqlite;

namespace Orchestrator.Journal.Sqlite;

/// <summary>
/// Which schema a journal has, for programs that replace each other. Before a journal is brought up to date it is copied beside itself, so that the
/// program before can be put back together with a journal that it can read.
/// </summary>
public static class JournalSchema
{
    /// <summary>The newest one that this program reads and writes.</summary>
    public static int Known => SchemaMigrations.All[^1].Number;

    /// <summary>The schema of a journal, whoever has it open; null: there is none.</summary>
    /// <exception cref="JournalException">The file is not a journal that can be read.</exception>
    public static int? Read(string path)
    {
        if (!File.Exists(path)) return null;

        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false, DefaultTimeout = 5 }.ToString());
            connection.Open();
            return (int)new SqliteSession(connection).Scalar<long>("SELECT COALESCE(MAX(number), 0) FROM schema_migrations");
        }
        catch (SqliteException exception)
        {
            throw new JournalException($"The schema of {path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Puts the copy of that schema in the journal's place. Nobody may have the journal open. What was written since is kept beside it.</summary>
    /// <returns>False: there is no such copy.</returns>
    public static bool TryRestore(string path, int schema)
    {
        var copy = CopyOf(path, schema);
        if (!File.Exists(copy)) return false;

        // Died here before, and said again: what was put aside then is the newer journal, and stays.
        var undone = $"{path}.undone";
        string[] tails = ["-wal", "-shm"];
        if (File.Exists(path))
        {
            foreach (var tail in tails) File.Delete(undone + tail);
            File.Move(path, undone, overwrite: true);
        }

        foreach (var tail in tails.Where(tail => File.Exists(path + tail))) File.Move(path + tail, undone + tail, overwrite: true);
        File.Move(copy, path);
        return true;
    }

    /// <summary>Where the journal is copied to before it leaves a schema.</summary>
    internal static string CopyOf(string path, int schema) => Path.Combine(Path.GetDirectoryName(path) ?? "/", $"journal.schema-{schema}.db");

    /// <summary>Copies the journal as it is, whole and in one piece, mode 0600.</summary>
    internal static void Keep(string path, SqliteSession session, int schema)
    {
        var copy = CopyOf(path, schema);
        File.Delete(copy);
        session.Execute("VACUUM INTO @Copy", new { Copy = copy });
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
