using Orchestrator.Stacks;

namespace Orchestrator.Healing;

/// <summary>
/// Pure: whether a container's time has come by <c>recycle.at</c>. It has when one of the times lies between its start, or the release that says so, and now. So a
/// time that was missed while the daemon was away is made up for, once; what has been recycled is not due again; and nothing has to be remembered.
/// </summary>
/// <param name="next">Expression, zone, instant → the next time after it; null: never again.</param>
public sealed class RecycleSchedule(Func<string, string, DateTimeOffset, DateTimeOffset?> next)
{
    /// <param name="startedAt">When the container was started; null: it was not, and is not due.</param>
    /// <param name="since">When the release was made that the rule is of.</param>
    public bool IsDue(RecycleSpec rule, DateTimeOffset? startedAt, DateTimeOffset since, DateTimeOffset now) =>
        rule.At is { } cron && startedAt is { } started && next(cron, rule.Zone, started > since ? started : since) is { } due && due <= now;
}
