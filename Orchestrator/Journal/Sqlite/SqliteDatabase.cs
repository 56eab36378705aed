using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Orchestrator.Journal.Sqlite;

/// <summary>
/// The daemon's one database file. A write that returns survives a power cut (WAL, synchronous=FULL). One writer at a time, readers beside it.
/// Every failure is a <see cref="JournalException"/>.
/// </summary>
/// <remarks>
/// Nothing else in the process may open the file while it is open here: closing a second handle would drop SQLite's POSIX locks on it.
/// </remarks>
public sealed class SqliteDatabase : IDisposable
{
    private SqliteConnection _writer;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly ConcurrentBag<SqliteConnection> _readers = [];
    private volatile bool _disposed;

    private SqliteDatabase(string path, SqliteConnection writer)
    {
        Path = path;
        _writer = writer;
    }

    public string Path { get; private set; }

    /// <summary>Whether it can be believed and written to.</summary>
    public JournalHealth Health { get; } = new();

    /// <summary>Opens the file, making it (0600, in a directory of 0700) when there is none; checks it; brings its schema up to date.</summary>
    public static Task<SqliteDatabase> OpenAsync(string path, TimeProvider time, CancellationToken cancellationToken) => OpenAsync(path, time, null, cancellationToken);

    /// <param name="backups">Where a copy is put before the schema is changed; null: none is made.</param>
    internal static async Task<SqliteDatabase> OpenAsync(string path, TimeProvider time, JournalBackups? backups, CancellationToken cancellationToken)
    {
        try
        {
            Prepare(path);
            return new SqliteDatabase(path, await WriterAsync(path, time, backups, cancellationToken));
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Failure(path, "opened", failure);
        }
    }

    /// <summary>Reads a file that is not in use, and leaves no trace beside it.</summary>
    /// <returns>The default when it cannot be read.</returns>
    internal static T? Peek<T>(string path, Func<SqliteSession, T> work)
    {
        try
        {
            using var reader = new SqliteConnection(SqliteFile.ReadOnly(path));
            reader.Open();
            return work(new SqliteSession(reader));
        }
        catch (SqliteException)
        {
            return default;
        }
    }

    /// <summary>A whole and consistent copy of what is committed now, in a new file (0600), by SQLite's online backup; readers and the writer go on.</summary>
    public Task CopyAsync(string path, CancellationToken cancellationToken) => Task.Run(() => Guarded(reader => SqliteFile.Copy(reader, path)), cancellationToken);

    /// <summary>Goes on with another file: lets go of the present one, lets its caller move files, and opens what is there then.</summary>
    internal async Task ReplaceAsync(string path, Action move, TimeProvider time)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            Path = path;                                            // readers that are under way are not used again
            while (_readers.TryTake(out var reader)) await reader.DisposeAsync();
            await _writer.DisposeAsync();
            move();
            _writer = await WriterAsync(path, time, null, CancellationToken.None);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Runs the work on a snapshot of its own, on a thread of the pool. The work must not write.</summary>
    public Task<T> ReadAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken) => Task.Run(() => Read(work), cancellationToken);

    /// <summary>Runs the work as one transaction: all of it, or, when it throws, nothing. Cancellation counts until it begins, not after.</summary>
    public async Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using var transaction = _writer.BeginTransaction(deferred: false);
            var result = work(new SqliteSession(_writer));
            transaction.Commit();
            Health.ReportWritten();
            return result;
        }
        catch (SqliteException failure)
        {
            var problem = Failure(Path, "written", failure);
            if (problem.Fault == JournalFault.Full) Health.ReportFull(problem.Message);
            if (problem.Fault == JournalFault.Damaged) Health.ReportDamage(new(problem.Message, "what is known in memory; restart the daemon, so that its newest good copy stands in", null));
            throw problem;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Action<SqliteSession> work, CancellationToken cancellationToken) => WriteAsync(session =>
    {
        work(session);
        return true;
    }, cancellationToken);

    /// <summary>Runs the work, and takes all of it back.</summary>
    internal async Task RehearseAsync(Action<SqliteSession> work)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using var transaction = _writer.BeginTransaction(deferred: false);
            work(new SqliteSession(_writer));
            transaction.Rollback();
        }
        catch (SqliteException failure)
        {
            throw Failure(Path, "written", failure);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A statement outside a transaction, for tests and repair: PRAGMAs that a transaction does not take.</summary>
    internal async Task PragmaAsync(string statement)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            new SqliteSession(_writer).Execute($"PRAGMA {statement}");
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        if (_disposed) return;

        _turn.Wait();
        _disposed = true;
        foreach (var reader in _readers) reader.Dispose();
        _writer.Dispose();      // the last one to close folds the WAL into the file
        _turn.Release();
    }

    private static async Task<SqliteConnection> WriterAsync(string path, TimeProvider time, JournalBackups? backups, CancellationToken cancellationToken)
    {
        var writer = new SqliteConnection(SqliteFile.ReadWrite(path));
        try
        {
            await writer.OpenAsync(cancellationToken);
            var session = new SqliteSession(writer);
            Configure(session);
            Check(path, session);
            SchemaMigrations.Apply(path, writer, backups, time);
            return writer;
        }
        catch
        {
            await writer.DisposeAsync();
            throw;
        }
    }

    // SQLite gives -wal and -shm the mode of the file itself.
    private static void Prepare(string path)
    {
        const UnixFileMode directoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode fileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var directory = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) ?? "/";
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
            if (!File.Exists(path)) File.Create(path).Dispose();
            return;
        }

        if (!Directory.Exists(directory)) Directory.CreateDirectory(directory, directoryMode);
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, UnixCreateMode = fileMode };
        new FileStream(path, options).Dispose();
        File.SetUnixFileMode(path, fileMode);
    }

    private static void Configure(SqliteSession session)
    {
        session.Execute("PRAGMA busy_timeout = 5000");
        session.Execute("PRAGMA trusted_schema = OFF");
        session.Execute("PRAGMA cell_size_check = ON");
        var mode = session.Scalar<string>("PRAGMA journal_mode = WAL");
        if (mode != "wal") throw new JournalException($"The file system of the journal does not support WAL (SQLite stays in mode '{mode}').", null);

        session.Execute("PRAGMA synchronous = FULL");
        session.Execute("PRAGMA journal_size_limit = 16777216");
    }

    private static void Check(string path, SqliteSession session)
    {
        var problems = session.Query<string>("PRAGMA quick_check(5)");
        if (problems is ["ok"]) return;

        throw new JournalException(
            $"The journal {path} is damaged: {string.Join("; ", problems)}. Keep a copy of it and of {path}-wal before anything else is tried.", null, JournalFault.Damaged);
    }

    private T Read<T>(Func<SqliteSession, T> work) => Guarded(reader =>
    {
        using var transaction = reader.BeginTransaction(deferred: true);
        var result = work(new SqliteSession(reader));
        transaction.Commit();
        return result;
    });

    private T Guarded<T>(Func<SqliteConnection, T> work)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        SqliteConnection? reader = null;
        var path = Path;
        try
        {
            if (!_readers.TryTake(out reader)) reader = OpenReader(path);
            var result = work(reader);
            if (_disposed || path != Path) return result;

            _readers.Add(reader);
            reader = null;
            return result;
        }
        catch (SqliteException failure)
        {
            throw Failure(Path, "read", failure);
        }
        finally
        {
            reader?.Dispose();      // one that has seen a failure is not used again
        }
    }

    private static SqliteConnection OpenReader(string path)
    {
        var reader = new SqliteConnection(SqliteFile.ReadWrite(path));
        try
        {
            reader.Open();
            var session = new SqliteSession(reader);
            session.Execute("PRAGMA busy_timeout = 5000");
            session.Execute("PRAGMA query_only = ON");
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    private static JournalException Failure(string path, string verb, Exception failure) => SqliteFile.FaultOf(failure) switch
    {
        JournalFault.Full => new($"The journal {path} could not be {verb}: the disk is full. Nothing was changed; free some space and try again.", failure, JournalFault.Full),
        JournalFault.Damaged => new($"The journal {path} could not be {verb}: it is damaged or not a database ({failure.Message}).", failure, JournalFault.Damaged),
        _ => new($"The journal {path} could not be {verb}: {failure.Message}", failure),
    };
}
