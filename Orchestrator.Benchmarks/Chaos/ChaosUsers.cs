using System.Collections.Concurrent;
using Orchestrator.Tests.Load;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>Those who use both stacks all the time, at a fixed rate, whatever becomes of them.</summary>
internal sealed class ChaosUsers : IAsyncDisposable
{
    public const int Rate = 40;
    public const int OtherRate = 10;

    private readonly ConcurrentQueue<(string Stack, LoadVisit Visit)> _over = new();
    private readonly OpenLoopLoad[] _loads;

    public ChaosUsers(Uri edge) => _loads = [Start(edge, ChaosStacks.Main, Rate, LoadMix.Usual), Start(edge, ChaosStacks.Other, OtherRate, LoadMix.Usual with { Slow = 0 })];

    /// <summary>Those that are over and were not taken yet.</summary>
    public IEnumerable<(string Stack, LoadVisit Visit)> Take()
    {
        while (_over.TryDequeue(out var visit)) yield return visit;
    }

    /// <summary>Nobody comes any more; those under way are waited for.</summary>
    public Task<LoadReport[]> StopAsync() => Task.WhenAll(_loads.Select(load => load.StopAsync()));

    public async ValueTask DisposeAsync()
    {
        foreach (var load in _loads) await load.DisposeAsync();
    }

    // Not a path of probes: faults on purpose leave those alone.
    private OpenLoopLoad Start(Uri edge, string stack, int rate, LoadMix mix) => OpenLoopLoad.Start(new()
    {
        Address = edge,
        Host = ChaosStacks.HostOf(stack),
        Rate = rate,
        Mix = mix,
        GetPath = "/api/gardens",
        LargestBody = 16 * 1024,
        Over = visit => _over.Enqueue((stack, visit)),
    });
}
