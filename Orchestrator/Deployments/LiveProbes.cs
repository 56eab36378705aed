using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Health;
using Orchestrator.Journal;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>
/// Goes on asking live replicas what their gate asked, at a slow pace. One that fails some times in a row leaves the rotation and comes back with its
/// first success. The last one of a service stays: whether it can be reached is found out by the requests themselves, and what it answers is better
/// than nothing.
/// </summary>
public sealed partial class LiveProbes : IAsyncDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(500);

    private readonly IJournal _journal;
    private readonly StackTraffic _traffic;
    private readonly Gates _gates;
    private readonly TimeProvider _time;
    private readonly ILogger<LiveProbes> _logger;
    private readonly Dictionary<Upstream, Watched> _watched = [];
    private readonly TimedLoop _loop;
    private volatile IReadOnlyList<FailingReplica> _failing = [];

    public LiveProbes(IJournal journal, StackTraffic traffic, Gates gates, TimeProvider time, ILogger<LiveProbes> logger)
    {
        _journal = journal;
        _traffic = traffic;
        _gates = gates;
        _time = time;
        _logger = logger;
        _loop = new TimedLoop(TimeSpan.FromSeconds(1), RoundAsync, time);
    }

    /// <summary>Live replicas whose last probes failed, as often in a row as takes one out of the rotation; also the last of a service, which stays in it.</summary>
    public IReadOnlyList<FailingReplica> Failing => _failing;

    public void Start() => _loop.Start();

    public async ValueTask DisposeAsync()
    {
        await _loop.DisposeAsync();
        await Task.WhenAll(Asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private IEnumerable<Task> Asking => _watched.Values.Select(watched => watched.Asking).OfType<Task>();

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        var live = _traffic.Live.ToHashSet();
        foreach (var gone in _watched.Keys.Where(upstream => !live.Contains(upstream)).ToList()) _watched.Remove(gone);
        foreach (var upstream in live) await TryAskAsync(upstream, cancellationToken);

        // Nearly all answer at once; nobody waits for one that does not.
        await Task.WhenAll(Asking).WaitAsync(Moment, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var (upstream, watched) in _watched) await JudgeAsync(upstream, watched, cancellationToken);

        _failing = [.. from pair in _watched
                       from failing in pair.Value.Failures
                       where pair.Value.Rule is { } rule && failing.Value >= rule.Failures
                       select new FailingReplica(pair.Key.Identity.Stack, pair.Key.Identity.Service, new(failing.Key), pair.Value.Details.GetValueOrDefault(failing.Key, ""))];
    }

    private async Task TryAskAsync(Upstream upstream, CancellationToken cancellationToken)
    {
        try
        {
            if (!_watched.TryGetValue(upstream, out var watched)) _watched[upstream] = watched = await WatchAsync(upstream, cancellationToken);
            if (watched is { Asking: null, Rule: { } rule } && _time.GetElapsedTime(watched.Asked) >= rule.Every) watched.Asking = AskAllAsync(upstream, watched, cancellationToken);
        }
        catch (Exception problem) when (problem is JournalException or EngineException)
        {
            LogNotAsked(upstream.Identity.Stack, upstream.Identity.Service, problem.Message);
        }
    }

    /// <summary>What came of the questions, once all replicas of it have answered or have had their time.</summary>
    private async Task JudgeAsync(Upstream upstream, Watched watched, CancellationToken cancellationToken)
    {
        if (watched is not { Asking: { IsCompleted: true } asked, Rule: { } rule }) return;

        watched.Asking = null;
        try
        {
            foreach (var (replica, seen) in await asked) Judge(upstream, watched, rule, replica, seen);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The daemon ends.
        }
        catch (Exception problem) when (problem is JournalException or EngineException)
        {
            LogNotAsked(upstream.Identity.Stack, upstream.Identity.Service, problem.Message);
        }
    }

    /// <summary>Probes by exec cost the container a process each time, and that a container runs is said by the engine: both end with the gate.</summary>
    private async Task<Watched> WatchAsync(Upstream upstream, CancellationToken cancellationToken)
    {
        var identity = upstream.Identity;
        var release = await _journal.FindReleaseAsync(identity.Stack, identity.Release, cancellationToken);
        var spec = release?.Stack.Find(identity.Service);
        var asks = release is not null && spec?.BasMalin?.Probe is { } rule && rule.Every > TimeSpan.Zero
            && Gates.RuleOf(spec, release.Images.GetValueOrDefault(spec.Name)).Kind is GateKind.Http or GateKind.Tcp or GateKind.Docker;
        return new Watched(release, spec, asks ? spec?.BasMalin?.Probe : null) { Asked = _time.GetTimestamp() };
    }

    private async Task<(ReplicaAddress Replica, ProbeResult Seen)[]> AskAllAsync(Upstream upstream, Watched watched, CancellationToken cancellationToken)
    {
        watched.Asked = _time.GetTimestamp();
        return watched is { Release: { } release, Spec: { } spec }
            ? await Task.WhenAll(upstream.Replicas.Select(async replica => (replica, await _gates.AskAsync(release, spec, replica, cancellationToken))))
            : [];
    }

    private void Judge(Upstream upstream, Watched watched, ProbeSpec rule, ReplicaAddress replica, ProbeResult seen)
    {
        var (stack, service) = (upstream.Identity.Stack, upstream.Identity.Service);
        if (seen.Healthy)
        {
            watched.Failures.Remove(replica.Key);
            watched.Details.Remove(replica.Key);
            if (!watched.Out.Remove(replica.Key)) return;

            upstream.SetAvailable(replica.Key, true);
            LogBack(stack, service, new(replica.Key));
            return;
        }

        watched.Details[replica.Key] = seen.Detail;
        var failures = watched.Failures[replica.Key] = watched.Failures.GetValueOrDefault(replica.Key) + 1;
        if (failures < rule.Failures || !upstream.TryTakeOut(replica.Key)) return;

        watched.Out.Add(replica.Key);
        LogOut(stack, service, new(replica.Key), failures, seen.Detail);
    }

    [LoggerMessage(EventId = 2541, Level = LogLevel.Warning, Message = "Stack {Stack}: {Container} of {Service} is out of the rotation: {Failures} probes in a row failed, the last: {Detail}")]
    private partial void LogOut(string stack, string service, ContainerId container, int failures, string detail);

    [LoggerMessage(EventId = 2542, Level = LogLevel.Information, Message = "Stack {Stack}: {Container} of {Service} answers its probe and is in the rotation again")]
    private partial void LogBack(string stack, string service, ContainerId container);

    [LoggerMessage(EventId = 2543, Level = LogLevel.Warning, Message = "Stack {Stack}: {Service} could not be probed: {Problem}")]
    private partial void LogNotAsked(string stack, string service, string problem);

    /// <param name="Rule">Null: it is not asked.</param>
    private sealed record Watched(Release? Release, ServiceSpec? Spec, ProbeSpec? Rule)
    {
        public long Asked { get; set; }

        /// <summary>Null: nobody is being asked.</summary>
        public Task<(ReplicaAddress Replica, ProbeResult Seen)[]>? Asking { get; set; }

        public Dictionary<string, int> Failures { get; } = [];

        /// <summary>Key → what its last probe saw, of those that failed.</summary>
        public Dictionary<string, string> Details { get; } = [];

        public HashSet<string> Out { get; } = [];
    }
}
