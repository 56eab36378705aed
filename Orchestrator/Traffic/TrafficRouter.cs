using System.Collections.Immutable;
using Orchestrator.Traffic.Previews;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Traffic;

/// <summary>
/// Holds the route table and swaps it whole: a request sees all of a stack's routes as they were or all as they are. Reading it takes no lock.
/// </summary>
public sealed class TrafficRouter(EdgeMetrics metrics, TimeProvider time)
{
    private readonly Lock _publishing = new();
    private readonly Dictionary<(string Stack, string Service), ServiceEdge> _services = [];
    private readonly PreviewPass _pass = new(time);
    private RouteTable _table = RouteTable.Empty;

    public RouteTable Table => Volatile.Read(ref _table);

    /// <summary>Raised when another table has been published.</summary>
    internal Signal Moved { get; } = new();

    /// <summary>Replaces all routes of the stack in one act.</summary>
    /// <exception cref="InvalidOperationException">A route belongs to another stack: <see cref="FindConflict"/> is asked first.</exception>
    public void Publish(StackRoutes routes)
    {
        lock (_publishing)
        {
            if (FindConflict(routes) is { } conflict)
                throw new InvalidOperationException($"The routes of {routes.Stack} were not published: {conflict}.");

            Swap(_table.Stacks.SetItem(routes.Stack, Compile(routes)));
        }
    }

    /// <summary>Takes all routes of the stack away. Without any it is done already.</summary>
    public void Remove(string stack)
    {
        lock (_publishing)
            Swap(_table.Stacks.Remove(stack));
    }

    /// <summary>Holds all requests of the service until it is resumed, at most for <paramref name="limit"/>. Previews pass.</summary>
    /// <returns>When it ends by itself; null: no such service has routes.</returns>
    public DateTimeOffset? Pause(string stack, string service, TimeSpan limit)
    {
        lock (_publishing)
        {
            if (!_services.TryGetValue((stack, service), out var edge))
                return null;

            var pause = new ServicePause(limit, time);
            edge.Pause = pause;
            return pause.Until;
        }
    }

    /// <summary>Lets them go again, a few at a time. False: it was not paused.</summary>
    public bool Resume(string stack, string service)
    {
        lock (_publishing)
        {
            if (!_services.TryGetValue((stack, service), out var edge) || edge.Pause is null)
                return false;

            edge.Pause = null;
            return true;
        }
    }

    /// <summary>When the service's pause ends by itself; null: it is not paused.</summary>
    public DateTimeOffset? PausedUntil(string stack, string service)
    {
        lock (_publishing)
            return _services.GetValueOrDefault((stack, service))?.Pause?.Until;
    }

    /// <summary>All that is published now, by the name of the stack.</summary>
    public IEnumerable<StackRoutes> Published => Table.Stacks.Values.Select(stack => stack.Source);

    /// <summary>What was published for the stack; null: nothing.</summary>
    public StackRoutes? Find(string stack) => Table.Stacks.GetValueOrDefault(stack)?.Source;

    /// <summary>The first route that another stack has, or that is wanted twice.</summary>
    public RouteConflict? FindConflict(StackRoutes wanted)
    {
        var others = Table.Stacks.Values.Where(stack => stack.Source.Stack != wanted.Stack).SelectMany(stack => stack.Source.Routes).ToList();
        for (var i = 0; i < wanted.Routes.Length; i++)
        {
            var route = wanted.Routes[i];
            var owner = others.Find(other => Collide(route, other)) ?? wanted.Routes.Take(i).FirstOrDefault(other => SamePlace(route, other));
            if (owner is not null)
                return new RouteConflict(route, owner.Stack, owner.Service);
        }

        return null;
    }

    // A published port belongs to one stack, with all its paths.
    private static bool Collide(Route route, Route other) => (route.Listener, other.Listener) switch
    {
        ({ } one, { } two) => one.Overlaps(two),
        (null, null) => SamePlace(route, other),
        _ => false,
    };

    private static bool SamePlace(Route route, Route other) =>
        route.Listener == other.Listener
        && string.Equals(RouteTable.HostKey(route.Host ?? string.Empty), RouteTable.HostKey(other.Host ?? string.Empty), StringComparison.OrdinalIgnoreCase)
        && PathTable.Normalize(route.Path) == PathTable.Normalize(other.Path);

    private void Swap(ImmutableSortedDictionary<string, CompiledStack> stacks)
    {
        Volatile.Write(ref _table, new RouteTable(stacks));
        Moved.Raise();

        var alive = stacks.Values.SelectMany(stack => stack.Source.Routes, (_, route) => (route.Stack, route.Service))
            .Concat(stacks.Values.SelectMany(stack => stack.Source.Previews, (_, preview) => ServiceOf(preview.Upstream)))
            .ToHashSet();
        foreach (var gone in _services.Keys.Where(key => !alive.Contains(key)).ToList())
        {
            _services.Remove(gone);
            metrics.Remove(gone.Stack, gone.Service);
        }
    }

    private CompiledStack Compile(StackRoutes routes)
    {
        var maintenance = routes.Maintenance ? new MaintenanceMode(routes.MaintenanceAllow) : null;
        var limiters = new RateLimiters(_table.Stacks.GetValueOrDefault(routes.Stack), time);
        return new CompiledStack(
            routes,
            [.. routes.Routes.Select(route => (route, Target(route.Upstream, route.TargetPort, route, maintenance, limiters.RulesOf(route), routes.Sides)))],
            [.. routes.Previews.Select(preview => (preview, Target(preview.Upstream, preview.TargetPort, null, null, RouteRules.ForPreview(preview.Policy), [])))]);
    }

    private RouteTarget Target(Upstream upstream, int port, Route? route, MaintenanceMode? maintenance, RouteRules? rules, ImmutableArray<SideColour> sides)
    {
        var key = route is null ? ServiceOf(upstream) : (route.Stack, route.Service);
        if (!_services.TryGetValue(key, out var service))
            _services[key] = service = metrics.Service(key.Stack, key.Service);

        return new RouteTarget(upstream, port, service, metrics.Series(upstream.Identity))
        {
            Route = route,
            Maintenance = maintenance,
            Rules = rules,
            Sticky = route?.StickyCookie is { } cookie ? new StickyReplicas(cookie, upstream) : null,
            Canary = route?.Canary is { } canary
                ? new CanaryTarget(canary, Target(canary.Upstream, canary.TargetPort, route with { Canary = null, Preview = null }, maintenance, rules, []))
                : null,
            Choice = route?.Preview is { } preview ? ChoiceOf(route, preview, rules, sides) : null,
        };
    }

    private ColourChoice ChoiceOf(Route route, PreviewRule preview, RouteRules? rules, ImmutableArray<SideColour> sides)
    {
        // A published port is the application's own; the maintenance is not for those who look at what comes after it.
        var plain = route with { Canary = null, Preview = null };
        return new ColourChoice(
            plain, preview,
            [
                .. from side in sides
                   where side.Service == route.Service
                   let port = route.Listener is null ? side.TargetPort : route.TargetPort
                   select (side.Role, Target(side.Upstream, port, plain with { Upstream = side.Upstream, TargetPort = port }, null, rules, [])),
            ],
            [.. sides.Select(side => side.Role)],
            _pass);
    }

    private static (string Stack, string Service) ServiceOf(Upstream upstream) => (upstream.Identity.Stack, upstream.Identity.Service);
}
