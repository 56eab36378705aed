namespace Orchestrator.Tests.Load;

/// <summary>
/// Users who do not wait for each other: each request starts at its time, whatever became of the others, and its latency counts from that time. A
/// closed loop would slow down exactly when the server does, and see nothing.
/// </summary>
public sealed class OpenLoopLoad : IAsyncDisposable
{
    private readonly LoadOptions _options;
    private readonly LoadTally _tally;
    private readonly HttpMessageInvoker _pooled;
    private readonly HttpMessageInvoker _fresh;
    private readonly LoadRequest _request;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly List<Task> _running = [];
    private Task<LoadReport>? _stopped;

    private OpenLoopLoad(LoadOptions options)
    {
        _options = options;
        _tally = new LoadTally(options.FailuresKept, _time);
        _pooled = new HttpMessageInvoker(Handler(Timeout.InfiniteTimeSpan));
        _fresh = new HttpMessageInvoker(Handler(TimeSpan.Zero));
        _request = new LoadRequest(options, _tally, _pooled, _fresh, _time);
    }

    public static OpenLoopLoad Start(LoadOptions options)
    {
        var load = new OpenLoopLoad(options);
        load._running.Add(Task.Run(load.ArriveAsync));
        if (options.WebSocketPath is { } socket)
            load._running.Add(Task.Run(() => new LongWebSocket(options, load._tally, load._time).RunAsync(socket, load._stopping.Token)));
        if (options.EventsPath is { } events)
            load._running.Add(Task.Run(() => new LongEventStream(options, load._tally, load._fresh, load._time).RunAsync(events, load._stopping.Token)));
        return load;
    }

    /// <summary>What has been seen so far.</summary>
    public LoadReport Report() => _tally.Report();

    /// <summary>Completes when the version answers a request, from now on.</summary>
    public Task SeenAsync(string version, CancellationToken cancellationToken) => _tally.SeenAsync(version).WaitAsync(cancellationToken);

    /// <summary>Lets no more requests arrive, waits for those under way, and says what came of all.</summary>
    public Task<LoadReport> StopAsync() => _stopped ??= StopCoreAsync();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _pooled.Dispose();
        _fresh.Dispose();
        _stopping.Dispose();
    }

    private async Task<LoadReport> StopCoreAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_running);
        return _tally.Report();
    }

    private async Task ArriveAsync()
    {
        var started = _time.GetTimestamp();
        var underWay = new List<Task>();
        for (var number = 0L; !_stopping.IsCancellationRequested; number++)
        {
            var due = started + (long)(number / _options.Rate * _time.TimestampFrequency);
            var early = _time.GetElapsedTime(_time.GetTimestamp(), due);
            if (early > TimeSpan.Zero)
                await Task.Delay(early, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stopping.IsCancellationRequested)
                break;

            underWay.Add(_request.RunAsync(KindOf(number), due));
            if (number % 100 == 0)
                underWay.RemoveAll(task => task.IsCompletedSuccessfully);
        }

        await Task.WhenAll(underWay);
    }

    // The shares are spread evenly by a step without common divisor, so that every short stretch has some of each.
    private LoadKind KindOf(long number)
    {
        var mix = _options.Mix;
        var place = number * 37 % mix.Sum;
        return place < mix.KeepAlive ? LoadKind.KeepAlive
            : place < mix.KeepAlive + mix.NewConnection ? LoadKind.NewConnection
            : place < mix.KeepAlive + mix.NewConnection + mix.Post ? LoadKind.Post
            : LoadKind.Slow;
    }

    private static SocketsHttpHandler Handler(TimeSpan lifetime) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        PooledConnectionLifetime = lifetime,
        ActivityHeadersPropagator = null,
    };
}
