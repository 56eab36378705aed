using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Backups.Sets;
using Orchestrator.Journal;
using Orchestrator.Telemetry;

namespace Orchestrator.Deployments;

/// <summary>
/// Keeps a receiver running for each live service that asks for one (<c>backup.wal</c>): begun with its deployment, at the daemon's start, and
/// when its settings change; ended when nobody asks for it any more. Where its container is, each receiver finds out by itself.
/// </summary>
public sealed partial class ContinuousStreams(BackupSubjects subjects, BackupVault vault, IJournal journal, PostgresLogins logins, StreamOptions options, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly ILogger<ContinuousStreams> _logger = loggers.CreateLogger<ContinuousStreams>();
    private readonly SemaphoreSlim _keeping = new(1, 1);
    private readonly Lock _gate = new();
    private readonly Dictionary<StreamKey, Running> _running = [];
    private bool _disposed;

    /// <summary>How each stream stands now.</summary>
    public ImmutableArray<StreamState> States
    {
        get
        {
            lock (_gate) return [.. _running.Select(pair => StateOf(pair.Key, pair.Value)).OrderBy(state => state.Stack, StringComparer.Ordinal).ThenBy(state => state.Service, StringComparer.Ordinal)];
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
            lock (_gate) surplus = [.. _running.Keys.Where(key => !wanted.Contains(key))];
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
            foreach (var (key, running) in _running.Where(pair => pair.Key.Stack == stack)) running.Receiver.BaseTaken();
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
                if (spec.BasMalin?.Backup is { Wal: true } backup) wanted.Add(new(state.Stack, spec.Name, backup.Synchronous, backup.SynchronousPatience, backup.User, backup.PasswordSecret));
            }
        }

        return wanted.ToImmutable();
    }

    private void Begin(StreamKey key)
    {
        lock (_gate)
        {
            if (_running.ContainsKey(key)) return;

            var repository = vault.Repository(key.Stack);
            var receiver = new WalReceiver(
                new(key.Stack, key.Service, token => FindAsync(key, token)),
                logins,
                new(repository.WriterOfStream(key.Service), repository.Reader([]), (name, token) => DeleteAsync(key.Stack, name, token)),
                options.Wal,
                options.Time,
                loggers.CreateLogger<WalReceiver>());
            var stop = new CancellationTokenSource();
            _running[key] = new(receiver, stop, Task.Run(() => receiver.RunAsync(stop.Token)));
        }

        LogBegun(key.Stack, key.Service);
    }

    private async Task EndAsync(StreamKey key)
    {
        Running? running;
        lock (_gate)
        {
            if (!_running.Remove(key, out running)) return;
        }

        await running.Stop.CancelAsync();
        try
        {
            await running.Task;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogBroken(failure, key.Stack, key.Service);
        }

        await running.Receiver.DisposeAsync();
        running.Stop.Dispose();
        LogEnded(key.Stack, key.Service);
    }

    private async Task<BackupSubject?> FindAsync(StreamKey key, CancellationToken cancellationToken) =>
        (await subjects.OfAsync(key.Stack, cancellationToken))?.Subjects.FirstOrDefault(subject => subject.Service.Name == key.Service);

    private async Task DeleteAsync(string stack, string key, CancellationToken cancellationToken)
    {
        foreach (var store in vault.Repository(stack).Stores) await store.DeleteAsync(key, cancellationToken);
    }

    private StreamState StateOf(StreamKey key, Running running)
    {
        var status = running.Receiver.Status;
        var now = options.Time.GetUtcNow();
        return new(key.Stack, key.Service, status.Streaming, status.LocalLagTime(now), status.LocalLag, status.OffHostLagTime(now), status.OffHostLag)
        {
            Synchronous = status.Synchronous,
            ServerKeeps = status.SlotLag,
            UntilFull = status.UntilFull,
            NewBase = status.NewBaseReason,
            Holes = status.Gaps.Length,
            Findings = status.Findings,
        };
    }

    private static void Tell(StreamState state)
    {
        BackupMetrics.Point(state.Stack, state.Service, "local", state.LocalLag.TotalSeconds, state.LocalBytes);
        BackupMetrics.Point(state.Stack, state.Service, "off-host", state.OffHostLag.TotalSeconds, state.OffHostBytes);
        BackupMetrics.Slot(state.Stack, state.Service, state.ServerKeeps, state.UntilFull?.TotalSeconds);
    }

    [LoggerMessage(EventId = 2570, Level = LogLevel.Information, Message = "{Stack}/{Service}: its log is received continuously")]
    private partial void LogBegun(string stack, string service);

    [LoggerMessage(EventId = 2571, Level = LogLevel.Information, Message = "{Stack}/{Service}: its log is no longer received")]
    private partial void LogEnded(string stack, string service);

    [LoggerMessage(EventId = 2572, Level = LogLevel.Error, Message = "{Stack}/{Service}: receiving its log ended by a defect")]
    private partial void LogBroken(Exception failure, string stack, string service);

    /// <summary>A stream whose settings have changed is another one.</summary>
    private sealed record StreamKey(string Stack, string Service, bool Synchronous, TimeSpan Patience, string? User, string? PasswordSecret);

    private sealed record Running(WalReceiver Receiver, CancellationTokenSource Stop, Task Task);
}

/// <summary>How streams are received.</summary>
public sealed record StreamOptions(WalOptions Wal, TimeProvider Time);

/// <summary>How a continuous stream stands.</summary>
/// <param name="LocalLag">For how long this host has lacked something; zero: it has all.</param>
/// <param name="LocalBytes">That exist in the service only.</param>
/// <param name="OffHostLag">For how long the stores have lacked something.</param>
public sealed record StreamState(string Stack, string Service, bool Streaming, TimeSpan LocalLag, long LocalBytes, TimeSpan OffHostLag, long OffHostBytes)
{
    /// <summary>Commits wait for this host.</summary>
    public bool Synchronous { get; init; }

    /// <summary>Bytes that the server keeps for us.</summary>
    public long ServerKeeps { get; init; }

    /// <summary>When what it may keep will be used up, at the present rate; null: it is not being used up.</summary>
    public TimeSpan? UntilFull { get; init; }

    /// <summary>Parts that nobody has, since the daemon's start.</summary>
    public int Holes { get; init; }

    /// <summary>Why a new set is needed; null: it is not.</summary>
    public string? NewBase { get; init; }

    public ImmutableArray<BackupFinding> Findings { get; init; } = [];
}
