using Orchestrator.Backups.Encryption;

namespace Orchestrator.Tests.Backups.Encryption;

/// <summary>Whole contents through the streams.</summary>
internal static class AgeText
{
    public static async Task<byte[]> EncryptAsync(byte[] plain, params AgeRecipient[] recipients)
    {
        using var output = new MemoryStream();
        await using (var encrypting = new AgeEncryptingStream(output, recipients))
        {
            // In pieces that fit no block, by both ways of writing.
            for (var from = 0; from < plain.Length; from += 50_001)
            {
                var piece = plain.AsMemory(from, Math.Min(50_001, plain.Length - from));
                if (from % 2 == 0) await encrypting.WriteAsync(piece);
                else encrypting.Write(piece.Span);
            }

            await encrypting.CompleteAsync(CancellationToken.None);
        }

        return output.ToArray();
    }

    public static async Task<byte[]> DecryptAsync(byte[] stored, params AgeIdentity[] identities)
    {
        using var input = new MemoryStream(stored);
        await using var decrypting = await AgeDecryptingStream.OpenAsync(input, identities, CancellationToken.None);
        using var plain = new MemoryStream();
        await decrypting.CopyToAsync(plain);
        return plain.ToArray();
    }

    /// <returns>Null when it can be read, as what it is.</returns>
    public static async Task<AgeFault?> FaultOfAsync(byte[] stored, params AgeIdentity[] identities)
    {
        try
        {
            await DecryptAsync(stored, identities);
            return null;
        }
        catch (AgeException failure)
        {
            return failure.Fault;
        }
    }
}
