using System.Collections.Frozen;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

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
        foreach (var line in headers.Connection)
            Remove(headers, line);
    }

    /// <summary>Takes them out of an answer.</summary>
    /// <param name="application">What the application sent; read as it is, since most say nothing of it and nothing is to be made for those.</param>
    public static void Remove(IHeaderDictionary headers, HttpResponseHeaders application)
    {
        if (!application.NonValidated.TryGetValues(HeaderNames.Connection, out var named))
            return;

        foreach (var line in named)
            Remove(headers, line);
    }

    private static void Remove(IHeaderDictionary headers, string? line)
    {
        if (line is null || Kept.Contains(line))
            return;

        foreach (var name in line.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Kept.Contains(name))
                headers.Remove(name);
        }
    }
}
