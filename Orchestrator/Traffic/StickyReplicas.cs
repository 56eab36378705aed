using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Traffic;

/// <summary>
/// Keeps a client at the replica that answered it before, by a cookie. Its value is a digest of the replica's identity: it tells nothing, is the same
/// after a restart of the daemon, and means nothing to another colour. A replica that is gone or out of rotation is replaced by any other.
/// </summary>
internal sealed class StickyReplicas(string cookie, Upstream upstream)
{
    private readonly ImmutableArray<string> _ids = [.. upstream.Replicas.Select(replica => IdOf(upstream.Identity, replica))];

    public bool TryLease(EdgeExchange exchange, out Lease lease) =>
        upstream.TryLease(exchange.Context.Request.Cookies[cookie] is { } value ? _ids.IndexOf(value) : -1, out lease);

    /// <summary>Gives the cookie to a client that has none, or another replica's.</summary>
    public void Remember(EdgeExchange exchange)
    {
        var id = _ids[exchange.Lease.Index];
        if (exchange.Context.Request.Cookies[cookie] == id)
            return;

        var secure = exchange.Client.IsHttps ? "; Secure" : "";
        exchange.Context.Response.Headers.Append("Set-Cookie", $"{cookie}={id}; Path=/; HttpOnly; SameSite=Lax{secure}");
    }

    private static string IdOf(UpstreamIdentity identity, ReplicaAddress replica) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{identity}/{replica.Key}")).AsSpan(0, 10));
}
