using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Health;

/// <summary>
/// The decision of the gate as a fold over probe results: no clock, no I/O. Times are counted from the moment when the gate began.
/// </summary>
public sealed record GateState
{
    private const int Kept = 5;
    private static readonly TimeSpan Eager = TimeSpan.FromMilliseconds(200);

    private GateState(GateSpec gate) => Gate = gate;

    public GateSpec Gate { get; }

    /// <summary>Successes since the last failure.</summary>
    public int Streak { get; private init; }

    /// <summary>When the streak became long enough; null: it is not.</summary>
    public TimeSpan? StableSince { get; private init; }

    /// <summary>The last five results, oldest first.</summary>
    public ImmutableArray<ProbeResult> Last { get; private init; } = [];

    /// <summary>The most recent failure outside the start period; null: none.</summary>
    public ProbeResult? LastFailure { get; private init; }

    public GateVerdict Verdict { get; private init; }

    private TimeSpan? FirstSuccess { get; init; }

    /// <summary>
    /// The deadline counts from the end of the start period, which the first success ends early: a slow start is not held against the application twice.
    /// </summary>
    public TimeSpan DeadlineAt => StartEnd + Gate.Deadline;

    private TimeSpan StartEnd => FirstSuccess is { } first && first < Gate.StartPeriod ? first : Gate.StartPeriod;

    public static GateState Begin(GateSpec gate) => new(gate);

    /// <summary>A decision, once made, stays.</summary>
    /// <param name="at">When the result was known.</param>
    public GateState After(ProbeResult result, TimeSpan at)
    {
        if (Verdict != GateVerdict.Waiting) return this;

        var next = this with { Last = [.. Last.TakeLast(Kept - 1), result] };
        if (!result.Healthy) return (next with { Streak = 0, StableSince = null, LastFailure = at < StartEnd ? LastFailure : result }).At(at);

        next = next with { Streak = Streak + 1, FirstSuccess = FirstSuccess ?? at };
        if (next.Streak >= Gate.Successes) next = next with { StableSince = StableSince ?? at };
        var healthy = next.StableSince is { } since && at - since >= Gate.Stable && at <= next.DeadlineAt;
        return healthy ? next with { Verdict = GateVerdict.Healthy } : next.At(at);
    }

    /// <summary>Time has passed without a result.</summary>
    public GateState At(TimeSpan at) => Verdict == GateVerdict.Waiting && at >= DeadlineAt ? this with { Verdict = GateVerdict.TooLate } : this;

    /// <summary>
    /// How long to wait before the next probe. Until the first answer, probes that cost next to nothing are sent more often than the interval
    /// says, so that a quick start is seen quickly; the last one falls on the end of the stability window.
    /// </summary>
    public TimeSpan NextProbeIn(TimeSpan at)
    {
        if (FirstSuccess is null && Gate.Kind is (GateKind.Http or GateKind.Tcp) && Gate.Interval > Eager) return Eager;
        if (StableSince is not { } since) return Gate.Interval;

        var rest = since + Gate.Stable - at;
        return rest > TimeSpan.Zero && rest < Gate.Interval ? rest : Gate.Interval;
    }
}
