using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Traffic.Tls;

/// <summary>A certificate with its key and its chain, made ready for handshakes once.</summary>
public sealed class EdgeCertificate
{
    private const string Password = "ENCRYPTED PRIVATE KEY";

    private EdgeCertificate(X509Certificate2 leaf, X509Certificate2Collection chain, ImmutableArray<string> names, string source)
    {
        Leaf = leaf;
        Names = names;
        Source = source;
        Handshake = new SslServerAuthenticationOptions
        {
            // Not asked of the network: what is served is what the file holds. One context for all handshakes lets sessions be resumed.
            ServerCertificateContext = SslStreamCertificateContext.Create(leaf, chain, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            AllowRenegotiation = false,
        };
    }

    /// <summary>DNS names and addresses of its subject alternative names, in lower case; <c>*.example.org</c> stands for one level.</summary>
    public ImmutableArray<string> Names { get; }

    /// <summary>Where it came from, for people.</summary>
    public string Source { get; }

    public DateTimeOffset NotBefore => new(Leaf.NotBefore.ToUniversalTime());

    public DateTimeOffset NotAfter => new(Leaf.NotAfter.ToUniversalTime());

    internal X509Certificate2 Leaf { get; }

    internal SslServerAuthenticationOptions Handshake { get; }

    /// <param name="chain">PEM: the certificate itself, then those that lead to its root.</param>
    /// <param name="key">PEM: its private key, not encrypted.</param>
    /// <param name="source">Where it came from, for people.</param>
    /// <param name="problem">Why not, without anything of the key.</param>
    public static bool TryRead(
        string chain, string key, string source, [NotNullWhen(true)] out EdgeCertificate? certificate, [NotNullWhen(false)] out string? problem)
    {
        certificate = null;
        if (key.Contains(Password, StringComparison.Ordinal))
        {
            problem = "the key is encrypted: there is nobody to ask for the password";
            return false;
        }

        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPem(chain);
            if (all.Count == 0)
            {
                problem = "there is no certificate in it";
                return false;
            }

            // The first is the server's own (RFC 8446, 4.4.2).
            var leaf = X509Certificate2.CreateFromPem(all[0].ExportCertificatePem(), key);
            all.RemoveAt(0);
            var names = NamesOf(leaf);
            problem = names.IsEmpty ? "it names no host: browsers look at its subject alternative names only" : null;
            if (problem is null) certificate = new EdgeCertificate(leaf, all, names, source);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            problem = $"the certificate and the key cannot be read, or do not belong together: {exception.Message}";
        }

        return certificate is not null;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Source} ({string.Join(", ", Names.Take(3))}{(Names.Length > 3 ? ", …" : "")}, until {NotAfter:yyyy-MM-dd})");

    private static ImmutableArray<string> NamesOf(X509Certificate2 leaf)
    {
        var names = ImmutableArray.CreateBuilder<string>();
        foreach (var extension in leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            names.AddRange(extension.EnumerateDnsNames().Select(name => name.ToLowerInvariant()));
            names.AddRange(extension.EnumerateIPAddresses().Select(Text));
        }

        return [.. names.Distinct()];
    }

    private static string Text(IPAddress address) => (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
}
