using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;
using Orchestrator.Telemetry;

namespace Orchestrator.Deployments;

/// <summary>Lays the routes of every stack, before anybody is let in.</summary>
public sealed partial class RouteRestoration(
    IJournal journal, StackContainers containers, StackRoutesKeeper routes, JournalReconstruction reconstruction, ILogger<RouteRestoration> logger)
{
    /// <summary>
    /// From the journal and the engine. Of a deployment that was under way it is decided here already whether it goes on or back, so that nobody is sent to a
    /// version that will be taken away. A stack whose record is damaged is served from what runs, and named; one that cannot be served is left out, and
    /// named; the others are served.
    /// </summary>
    public async Task RestoreAsync(CancellationToken cancellationToken)
    {
        var everything = await EverythingAsync(cancellationToken);
        if (everything is { } seen) await reconstruction.PrepareAsync(seen, cancellationToken);

        var running = await RunningAsync(cancellationToken);
        var states = (await journal.ListStacksAsync(cancellationToken)).ToDictionary(state => state.Stack);
        var damaged = (await journal.DamagedStacksAsync(cancellationToken)).ToLookup(one => one.Stack, one => one.Problem);
        foreach (var stack in states.Keys.Union(damaged.Select(group => group.Key)))
        {
            var state = states.TryGetValue(stack, out var known) ? Recovery.Serving(known, running.GetValueOrDefault(stack)) : null;
            await RestoreAsync(stack, state, string.Join("; ", damaged[stack]), Of(everything, stack), cancellationToken);
        }
    }

    private static ImmutableArray<ObservedContainer>? Of(ImmutableArray<ObservedContainer>? everything, string stack) =>
        everything is { } all ? [.. all.Where(seen => seen.Stack == stack)] : null;

    /// <summary>What stands in for a damaged journal has been held against the engine: what was under way in it is over.</summary>
    private async Task<Dictionary<string, Deployment>> RunningAsync(CancellationToken cancellationToken) => journal.Health.Damage is not null
        ? []
        : (await journal.UnfinishedAsync(cancellationToken)).Where(deployment => deployment.State == DeploymentState.Running).GroupBy(deployment => deployment.Request.Stack).ToDictionary(group => group.Key, group => group.First());

    private async Task RestoreAsync(string stack, StackState? state, string damage, ImmutableArray<ObservedContainer>? observed, CancellationToken cancellationToken)
    {
        try
        {
            if (state is null || !await TryAsync(state, observed, cancellationToken)) await RestoreFromWhatRunsAsync(stack, damage, observed, cancellationToken);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            // Whatever is wrong with one stack, a route that another has by now included: the rest is served.
            routes.Quarantine(stack, problem.Message);
            LogNotRestored(problem, stack);
        }
    }

    /// <returns>False when its release cannot be read.</returns>
    private async Task<bool> TryAsync(StackState state, ImmutableArray<ObservedContainer>? observed, CancellationToken cancellationToken)
    {
        try
        {
            await routes.RestoreAsync(state, observed, cancellationToken);
            DeploymentMetrics.Serves(state.Stack, state.CurrentRelease);
            return true;
        }
        catch (JournalException damaged) when (damaged.Fault == JournalFault.Damaged)
        {
            return false;
        }
    }

    private async Task RestoreFromWhatRunsAsync(string stack, string damage, ImmutableArray<ObservedContainer>? observed, CancellationToken cancellationToken)
    {
        var seen = observed ?? await containers.ListAsync(stack, cancellationToken);
        if (await reconstruction.FindAsync(stack, seen, cancellationToken) is not { } found)
        {
            routes.Quarantine(stack, damage);
            LogQuarantined(stack, damage);
            return;
        }

        await routes.RestoreAsync(found.State, found.Release, seen, cancellationToken);
        routes.Quarantine(stack, $"Its record is damaged: {damage}. It is served {found.Source}; nothing is deployed until 'basmalin doctor --repair'.");
        LogServedFromWhatRuns(stack, damage, found.Source);
    }

    private async Task<ImmutableArray<ObservedContainer>?> EverythingAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await containers.Engine.ListAsync(null, cancellationToken);
        }
        catch (EngineException unheard)
        {
            LogNotListed(unheard.Message);
            return null;                                            // each stack is tried by itself
        }
    }

    [LoggerMessage(EventId = 2501, Level = LogLevel.Error, Message = "Stack {Stack} is not served: its record is damaged, and what runs does not tell its routes: {Problem}")]
    private partial void LogQuarantined(string stack, string problem);

    [LoggerMessage(EventId = 2502, Level = LogLevel.Error, Message = "Stack {Stack}: its routes could not be laid, or not all of them; it is tried again until what is in the way is gone")]
    private partial void LogNotRestored(Exception problem, string stack);

    [LoggerMessage(EventId = 2605, Level = LogLevel.Error, Message = "Stack {Stack}: its record is damaged ({Problem}); it is served {Source}")]
    private partial void LogServedFromWhatRuns(string stack, string problem, string source);

    [LoggerMessage(EventId = 2606, Level = LogLevel.Warning, Message = "The containers of all stacks could not be listed: {Problem}")]
    private partial void LogNotListed(string problem);
}
