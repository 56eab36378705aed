using System.Collections.Concurrent;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Restores;

namespace Orchestrator.Scheduling;

/// <summary>Sees that streams run with the deployments, answers a hole in one with a new set, and tells when one is in trouble.</summary>
public sealed class StreamWatch(ContinuousStreams streams, DeploymentQueue deployments, BackupDesk desk, BackupAlerts alerts, StreamLedger ledger, TimeProvider time) : IAsyncDisposable
{
    /// <summary>A new base is not asked for again before this has passed: the one that was asked for may be under way, or fail.</summary>
    private static readonly TimeSpan BetweenBases = TimeSpan.FromMinutes(15);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _asked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Stack, string Service), int> _holes = [];
    private readonly ConcurrentDictionary<string, string> _told = new(StringComparer.Ordinal);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        deployments.Ended += OnEnded;
        desk.Made += streams.BaseTaken;
        await streams.KeepAsync(cancellationToken);
    }

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await streams.KeepAsync(cancellationToken);
        foreach (var state in streams.States)
        {
            if (state.NewBase is { } why) await NeedAsync(state, why, cancellationToken);
            TellOfHoles(state);
            Tell(state);
        }

        var streamed = streams.States.Select(state => state.Stack).ToHashSet(StringComparer.Ordinal);
        foreach (var stack in (await ledger.OpenAsync(cancellationToken)).Where(need => streamed.Contains(need.Stack)).GroupBy(need => need.Stack)) AskForBase([.. stack]);
    }

    /// <summary>Written down, so that a daemon that ends before the set is made asks for it again.</summary>
    private async Task NeedAsync(StreamState state, string why, CancellationToken cancellationToken)
    {
        if (await ledger.NeedAsync(state.Stack, state.Service, why, state.Holes > 0, cancellationToken) && state.Holes > 0)
            alerts.Raise("stream.gap", state.Stack, state.Service, why, "A new set is made now; what lies between the hole and it cannot be restored to.");
    }

    public ValueTask DisposeAsync()
    {
        deployments.Ended -= OnEnded;
        desk.Made -= streams.BaseTaken;
        return streams.DisposeAsync();
    }

    // The next look, in some seconds, sees to it: a deployment's end must not wait for a database.
    private void OnEnded(Deployment ended) => _told.TryRemove(ended.Request.Stack, out _);

    private void AskForBase(IReadOnlyList<StreamNeed> needs)
    {
        var (stack, now) = (needs[0].Stack, time.GetUtcNow());
        if (_asked.TryGetValue(stack, out var last) && now - last < BetweenBases) return;

        _asked[stack] = now;
        desk.BackUp(stack, needs.Any(need => need.Hole) ? "gap" : "stream");
    }

    /// <summary>Redis has taken a new copy behind the hole by itself: no set is needed for it.</summary>
    private void TellOfHoles(StreamState state)
    {
        var known = _holes.GetValueOrDefault((state.Stack, state.Service));
        _holes[(state.Stack, state.Service)] = state.Holes;
        if (state.Kind != "redis" || state.Holes <= known) return;

        alerts.Raise(
            "stream.gap", state.Stack, state.Service, "the stream of commands was broken, and Redis could not go on from there: a new copy was taken",
            "What lies between the last slice and the copy cannot be restored to. If it happens often, raise repl-backlog-size in Redis.");
    }

    private void Tell(StreamState state)
    {
        var key = $"{state.Stack}/{state.Service}";
        var trouble = string.Join("; ", state.Findings.Select(finding => finding.What));
        if (_told.GetValueOrDefault(key, "") == trouble) return;

        _told[key] = trouble;
        if (trouble.Length > 0) alerts.Raise("stream.trouble", state.Stack, state.Service, trouble, string.Join("; ", state.Findings.Select(finding => finding.Hint)));
    }
}
