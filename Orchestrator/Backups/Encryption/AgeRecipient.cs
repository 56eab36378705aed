using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace Orchestrator.Backups.Encryption;

/// <summary>Somebody who can read what is encrypted to it: an X25519 public key, written <c>age1…</c>.</summary>
public sealed record AgeRecipient
{
    public const string Expected = "a recipient of age, which begins with age1";
    internal const int KeyBytes = 32;
    internal const string StanzaType = "X25519";

    private const string Prefix = "age";
    private const string Label = "age-encryption.org/v1/X25519";

    private readonly ImmutableArray<byte> _key;

    private AgeRecipient(ReadOnlySpan<byte> key)
    {
        _key = [.. key];
        Value = Bech32.Encode(Prefix, key);
    }

    /// <summary>As it is written; equality is by it.</summary>
    public string Value { get; }

    public bool Equals(AgeRecipient? other) => other is not null && other.Value == Value;

    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Value;

    public static bool TryParse(string text, [NotNullWhen(true)] out AgeRecipient? recipient)
    {
        recipient = !text.Any(char.IsAsciiLetterUpper) && Bech32.TryDecode(text, Prefix, out var key) && key.Length == KeyBytes ? new AgeRecipient(key) : null;
        return recipient is not null;
    }

    internal static AgeRecipient Of(ReadOnlySpan<byte> key) => new(key);

    /// <summary>Wraps a file's key for this recipient under a key pair that is used once.</summary>
    internal AgeStanza Wrap(ReadOnlySpan<byte> fileKey)
    {
        var once = RandomNumberGenerator.GetBytes(KeyBytes);
        var share = new byte[KeyBytes];
        X25519.ScalarMultBase(once, 0, share, 0);
        var wrapping = WrappingKey(once, [.. _key], share, [.. _key])
            ?? throw new CryptographicException($"{Value} is no usable key: it leads to a shared secret that everybody knows.");
        var body = new byte[fileKey.Length + AgeFormat.TagBytes];
        using (var aead = new ChaCha20Poly1305(wrapping))
        {
            aead.Encrypt(new byte[AgeFormat.NonceBytes], fileKey, body.AsSpan(0, fileKey.Length), body.AsSpan(fileKey.Length));
        }

        CryptographicOperations.ZeroMemory(once);
        CryptographicOperations.ZeroMemory(wrapping);
        return new AgeStanza(StanzaType, [AgeFormat.ToBase64(share)], [.. body]);
    }

    /// <returns>Null for a point of low order.</returns>
    internal static byte[]? WrappingKey(byte[] scalar, byte[] point, ReadOnlySpan<byte> share, ReadOnlySpan<byte> recipient)
    {
        var shared = new byte[KeyBytes];
        if (!X25519.CalculateAgreement(scalar, 0, point, 0, shared, 0)) return null;

        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, KeyBytes, [.. share, .. recipient], Encoding.ASCII.GetBytes(Label));
        CryptographicOperations.ZeroMemory(shared);
        return key;
    }
}
