using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Orchestrator.Backups.Volumes;

/// <summary>Calls on files of this host that say what went wrong.</summary>
internal static class HostPath
{
    private const uint BasicStatus = 0x7FF;

    /// <summary>A name as the kernel takes it.</summary>
    public static byte[] Name(ReadOnlySpan<byte> name) => [.. name, 0];

    public static byte[] Name(string path) => Name(Encoding.UTF8.GetBytes(path));

    /// <returns>Null when there is nothing of that name. A link is not followed.</returns>
    public static FileStatus? TryStatus(string path) => TryStatus(NativeFiles.Here, Name(path));

    public static FileStatus? TryStatus(int directory, byte[] name)
    {
        var status = new byte[256];
        if (NativeFiles.Status(directory, name, NativeFiles.NoFollowStatus, BasicStatus, status) == 0) return FileStatus.Of(status);
        return Error() == NativeFiles.NoSuchFile ? null : throw Failure(name);
    }

    public static FileStatus Status(int file)
    {
        var status = new byte[256];
        Check(NativeFiles.Status(file, [0], NativeFiles.EmptyPath, BasicStatus, status), [0]);
        return FileStatus.Of(status);
    }

    /// <summary>A link itself gets the owner, not what it leads to.</summary>
    public static void SetOwner(string path, uint uid, uint gid)
    {
        var name = Name(path);
        Check(NativeFiles.SetOwner(NativeFiles.Here, name, uid, gid, NativeFiles.NoFollowStatus), name);
    }

    public static int Error() => Marshal.GetLastPInvokeError();

    public static long Check(long result, byte[] name) => result >= 0 ? result : throw Failure(name);

    public static IOException Failure(byte[] name)
    {
        var failure = new Win32Exception(Error());
        return new IOException($"{Encoding.UTF8.GetString(name).TrimEnd('\0')}: {failure.Message}", failure);
    }
}
