using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace Orchestrator.Backups.Encryption;

/// <summary>The private half of an <see cref="AgeRecipient"/>. Never prints itself: <see cref="Export"/> must be called by name.</summary>
public sealed class AgeIdentity
{
    private const string Prefix = "age-secret-key-";
    private const int WrappedBytes = AgeFormat.FileKeyBytes + AgeFormat.TagBytes;

    private readonly byte[] _secret;
    private readonly byte[] _public = new byte[AgeRecipient.KeyBytes];

    private AgeIdentity(byte[] secret)
    {
        _secret = secret;
        X25519.ScalarMultBase(_secret, 0, _public, 0);
        Recipient = AgeRecipient.Of(_public);
    }

    public AgeRecipient Recipient { get; }

    public static AgeIdentity Generate() => new(RandomNumberGenerator.GetBytes(AgeRecipient.KeyBytes));

    public static bool TryParse(string text, [NotNullWhen(true)] out AgeIdentity? identity)
    {
        identity = !text.Any(char.IsAsciiLetterLower) && Bech32.TryDecode(text, Prefix, out var secret) && secret.Length == AgeRecipient.KeyBytes
            ? new AgeIdentity(secret)
            : null;
        return identity is not null;
    }

    /// <summary>Reads an identity file: one key a line, <c>#</c> begins a comment, as <c>age-keygen</c> writes it.</summary>
    /// <exception cref="BackupFailedException">It cannot be read, or a line of it is no key of this kind. Never quotes the line.</exception>
    public static ImmutableArray<AgeIdentity> ReadFile(string path)
    {
        var identities = ImmutableArray.CreateBuilder<AgeIdentity>();
        var number = 0;
        foreach (var line in ReadLines(path))
        {
            number++;
            var text = line.Trim();
            if (text.Length == 0 || text.StartsWith('#')) continue;
            if (TryParse(text, out var identity)) identities.Add(identity);
            else throw new BackupFailedException($"{path}:{number}: this is no private key of age.", Hint(text));
        }

        return identities.Count > 0
            ? identities.ToImmutable()
            : throw new BackupFailedException($"{path}: there is no key in it.", "A line of it must begin with AGE-SECRET-KEY-1.");
    }

    /// <summary>The private key itself, <c>AGE-SECRET-KEY-1…</c>: for the person who keeps it, and for files of mode 0600.</summary>
    public string Export() => Bech32.Encode(Prefix, _secret).ToUpperInvariant();

    public override string ToString() => $"private key of {Recipient}";

    /// <returns>The file's key, or null when the stanza is not for this identity.</returns>
    /// <exception cref="AgeException">The stanza is of this kind and malformed.</exception>
    internal byte[]? Unwrap(AgeStanza stanza)
    {
        if (stanza.Type != AgeRecipient.StanzaType) return null;
        if (stanza.Arguments is not [var argument] || AgeFormat.FromBase64(argument) is not { Length: AgeRecipient.KeyBytes } share || stanza.Body.Length != WrappedBytes)
            throw new AgeException(AgeFault.Changed, "The header has a malformed entry for a recipient.");

        var wrapping = AgeRecipient.WrappingKey(_secret, share, share, _public)
            ?? throw new AgeException(AgeFault.Changed, "The header has an entry with a key that everybody knows.");
        using var aead = new ChaCha20Poly1305(wrapping);
        CryptographicOperations.ZeroMemory(wrapping);
        var key = new byte[AgeFormat.FileKeyBytes];
        try
        {
            aead.Decrypt(new byte[AgeFormat.NonceBytes], stanza.Body.AsSpan()[..key.Length], stanza.Body.AsSpan()[key.Length..], key);
            return key;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new BackupFailedException(
                failure is FileNotFoundException or DirectoryNotFoundException ? $"The key file {path} is not there." : $"The key file {path} cannot be read: {failure.Message}",
                "Put it back from where the keys are kept. No new key is made in its place: it could read nothing of what there is.", failure);
        }
    }

    private static string Hint(string text) =>
        text.StartsWith("age1", StringComparison.Ordinal) ? "This is a recipient, the public half. The private half begins with AGE-SECRET-KEY-1."
        : text.StartsWith("AGE-PLUGIN-", StringComparison.Ordinal) ? "Keys of plugins are not read here; decrypt with the age command."
        : text.StartsWith("age-encryption.org/", StringComparison.Ordinal) || text.StartsWith("-----BEGIN", StringComparison.Ordinal)
            ? "The key file itself is encrypted. Decrypt it first: age -d FILE > KEY."
        : "Each line is a key that begins with AGE-SECRET-KEY-1, a comment after #, or empty.";
}
