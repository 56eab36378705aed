using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Deployments.Steps;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>
/// The steps before the whole shift: a rising share of the requests goes to the candidate, which is compared with the live colour. It lives in the
/// route table only, never in the stack's state: whatever ends it, the daemon's death included, all requests go to the live colour.
/// </summary>
public sealed class CanaryWalk(StackTraffic traffic, Bake bake, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(2);

    /// <returns>Null when the candidate was no worse than declared at any step, or there are none.</returns>
    public async Task<StepFailure?> RunAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        var live = traffic.LiveOf(work.StackName);
        var walking = WalkingIn(work, live);
        if (walking.IsEmpty) return null;

        var all = walking.SelectMany(item => new[] { TrafficWindow.Begin(item.Candidate), TrafficWindow.Begin(item.Live) }).ToList();
        var story = new List<string>();
        try
        {
            for (var step = 0; step < walking.Max(item => item.Rule.Steps.Length) - 1; step++)
            {
                if (await StepAsync(work, walking, step, story, cancellationToken) is not { } failure) continue;

                // Before it is counted: what is under way at the candidate may end there.
                traffic.SetCanaries(work.StackName, ImmutableDictionary<string, Canary>.Empty);
                return failure;
            }
        }
        catch
        {
            traffic.SetCanaries(work.StackName, ImmutableDictionary<string, Canary>.Empty);
            throw;
        }
        finally
        {
            work.CanaryRequests = new(all.Sum(window => window().Total), all.Sum(window => window().Failed));
            work.Deployment = work.Deployment with { Requests = work.CanaryRequests };
            work.Detail = string.Join("; ", story);
        }

        return null;
    }

    private async Task<StepFailure?> StepAsync(DeploymentWork work, ImmutableArray<Walking> walking, int step, List<string> story, CancellationToken cancellationToken)
    {
        var stages = walking.Where(item => step < item.Rule.Steps.Length - 1)
            .Select(item => new CanaryStage(item.Service, item.Rule, item.Rule.Steps[step], item.Candidate, item.Live))
            .ToImmutableArray();
        traffic.SetCanaries(work.StackName, walking.ToImmutableDictionary(item => item.Service, item => item.At(step)));
        foreach (var item in walking) work.Report(string.Create(CultureInfo.InvariantCulture, $"{item.Service}: {item.At(step).Share * 100:0.##} % of the requests go to the new version"));

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var compared = CompareAsync(work, stages, ending.Token);
        var down = await bake.WhileAsync(work, compared, cancellationToken);
        if (down is not null)
        {
            await ending.CancelAsync();
            await ((Task)compared).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);   // ended by us: only that it is over matters
            story.AddRange(stages.Select(stage => stage.ToString()));
            return down with { Reason = FailureReason.CanaryFailed, Detail = $"In its trial with a share of the requests: {down.Detail}" };
        }

        story.AddRange(stages.Select(stage => stage.ToString()));
        return await compared;
    }

    /// <summary>For the dwell; up to twice as long while there are too few requests to compare. Without users a candidate cannot prove anything, and goes on.</summary>
    private async Task<StepFailure?> CompareAsync(DeploymentWork work, ImmutableArray<CanaryStage> stages, CancellationToken cancellationToken)
    {
        var dwell = stages.Max(stage => stage.Dwell);
        var started = time.GetTimestamp();
        var told = started;
        using var ticks = new PeriodicTimer(Interval, time);
        while (await ticks.WaitForNextTickAsync(cancellationToken))
        {
            if (stages.Select(stage => stage.Judge()).FirstOrDefault(failure => failure is not null) is { } worse) return worse;

            var elapsed = time.GetElapsedTime(started);
            if (elapsed >= dwell && (elapsed >= dwell * 2 || stages.All(stage => stage.Enough))) return null;
            if (time.GetElapsedTime(told) < TellEvery) continue;

            told = time.GetTimestamp();
            foreach (var stage in stages) work.Report(stage.ToString());
        }

        return null;
    }

    /// <summary>A rollback does not wait, and where nothing is live there is nothing to compare with.</summary>
    private static ImmutableArray<Walking> WalkingIn(DeploymentWork work, ImmutableDictionary<string, Upstream> live) =>
        work.Request.Kind == DeploymentKind.Rollback || work.Plan.WarmSwap || work.Target is not { } release
            ? []
            :
            [
                .. from item in work.Coloured
                   let spec = item.Spec
                   let rule = spec.BasMalin is { Route: not null } ? spec.BasMalin.Shift : null
                   where rule is { Steps.Length: > 1 } && live.ContainsKey(spec.Name) && work.Candidates.ContainsKey(spec.Name)
                   let port = StackTraffic.PortOf(spec, release.Images.GetValueOrDefault(spec.Name))
                   select new Walking(spec.Name, rule, port, work.Candidates[spec.Name], live[spec.Name]),
            ];

    private sealed record Walking(string Service, ShiftSpec Rule, int Port, Upstream Candidate, Upstream Live)
    {
        /// <summary>A service with fewer steps than others keeps its last share below 100 % until all of them shift at once.</summary>
        public Canary At(int step) => new(Candidate, Port, (double)Rule.Steps[Math.Min(step, Rule.Steps.Length - 2)] / 100, Rule.Sticky ? CanaryDraw.Cookie : Rule.ByAddress ? CanaryDraw.Address : CanaryDraw.Request);
    }
}
