using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Previews;
using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Deployments;

/// <summary>What the edge serves of a stack, from the stack's state and what the engine shows; and the switch of it.</summary>
public sealed class StackTraffic(TrafficRouter router, EdgeServer edge, VolumeRoots volumes, TimeProvider time) : IDisposable
{
    // Readers never take it: it only keeps two writers of one stack from losing each other's change.
    private readonly Lock _publishing = new();

    // Routes and published ports of a stack move together: a restore must not come between the two of a shift.
    private readonly SemaphoreSlim _moving = new(1, 1);

    // By stack: why it is not served, or not wholly.
    private readonly ConcurrentDictionary<string, string> _problems = new(StringComparer.Ordinal);

    /// <summary>Why the stack is not served, or not wholly; null: it is.</summary>
    public string? ProblemOf(string stack) => _problems.GetValueOrDefault(stack);

    /// <summary>Notes that the stack's routes could not be laid at start. The next deployment that publishes them ends it.</summary>
    public void Quarantine(string stack, string problem) => _problems[stack] = problem;

    /// <summary>Stacks whose routes could not be laid at start, or not all of them.</summary>
    public IEnumerable<string> Quarantined => _problems.Keys;

    /// <summary>It was tried again in vain; what has been served meanwhile stays so.</summary>
    public void StillQuarantined(string stack, string before, string problem) => _problems.TryUpdate(stack, problem, before);

    /// <summary>Where smoke requests go: the edge's own loopback listener, with the same pipeline as everybody's.</summary>
    public Uri PreviewAddress => new($"http://{edge.Loopback}");

    /// <summary>The upstreams that have the traffic now, by service.</summary>
    public ImmutableDictionary<string, Upstream> LiveOf(string stack)
    {
        var live = ImmutableDictionary.CreateBuilder<string, Upstream>();
        foreach (var route in router.Find(stack)?.Routes ?? []) live[route.Service] = route.Upstream;
        return live.ToImmutable();
    }

    /// <summary>All upstreams that have traffic now.</summary>
    public IEnumerable<Upstream> Live => router.Published.SelectMany(stack => stack.Routes).Select(route => route.Upstream).Distinct();

    public Upstream UpstreamOf(Stack stack, ServiceSpec spec, Generation generation, IEnumerable<ObservedContainer> containers) =>
        new(new(stack.Name, spec.Name, generation.Colour.Word(), generation.Release), [.. containers.Select(container => AddressOf(stack, spec, container)).OfType<ReplicaAddress>()], time);

    /// <summary>Where the daemon reaches a container: its address on the first network of the service.</summary>
    public static ReplicaAddress? AddressOf(Stack stack, ServiceSpec spec, ObservedContainer container) =>
        NetworkOf(stack, spec) is { } network && container.Addresses.TryGetValue(network, out var address) ? new(container.Id.Value, address) : null;

    /// <summary>The network on which the daemon reaches a service's containers; null: it has none.</summary>
    public static string? NetworkOf(Stack stack, ServiceSpec spec) =>
        spec.Networks.Select(attachment => stack.Networks.FirstOrDefault(network => network.Key == attachment.Key)).FirstOrDefault(network => network is not null)?.Name;

    /// <summary>The port that requests and probes go to: declared, else the only one that is published, exposed, or named by the image. 0: cannot be told.</summary>
    public static int PortOf(ServiceSpec spec, ImageIdentity? image)
    {
        if (spec.BasMalin?.Route is { Port: > 0 } route) return route.Port;

        IEnumerable<int>[] sources = [spec.Ports.Select(port => port.ContainerPort), spec.Expose, image?.ExposedPorts ?? []];
        return sources.Select(ports => ports.Distinct().ToList()).FirstOrDefault(ports => ports.Count > 0) is [var only] ? only : 0;
    }

    /// <summary>Every route of a stack onto the given upstreams.</summary>
    public static ImmutableArray<Route> RoutesOf(Release release, IReadOnlyDictionary<string, Upstream> live) =>
    [
        .. from spec in release.Stack.Services
           where spec.BasMalin?.Route is not null && live.ContainsKey(spec.Name)
           from route in RoutesOf(release.Stack.Name, spec, PortOf(spec, release.Images.GetValueOrDefault(spec.Name)), live[spec.Name])
           select route,
    ];

    /// <summary>The addresses that the proxy serves in the place of published ports.</summary>
    public static ImmutableArray<PublishedEndpoint> EndpointsOf(Stack stack) =>
    [
        .. from spec in stack.Services
           where spec.BasMalin?.Route is not null
           from port in spec.Ports
           select new PublishedEndpoint(port.HostAddress, port.HostPort),
    ];

    /// <summary>Another stack that has a wanted host and path, or port, already.</summary>
    public RouteConflict? FindConflict(Release release)
    {
        var placeholders = release.Stack.Services.ToDictionary(spec => spec.Name, spec => new Upstream(new(release.Stack.Name, spec.Name, "blue", 0), [], time));
        return router.FindConflict(new(release.Stack.Name, RoutesOf(release, placeholders), [], false));
    }

    /// <summary>Lets previews reach candidates beside the live traffic; none: takes them away.</summary>
    public void SetPreviews(string stack, ImmutableArray<Preview> previews)
    {
        lock (_publishing)
        {
            var now = router.Find(stack) ?? new(stack, [], [], false);
            router.Publish(now with { Previews = previews });
        }
    }

    /// <summary>Shows these colours to those who may choose; none: only the live ones are left.</summary>
    /// <returns>Those that were shown before and are not any more.</returns>
    public ImmutableArray<SideColour> ShowBeside(string stack, ImmutableArray<SideColour> sides)
    {
        lock (_publishing)
        {
            if (router.Find(stack) is not { } now) return [];
            if (!now.Sides.IsEmpty || !sides.IsEmpty) router.Publish(now with { Sides = sides });
            return [.. now.Sides.Where(old => sides.All(side => !ReferenceEquals(side.Upstream, old.Upstream)))];
        }
    }

    /// <summary>The colours that run beside the live ones, where those who may choose reach them.</summary>
    public ImmutableArray<SideColour> Beside(string stack) => router.Find(stack)?.Sides ?? [];

    /// <summary>Some of the stack's routes let a colour be chosen.</summary>
    public bool HasPreviews(string stack) => router.Find(stack)?.Routes.Any(route => route.Preview is not null) == true;

    /// <summary>Lets candidates have a share of the requests, by service; none: the live upstreams have all.</summary>
    public void SetCanaries(string stack, ImmutableDictionary<string, Canary> canaries)
    {
        lock (_publishing)
        {
            if (router.Find(stack) is { } now)
                router.Publish(now with { Routes = [.. now.Routes.Select(route => route with { Canary = canaries.GetValueOrDefault(route.Service) })] });
        }
    }

    /// <summary>
    /// The switch: one swap of the route table for all services of the release. New published ports are opened before it and those that are
    /// no longer wanted closed after it, so that a port that cannot be had leaves everything as it was.
    /// </summary>
    /// <exception cref="EdgeBindException">A published port is taken by somebody else.</exception>
    public async Task PublishAsync(Release release, IReadOnlyDictionary<string, Upstream> live, CancellationToken cancellationToken)
    {
        var stack = release.Stack.Name;
        var wanted = EndpointsOf(release.Stack);
        var present = (router.Find(stack)?.Routes ?? []).Select(route => route.Listener).OfType<PublishedEndpoint>().ToImmutableArray();
        var routes = await volumes.WithFilesAsync(release.Stack, RoutesOf(release, live), cancellationToken);
        await _moving.WaitAsync(cancellationToken);
        try
        {
            await edge.SetPublishedAsync(stack, [.. present.Union(wanted)], cancellationToken);
            lock (_publishing)
            {
                var allow = router.Find(stack)?.MaintenanceAllow ?? AddressSet.Empty;
                router.Publish(new(stack, routes, [], InMaintenance(stack)) { MaintenanceAllow = allow });
            }

            await edge.SetPublishedAsync(stack, wanted, cancellationToken);
            _problems.TryRemove(stack, out _);
        }
        finally
        {
            _moving.Release();
        }
    }

    /// <summary>At start: the table first, so that no published port answers before its route is there.</summary>
    /// <param name="onlyQuarantined">Later: not when a deployment has laid its own routes meanwhile.</param>
    /// <returns>False: nothing was done.</returns>
    /// <exception cref="EdgeBindException">A published port is taken by somebody else; the routes by host stand all the same.</exception>
    public async Task<bool> RestoreAsync(
        Release release, IReadOnlyDictionary<string, Upstream> live, StackState state, bool onlyQuarantined, CancellationToken cancellationToken)
    {
        var stack = release.Stack.Name;
        var routes = await volumes.WithFilesAsync(release.Stack, RoutesOf(release, live), cancellationToken);
        await _moving.WaitAsync(cancellationToken);
        try
        {
            if (onlyQuarantined && !_problems.ContainsKey(stack)) return false;

            lock (_publishing)
                router.Publish(new(stack, routes, [], state.Maintenance) { MaintenanceAllow = AllowOf(state.MaintenanceAllow) });
            await edge.SetPublishedAsync(stack, EndpointsOf(release.Stack), cancellationToken);
            _problems.TryRemove(stack, out _);
            return true;
        }
        finally
        {
            _moving.Release();
        }
    }

    /// <summary>The same colour under another upstream.</summary>
    /// <returns>False when the old one no longer has the traffic.</returns>
    public bool Exchange(string stack, Upstream old, Upstream renewed)
    {
        lock (_publishing)
        {
            if (router.Find(stack) is not { } now || now.Routes.All(route => !ReferenceEquals(route.Upstream, old))) return false;
            router.Publish(now with { Routes = [.. now.Routes.Select(route => ReferenceEquals(route.Upstream, old) ? route with { Upstream = renewed } : route)] });
            return true;
        }
    }

    /// <summary>Other replicas for a generation that has the traffic, under a new upstream. Those that are out of the rotation stay out of it.</summary>
    /// <returns>The old upstream and its heir; null: another generation has the traffic, or the replicas are the same.</returns>
    public Renewal? Renew(UpstreamIdentity identity, Func<ImmutableArray<ReplicaAddress>, ImmutableArray<ReplicaAddress>> change)
    {
        lock (_publishing)
        {
            if (!LiveOf(identity.Stack).TryGetValue(identity.Service, out var old) || old.Identity != identity) return null;

            var replicas = change(old.Replicas);
            if (replicas.SequenceEqual(old.Replicas)) return null;

            var renewed = old.With(replicas);
            return Exchange(identity.Stack, old, renewed) ? new(old, renewed) : null;
        }
    }

    public bool InMaintenance(string stack) => router.Find(stack)?.Maintenance == true;

    /// <summary>The state with what is now: somebody may have begun or ended the maintenance while a deployment ran.</summary>
    public StackState WithMaintenance(StackState state)
    {
        var now = router.Find(state.Stack);
        return state with { Maintenance = now?.Maintenance == true, MaintenanceAllow = [.. (now?.MaintenanceAllow ?? AddressSet.Empty).Networks.Select(network => $"{network}")] };
    }

    /// <param name="allow">Networks of clients that get through all the same.</param>
    public void SetMaintenance(string stack, bool on, ImmutableArray<string> allow)
    {
        lock (_publishing)
        {
            if (router.Find(stack) is { } now) router.Publish(now with { Maintenance = on, MaintenanceAllow = AllowOf(allow) });
        }
    }

    public void Dispose() => _moving.Dispose();

    private static AddressSet AllowOf(ImmutableArray<string> networks) => new([.. networks.Select(network => IPNetwork.Parse(network))]);

    public bool IsRouted(string stack, string service) => router.Find(stack)?.Routes.Any(route => route.Service == service) == true;

    /// <summary>Holds the requests of a service at the edge, at most so long. Smoke tests pass.</summary>
    /// <returns>When it ends by itself; null: the service has no route.</returns>
    public DateTimeOffset? Pause(string stack, string service, TimeSpan limit) => IsRouted(stack, service) ? router.Pause(stack, service, limit) : null;

    /// <summary>Holds the requests of all routed services of a stack, at most so long.</summary>
    public void PauseAll(string stack, TimeSpan limit)
    {
        foreach (var service in LiveOf(stack).Keys) router.Pause(stack, service, limit);
    }

    public void ResumeAll(string stack)
    {
        foreach (var service in LiveOf(stack).Keys) router.Resume(stack, service);
    }

    /// <returns>False when it was not paused.</returns>
    public bool Resume(string stack, string service) => router.Resume(stack, service);

    public DateTimeOffset? PausedUntil(string stack, string service) => router.PausedUntil(stack, service);

    public async Task RemoveAsync(string stack, CancellationToken cancellationToken)
    {
        lock (_publishing) router.Remove(stack);
        _problems.TryRemove(stack, out _);
        await edge.SetPublishedAsync(stack, [], cancellationToken);
    }

    private static IEnumerable<Route> RoutesOf(string stack, ServiceSpec spec, int port, Upstream upstream)
    {
        if (spec.BasMalin?.Route is not { } route) yield break;

        var tls = TlsOf(route);
        var (policy, health, preview) = (RoutePolicies.Of(spec), RoutePolicies.HealthPath(spec), RoutePolicies.PreviewOf(spec));
        foreach (var host in route.Hosts.Union(route.Preview?.Hosts ?? []))
        {
            var rule = preview is not null && !route.Hosts.Contains(host) ? preview with { OwnHost = true } : preview;
            yield return new() { Stack = stack, Service = spec.Name, Host = host, Path = route.Path, TargetPort = port, Upstream = upstream, Policy = policy, Tls = tls, HealthPath = health, StickyCookie = route.StickyCookie, Preview = rule };
        }

        foreach (var host in route.RedirectHosts)
        {
            var redirect = tls with { RedirectTo = route.Hosts[0] };
            yield return new() { Stack = stack, Service = spec.Name, Host = host, Path = route.Path, TargetPort = port, Upstream = upstream, Policy = policy, Tls = redirect };
        }

        // A published port is the application's own, with all its paths.
        var own = policy is { StripPrefix: true } ? policy with { StripPrefix = false } : policy;
        foreach (var published in spec.Ports)
        {
            var listener = new PublishedEndpoint(published.HostAddress, published.HostPort);
            yield return new() { Stack = stack, Service = spec.Name, Listener = listener, TargetPort = published.ContainerPort, Upstream = upstream, Policy = own, HealthPath = RoutePolicies.HealthPath(spec, published: true), StickyCookie = route.StickyCookie, Preview = preview };
        }
    }

    private static RouteTls TlsOf(RouteSpec route) => new(
        route.Tls is TlsMode.Auto,
        route switch
        {
            { Tls: TlsMode.Off } or { Https: HttpsMode.Allow } => HttpsUpgrade.Never,
            { Https: HttpsMode.Redirect } => HttpsUpgrade.Always,
            _ => HttpsUpgrade.WhenCertified,
        },
        null);
}
