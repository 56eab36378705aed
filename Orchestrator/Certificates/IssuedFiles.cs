using System.Security.Cryptography;
using System.Text;
using Orchestrator.Secrets;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Certificates;

/// <summary>
/// What ACME has brought, as files in the data directory (0700): the key of each account, and for each host its key with its chain in one file, so
/// that they can never be of two minds. Mode 0600, as the key that stored secrets are sealed with, which lies beside them and would open them.
/// </summary>
internal sealed class IssuedFiles(string dataDirectory)
{
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _directory = Path.Combine(dataDirectory, "acme");

    /// <summary>The key of the account with that authority; made at the first use.</summary>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    /// <exception cref="CryptographicException">It is damaged.</exception>
    public AcmeKey AccountKey(Uri authority)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(authority.AbsoluteUri)).AsSpan(0, 8));
        var path = Path.Combine(_directory, $"account-{name}.pem");
        if (File.Exists(path)) return AcmeKey.FromPem(File.ReadAllText(path));

        var key = AcmeKey.Create();
        Write(path, $"{key.ToPem()}\n");
        return key;
    }

    /// <summary>What was issued for the host; null: nothing, or nothing that can be read.</summary>
    public EdgeCertificate? Load(string host)
    {
        var path = PathOf(host);
        if (!File.Exists(path)) return null;

        var content = File.ReadAllText(path);
        return EdgeCertificate.TryRead(content, content, path, out var certificate, out _) ? certificate : null;
    }

    /// <exception cref="AcmeException">What the authority sent is no certificate for the host and the key.</exception>
    public EdgeCertificate Save(string host, string chain, string key)
    {
        var path = PathOf(host);
        if (!EdgeCertificate.TryRead(chain, key, path, out var certificate, out var problem))
            throw AcmeException.Nonsense($"what the authority sent is no use: {problem}");
        if (!certificate.Names.Contains(host))
            throw AcmeException.Nonsense($"what the authority sent is for {string.Join(", ", certificate.Names)}");

        Write(path, $"{key}\n{chain}");
        return certificate;
    }

    private string PathOf(string host)
    {
        var name = $"{host}.pem";
        return Path.GetFileName(name) == name
            ? Path.Combine(_directory, "hosts", name)
            : throw new ArgumentException($"'{host}' is no host.", nameof(host));
    }

    private void Write(string path, string content)
    {
        var directory = Path.GetDirectoryName(path) ?? _directory;
        foreach (var level in (string[])[_directory, directory])
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(level);
            else Directory.CreateDirectory(level, DirectoryMode);
        }

        DurableFile.Write(path, Encoding.ASCII.GetBytes(content), FileMode, owner: null);
    }
}
