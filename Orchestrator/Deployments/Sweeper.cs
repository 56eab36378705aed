using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;

namespace Orchestrator.Deployments;

/// <summary>
/// Stops and removes containers of a stack that neither have the traffic, nor are warm, nor are in the file, and then networks that nothing of it uses.
/// Volumes stay. Said while no deployment of the stack runs.
/// </summary>
public sealed partial class Sweeper(StackContainers containers, SideColours sides, IJournal journal, TimeProvider time, ILogger<Sweeper> logger)
{
    private readonly ConcurrentDictionary<string, bool> _owed = new(StringComparer.Ordinal);

    /// <summary>Stacks that could not be swept, because the engine was away.</summary>
    public ICollection<string> Owed => _owed.Keys;

    /// <summary>One is owed from now on; must not throw.</summary>
    public event Action? Owes;

    /// <summary>Ends the warm time when it is over, then sweeps. A failure of the engine leaves it owed.</summary>
    public async Task SweepAsync(string stack, CancellationToken cancellationToken)
    {
        if (journal.Health.Damage is not null) return;              // what it does not know might be what serves
        _owed.TryRemove(stack, out _);
        if (await journal.FindStackAsync(stack, cancellationToken) is not { CurrentRelease: > 0 } state)
        {
            await SweepNetworksAsync(stack, null, cancellationToken);
            return;
        }

        if (await journal.FindReleaseAsync(stack, state.CurrentRelease, cancellationToken) is not { } release) return;

        if (state.Warm is { } warm && warm.Until <= time.GetUtcNow())
        {
            state = state with { Warm = null };
            await journal.SaveStackAsync(state, cancellationToken);
            LogWarmOver(stack, warm.Release);
        }

        if (state.Warm is null) await sides.HideAsync(stack, cancellationToken);
        try
        {
            var surplus = (await containers.ListAsync(stack, cancellationToken)).Where(seen => !Stays(release, state, seen)).ToList();
            foreach (var group in surplus.GroupBy(seen => seen.Service))
                await containers.RemoveAllAsync(group, release.Stack.Find(group.Key)?.Container.StopGracePeriod ?? TimeSpan.FromSeconds(10), cancellationToken);
            foreach (var gone in surplus) LogSwept(stack, gone.Name);
            await SweepNetworksAsync(stack, release, cancellationToken);
        }
        catch (EngineException failure)
        {
            Owe(stack, failure);
        }
    }

    /// <summary>A network that somebody is still on stays: its container is not of this stack, or is swept later.</summary>
    private async Task SweepNetworksAsync(string stack, Release? release, CancellationToken cancellationToken)
    {
        var used = release is null ? [] : StackContainers.NetworksOf(release.Stack);
        try
        {
            foreach (var network in (await containers.Engine.ListNetworksAsync(stack, cancellationToken)).Except(used))
            {
                if (await RemoveNetworkAsync(network, cancellationToken)) LogSwept(stack, network);
            }
        }
        catch (EngineException failure)
        {
            Owe(stack, failure);
        }
    }

    private async Task<bool> RemoveNetworkAsync(string network, CancellationToken cancellationToken)
    {
        try
        {
            await containers.Engine.RemoveNetworkAsync(network, cancellationToken);
            return true;
        }
        catch (EngineException inUse) when (inUse.Fault == EngineFault.Conflict)
        {
            return false;
        }
    }

    private void Owe(string stack, EngineException failure)
    {
        LogSweepFailed(stack, failure.Message);
        _owed[stack] = true;
        Owes?.Invoke();
    }

    /// <summary>Pure.</summary>
    public static bool Stays(Release release, StackState state, ObservedContainer seen)
    {
        if (seen.IsBackup) return true;     // its own keeper takes it away
        if (seen.IsMigration || release.Stack.Find(seen.Service) is not { } spec) return false;
        if (seen.Colour is not { } colour) return !spec.Coloured;

        var generation = new Generation(colour, seen.Release);
        return state.Live.GetValueOrDefault(seen.Service) == generation || state.Warm?.Services.GetValueOrDefault(seen.Service) == generation;
    }

    [LoggerMessage(EventId = 2301, Level = LogLevel.Information, Message = "Stack {Stack}: the warm time of release {Release} is over")]
    private partial void LogWarmOver(string stack, int release);

    [LoggerMessage(EventId = 2302, Level = LogLevel.Information, Message = "Stack {Stack}: removed {Container}")]
    private partial void LogSwept(string stack, string container);

    [LoggerMessage(EventId = 2303, Level = LogLevel.Warning, Message = "Stack {Stack}: old containers could not be removed, it is tried again later: {Problem}")]
    private partial void LogSweepFailed(string stack, string problem);
}
