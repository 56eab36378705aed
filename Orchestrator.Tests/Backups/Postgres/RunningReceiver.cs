using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Tests.GardenApp;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>A receiver at work, as the daemon would have it.</summary>
internal sealed class RunningReceiver : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;

    public RunningReceiver(Cluster cluster, TestStore store, BackupSubject subject, WalOptions? options = null)
    {
        Subject = subject;
        Receiver = new(
            new(cluster.Lab.Stack, "db", _ => Task.FromResult<BackupSubject?>(Subject)),
            cluster.Logins,
            new(store.Stream, store.Reader, store.DeleteAsync),
            (options ?? Quick) with { Directory = cluster.PathOf("wal") },
            TimeProvider.System,
            NullLogger<WalReceiver>.Instance);
        _run = Receiver.RunAsync(_stop.Token);
    }

    public static WalOptions Quick => new() { Directory = "", SliceEvery = TimeSpan.FromMilliseconds(300), PollEvery = TimeSpan.FromMilliseconds(250), BeatEvery = TimeSpan.FromSeconds(1) };

    public BackupSubject Subject { get; set; }

    public WalReceiver Receiver { get; }

    public WalStatus Status => Receiver.Status;

    public Task UntilAsync(Func<WalStatus, bool> holds, string what) => Eventually.TrueAsync(
        () => _run.IsFaulted ? throw _run.Exception!.InnerException! : Task.FromResult(holds(Status)), $"{what}; it is {Status}, findings: {string.Join("; ", Status.Findings.Select(finding => finding.What))}");

    /// <summary>Until the stores have what the server has written until now.</summary>
    public async Task StoredAsync()
    {
        var lsn = Lsn.Parse(await Cluster.AskAsync<string>(Subject, "SELECT pg_current_wal_flush_lsn()::text"));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await Receiver.UntilOffHostAsync(lsn, patience.Token);
    }

    /// <summary>In good order.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _run;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Receiver.DisposeAsync();
        _stop.Dispose();
    }
}
