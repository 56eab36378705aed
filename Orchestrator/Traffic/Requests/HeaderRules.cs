using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Traffic.Requests;

/// <summary>What is done to the headers of every answer of a route, the proxy's own included.</summary>
public sealed record HeaderRules
{
    // A year: what browsers ask for before they believe in it for good.
    private const string HttpsOnly = "max-age=31536000";

    /// <summary>Adds the headers by which browsers take care, where the application has not set them itself; HSTS over https only.</summary>
    public bool Secure { get; init; }

    /// <summary>Name → value; replaces what the application says.</summary>
    public ImmutableSortedDictionary<string, string> Set { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Names of headers that nobody outside gets.</summary>
    public ImmutableArray<string> Remove { get; init; } = [];

    internal void Apply(HttpResponse response, bool https)
    {
        var headers = response.Headers;
        foreach (var name in Remove)
            headers.Remove(name);
        if (Secure)
        {
            headers.TryAdd("X-Content-Type-Options", "nosniff");
            headers.TryAdd("X-Frame-Options", "SAMEORIGIN");
            headers.TryAdd("Referrer-Policy", "strict-origin-when-cross-origin");
            if (https)
                headers.TryAdd("Strict-Transport-Security", HttpsOnly);
        }

        foreach (var (name, value) in Set)
            headers[name] = value;
    }
}
