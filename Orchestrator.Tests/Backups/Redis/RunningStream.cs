using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups.Redis.Streams;
using Orchestrator.Tests.GardenApp;

namespace Orchestrator.Tests.Backups.Redis;

/// <summary>A receiver at work, sending slices as fast as it may.</summary>
internal sealed class RunningStream : IAsyncDisposable
{
    public const int Merged = 3;

    private readonly RedisStreamReceiver _receiver;
    private int _deleted;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private RunningStream(RedisBed bed, Func<RedisServer> server, string directory)
    {
        Directory = directory;
        _receiver = new RedisStreamReceiver(
            new StreamedService("garden", "cache", async _ => (await server().SubjectAsync()))
            {
                DeleteAsync = (key, _) =>
                {
                    File.Delete(bed.Store.PathOf(key));
                    Interlocked.Increment(ref _deleted);
                    return Task.CompletedTask;
                },
            },
            new RedisStreamOptions { Directory = directory, MergeSlices = Merged, SliceEvery = TimeSpan.FromMilliseconds(300), IdleSliceEvery = TimeSpan.FromMilliseconds(300), CopyPause = TimeSpan.Zero },
            bed.Secrets, bed.Store.Stream("cache"), TimeProvider.System, NullLogger<RedisStreamReceiver>.Instance);
        _running = _receiver.RunAsync(_stop.Token);
    }

    public string Directory { get; }

    /// <summary>Slices that were merged and removed.</summary>
    public int Deleted => Volatile.Read(ref _deleted);

    public RedisStreamStatus Status => _receiver.Status;

    public static Task<RunningStream> StartAsync(RedisBed bed, RedisServer server, string? directory = null) => StartAsync(bed, () => server, directory);

    /// <summary>Starts one, and waits until it streams.</summary>
    public static async Task<RunningStream> StartAsync(RedisBed bed, Func<RedisServer> server, string? directory = null)
    {
        var stream = new RunningStream(bed, server, directory ?? Path.Combine(bed.Directory, "streams"));
        await stream.UntilAsync(status => status.State == RedisStreamState.Streaming);
        return stream;
    }

    public Task UntilAsync(Func<RedisStreamStatus, bool> so) => Eventually.TrueAsync(
        () => _running.IsFaulted ? throw new InvalidOperationException("the receiver died", _running.Exception) : Task.FromResult(so(Status)), $"the receiver is as wanted: {Status}");

    /// <summary>Everything up to there, and the copy that it rests on, is in the store.</summary>
    public Task UntilStoredAsync(long offset) => UntilAsync(status => status.OffHostOffset >= offset);

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        await _stop.CancelAsync();
        await _running;
        await _receiver.DisposeAsync();
    }
}
