using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Orchestrator.Certificates;

/// <summary>The key of an account: ECDSA on P-256, ES256 (RFC 7518, 3.4).</summary>
internal sealed class AcmeKey : IDisposable
{
    private readonly ECDsa _key;

    private AcmeKey(ECDsa key)
    {
        _key = key;
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        Jwk = $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
        Thumbprint = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(Jwk)));
    }

    /// <summary>The public key in the form that its thumbprint is taken of: members in order, no spaces (RFC 7638).</summary>
    public string Jwk { get; }

    public string Thumbprint { get; }

    public static AcmeKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <exception cref="CryptographicException">It is no such key.</exception>
    public static AcmeKey FromPem(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key.KeySize == 256 ? new AcmeKey(key) : throw new CryptographicException("The key of an ACME account must be on P-256.");
        }
        catch (ArgumentException exception)
        {
            key.Dispose();
            throw new CryptographicException("It holds no key.", exception);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    public string ToPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>What answers a challenge (RFC 8555, 8.1).</summary>
    public string Authorize(string token) => $"{token}.{Thumbprint}";

    /// <summary>A signed message (RFC 7515, flattened).</summary>
    /// <param name="header">The protected header but for the algorithm.</param>
    /// <param name="payload">Null: an empty one, POST-as-GET.</param>
    public JsonObject Sign(JsonObject header, string? payload)
    {
        header["alg"] = "ES256";
        return Envelope(
            header, payload ?? "", bytes => _key.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    /// <summary>This key, signed with that of an external account.</summary>
    public JsonObject Bind(ExternalAccount account, Uri url)
    {
        var header = new JsonObject { ["alg"] = "HS256", ["kid"] = account.KeyId, ["url"] = url.AbsoluteUri };
        return Envelope(header, Jwk, bytes => HMACSHA256.HashData(account.Key, bytes));
    }

    public void Dispose() => _key.Dispose();

    private static JsonObject Envelope(JsonObject header, string payload, Func<byte[], byte[]> sign)
    {
        var first = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()));
        var second = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
        var signature = Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes($"{first}.{second}")));
        return new JsonObject { ["protected"] = first, ["payload"] = second, ["signature"] = signature };
    }
}
