using System.Security.Cryptography;

namespace Orchestrator.Backups.Pipeline;

/// <summary>Passes bytes on, in one direction, and knows how many there were and their SHA-256. Disposes of nothing but itself.</summary>
/// <param name="told">Is told how many there were so far; null: nobody asks.</param>
internal sealed class MeasuredStream(Stream inner, Action<long>? told = null) : CountedStream(inner, told)
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Lower-case hexadecimal, of what has passed so far.</summary>
    public string Hash() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    protected override void Measure(ReadOnlySpan<byte> buffer)
    {
        _hash.AppendData(buffer);
        base.Measure(buffer);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _hash.Dispose();
        base.Dispose(disposing);
    }
}
