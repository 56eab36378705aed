using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Backups.Volumes;

/// <summary>Something in a volume, while its directory is open.</summary>
/// <param name="Path">Relative to the volume; empty for the volume itself.</param>
/// <param name="Name">Its own name, ended by a zero.</param>
/// <param name="Self">For a directory: itself, open; else null.</param>
internal sealed record WalkedEntry(byte[] Path, byte[] Name, HostDirectory Parent, HostDirectory? Self, FileStatus Status)
{
    /// <returns>Null: it is gone, or no file by now.</returns>
    public SafeFileHandle? TryOpen() => Parent.TryOpenFile(Name);

    public byte[]? TryReadLink() => Parent.TryReadLink(Name);
}
