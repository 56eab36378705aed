using System.Collections.Immutable;
using CsCheck;
using Orchestrator.Health;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Health;

[TestFixture]
public sealed class GateStateTests
{
    private static readonly Gen<(GateSpec Gate, ImmutableArray<(bool Healthy, int Gap)> Results)> Cases = Gen.Select(
        Gen.Int[1, 4], Gen.Int[0, 5], Gen.Int[5, 40], Gen.Int[0, 10],
        Gen.Select(Gen.Frequency((3, Gen.Const(true)), (1, Gen.Const(false))), Gen.Int[0, 4]).Array[1, 40],
        (successes, stable, deadline, start, results) => (
            new GateSpec
            {
                Kind = GateKind.Http,
                Successes = successes,
                Stable = TimeSpan.FromSeconds(stable),
                Deadline = TimeSpan.FromSeconds(deadline),
                StartPeriod = TimeSpan.FromSeconds(start),
            },
            results.ToImmutableArray()));

    [Test]
    public void The_fold_decides_as_the_rule_says() => Cases.Sample(sample =>
    {
        var state = GateState.Begin(sample.Gate);
        var at = 0;
        foreach (var (healthy, gap) in sample.Results)
        {
            at += gap;
            state = state.After(new ProbeResult(healthy, ""), TimeSpan.FromSeconds(at));
        }

        return state.Verdict == Rule(sample.Gate, sample.Results);
    });

    [Test]
    public void A_verdict_never_changes() => Cases.Sample(sample =>
    {
        var state = GateState.Begin(sample.Gate);
        var at = 0;
        var seen = GateVerdict.Waiting;
        foreach (var (healthy, gap) in sample.Results)
        {
            at += gap;
            state = state.After(new ProbeResult(healthy, ""), TimeSpan.FromSeconds(at));
            if (seen != GateVerdict.Waiting && state.Verdict != seen) return false;

            seen = state.Verdict;
        }

        return state.Last.Length <= 5;
    });

    [Test]
    public void The_next_probe_is_never_later_than_the_interval_and_never_at_once() => Cases.Sample(sample =>
    {
        var state = GateState.Begin(sample.Gate);
        var at = 0;
        foreach (var (healthy, gap) in sample.Results)
        {
            at += gap;
            state = state.After(new ProbeResult(healthy, ""), TimeSpan.FromSeconds(at));
            var next = state.NextProbeIn(TimeSpan.FromSeconds(at));
            if (next <= TimeSpan.Zero || next > sample.Gate.Interval) return false;
        }

        return true;
    });

    [Test]
    public void The_last_probe_falls_on_the_end_of_the_stability_window()
    {
        var gate = new GateSpec { Kind = GateKind.Http, Successes = 1, Stable = TimeSpan.FromMilliseconds(300) };
        var state = GateState.Begin(gate).After(new ProbeResult(true, ""), TimeSpan.FromSeconds(2));

        Assert.That(state.NextProbeIn(TimeSpan.FromSeconds(2.1)), Is.EqualTo(TimeSpan.FromMilliseconds(200)));
    }

    /// <summary>The rule again, told over the whole sequence instead of step by step.</summary>
    private static GateVerdict Rule(GateSpec gate, ImmutableArray<(bool Healthy, int Gap)> results)
    {
        var times = results.Select((_, index) => results.Take(index + 1).Sum(result => result.Gap)).ToArray();
        for (var i = 0; i < results.Length; i++)
        {
            var firstSuccess = results.Take(i + 1).ToList().FindIndex(result => result.Healthy);
            var startEnd = firstSuccess < 0 ? gate.StartPeriod.TotalSeconds : Math.Min(times[firstSuccess], gate.StartPeriod.TotalSeconds);
            var deadline = startEnd + gate.Deadline.TotalSeconds;

            var begin = i;
            while (begin >= 0 && results[begin].Healthy) begin--;
            var streak = i - begin;
            if (streak >= gate.Successes && times[i] <= deadline && times[i] - times[begin + gate.Successes] >= gate.Stable.TotalSeconds) return GateVerdict.Healthy;
            if (times[i] >= deadline) return GateVerdict.TooLate;
        }

        return GateVerdict.Waiting;
    }
}
