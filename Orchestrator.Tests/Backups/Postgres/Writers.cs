using System.Collections.Concurrent;
using Npgsql;
using Orchestrator.Backups;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>Clients that insert counted rows as fast as they can, and remember which the server has acknowledged.</summary>
internal sealed class Writers : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly NpgsqlDataSource _source;
    private readonly Task[] _clients;
    private readonly ConcurrentQueue<(int Client, long N, long At)> _times = [];
    private long _total;

    public Writers(BackupSubject subject, int clients)
        : this(Cluster.Open(subject), clients)
    {
    }

    /// <param name="source">Closed at the end.</param>
    public Writers(NpgsqlDataSource source, int clients)
    {
        _source = source;
        _clients = [.. Enumerable.Range(1, clients).Select(client => Task.Run(() => RunAsync(client)))];
    }

    public const string Table = "CREATE TABLE counted (client int, n bigint, at timestamptz DEFAULT clock_timestamp(), filler text DEFAULT repeat('x', 300), PRIMARY KEY (client, n))";

    /// <summary>Why the last client ended early; null: none has.</summary>
    public Exception? Ended { get; private set; }

    public long Total => Volatile.Read(ref _total);

    /// <summary>Client → its highest number that was acknowledged.</summary>
    public ConcurrentDictionary<int, long> Acknowledged { get; } = [];

    /// <summary>What was acknowledged at least so long ago, as client → number.</summary>
    public IReadOnlyDictionary<int, long> AcknowledgedBefore(TimeSpan age, long now) => _times.GroupBy(item => item.Client)
        .ToDictionary(client => client.Key, client => client.Where(item => TimeProvider.System.GetElapsedTime(item.At, now) >= age).Select(item => item.N).DefaultIfEmpty(0).Max());

    public async Task UntilAsync(long rows)
    {
        var from = Total;
        await GardenApp.Eventually.TrueAsync(() => Task.FromResult(Total >= from + rows), $"{rows} more rows are written");
    }

    /// <summary>Until every client has rows that are older than that: without any, nothing could be asserted of them.</summary>
    public Task UntilOlderThanAsync(TimeSpan age, int clients) => GardenApp.Eventually.TrueAsync(
        () => Task.FromResult(AcknowledgedBefore(age, TimeProvider.System.GetTimestamp()) is { } old && old.Count == clients && old.Values.All(n => n >= 100)),
        $"every client has 100 rows that are older than {age.TotalSeconds} s");

    /// <summary>Ends the clients; those whose server went away have ended already.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _source.DisposeAsync();
        _stop.Dispose();
    }

    private async Task RunAsync(int client)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync(_stop.Token);
            for (var n = 1L; !_stop.IsCancellationRequested; n++)
            {
                await using var command = new NpgsqlCommand("INSERT INTO counted (client, n) VALUES ($1, $2)", connection) { Parameters = { new() { Value = client }, new() { Value = n } } };
                await command.ExecuteNonQueryAsync(CancellationToken.None);
                Acknowledged[client] = n;
                _times.Enqueue((client, n, TimeProvider.System.GetTimestamp()));
                Interlocked.Increment(ref _total);
            }
        }
        catch (Exception gone) when (gone is NpgsqlException or OperationCanceledException)
        {
            // The server was killed: what it has acknowledged until then is what counts.
            Ended = gone;
        }
    }
}
