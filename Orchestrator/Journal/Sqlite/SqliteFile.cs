using Microsoft.Data.Sqlite;

namespace Orchestrator.Journal.Sqlite;

/// <summary>A database as a file: how it is opened, copied and looked over.</summary>
internal static class SqliteFile
{
    private const int CodeFull = 13;
    private const int CodeCorrupt = 11;
    private const int CodeNotADatabase = 26;
    private const int CodeReadShort = 522;              // SQLITE_IOERR_SHORT_READ: the file ends before its page does
    private const int NoSpace = 28;                     // ENOSPC

    public static string ReadWrite(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = SqliteOpenMode.ReadWrite,
        ForeignKeys = true,
        Pooling = false,
        DefaultTimeout = 5,
    }.ToString();

    /// <summary>Of a file that nobody writes: no lock is taken and nothing is made beside it.</summary>
    public static string ReadOnly(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = $"file:{Uri.EscapeDataString(Path.GetFullPath(path)).Replace("%2F", "/", StringComparison.Ordinal)}?immutable=1",
        Mode = SqliteOpenMode.ReadOnly,
        Pooling = false,
    }.ToString();

    /// <summary>One whole file, without a log beside it.</summary>
    public static bool Copy(SqliteConnection source, string path)
    {
        // An empty file is taken for none, and keeps its mode.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        new FileStream(path, options).Dispose();
        using var copy = new SqliteConnection(ReadWrite(path));
        copy.Open();
        source.BackupDatabase(copy);
        new SqliteSession(copy).Execute("PRAGMA journal_mode = DELETE");
        return true;
    }

    /// <returns>What is wrong with the file; null: it is whole.</returns>
    public static string? Examine(string path)
    {
        try
        {
            using var reader = new SqliteConnection(ReadOnly(path));
            reader.Open();
            var session = new SqliteSession(reader);
            if (session.Scalar<long>("PRAGMA application_id") != SchemaMigrations.ApplicationId) return "it is not a journal";
            var problems = session.Query<string>("PRAGMA integrity_check(3)");
            return problems is ["ok"] ? null : string.Join("; ", problems);
        }
        catch (SqliteException unreadable)
        {
            return unreadable.Message;
        }
    }

    public static JournalFault FaultOf(Exception failure) => failure switch
    {
        SqliteException { SqliteErrorCode: CodeFull } => JournalFault.Full,
        SqliteException { SqliteErrorCode: CodeCorrupt or CodeNotADatabase } or SqliteException { SqliteExtendedErrorCode: CodeReadShort } => JournalFault.Damaged,
        IOException { HResult: NoSpace } => JournalFault.Full,
        _ => JournalFault.Other,
    };

    /// <summary>Bytes that are free on the file's disk; null: it cannot be told.</summary>
    public static long? RoomBeside(string path)
    {
        try
        {
            return new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/").AvailableFreeSpace;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
