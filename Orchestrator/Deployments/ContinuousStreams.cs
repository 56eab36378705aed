using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Sets;
using Orchestrator.Journal;
using Orchestrator.Telemetry;

namespace Orchestrator.Deployments;

/// <summary>
/// Keeps a receiver running for each live service that asks for one (<c>backup.wal</c>, <c>backup.stream</c>): begun with its deployment, at the daemon's start,
/// and when its settings change; begun anew when it ended by a defect; ended when nobody asks for it any more.
/// </summary>
public sealed partial class ContinuousStreams(StreamReceivers receivers, BackupVault vault, IJournal journal, ILogger<ContinuousStreams> logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _keeping = new(1, 1);
    private readonly Lock _gate = new();
    private readonly Dictionary<StreamKey, RunningStream> _running = [];
    private bool _disposed;

    /// <summary>How each stream stands now.</summary>
    public ImmutableArray<StreamState> States
    {
        get
        {
            lock (_gate) return [.. _running.Values.Select(running => running.State).OrderBy(state => state.Stack, StringComparer.Ordinal).ThenBy(state => state.Service, StringComparer.Ordinal)];
        }
    }

    /// <summary>Begins what is wanted and does not run, and ends what nobody wants any more.</summary>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        await _keeping.WaitAsync(cancellationToken);
        try
        {
            if (_disposed || !vault.MayWrite) return;

            var wanted = await WantedAsync(cancellationToken);
            ImmutableArray<StreamKey> surplus;
            lock (_gate) surplus = [.. _running.Where(pair => pair.Value.Task.IsCompleted || !wanted.Contains(pair.Key)).Select(pair => pair.Key)];
            foreach (var key in surplus) await EndAsync(key);
            foreach (var key in wanted) Begin(key);
        }
        finally
        {
            _keeping.Release();
        }

        foreach (var state in States) Tell(state);
    }

    /// <summary>A set was made of the stack: its bases are new.</summary>
    public void BaseTaken(string stack)
    {
        lock (_gate)
        {
            foreach (var (_, running) in _running.Where(pair => pair.Key.Stack == stack)) running.BaseTaken();
        }
    }

    /// <summary>Lets commits go that wait for us, and sends what is here as far as it goes.</summary>
    public async ValueTask DisposeAsync()
    {
        await _keeping.WaitAsync();
        try
        {
            _disposed = true;
            ImmutableArray<StreamKey> all;
            lock (_gate) all = [.. _running.Keys];
            await Task.WhenAll(all.Select(EndAsync));
        }
        finally
        {
            _keeping.Release();
        }
    }

    private async Task<ImmutableHashSet<StreamKey>> WantedAsync(CancellationToken cancellationToken)
    {
        var wanted = ImmutableHashSet.CreateBuilder<StreamKey>();
        foreach (var state in await journal.ListStacksAsync(cancellationToken))
        {
            if (state.CurrentRelease == 0 || await journal.FindReleaseAsync(state.Stack, state.CurrentRelease, cancellationToken) is not { } release) continue;
            foreach (var spec in release.Stack.Services)
            {
                if (spec.BasMalin?.Backup is { } backup && (backup.Wal || backup.Stream))
                    wanted.Add(new(state.Stack, spec.Name, backup.Kind, backup.Synchronous, backup.SynchronousPatience, backup.User, backup.PasswordSecret));
            }
        }

        return wanted.ToImmutable();
    }

    private void Begin(StreamKey key)
    {
        lock (_gate)
        {
            if (_running.ContainsKey(key)) return;
            _running[key] = receivers.Begin(key);
        }

        LogBegun(key.Stack, key.Service);
    }

    private async Task EndAsync(StreamKey key)
    {
        RunningStream? running;
        lock (_gate)
        {
            if (!_running.Remove(key, out running)) return;
        }

        await running.StopAsync();
        try
        {
            await running.Task;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogBroken(failure, key.Stack, key.Service);
        }

        await running.DisposeAsync();
        LogEnded(key.Stack, key.Service);
    }

    private static void Tell(StreamState state)
    {
        BackupMetrics.Point(state.Stack, state.Service, "local", state.LocalLag.TotalSeconds, state.LocalBytes);
        BackupMetrics.Point(state.Stack, state.Service, "off-host", state.OffHostLag.TotalSeconds, state.OffHostBytes);
        if (state.ServerKeeps is { } kept) BackupMetrics.Slot(state.Stack, state.Service, kept, state.UntilFull?.TotalSeconds);
    }

    [LoggerMessage(EventId = 2570, Level = LogLevel.Information, Message = "{Stack}/{Service}: what it writes is received continuously")]
    private partial void LogBegun(string stack, string service);

    [LoggerMessage(EventId = 2571, Level = LogLevel.Information, Message = "{Stack}/{Service}: what it writes is no longer received")]
    private partial void LogEnded(string stack, string service);

    [LoggerMessage(EventId = 2572, Level = LogLevel.Error, Message = "{Stack}/{Service}: receiving what it writes ended by a defect; it is begun anew")]
    private partial void LogBroken(Exception failure, string stack, string service);
}
