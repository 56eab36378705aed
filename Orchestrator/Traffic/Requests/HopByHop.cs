using System.Collections.Frozen;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Traffic.Requests;

/// <summary>Headers that a <c>Connection</c> header names are for the next hop only, which is the edge (RFC 9110, section 7.6.1).</summary>
internal static class HopByHop
{
    // Those that say what the connection does are the server's own; without these the message would be another one.
    private static readonly FrozenSet<string> Kept = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "close", "keep-alive", "upgrade", "connection", "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "te", "trailer");

    /// <summary>
    /// Takes them out of a request, before the edge adds what it says itself. Not where it says <c>close</c> or <c>keep-alive</c> besides: of such a header Kestrel
    /// shows only that word.
    /// </summary>
    public static void Remove(IHeaderDictionary headers)
    {
        var named = headers.Connection;
        if (named.Count == 0 || (named.Count == 1 && named[0] is { } one && Kept.Contains(one)))
            return;

        foreach (var line in named)
        {
            foreach (var name in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (!Kept.Contains(name))
                    headers.Remove(name);
            }
        }
    }

    /// <summary>Takes them out of an answer.</summary>
    /// <param name="named">The application's <c>Connection</c> header.</param>
    public static void Remove(IHeaderDictionary headers, HttpHeaderValueCollection<string> named)
    {
        if (named.Count == 0)
            return;

        foreach (var name in named)
        {
            if (!Kept.Contains(name))
                headers.Remove(name);
        }
    }
}
