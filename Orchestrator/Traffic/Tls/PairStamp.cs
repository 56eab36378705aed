namespace Orchestrator.Traffic.Tls;

/// <summary>What tells one state of a pair of files from another without reading them. Links are followed: it is the content that counts.</summary>
/// <param name="KeyMode">Who may read the key.</param>
internal sealed record PairStamp(DateTime ChainWritten, long ChainLength, DateTime KeyWritten, long KeyLength, UnixFileMode KeyMode)
{
    /// <summary>When either was written last.</summary>
    public DateTime Newest => ChainWritten > KeyWritten ? ChainWritten : KeyWritten;

    /// <exception cref="IOException">One of them is not there, or cannot be opened.</exception>
    public static PairStamp Of(string chainPath, string keyPath)
    {
        using var chain = File.OpenHandle(chainPath);
        using var key = File.OpenHandle(keyPath);
        return new PairStamp(
            File.GetLastWriteTimeUtc(chain), RandomAccess.GetLength(chain), File.GetLastWriteTimeUtc(key), RandomAccess.GetLength(key),
            OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(key));
    }
}
