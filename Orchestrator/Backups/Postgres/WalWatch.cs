using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Orchestrator.Backups.Postgres;

/// <summary>Asks the server every few seconds where it stands, marks the time in its log, and sees to it that neither commits nor its disk suffer from us.</summary>
internal sealed partial class WalWatch(WalSubject subject, PostgresLogins logins, WalOptions options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan ReleaseBudget = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = logger;
    private readonly string _name = WalSlot.NameOf(subject.Stack, subject.Service);
    private readonly SynchronousCommit _commit = new(WalSlot.NameOf(subject.Stack, subject.Service), time);
    private readonly LinkedList<(DateTimeOffset At, Lsn Server)> _samples = [];
    private long? _beat;

    /// <summary>Why the stores do not take the log; null: they do.</summary>
    public string? StoreProblem { get; set; }

    public async Task<WalSighting> LookAsync(WalStatus status, CancellationToken cancellationToken)
    {
        var (service, login) = await FindAsync(cancellationToken);
        await using var connection = await login.OpenAsync("postgres", cancellationToken);
        await BeatAsync(connection, cancellationToken);
        var facts = await ServerFacts.ReadAsync(connection, sized: false, cancellationToken);
        var server = await PositionAsync(connection, facts, cancellationToken);
        var slot = await WalSlot.FindAsync(connection, _name, cancellationToken);
        var change = await _commit.LookAsync(connection, service.Backup.Synchronous, service.Backup.SynchronousPatience, status.Streaming, server, status.Durable, cancellationToken);
        Say(change, service.Backup.SynchronousPatience);

        var lag = slot?.Restart is { } restart ? Math.Max(0, server - restart) : 0;
        Remember(server);
        return new()
        {
            Server = server,
            SlotLag = lag,
            SlotRoom = slot?.Room,
            UntilFull = status.Streaming || slot is null ? null : UntilFull(Math.Min(slot.Room ?? long.MaxValue, Math.Max(0, options.SlotLimit - lag))),
            Synchronous = _commit.Armed,
            BehindSince = Since(status.OffHost),
            LocalBehindSince = Since(status.Durable),
            Findings = Findings(service, login, facts, status, lag),
            GiveUpSlot = !status.Streaming && slot is not null && lag > options.SlotLimit,
        };
    }

    /// <summary>Commits are let go from waiting for us. Best effort: a database that is gone waits for nobody.</summary>
    public async Task ReleaseAsync()
    {
        if (!_commit.Armed) return;

        using var budget = new CancellationTokenSource(ReleaseBudget, time);
        try
        {
            var (_, login) = await FindAsync(budget.Token);
            await using var connection = await login.OpenAsync("postgres", budget.Token);
            await _commit.ReleaseAsync(connection, budget.Token);
            LogReleased(subject);
        }
        catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException or BackupFailedException or TimeoutException)
        {
            LogNotReleased(subject, failure.Message);
        }
    }

    public async Task DropSlotAsync(CancellationToken cancellationToken)
    {
        var (_, login) = await FindAsync(cancellationToken);
        await using var connection = await login.OpenAsync("postgres", cancellationToken);
        await WalSlot.DropAsync(connection, _name, cancellationToken);
    }

    public ImmutableArray<BackupFinding> Unreachable(Exception failure) =>
        [new(true, $"the log of {subject} is not received: {failure.Message}", "Is the database running? The log since then exists on its disk only.")];

    private async Task<(BackupSubject Subject, PostgresLogin Login)> FindAsync(CancellationToken cancellationToken)
    {
        var found = await subject.Find(cancellationToken) ?? throw new BackupFailedException($"{subject} does not run", "Is it deployed? See 'basmalin status'.");
        return (found, await logins.OfAsync(found, cancellationToken));
    }

    /// <summary>A commit of ours: by it a restore to a time ends soon after that time, and a quiet server's log shows that it is quiet and not cut off.</summary>
    private async Task BeatAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (_beat is { } last && time.GetElapsedTime(last) < options.BeatEvery) return;

        await TableFingerprints.ExecuteAsync(connection, "SET synchronous_commit = local", cancellationToken);
        await TableFingerprints.ExecuteAsync(connection, "SELECT pg_logical_emit_message(true, 'basmalin', '')", cancellationToken);
        _beat = time.GetTimestamp();
    }

    private static async Task<Lsn> PositionAsync(NpgsqlConnection connection, ServerFacts facts, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {(facts.Standby ? "pg_last_wal_receive_lsn" : "pg_current_wal_flush_lsn")}()::text", connection);
        return Lsn.TryParse(await command.ExecuteScalarAsync(cancellationToken) as string, out var lsn) ? lsn : Lsn.Zero;
    }

    private void Remember(Lsn server)
    {
        if (_samples.Last?.Value.Server != server) _samples.AddLast((time.GetUtcNow(), server));
        while (_samples.Count > 10_000) _samples.RemoveFirst();
    }

    /// <summary>When the first thing was there that lies beyond a position.</summary>
    private DateTimeOffset? Since(Lsn reached)
    {
        for (var sample = _samples.First; sample is not null; sample = sample.Next)
        {
            if (sample.Value.Server > reached) return sample.Value.At;
        }

        return null;
    }

    /// <param name="bytes">What the server may keep still: its own limit, or ours, whichever comes first.</param>
    private TimeSpan? UntilFull(long bytes)
    {
        if (_samples.First is not { Value: var first } || _samples.Last is not { Value: var last } || last.Server <= first.Server) return null;
        var rate = (last.Server - first.Server) / Math.Max(1, (last.At - first.At).TotalSeconds);
        return TimeSpan.FromSeconds(Math.Min(bytes / rate, TimeSpan.FromDays(3650).TotalSeconds));
    }

    private ImmutableArray<BackupFinding> Findings(BackupSubject service, PostgresLogin login, ServerFacts facts, WalStatus status, long lag)
    {
        var findings = PostgresChecks.Settings(service, login.User, facts).ToBuilder();
        if (StoreProblem is { } problem) findings.Add(new(false, $"the stores do not take the log ({Math.Max(0, status.Durable - status.OffHost)} bytes wait here): {problem}", "It is tried again every few seconds."));
        if (status.Durable - status.OffHost > options.LocalLimit / 5 * 4)
            findings.Add(new(false, $"log that no store has taken fills {Math.Max(0, status.Durable - status.OffHost) >> 20} of {options.LocalLimit >> 20} MiB here", "When it is full, no more is received, and the server keeps it."));
        if (lag > options.SlotLimit / 5 * 4)
            findings.Add(new(true, $"the server keeps {lag >> 20} MiB of log for us; at {options.SlotLimit >> 20} MiB the slot is given up", "See why it is not received. After that a new base is made."));
        if (_commit.Foreign is { } foreign && service.Backup.Synchronous)
            findings.Add(new(true, $"synchronous: true is asked for, but synchronous_standby_names is already '{foreign}'", $"Add \"{_name}\" to it by hand, or reset it: ALTER SYSTEM RESET synchronous_standby_names"));
        if (_commit.Degraded) findings.Add(new(true, "commits do not wait for this host any more, since it did not answer in time", "It is armed again by itself when it has caught up."));
        return findings.ToImmutable();
    }

    private void Say(SynchronousChange change, TimeSpan patience)
    {
        if (change == SynchronousChange.Armed) LogArmed(subject);
        else if (change == SynchronousChange.Degraded) LogDegraded(subject, patience);
    }

    [LoggerMessage(EventId = 5220, Level = LogLevel.Information, Message = "{Service}: commits wait from now on until this host has them on its disk")]
    private partial void LogArmed(WalSubject service);

    [LoggerMessage(EventId = 5221, Level = LogLevel.Error, Message = "{Service}: this host has confirmed nothing for {Patience}; commits no longer wait for it")]
    private partial void LogDegraded(WalSubject service, TimeSpan patience);

    [LoggerMessage(EventId = 5222, Level = LogLevel.Information, Message = "{Service}: commits no longer wait for this host, which is stopping")]
    private partial void LogReleased(WalSubject service);

    [LoggerMessage(EventId = 5223, Level = LogLevel.Warning, Message = "{Service}: commits could not be let go from waiting for this host, which is stopping: {Problem}")]
    private partial void LogNotReleased(WalSubject service, string problem);
}

/// <summary>What one look at the server has shown.</summary>
internal sealed record WalSighting
{
    public required Lsn Server { get; init; }

    public required long SlotLag { get; init; }

    public required long? SlotRoom { get; init; }

    public required TimeSpan? UntilFull { get; init; }

    public required bool Synchronous { get; init; }

    public required DateTimeOffset? BehindSince { get; init; }

    public required DateTimeOffset? LocalBehindSince { get; init; }

    public required ImmutableArray<BackupFinding> Findings { get; init; }

    public required bool GiveUpSlot { get; init; }

    public WalStatus Into(WalStatus status) => status with
    {
        Server = Server,
        SlotLag = SlotLag,
        SlotRoom = SlotRoom,
        UntilFull = UntilFull,
        Synchronous = Synchronous,
        BehindSince = BehindSince,
        LocalBehindSince = LocalBehindSince,
        Findings = Findings,
    };
}
