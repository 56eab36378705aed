namespace Orchestrator.Traffic.Requests;

/// <summary>
/// Makes the rules of a stack's routes as they are published. A rate limiter outlives the table: a swap forgives nobody, and the hosts of one route
/// count together.
/// </summary>
internal sealed class RateLimiters(CompiledStack? before, TimeProvider time)
{
    private readonly List<(string Service, RateLimiter Limiter)> _known = [.. before is null ? [] : Of(before)];

    public RouteRules? RulesOf(Route route) =>
        route.Policy is { } policy ? new RouteRules(policy, PathTable.Normalize(route.Path), policy.Rate is { } rule ? LimiterOf(route.Service, rule) : null) : null;

    private RateLimiter LimiterOf(string service, RateRule rule)
    {
        foreach (var (owner, limiter) in _known)
        {
            if (owner == service && limiter.Rule == rule)
                return limiter;
        }

        var made = new RateLimiter(rule, time);
        _known.Add((service, made));
        return made;
    }

    private static IEnumerable<(string, RateLimiter)> Of(CompiledStack stack)
    {
        foreach (var (route, target) in stack.Routes)
        {
            if (target.Rules?.Rate is { } limiter)
                yield return (route.Service, limiter);
        }
    }
}
