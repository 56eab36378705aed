using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Certificates;

/// <summary>What an authority is asked to sign (RFC 8555, 7.4).</summary>
internal static class SigningRequests
{
    // A common name has at most 64 letters (RFC 5280, ub-common-name); the alternative name is what counts.
    private const int LongestCommonName = 64;

    /// <returns>DER.</returns>
    public static byte[] For(string host, ECDsa key)
    {
        var subject = new X500DistinguishedNameBuilder();
        if (host.Length <= LongestCommonName) subject.AddCommonName(host);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSigningRequest();
    }
}
