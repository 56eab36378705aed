using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>
/// Pure: how long a step may take. Each call to the engine has a time-out of its own; this ends what is made of many of them, and what nobody thought of. What a
/// stack's file declares (deadlines, drains, bakes) is never cut short by it.
/// </summary>
public static class StepDeadline
{
    /// <summary>For the calls to an engine that is slow, with their repetitions.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(10);

    /// <summary>For one service: its containers go, come, and what it depends on is waited for.</summary>
    private static readonly TimeSpan PerService = TimeSpan.FromMinutes(6);

    private static readonly TimeSpan Fetching = TimeSpan.FromHours(6);
    private static readonly TimeSpan BackingUp = TimeSpan.FromHours(24);

    public static TimeSpan Of(StepKind step, DeploymentWork work) => Margin + (work.Deployment.Plan is null || work.Target is null ? Unplanned(step) : Declared(step, work));

    /// <summary>How long its undo may take.</summary>
    public static TimeSpan OfUndo(StepKind step, DeploymentWork work) => step switch
    {
        StepKind.Foundation or StepKind.Dependants or StepKind.Start => Of(step, work),
        StepKind.Shift => Of(StepKind.Drain, work) + Sum(work.Stacks().SelectMany(stack => stack.Services).Where(spec => !spec.Coloured).Select(Making)),
        _ => Margin,
    };

    private static TimeSpan Unplanned(StepKind step) => step switch
    {
        StepKind.Pull => Fetching,
        StepKind.Protect => BackingUp,
        _ => TimeSpan.Zero,
    };

    private static TimeSpan Declared(StepKind step, DeploymentWork work) => step switch
    {
        StepKind.Foundation => Sum(work.InPlace(afterShift: false).Select(item => Making(item.Spec))),
        StepKind.Migrate => Sum(work.Coloured.Select(item => Waiting(item.Spec) + (item.Spec.BasMalin?.MigrateTimeout ?? TimeSpan.Zero))),
        StepKind.Start => Sum(work.Coloured.Select(item => Making(item.Spec))),
        StepKind.Gate => Sum(work.Coloured.Select(item => Gates.RuleOf(item.Spec, work.Target?.Images.GetValueOrDefault(item.Spec.Name)).Deadline)),
        StepKind.Smoke => Sum(work.Coloured.SelectMany(item => item.Spec.BasMalin?.Smoke ?? []).Select(request => request.Within)),
        StepKind.Shift => Sum(work.Coloured.Select(item => item.Spec.BasMalin?.Shift is { } shift ? shift.Dwell * 2 * shift.Steps.Length : TimeSpan.Zero)),
        StepKind.Dependants => Sum(work.InPlace(afterShift: true).Select(item => Making(item.Spec))),
        StepKind.Drain => Longest(work.Stacks().SelectMany(stack => stack.Services).Select(DrainOf)),
        StepKind.Bake => Longest(work.Coloured.Select(item => (item.Spec.BasMalin?.Bake ?? new()).For)),
        _ => Unplanned(step),
    };

    private static TimeSpan Making(ServiceSpec spec) => PerService + Waiting(spec) + spec.Container.StopGracePeriod;

    private static TimeSpan Waiting(ServiceSpec spec) => DependencyWait.Limit * spec.DependsOn.Length;

    private static TimeSpan DrainOf(ServiceSpec spec)
    {
        var drain = spec.BasMalin?.Drain ?? new();
        return drain.Http > drain.WebSocket ? drain.Http : drain.WebSocket;
    }

    private static IEnumerable<Stack> Stacks(this DeploymentWork work) => new[] { work.Current?.Stack, work.Target?.Stack }.OfType<Stack>();

    private static TimeSpan Sum(IEnumerable<TimeSpan> spans) => spans.Aggregate(TimeSpan.Zero, (sum, span) => sum + span);

    private static TimeSpan Longest(IEnumerable<TimeSpan> spans) => spans.DefaultIfEmpty().Max();
}
