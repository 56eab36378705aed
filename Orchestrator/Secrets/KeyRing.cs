using System.Security.Cryptography;
using System.Text;
using Orchestrator.Journal;

namespace Orchestrator.Secrets;

/// <summary>The key under which secrets are kept: 32 random bytes in a file of its own (0600), beside the database but never in it.</summary>
public sealed class KeyRing
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly byte[] _sealing;
    private readonly byte[] _naming;

    private KeyRing(byte[] key)
    {
        _sealing = HKDF.Expand(HashAlgorithmName.SHA256, key, KeyBytes, "basmalin secrets 1"u8.ToArray());
        _naming = HKDF.Expand(HashAlgorithmName.SHA256, key, KeyBytes, "basmalin file names 1"u8.ToArray());
    }

    /// <summary>Reads the key, or makes one at the first start.</summary>
    /// <param name="hasSecrets">True when something was encrypted already: then a missing key is a loss and no beginning, and no new one is made.</param>
    /// <exception cref="JournalException">The key is missing while secrets are there, is damaged, or can be read by others.</exception>
    public static KeyRing Open(string path, bool hasSecrets)
    {
        try
        {
            if (File.Exists(path)) return new KeyRing(Read(path));
            if (hasSecrets)
            {
                throw new JournalException(
                    $"The key {path} is missing, but there are secrets that were encrypted with it. Put it back from a backup; without it, remove the secrets " +
                    "and set them anew.", null);
            }

            return new KeyRing(Make(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The key {path} could not be read or made: {failure.Message}", failure);
        }
    }

    /// <param name="context">What the value is for: it opens only under the same words.</param>
    internal byte[] Seal(string value, string context)
    {
        var plain = Encoding.UTF8.GetBytes(value);
        var sealedValue = new byte[NonceBytes + plain.Length + TagBytes];
        var nonce = sealedValue.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_sealing, TagBytes);
        aes.Encrypt(nonce, plain, sealedValue.AsSpan(NonceBytes, plain.Length), sealedValue.AsSpan(NonceBytes + plain.Length), Encoding.UTF8.GetBytes(context));
        CryptographicOperations.ZeroMemory(plain);
        return sealedValue;
    }

    /// <returns>Null when it was sealed with another key or for something else, or was changed.</returns>
    internal string? Unseal(ReadOnlySpan<byte> sealedValue, string context)
    {
        if (sealedValue.Length < NonceBytes + TagBytes) return null;

        var plain = new byte[sealedValue.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(_sealing, TagBytes);
        try
        {
            aes.Decrypt(sealedValue[..NonceBytes], sealedValue[NonceBytes..^TagBytes], sealedValue[^TagBytes..], plain, Encoding.UTF8.GetBytes(context));
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    /// <summary>Tells contents apart without saying anything about them to whoever lacks the key.</summary>
    internal string Fingerprint(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(HMACSHA256.HashData(_naming, content).AsSpan(0, 8));

    private static byte[] Read(string path)
    {
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & others) != 0)
            throw new JournalException($"The key {path} can be read or written by others: chmod 600 it, and consider what it protects as known.", null);

        var key = File.ReadAllBytes(path);
        return key.Length == KeyBytes ? key : throw new JournalException($"The key {path} is damaged: it has {key.Length} bytes, not {KeyBytes}.", null);
    }

    private static byte[] Make(string path)
    {
        var key = RandomNumberGenerator.GetBytes(KeyBytes);
        DurableFile.Write(path, key, UnixFileMode.UserRead | UnixFileMode.UserWrite, owner: null);
        return key;
    }
}
