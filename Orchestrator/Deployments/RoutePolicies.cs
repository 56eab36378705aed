using System.Net;
using Orchestrator.Stacks;
using Orchestrator.Traffic.Previews;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Deployments;

/// <summary>From what a stack says of a route to what the proxy does.</summary>
internal static class RoutePolicies
{
    /// <returns>Null when the stack says nothing.</returns>
    public static RoutePolicy? Of(ServiceSpec spec)
    {
        if (spec.BasMalin?.Route is not { } route) return null;

        var policy = new RoutePolicy
        {
            StripPrefix = route.StripPrefix,
            Pages = route.Pages.IsEmpty ? Nothing.Pages : route.Pages,
            Http2 = route.Http2,
            BodyLimit = route.BodyLimit,
            Timeouts = route.Timeouts is { } timeouts ? new PhaseTimeouts(timeouts.Connect, timeouts.Headers, timeouts.Idle) : null,
            Rate = route.Rate is { } rate ? new RateRule(rate.Requests, rate.Per, rate.Burst, rate.ByClient) : null,
            Headers = route.Headers is { } headers ? new HeaderRules { Secure = headers.Secure, Set = headers.Set, Remove = headers.Remove } : null,
            Compress = route.Compress is { } types ? types.IsEmpty ? CompressionRule.Usual : new CompressionRule(types) : null,
        };
        return policy == Nothing ? null : policy;
    }

    private static RoutePolicy Nothing { get; } = new();

    /// <returns>Null: nobody may choose a colour.</returns>
    public static PreviewRule? PreviewOf(ServiceSpec spec) => spec.BasMalin?.Route?.Preview is { } preview
        ? new PreviewRule(OwnHost: false) { KeySha256 = preview.KeySha256, Allow = new AddressSet([.. preview.Allow.Select(network => IPNetwork.Parse(network))]) }
        : null;

    /// <summary>What the gate asks, as somebody outside would ask it; null: nothing.</summary>
    /// <param name="published">On a published port, where nothing is stripped.</param>
    public static string? HealthPath(ServiceSpec spec, bool published = false)
    {
        // Only a path that was named: the root is no health check but the application.
        if (spec.BasMalin is not { Route: { } route, Gate: { Kind: GateKind.Http, Http: not "/" and var asked } }) return null;

        var path = asked.Split('?')[0];
        return route.StripPrefix && !published ? route.Path + path : path;
    }
}
