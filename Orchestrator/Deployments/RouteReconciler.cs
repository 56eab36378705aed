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
public sealed partial class RouteReconciler : IAsyncDisposable
{
    private readonly StackContainers _containers;
    private readonly StackTraffic _traffic;
    private readonly SideColours _sides;
    private readonly StackRoutesKeeper _keeper;
    private readonly ILogger<RouteReconciler> _logger;
    private readonly TimedLoop _loop;

    public RouteReconciler(
        StackContainers containers, StackTraffic traffic, SideColours sides, StackRoutesKeeper keeper, TimeProvider time, ILogger<RouteReconciler> logger)
    {
        _containers = containers;
        _traffic = traffic;
        _sides = sides;
        _keeper = keeper;
        _logger = logger;
        _loop = new TimedLoop(TimeSpan.FromSeconds(10), RoundAsync, time);
    }

    public void Start() => _loop.Start();

    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        foreach (var stack in _traffic.Quarantined) await TryAgainAsync(stack, cancellationToken);
        foreach (var stack in _traffic.Live.GroupBy(upstream => upstream.Identity.Stack)) await CompareAsync(stack.Key, stack, cancellationToken);
    }

    private async Task TryAgainAsync(string stack, CancellationToken cancellationToken)
    {
        var problem = _traffic.ProblemOf(stack);
        try
        {
            if (await _keeper.TryRestoreAsync(stack, cancellationToken)) LogServed(stack);
        }
        catch (Exception still) when (still is not OperationCanceledException)
        {
            if (problem is not null) _traffic.StillQuarantined(stack, problem, still.Message);
        }
    }

    private async Task CompareAsync(string stack, IEnumerable<Upstream> live, CancellationToken cancellationToken)
    {
        try
        {
            var observed = await _containers.ListAsync(stack, cancellationToken);
            foreach (var upstream in live) Compare(upstream, [.. observed.Where(seen => StackRoutesKeeper.IsOf(upstream.Identity, seen))]);
            await _sides.CompareAsync(stack, observed, cancellationToken);
        }
        catch (Exception unheard) when (unheard is EngineException or JournalException)
        {
            LogNotCompared(stack, unheard.Message);
        }
    }

    private void Compare(Upstream upstream, ImmutableArray<ObservedContainer> containersNow)
    {
        foreach (var replica in upstream.Replicas)
        {
            // An address that is no longer its own may be somebody else's, or lead out of the host.
            if (!containersNow.Any(seen => seen.Id.Value == replica.Key && seen.State == ContainerState.Running && seen.Addresses.ContainsValue(replica.Host))) upstream.SetAvailable(replica.Key, false);
        }

        foreach (var running in containersNow.Where(seen => seen.State == ContainerState.Running))
        {
            var known = upstream.Replicas.Any(replica => replica.Key == running.Id.Value && running.Addresses.ContainsValue(replica.Host));
            if (!known || !upstream.IsAvailable(running.Id.Value)) _keeper.ComeBack(upstream.Identity.Stack, upstream.Identity.Service, running.Id);
        }
    }

    [LoggerMessage(EventId = 2551, Level = LogLevel.Information, Message = "Stack {Stack} is served again: what was in the way is gone")]
    private partial void LogServed(string stack);

    [LoggerMessage(EventId = 2552, Level = LogLevel.Debug, Message = "Stack {Stack} could not be held against the engine: {Problem}")]
    private partial void LogNotCompared(string stack, string problem);
}
