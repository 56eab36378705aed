using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Orchestrator.Certificates;

/// <summary>The certificates that answer TLS-ALPN-01 (RFC 8737, 3): self-signed, with the digest of the answer in a critical extension.</summary>
internal static class ValidationCertificates
{
    private const string AcmeIdentifier = "1.3.6.1.5.5.7.1.31";

    // DER: an octet string of 32 bytes.
    private static readonly byte[] OctetString = [0x04, 0x20];

    public static X509Certificate2 For(string host, string authorization, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=acme validation", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        byte[] digest = [.. OctetString, .. SHA256.HashData(Encoding.ASCII.GetBytes(authorization))];
        request.CertificateExtensions.Add(new X509Extension(AcmeIdentifier, digest, critical: true));
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
