namespace Orchestrator.Backups.Volumes;

/// <summary>What kind of thing a name stands for.</summary>
internal enum FileKind
{
    File,
    Directory,
    SymbolicLink,

    /// <summary>A pipe, a socket or a device: has no content to keep.</summary>
    Other,
}

/// <summary>A point in time as files have it.</summary>
internal readonly record struct FileTime(long Seconds, uint Nanoseconds);

/// <param name="Mode">The twelve bits of permissions.</param>
/// <param name="Allocated">Bytes on the disk: fewer than <paramref name="Size"/> in a file with holes.</param>
/// <param name="Device">The file system it is on.</param>
/// <param name="Changed">Of content or status; no program can set it.</param>
internal readonly record struct FileStatus(
    FileKind Kind, uint Mode, uint Uid, uint Gid, uint Links, ulong Inode, ulong Device, long Size, long Allocated, FileTime Modified, FileTime Changed)
{
    /// <summary>From the kernel's <c>struct statx</c>.</summary>
    public static FileStatus Of(byte[] statx)
    {
        var mode = BitConverter.ToUInt16(statx, 28);
        var kind = (mode & 0xF000) switch { 0x8000 => FileKind.File, 0x4000 => FileKind.Directory, 0xA000 => FileKind.SymbolicLink, _ => FileKind.Other };
        return new(
            kind, mode & 0xFFFu, BitConverter.ToUInt32(statx, 20), BitConverter.ToUInt32(statx, 24), BitConverter.ToUInt32(statx, 16), BitConverter.ToUInt64(statx, 32),
            ((ulong)BitConverter.ToUInt32(statx, 136) << 32) | BitConverter.ToUInt32(statx, 140), BitConverter.ToInt64(statx, 40), BitConverter.ToInt64(statx, 48) * 512,
            Time(statx, 112), Time(statx, 96));
    }

    private static FileTime Time(byte[] statx, int at) => new(BitConverter.ToInt64(statx, at), BitConverter.ToUInt32(statx, at + 8));
}
