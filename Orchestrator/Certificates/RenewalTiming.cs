using System.Buffers.Text;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Certificates;

/// <summary>When a certificate is renewed, and when an order that failed is tried again.</summary>
internal static class RenewalTiming
{
    private const double Share = 2.0 / 3;
    private const double Jitter = 0.05;
    private const int Factor = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(12);

    /// <summary>At two thirds of its life, less up to a twentieth of that by chance.</summary>
    /// <param name="chance">From 0 to 1; the same for the same certificate.</param>
    public static DateTimeOffset Due(EdgeCertificate certificate, double chance) =>
        certificate.NotBefore + ((certificate.NotAfter - certificate.NotBefore) * (Share * (1 - (Jitter * chance))));

    /// <summary>1, 5, 25 minutes, 2 and 10 hours, 12 hours, each up to a fifth longer; what the authority asks for if that is longer.</summary>
    /// <param name="failures">In a row, from 1.</param>
    /// <param name="chance">From 0 to 1.</param>
    public static TimeSpan Pause(int failures, double chance, TimeSpan? wanted)
    {
        var pause = FirstPause * Math.Pow(Factor, Math.Min(failures, 10) - 1);
        if (pause > LongestPause) pause = LongestPause;
        pause *= 1 + (chance / 5);
        return wanted > pause ? wanted.Value : pause;
    }

    /// <summary>How RFC 9773 (4.1) names a certificate: the key that signed it, and its serial number as in DER.</summary>
    /// <returns>Null: it does not say who signed it.</returns>
    public static string? IdOf(X509Certificate2 certificate)
    {
        if (certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is not { } issuer) return null;

        // Of a positive number, whose first bit would say that it is not.
        byte[] serial = [.. certificate.SerialNumberBytes.Span];
        if (serial is [>= 0x80, ..]) serial = [0, .. serial];
        return $"{Base64Url.EncodeToString(issuer.Span)}.{Base64Url.EncodeToString(serial)}";
    }
}
