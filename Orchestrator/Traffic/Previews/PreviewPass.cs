using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Traffic.Previews;

/// <summary>
/// The cookie of a browser that has shown the key of a preview host once: pages send requests of their own, with an Authorization of their own. It holds
/// when it ends and a proof of this process, nothing of the key; another key or another host makes it worthless.
/// </summary>
internal sealed class PreviewPass(TimeProvider time)
{
    public const string Cookie = "basmalin-preview";

    private static readonly TimeSpan Life = TimeSpan.FromHours(12);

    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    /// <summary>The whole header.</summary>
    public string Issue(PreviewRule rule, ReadOnlySpan<char> host, bool https)
    {
        var end = (time.GetUtcNow() + Life).ToUnixTimeSeconds();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Cookie}={end}.{Convert.ToHexStringLower(Proof(rule, host, end))}; Path=/; Max-Age={(long)Life.TotalSeconds}; HttpOnly; SameSite=Lax{(https ? "; Secure" : "")}");
    }

    public bool Holds(string? cookie, PreviewRule rule, ReadOnlySpan<char> host)
    {
        if (cookie is not { Length: > 0 and < 128 } || cookie.IndexOf('.', StringComparison.Ordinal) is not (> 0 and var dot))
            return false;

        Span<byte> given = stackalloc byte[SHA256.HashSizeInBytes];
        return long.TryParse(cookie.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var end)
            && end > time.GetUtcNow().ToUnixTimeSeconds()
            && cookie.Length - dot - 1 == given.Length * 2
            && Convert.FromHexString(cookie.AsSpan(dot + 1), given, out _, out _) == System.Buffers.OperationStatus.Done
            && CryptographicOperations.FixedTimeEquals(given, Proof(rule, host, end));
    }

    private byte[] Proof(PreviewRule rule, ReadOnlySpan<char> host, long end) => HMACSHA256.HashData(
        _secret, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{rule.KeySha256}|{host.ToString().ToLowerInvariant()}|{end}")));
}
