using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Traffic;

/// <summary>Which of a route's requests go to the candidate.</summary>
internal sealed class CanaryTarget(Canary canary, RouteTarget candidate)
{
    private const int LongestCookie = 64;

    private readonly ulong _threshold = (ulong)(Math.Clamp(canary.Share, 0, 1) * (1UL << 32));

    // So that another release draws other clients.
    private readonly string _salt = canary.Upstream.Identity.ToString();

    /// <summary>A request stays with its draw, however often it looks. A candidate that cannot answer at all leaves its share to the live upstream.</summary>
    public RouteTarget Choose(EdgeExchange exchange, RouteTarget live)
    {
        exchange.Draw ??= canary.Draw switch
        {
            CanaryDraw.Cookie => DrawByCookie(exchange),
            CanaryDraw.Address => DrawBy(exchange.Client.AddressText),
            _ => (uint)Random.Shared.NextInt64(1L << 32),
        };
        return exchange.Draw < _threshold && candidate.Upstream.MayLease() ? candidate : live;
    }

    private uint DrawByCookie(EdgeExchange exchange)
    {
        if (exchange.Context.Request.Cookies[Canary.Cookie] is not { Length: > 0 and <= LongestCookie } value)
        {
            value = RandomNumberGenerator.GetHexString(16, lowercase: true);
            exchange.NewCookie = $"{Canary.Cookie}={value}; Path=/; HttpOnly; SameSite=Lax{(exchange.Client.IsHttps ? "; Secure" : "")}";
        }

        return DrawBy(value);
    }

    private uint DrawBy(string client) => BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(_salt + client)));
}
