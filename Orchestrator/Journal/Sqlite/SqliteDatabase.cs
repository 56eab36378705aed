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
    private const int CodeFull = 13;
    private const int CodeCorrupt = 11;
    private const int CodeNotADatabase = 26;

    private readonly SqliteConnection _writer;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly ConcurrentBag<SqliteConnection> _readers = [];
    private readonly string _readerString;
    private volatile bool _disposed;

    private SqliteDatabase(string path, SqliteConnection writer)
    {
        Path = path;
        _writer = writer;
        _readerString = ConnectionString(path);
    }

    public string Path { get; }

    /// <summary>Opens the file, making it (0600, in a directory of 0700) when there is none; checks it; brings its schema up to date.</summary>
    public static async Task<SqliteDatabase> OpenAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            Prepare(path);
            var writer = new SqliteConnection(ConnectionString(path));
            try
            {
                await writer.OpenAsync(cancellationToken);
                var session = new SqliteSession(writer);
                Configure(session);
                Check(path, session);
                SchemaMigrations.Apply(path, writer, time);
                return new SqliteDatabase(path, writer);
            }
            catch
            {
                await writer.DisposeAsync();
                throw;
            }
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Failure(path, "opened", failure);
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
            return result;
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

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Action<SqliteSession> work, CancellationToken cancellationToken) => WriteAsync(session =>
    {
        work(session);
        return true;
    }, cancellationToken);

    /// <summary>Writes a whole and consistent copy of the database, as it is now, into a new file (0600), while others read and write.</summary>
    public Task CopyAsync(string path, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            try
            {
                // An empty file is taken for none, and keeps its mode.
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
                if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                new FileStream(path, options).Dispose();
                using var reader = new SqliteConnection(_readerString);
                reader.Open();
                new SqliteSession(reader).Execute("VACUUM INTO @Path", new { Path = path });
            }
            catch (SqliteException failure)
            {
                throw Failure(Path, "copied", failure);
            }
        },
        cancellationToken);

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

    private static string ConnectionString(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = SqliteOpenMode.ReadWrite,
        ForeignKeys = true,
        Pooling = false,
        DefaultTimeout = 5,
    }.ToString();

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
            $"The journal {path} is damaged: {string.Join("; ", problems)}. Keep a copy of it and of {path}-wal before anything else is tried.", null);
    }

    private T Read<T>(Func<SqliteSession, T> work)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        SqliteConnection? reader = null;
        try
        {
            if (!_readers.TryTake(out reader)) reader = OpenReader();
            T result;
            using (var transaction = reader.BeginTransaction(deferred: true))
            {
                result = work(new SqliteSession(reader));
                transaction.Commit();
            }

            if (_disposed) return result;

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

    private SqliteConnection OpenReader()
    {
        var reader = new SqliteConnection(_readerString);
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

    private static JournalException Failure(string path, string verb, Exception failure) => new(
        (failure as SqliteException)?.SqliteErrorCode switch
        {
            CodeFull => $"The journal {path} could not be {verb}: the disk is full. Nothing was changed; free some space and try again.",
            CodeCorrupt or CodeNotADatabase => $"The journal {path} could not be {verb}: it is damaged or not a database ({failure.Message}).",
            _ => $"The journal {path} could not be {verb}: {failure.Message}",
        },
        failure);
}
