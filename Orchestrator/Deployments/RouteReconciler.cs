using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>
/// What events do not tell, because they are lost while the engine restarts: every ten seconds the live upstreams are held against the engine, and
/// stacks whose routes could not be laid at start are tried again.
/// </summary>
public sealed partial class RouteReconciler(
    IJournal journal, StackContainers containers, StackTraffic traffic, StackRoutesKeeper keeper, TimeProvider time, ILogger<RouteReconciler> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = Task.Run(() => LoopAsync(_stopping.Token));

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _loop;
    }

    private async Task LoopAsync(CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(Interval, time);
        try
        {
            while (await ticks.WaitForNextTickAsync(cancellationToken))
            {
                foreach (var stack in traffic.Quarantined) await TryAgainAsync(stack, cancellationToken);
                foreach (var stack in traffic.Live.GroupBy(upstream => upstream.Identity.Stack)) await CompareAsync(stack.Key, stack, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogStopped();
        }
    }

    /// <summary>Not while a deployment of it is under way: that lays the routes itself.</summary>
    private async Task TryAgainAsync(string stack, CancellationToken cancellationToken)
    {
        try
        {
            if ((await journal.UnfinishedAsync(cancellationToken)).Any(deployment => deployment.Request.Stack == stack)) return;
            if (await journal.FindStackAsync(stack, cancellationToken) is not { } state) return;

            await keeper.RestoreAsync(state, cancellationToken);
            traffic.Recovered(stack);
            LogServed(stack);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            traffic.Quarantine(stack, problem.Message);
        }
    }

    private async Task CompareAsync(string stack, IEnumerable<Upstream> live, CancellationToken cancellationToken)
    {
        try
        {
            var observed = await containers.ListAsync(stack, cancellationToken);
            foreach (var upstream in live) Compare(upstream, [.. observed.Where(seen => StackRoutesKeeper.IsOf(upstream.Identity, seen))]);
        }
        catch (EngineException unheard)
        {
            LogNotCompared(stack, unheard.Message);
        }
    }

    private void Compare(Upstream upstream, ImmutableArray<ObservedContainer> containersNow)
    {
        foreach (var replica in upstream.Replicas)
        {
            if (containersNow.All(seen => seen.Id.Value != replica.Key || seen.State != ContainerState.Running)) upstream.SetAvailable(replica.Key, false);
        }

        foreach (var running in containersNow.Where(seen => seen.State == ContainerState.Running))
        {
            var known = upstream.Replicas.Any(replica => replica.Key == running.Id.Value && running.Addresses.ContainsValue(replica.Host));
            if (!known || !upstream.IsAvailable(running.Id.Value)) keeper.ComeBack(upstream.Identity.Stack, upstream.Identity.Service, running.Id);
        }
    }

    [LoggerMessage(EventId = 2551, Level = LogLevel.Information, Message = "Stack {Stack} is served again: what was in the way is gone")]
    private partial void LogServed(string stack);

    [LoggerMessage(EventId = 2552, Level = LogLevel.Debug, Message = "Stack {Stack} could not be held against the engine: {Problem}")]
    private partial void LogNotCompared(string stack, string problem);

    [LoggerMessage(EventId = 2553, Level = LogLevel.Debug, Message = "Routes are no longer held against the engine")]
    private partial void LogStopped();
}
