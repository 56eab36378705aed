using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Traffic.Files;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Traffic.Requests;

/// <summary>A route's <see cref="RoutePolicy"/> with all that can be worked out before a request comes.</summary>
internal sealed class RouteRules(RoutePolicy policy, string prefix, RateLimiter? rate)
{
    public RoutePolicy Policy => policy;

    public RateLimiter? Rate => rate;

    /// <summary>What the application does not see of the path; null: it sees all of it.</summary>
    public string? Prefix { get; } = policy.StripPrefix && prefix.Length > 0 ? prefix : null;

    /// <summary>Null: everything is the application's.</summary>
    public StaticFiles? Files { get; } = policy.Static.IsEmpty ? null : new StaticFiles(policy.Static);

    /// <summary>How YARP sends; made by the forwarder at first use.</summary>
    public ForwarderRequestConfig? Request { get; set; }

    /// <summary>What a preview has in common with the route: how the application is spoken to, and nothing that concerns users.</summary>
    public static RouteRules? ForPreview(RoutePolicy? policy) =>
        policy is { Http2: true } or { Timeouts: not null } ? new RouteRules(new RoutePolicy { Http2 = policy.Http2, Timeouts = policy.Timeouts }, "", null) : null;

    /// <summary>Whether the request is turned away before it is leased.</summary>
    public bool Refuses(EdgeExchange exchange, [NotNullWhen(true)] out OwnAnswer? answer)
    {
        answer = null;
        if (rate?.Wait(exchange.Client.Address) is { } wait)
            answer = OwnAnswer.TooManyRequests(wait);
        else if (policy.BodyLimit is { } limit && !TryLimit(exchange.Context, limit))
            answer = OwnAnswer.TooLarge;
        return answer is not null;
    }

    // What says its length is refused at once; what does not, when it has sent too much.
    private static bool TryLimit(HttpContext context, long limit)
    {
        if (context.Request.ContentLength > limit)
            return false;

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
            feature.MaxRequestBodySize = limit;
        return true;
    }
}
