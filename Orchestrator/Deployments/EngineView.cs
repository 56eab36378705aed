using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Planning;

namespace Orchestrator.Deployments;

/// <summary>Pure: what the engine's containers say about what serves, when the journal cannot be asked.</summary>
public static class EngineView
{
    /// <summary>
    /// Coloured service → the generation that serves: the one that has the service's name on its network, as a colour gets it at the shift and loses it after the
    /// drain; of two the newer, and where nothing has the name the newest that runs. Services of which nothing runs are left out.
    /// </summary>
    public static ImmutableSortedDictionary<string, Generation> LiveOf(IEnumerable<ObservedContainer> observed)
    {
        var live = ImmutableSortedDictionary.CreateBuilder<string, Generation>(StringComparer.Ordinal);
        foreach (var service in observed.Where(seen => seen is { State: ContainerState.Running, IsOneShot: false, Colour: not null, Release: > 0 }).GroupBy(seen => seen.Service))
        {
            var named = service.Where(HasName).ToList();
            var serving = (named.Count > 0 ? named : [.. service]).MaxBy(seen => (seen.Release, seen.StartedAt));
            if (serving is { Colour: { } colour }) live[service.Key] = new(colour, serving.Release);
        }

        return live.ToImmutable();
    }

    /// <summary>Nothing that serves contradicts the record. A service of which nothing runs says neither yes nor no.</summary>
    public static bool Confirms(StackState recorded, ImmutableSortedDictionary<string, Generation> live) => live.All(pair => recorded.Live.GetValueOrDefault(pair.Key) == pair.Value);

    private static bool HasName(ObservedContainer seen) => seen.Addresses.Keys.Any(network => network.EndsWith($".{seen.Service}", StringComparison.Ordinal));
}
