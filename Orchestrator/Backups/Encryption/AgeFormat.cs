using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Backups.Encryption;

/// <summary>
/// Numbers and small parts of the format <c>age-encryption.org/v1</c> as C2SP specifies it: a text header that wraps the file's key for each
/// recipient, then blocks of 64 KiB in ChaCha20-Poly1305 whose last one is marked, so that an end that is missing is noticed (STREAM).
/// </summary>
internal static class AgeFormat
{
    public const string Version = "age-encryption.org/v1";
    public const int FileKeyBytes = 16;
    public const int TagBytes = 16;
    public const int NonceBytes = 12;
    public const int PayloadNonceBytes = 16;
    public const int BlockBytes = 64 * 1024;
    public const int SealedBlockBytes = BlockBytes + TagBytes;

    /// <summary>Not of the format: what a reader puts up with, so that a hostile header cannot take memory or time.</summary>
    public const int MostHeaderBytes = 256 * 1024;

    public const int MostLineBytes = 4096;
    public const int MostStanzas = 256;

    public static byte[] HeaderKey(ReadOnlySpan<byte> fileKey) => Derive(fileKey, [], "header");

    public static byte[] PayloadKey(ReadOnlySpan<byte> fileKey, ReadOnlySpan<byte> nonce) => Derive(fileKey, nonce, "payload");

    /// <summary>Eleven bytes of counter, one that says whether it is the last block.</summary>
    public static void BlockNonce(Span<byte> nonce, ulong index, bool last)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[3..], index);
        nonce[11] = last ? (byte)1 : (byte)0;
    }

    public static string ToBase64(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <returns>Null unless it is what <see cref="ToBase64"/> writes for some bytes: there is one spelling only.</returns>
    public static byte[]? FromBase64(string text)
    {
        var bytes = new byte[text.Length];
        if (text.Length % 4 == 1 || !Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), bytes, out var length)) return null;

        return ToBase64(bytes.AsSpan(0, length)) == text ? bytes[..length] : null;
    }

    private static byte[] Derive(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, string label)
    {
        var derived = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, derived, salt, Encoding.ASCII.GetBytes(label));
        return derived;
    }
}
