using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Tests.Traffic.Tls;

/// <summary>A root and an intermediate of its own, which issue for any name.</summary>
internal sealed class TestCa
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly X509Certificate2 _intermediate;

    public TestCa()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Root = Authority("CN=Root of the tests", rootKey).CreateSelfSigned(Now.AddDays(-10), Now.AddDays(1000));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = Authority("CN=Intermediate of the tests", key).Create(Root, Now.AddDays(-9), Now.AddDays(900), Serial());
        _intermediate = signed.CopyWithPrivateKey(key);
    }

    public X509Certificate2 Root { get; }

    /// <summary>Chain and key in PEM.</summary>
    public (string Chain, string Key) Issue(TimeSpan goodFor, params ReadOnlySpan<string> names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=of the tests", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        }

        if (!names.IsEmpty) request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_intermediate, true, false));
        using var leaf = request.Create(_intermediate, Now.AddDays(-8), Now + goodFor, Serial());
        return ($"{leaf.ExportCertificatePem()}\n{_intermediate.ExportCertificatePem()}\n", key.ExportPkcs8PrivateKeyPem());
    }

    public void Write(string directory, string name, params ReadOnlySpan<string> names) => Write(directory, name, TimeSpan.FromDays(80), names);

    public void Write(string directory, string name, TimeSpan goodFor, params ReadOnlySpan<string> names)
    {
        var (chain, key) = Issue(goodFor, names);
        File.WriteAllText(Path.Combine(directory, $"{name}.crt"), chain);
        WriteKey(Path.Combine(directory, $"{name}.key"), key);
    }

    public static void WriteKey(string path, string key)
    {
        File.WriteAllText(path, key);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Trusts this root and nothing else.</summary>
    public X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(Root);
        return policy;
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(12);
        serial[0] = (byte)((serial[0] & 0x7F) | 1);
        return serial;
    }
}
