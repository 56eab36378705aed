using Microsoft.Extensions.Logging;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Backups.Redis.Streams;
using Orchestrator.Backups.Sets;
using Orchestrator.Secrets;

namespace Orchestrator.Deployments;

/// <summary>Begins the receiver that a service asks for: PostgreSQL's log, or Redis's commands. Where its container is, each finds out by itself.</summary>
public sealed class StreamReceivers(BackupSubjects subjects, BackupVault vault, PostgresLogins logins, SecretStore secrets, StreamOptions options, ILoggerFactory loggers)
{
    internal RunningStream Begin(StreamKey key) => key.Kind == StreamKey.Redis ? BeginRedis(key) : BeginPostgres(key);

    private RunningStream BeginPostgres(StreamKey key)
    {
        var repository = vault.ForWriting(key.Stack);
        var receiver = new WalReceiver(
            new(key.Stack, key.Service, token => FindAsync(key, token)),
            logins,
            new(repository.WriterOfStream(key.Service), repository.Reader([]), (name, token) => DeleteAsync(key.Stack, name, token)),
            options.Wal,
            options.Time,
            loggers.CreateLogger<WalReceiver>());
        return new(receiver.RunAsync, () => StateOf(key, receiver.Status), receiver.BaseTaken, receiver);
    }

    private RunningStream BeginRedis(StreamKey key)
    {
        var receiver = new RedisStreamReceiver(
            new(key.Stack, key.Service, token => FindAsync(key, token)) { DeleteAsync = (name, token) => DeleteAsync(key.Stack, name, token) },
            options.Redis,
            secrets,
            vault.ForWriting(key.Stack).WriterOfStream(key.Service),
            options.Time,
            loggers.CreateLogger<RedisStreamReceiver>());
        return new(receiver.RunAsync, () => StateOf(key, receiver.Status), static () => { }, receiver);
    }

    private async Task<BackupSubject?> FindAsync(StreamKey key, CancellationToken cancellationToken) =>
        (await subjects.OfAsync(key.Stack, cancellationToken))?.Subjects.FirstOrDefault(subject => subject.Service.Name == key.Service);

    private async Task DeleteAsync(string stack, string key, CancellationToken cancellationToken)
    {
        foreach (var store in vault.Repository(stack).Stores) await store.DeleteAsync(key, cancellationToken);
    }

    private StreamState StateOf(StreamKey key, WalStatus status)
    {
        var now = options.Time.GetUtcNow();
        return new(key.Stack, key.Service, key.Kind, status.Streaming, status.LocalLagTime(now), status.LocalLag, status.OffHostLagTime(now), status.OffHostLag)
        {
            Synchronous = status.Synchronous,
            ServerKeeps = status.SlotLag,
            UntilFull = status.UntilFull,
            NewBase = status.NewBaseReason,
            Holes = status.Gaps.Length,
            Findings = status.Findings,
        };
    }

    private StreamState StateOf(StreamKey key, RedisStreamStatus status)
    {
        var now = options.Time.GetUtcNow();
        var offHost = status.OffHostBehindSince is { } since ? now - since : TimeSpan.Zero;
        var local = status.BehindSince is { } lost ? now - lost : TimeSpan.Zero;
        return new(
            key.Stack, key.Service, key.Kind, status.State == RedisStreamState.Streaming, local, status.LagBytes ?? 0, offHost > local ? offHost : local, status.OffHostLagBytes)
        {
            Holes = status.Gaps,
            Findings = status.Problem is { } problem ? [new(Blocking: false, problem, status.Hint ?? "")] : [],
        };
    }
}

/// <summary>A stream whose settings have changed is another one.</summary>
internal sealed record StreamKey(string Stack, string Service, string Kind, bool Synchronous, TimeSpan Patience, string? User, string? PasswordSecret)
{
    public const string Redis = "redis";
}

/// <summary>A receiver at work.</summary>
internal sealed class RunningStream : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly IAsyncDisposable _receiver;
    private readonly Func<StreamState> _state;
    private readonly Action _baseTaken;

    public RunningStream(Func<CancellationToken, Task> run, Func<StreamState> state, Action baseTaken, IAsyncDisposable receiver)
    {
        (_state, _baseTaken, _receiver) = (state, baseTaken, receiver);
        Task = Task.Run(() => run(_stop.Token));
    }

    public Task Task { get; }

    public StreamState State => _state();

    public void BaseTaken() => _baseTaken();

    public Task StopAsync() => _stop.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        _stop.Dispose();
    }
}
