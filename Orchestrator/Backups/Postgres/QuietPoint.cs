using System.Collections.Immutable;
using Npgsql;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// A restore point with a view of the data as of exactly that point. For some milliseconds all tables are locked against writers; then no commit lies
/// between the view and the point, and none that the view does not see lies before it (a commit is in the log a moment before others see it, but its
/// locks go after that). So a copy that is recovered to the point must equal the view to the last row. Nobody is made to wait for long: the lock is
/// asked for without waiting, several times; tables that are never free then get a short wait each; what is still busy is named, and not compared.
/// </summary>
internal sealed class QuietPoint : IAsyncDisposable
{
    private const int Tries = 12;
    private const string Busy = "55P03";
    private const string NoRight = "42501";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly List<View> _views = [];

    private QuietPoint(string name) => Name = name;

    public string Name { get; }

    /// <summary>Where the point's record ends in the log.</summary>
    public Lsn Lsn { get; private set; }

    /// <summary>By the server's clock.</summary>
    public DateTimeOffset At { get; private set; }

    /// <summary>Tables that could not be held still, and why.</summary>
    public ImmutableSortedDictionary<string, string> Uncovered { get; private set; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <exception cref="PostgresException">No restore point could be made: the role may not.</exception>
    public static async Task<QuietPoint> TakeAsync(PostgresLogin login, string name, TimeProvider time, CancellationToken cancellationToken)
    {
        var point = new QuietPoint(name);
        try
        {
            await point.OpenAsync(login, cancellationToken);
            for (var attempt = 1; !await point.TryHoldAllAsync(cancellationToken); attempt++)
            {
                if (attempt < Tries) await Task.Delay(Pause, time, cancellationToken);
                else
                {
                    await point.HoldEachAsync(time, cancellationToken);
                    break;
                }
            }

            foreach (var view in point._views) await TableFingerprints.ExecuteAsync(view.Reader, "SELECT txid_current_snapshot()", cancellationToken);
            await point.MarkAsync(cancellationToken);
            await point.LetGoAsync(cancellationToken);
            await FlushAsync(point._views[0].Holder, cancellationToken);
            foreach (var view in point._views) await view.ReleaseAsync();
            return point;
        }
        catch
        {
            await point.DisposeAsync();
            throw;
        }
    }

    /// <summary>Fingerprints of the tables that were held still, as of the point.</summary>
    public async Task<ImmutableSortedDictionary<string, string>> FingerprintsAsync(Action<int, int> progress, CancellationToken cancellationToken)
    {
        var found = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var (done, all) = (0, _views.Sum(view => view.Tables.Count));
        foreach (var view in _views)
        {
            foreach (var table in view.Tables)
            {
                progress(done++, all);
                if (Uncovered.ContainsKey(table.Key)) continue;
                if (await TableFingerprints.OfAsync(view.Reader, table, RowHash.Columns, cancellationToken) is { } print) found[table.Key] = print;
                else Uncovered = Uncovered.SetItem(table.Key, "the role may not read it, or it was altered meanwhile");
            }
        }

        return found.ToImmutable();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var view in _views) await view.DisposeAsync();
    }

    private async Task OpenAsync(PostgresLogin login, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> databases;
        await using (var first = await login.OpenAsync("postgres", cancellationToken)) databases = await ServerFacts.DatabasesAsync(first, cancellationToken);
        // All at once: to sign in takes longer than most that is asked, and meanwhile nothing else goes on.
        var opening = databases.Select(database => View.OpenAsync(login, database, cancellationToken)).ToList();
        try
        {
            await Task.WhenAll(opening);
        }
        finally
        {
            foreach (var opened in opening.Where(opened => opened.IsCompletedSuccessfully)) _views.Add(await opened);
        }
    }

    private async Task<bool> TryHoldAllAsync(CancellationToken cancellationToken)
    {
        foreach (var view in _views.Where(view => view.Tables.Count > 0))
        {
            try
            {
                await TableFingerprints.ExecuteAsync(
                    view.Holder, $"BEGIN; LOCK TABLE ONLY {string.Join(", ONLY ", view.Tables.Select(table => table.Sql))} IN SHARE MODE NOWAIT", cancellationToken);
            }
            catch (PostgresException refused) when (refused.SqlState is Busy or NoRight or PostgresErrorCodes.UndefinedTable)
            {
                await LetGoAsync(cancellationToken);
                return false;
            }
        }

        return true;
    }

    private async Task LetGoAsync(CancellationToken cancellationToken)
    {
        foreach (var view in _views) await TableFingerprints.ExecuteAsync(view.Holder, "ROLLBACK", cancellationToken);
    }

    private async Task HoldEachAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var uncovered = Uncovered.ToBuilder();
        foreach (var view in _views)
        {
            await TableFingerprints.ExecuteAsync(view.Holder, "BEGIN", cancellationToken);
            foreach (var table in view.Tables)
            {
                // Others queue behind a lock that waits: a little for each table, and not for ever for all of them.
                var patience = time.GetElapsedTime(began) < LongestWait ? "100ms" : "1ms";
                try
                {
                    await TableFingerprints.ExecuteAsync(
                        view.Holder, $"SAVEPOINT basmalin_hold; SET LOCAL lock_timeout = '{patience}'; LOCK TABLE ONLY {table.Sql} IN SHARE MODE", cancellationToken);
                }
                catch (PostgresException refused) when (refused.SqlState is Busy or NoRight or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.DeadlockDetected)
                {
                    await TableFingerprints.ExecuteAsync(view.Holder, "ROLLBACK TO SAVEPOINT basmalin_hold", cancellationToken);
                    uncovered[table.Key] = refused.SqlState == NoRight ? "the role may not lock it" : "it was written to all the time";
                }
            }
        }

        Uncovered = uncovered.ToImmutable();
    }

    private async Task MarkAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_create_restore_point(@name)::text, clock_timestamp()", _views[0].Holder);
        command.Parameters.AddWithValue("name", Name);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        Lsn = Lsn.Parse(row.GetString(0));
        At = row.GetFieldValue<DateTimeOffset>(1);
    }

    /// <summary>The record of a restore point waits for the next commit to reach the disk, and is sent to nobody before that.</summary>
    public static Task FlushAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        TableFingerprints.ExecuteAsync(connection, "SELECT pg_logical_emit_message(true, 'basmalin', '')", cancellationToken);

    /// <param name="reader">Keeps its view until it is disposed of.</param>
    /// <param name="holder">Holds the locks.</param>
    private sealed class View(NpgsqlConnection reader, NpgsqlConnection holder) : IAsyncDisposable
    {
        public NpgsqlConnection Reader => reader;

        public NpgsqlConnection Holder => holder;

        public IReadOnlyList<TableName> Tables { get; private set; } = [];

        public static async Task<View> OpenAsync(PostgresLogin login, string database, CancellationToken cancellationToken)
        {
            Task<NpgsqlConnection>[] opening = [ConnectAsync(login, database, cancellationToken), ConnectAsync(login, database, cancellationToken)];
            try
            {
                var open = await Task.WhenAll(opening);
                var view = new View(open[0], open[1]) { Tables = await TableFingerprints.ListAsync(open[1], database, cancellationToken) };
                await TableFingerprints.ExecuteAsync(view.Reader, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", cancellationToken);
                return view;
            }
            catch
            {
                foreach (var one in opening.Where(one => one.IsCompletedSuccessfully)) await (await one).DisposeAsync();
                throw;
            }
        }

        public ValueTask ReleaseAsync() => holder.DisposeAsync();

        public async ValueTask DisposeAsync()
        {
            await holder.DisposeAsync();
            await reader.DisposeAsync();
        }

        private static async Task<NpgsqlConnection> ConnectAsync(PostgresLogin login, string database, CancellationToken cancellationToken)
        {
            var connection = await login.OpenAsync(database, cancellationToken);
            try
            {
                await TableFingerprints.PrepareAsync(connection, cancellationToken);
                return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }
    }
}
