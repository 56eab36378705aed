using System.Security.Cryptography;
using System.Text;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Traffic.Previews;

/// <summary>Who may choose the colour that answers a route's requests. Without a rule nobody may.</summary>
/// <param name="OwnHost">Its host is for previews only: without a word it leads to the candidate, and nobody gets in unknown.</param>
public sealed record PreviewRule(bool OwnHost)
{
    /// <summary>SHA-256 of the key, in hexadecimal; null: there is no key.</summary>
    public string? KeySha256 { get; init; }

    /// <summary>Clients that need no key.</summary>
    public AddressSet Allow { get; init; } = AddressSet.Empty;

    internal bool Opens(string? key)
    {
        if (KeySha256 is null || string.IsNullOrEmpty(key))
            return false;

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return CryptographicOperations.FixedTimeEquals(hash, Convert.FromHexString(KeySha256));
    }
}
