namespace Orchestrator.Journal.Sqlite;

/// <summary>
/// Opens the journal of a data directory. One that is damaged, gone, or older than its own copies is left as it is, and a copy of the newest good backup (or an
/// empty one) stands in for it, so that what runs can be served.
/// </summary>
public static class JournalOpening
{
    public const string FileName = "journal.db";
    public const string StandInName = "journal.standin.db";
    public const string BackupsName = "journal-backups";

    /// <exception cref="JournalException">It cannot be opened for another reason than damage: a newer version wrote it, or its directory cannot be used.</exception>
    public static async Task<SqliteDatabase> OpenAsync(string directory, TimeProvider time, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, FileName);
        var backups = new JournalBackups(Path.Combine(directory, BackupsName), time);
        if (IsGone(path) && !backups.Files.IsEmpty) return await StandInAsync(path, backups, $"{path} is {(File.Exists(path) ? "empty" : "gone")}, though there are copies of it", time, cancellationToken);

        try
        {
            var database = await SqliteDatabase.OpenAsync(path, time, backups, cancellationToken);
            if (await BehindAsync(database, backups, cancellationToken) is not { } behind) return database;

            database.Dispose();
            return await StandInAsync(path, backups, behind, time, cancellationToken);
        }
        catch (JournalException damaged) when (damaged.Fault == JournalFault.Damaged || (damaged.Fault == JournalFault.Foreign && !backups.Files.IsEmpty))
        {
            return await StandInAsync(path, backups, damaged.Message, time, cancellationToken);
        }
    }

    private static bool IsGone(string path) => !File.Exists(path) || new FileInfo(path).Length == 0;

    private static async Task<SqliteDatabase> StandInAsync(string path, JournalBackups backups, string problem, TimeProvider time, CancellationToken cancellationToken)
    {
        var standIn = Path.Combine(Path.GetDirectoryName(path) ?? "/", StandInName);
        foreach (var left in new[] { standIn, standIn + "-wal", standIn + "-shm" }) File.Delete(left);
        var good = backups.NewestGood();
        if (good is not null) File.Copy(good, standIn);
        var database = await SqliteDatabase.OpenAsync(standIn, time, null, cancellationToken);
        var from = good is null ? "the labels of the containers alone: there is no good copy of the journal" : $"the copy of {JournalBackups.MadeAt(good):yyyy-MM-dd HH:mm:ss}Z, and the labels of the containers";
        database.Health.ReportDamage(new(problem, from, path));
        return database;
    }

    /// <summary>A log that was lost leaves a database that is consistent and too old: its own newest copy knows more.</summary>
    private static async Task<string?> BehindAsync(SqliteDatabase database, JournalBackups backups, CancellationToken cancellationToken)
    {
        if (backups.NewestGood() is not { } newest) return null;

        var own = await database.ReadAsync(Marks, cancellationToken);
        var copied = SqliteDatabase.Peek(newest, Marks);
        return copied.Deployments > own.Deployments || copied.Audit > own.Audit || copied.States > own.States
            ? $"it knows less than its copy {Path.GetFileName(newest)}: what was written last is lost (was journal.db-wal removed, or an old journal.db put back?)"
            : null;
    }

    /// <summary>Numbers that only ever grow.</summary>
    private static (long Deployments, long Audit, long States) Marks(SqliteSession session) => (
        session.Find<long?>("SELECT seq FROM sqlite_sequence WHERE name = 'deployments'") ?? 0,
        session.Find<long?>("SELECT MAX(number) FROM audit") ?? 0,
        session.Find<long?>("SELECT SUM(generation) FROM (SELECT MAX(generation) AS generation FROM stack_states GROUP BY stack)") ?? 0);
}
