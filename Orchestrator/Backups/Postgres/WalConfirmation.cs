using Npgsql.Replication;
using NpgsqlTypes;

namespace Orchestrator.Backups.Postgres;

/// <summary>Puts on the disk what was received, and tells the server that it is there: never the other way round.</summary>
internal sealed class WalConfirmation(WalPlace place, PhysicalReplicationConnection replication) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private CaughtUp? _caughtUp;

    /// <summary>Up to there the server had nothing more, by its clock (UTC).</summary>
    public void HasAll(Lsn at, DateTime clock) => Volatile.Write(ref _caughtUp, new(at, new(DateTime.SpecifyKind(clock, DateTimeKind.Utc))));

    /// <summary>Where no commit waits for us, what comes within a moment goes to the disk together: that leaves the database more of it.</summary>
    public async Task RunAsync(TimeSpan every, TimeProvider time, CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(every, time);
        try
        {
            while (await ticks.WaitForNextTickAsync(cancellationToken)) await FlushAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The stream has ended.
        }
    }

    /// <summary>Costs nothing when nothing has come since.</summary>
    /// <exception cref="IOException">It cannot be put on the disk; nothing is confirmed.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (place.Log.Written == place.Log.Durable && Volatile.Read(ref _caughtUp) is null) return;

        await _one.WaitAsync(cancellationToken);
        try
        {
            var all = Interlocked.Exchange(ref _caughtUp, null);
            place.Log.Flush();
            if (all is not null) place.Mark(all.At, all.Clock);
            replication.SetReplicationStatus(new NpgsqlLogSequenceNumber(place.Log.Durable.Value));
            await replication.SendStatusUpdate(cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private sealed record CaughtUp(Lsn At, DateTimeOffset Clock);
}
