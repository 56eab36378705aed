using System.Globalization;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Redis;

/// <summary>Where a server is, and as whom the daemon comes.</summary>
/// <param name="User">Null: Redis's default user.</param>
/// <param name="Password">Null: none.</param>
internal sealed record RedisEndpoint(string Host, int Port, string? User, Secret? Password)
{
    public const int DefaultPort = 6379;

    /// <param name="address">A host, with <c>:PORT</c> where it is not the usual one; an IPv6 address with a port in brackets.</param>
    public static RedisEndpoint Of(string address, string? user, Secret? password)
    {
        var colon = address.LastIndexOf(':');
        var hasPort = colon > 0 && (address.IndexOf(':', StringComparison.Ordinal) == colon || address[colon - 1] == ']')
            && int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
        return new(
            (hasPort ? address[..colon] : address).Trim('[', ']'), hasPort ? int.Parse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture) : DefaultPort, user, password);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
