using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Telemetry;

namespace Orchestrator.Healing;

/// <summary>
/// What is known of each stack's recent past, and what follows from it. Kept in memory: after a restart of the daemon everything has its attempts again.
/// </summary>
public sealed class HealingBooks(DriftBoard board, HealingAlarm alarm, HealingOptions options, TimeProvider time)
{
    private readonly long _begun = time.GetTimestamp();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HealingHistory> _histories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _differsSince = new(StringComparer.Ordinal);

    // Of containers that are there: a removed one is forgotten.
    private readonly ConcurrentDictionary<ContainerId, Death> _ends = [];
    private readonly ConcurrentDictionary<ContainerId, bool> _starved = [];

    public HealingOptions Options => options;

    /// <summary>On a clock that is not set.</summary>
    private TimeSpan Now => time.GetElapsedTime(_begun);

    /// <summary>What is to be done about what is seen; it is written down as seen.</summary>
    public HealingDecision Decide(StackPicture picture)
    {
        lock (_gate)
        {
            var now = Now;
            var history = _histories.GetValueOrDefault(picture.Stack, HealingHistory.Empty).Seen(picture, _ends, now, options.Window);
            _histories[picture.Stack] = history;
            return HealingPolicy.Decide(picture, history, options, now);
        }
    }

    public void Acted(string stack, HealingAct act, string? problem)
    {
        lock (_gate) _histories[stack] = _histories.GetValueOrDefault(stack, HealingHistory.Empty).Acted(act, problem, Now);
    }

    /// <summary>Says it aloud, once, and leaves it alone from now on.</summary>
    /// <param name="words">The last lines of its log; null: there is none.</param>
    public void GiveUp(string stack, Capitulation given, string? words)
    {
        var detail = words is null ? given.Detail : $"{given.Detail}\nLast lines of its log:\n{words}";
        lock (_gate) _histories[stack] = _histories.GetValueOrDefault(stack, HealingHistory.Empty).GivenUp(given.Key, new(Now, given.Reason, detail));
        HealingMetrics.GaveUp(stack, given.Reason);
        alarm.Raise(stack, given, detail);
    }

    /// <summary>Shows the differences of a stack.</summary>
    public void Show(string stack, ImmutableArray<DriftNote> notes)
    {
        board.Write(stack, notes);
        HealingMetrics.Differs(stack, notes.Select(note => note.Kind));
        lock (_gate)
        {
            if (!notes.IsEmpty) _differsSince.TryAdd(stack, Now);
            else if (_differsSince.Remove(stack, out var since)) HealingMetrics.Recovered(stack, Now - since);
        }
    }

    /// <summary>Everything of a stack has its attempts again: it was deployed, or somebody says so.</summary>
    /// <returns>How many replicas and volumes had been given up.</returns>
    public int Clear(string stack)
    {
        lock (_gate)
        {
            var given = _histories.GetValueOrDefault(stack, HealingHistory.Empty).Replicas.Values.Count(record => record.GivenUp is not null);
            _histories.Remove(stack);
            return given;
        }
    }

    /// <summary>Forgets stacks that are no more.</summary>
    public void Keep(IReadOnlySet<string> stacks)
    {
        board.Keep(stacks);
        lock (_gate)
        {
            foreach (var gone in _histories.Keys.Where(stack => !stacks.Contains(stack)).ToList())
            {
                _histories.Remove(gone);
                _differsSince.Remove(gone);
                HealingMetrics.Forget(gone);
            }
        }
    }

    /// <summary>What the engine tells of how a container ended: it is the only one to know, once the container runs again.</summary>
    public void Hear(EngineEvent happened)
    {
        switch (happened.Action)
        {
            case "oom":
                _starved[happened.Container] = true;
                break;
            case "die":
                var code = long.TryParse(happened.Attributes.GetValueOrDefault("exitCode"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var said) ? said : (long?)null;
                _ends[happened.Container] = new(Now, code, _starved.TryRemove(happened.Container, out _));
                break;
            case "destroy":
                _ends.TryRemove(happened.Container, out _);
                _starved.TryRemove(happened.Container, out _);
                break;
        }
    }
}
