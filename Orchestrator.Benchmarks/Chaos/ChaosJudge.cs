using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Tests.Load;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>Holds every request, and every deployment that was left alone, against what may be.</summary>
internal sealed class ChaosJudge(ChaosScene scene, long started)
{
    private readonly Dictionary<ActKind, (long Count, TimeSpan Longest)> _excused = [];

    public long Requests { get; private set; }

    public long Unexcused { get; private set; }

    /// <summary>Requests that failed for want of something that an act took away, and how long after it the last of them did.</summary>
    public ImmutableSortedDictionary<ActKind, (long Count, TimeSpan Longest)> Excused => _excused.ToImmutableSortedDictionary();

    /// <returns>What is wrong with them, each said once.</returns>
    public ImmutableArray<string> Judge(IEnumerable<(string Stack, LoadVisit Visit)> visits)
    {
        var wrong = new Dictionary<string, (int Count, string First)>(StringComparer.Ordinal);
        foreach (var (stack, visit) in visits)
        {
            Requests++;
            if (Complaint(stack, visit) is not { } complaint) continue;
            var before = wrong.GetValueOrDefault(complaint, (0, $"first at {At(visit.Came)}, until {At(visit.Left)}{(visit.HasBody ? ", with a body" : "")}"));
            wrong[complaint] = before with { Item1 = before.Item1 + 1 };
        }

        return [.. wrong.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Value.Count} × {one.Key} ({one.Value.First})"))];
    }

    /// <param name="alone">Nothing else was done in its round.</param>
    /// <returns>Null: it ended as it has to.</returns>
    public static string? Judge(Move move, bool alone)
    {
        if (move.Deployment.Steps.FirstOrDefault(step => step.State == "undoFailed") is { } step) return $"step {step.Name} of deployment {move.Deployment.Id} could not be undone: {step.Detail}";

        var (state, good) = (move.Deployment.State, ChaosImages.IsGood(move.Version));
        var wanted = !alone || move.Kind is ActKind.Cancel or ActKind.RemoveCandidate ? good ? null : "not succeeded"
            : good ? "succeeded" : ChaosImages.FailsInBake(move.Version) ? "rolledBack" : "failed";
        var isSo = wanted switch { null => true, "not succeeded" => state != "succeeded", _ => state == wanted };
        return isSo ? null : $"the {move.Deployment.Kind} of {move.Version} ended as {state}, and should be {wanted}: {move.Deployment.Failure}";
    }

    public string At(long timestamp) => string.Create(CultureInfo.InvariantCulture, $"{scene.Time.GetElapsedTime(started, timestamp).TotalSeconds:0.000} s");

    private string? Complaint(string stack, LoadVisit visit)
    {
        if (visit.Version is { } version && !MayAnswer(stack, version, visit)) return $"{version} answered for {stack}, and may not ({visit.Status})";
        if (visit.Problem is null) return visit.Version is null ? $"nobody's answer for {stack}" : null;
        if (visit.Status is >= 500 && visit.Version is { } bad && ChaosImages.FailsInBake(bad)) return null;       // that is how it shows
        if (scene.Excuses.For(stack, visit) is { } excuse)
        {
            var (count, longest) = _excused.GetValueOrDefault(excuse.Act);
            var after = scene.Time.GetElapsedTime(excuse.From, visit.Left);
            _excused[excuse.Act] = (count + 1, after > longest ? after : longest);
            return null;
        }

        Unexcused++;
        return $"{stack} failed: {visit.Problem}{(visit is { Status: 503, RetryAfter: false } ? ", without Retry-After" : "")}";
    }

    private bool MayAnswer(string stack, string version, LoadVisit visit) =>
        stack == ChaosStacks.Other ? version == ChaosImages.Other : scene.Versions.MayAnswer(version, visit.Came, visit.Left);
}
