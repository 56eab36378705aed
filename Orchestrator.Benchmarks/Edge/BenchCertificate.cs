using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>A certificate for all proxies alike: ECDSA P-256, signed by itself, for the names and the address by which they are asked.</summary>
internal sealed record BenchCertificate(string Directory)
{
    public string Chain => Path.Combine(Directory, "bench.crt");

    public string Key => Path.Combine(Directory, "bench.key");

    /// <summary>Chain and key in one file, as HAProxy takes them.</summary>
    public string Both => Path.Combine(Directory, "both");

    public static async Task<BenchCertificate> CreateAsync(string directory, TimeProvider time, CancellationToken cancellationToken)
    {
        System.IO.Directory.CreateDirectory(directory);
        var made = new BenchCertificate(directory);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName("*.example");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(time.GetUtcNow().AddDays(-1), time.GetUtcNow().AddDays(1));
        var chain = certificate.ExportCertificatePem() + "\n";
        var secret = key.ExportPkcs8PrivateKeyPem() + "\n";
        await File.WriteAllTextAsync(made.Chain, chain, cancellationToken);
        await File.WriteAllTextAsync(made.Key, secret, cancellationToken);
        await File.WriteAllTextAsync(made.Both, chain + secret, cancellationToken);
        File.SetUnixFileMode(made.Key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return made;
    }
}
