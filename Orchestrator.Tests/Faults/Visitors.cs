using System.Collections.Concurrent;

namespace Orchestrator.Tests.Faults;

/// <summary>Users who come at a fixed pace, whatever becomes of those before them, and what each of them saw.</summary>
internal sealed class Visitors : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40);

    private readonly CancellationTokenSource _leaving = new();
    private readonly ConcurrentQueue<Visit> _seen = [];
    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 64, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(40) };
    private readonly Uri _edge;
    private readonly Func<string> _host;
    private readonly Task _coming;

    public Visitors(Uri edge, Func<string> host)
    {
        (_edge, _host) = (edge, host);
        _coming = Task.Run(ComeAsync);
    }

    public IReadOnlyCollection<Visit> Seen => _seen;

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _coming;
        _client.Dispose();
        _leaving.Dispose();
    }

    /// <summary>Those that nothing excuses: neither a success, nor allowed, nor under way while the daemon was away.</summary>
    public IEnumerable<Visit> Lost(IReadOnlyList<(DateTimeOffset From, DateTimeOffset To)> away, Func<Visit, bool> allowed) =>
        _seen.Where(visit => visit.Status != 200 && !allowed(visit) && !away.Any(gap => visit.Came <= gap.To && visit.Left >= gap.From));

    private async Task ComeAsync()
    {
        var under = new ConcurrentDictionary<Task, bool>();
        using var ticks = new PeriodicTimer(Pace);
        while (!_leaving.IsCancellationRequested)
        {
            await ticks.WaitForNextTickAsync();
            var visit = VisitAsync();
            under[visit] = true;
            _ = visit.ContinueWith(done => under.TryRemove(done, out _), TaskScheduler.Default);
        }

        await Task.WhenAll(under.Keys);
    }

    private async Task VisitAsync()
    {
        var came = TimeProvider.System.GetUtcNow();
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, _edge) { Headers = { Host = _host() } };
            using var answer = await _client.SendAsync(message);
            var version = answer.Headers.TryGetValues("X-Version", out var versions) ? versions.First() : "";
            _seen.Enqueue(new(came, TimeProvider.System.GetUtcNow(), (int)answer.StatusCode, version, ""));
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or IOException)
        {
            _seen.Enqueue(new(came, TimeProvider.System.GetUtcNow(), 0, "", failure.Message));
        }
    }
}

/// <param name="Status">0: no answer.</param>
internal sealed record Visit(DateTimeOffset Came, DateTimeOffset Left, int Status, string Version, string Problem);
