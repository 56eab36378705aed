using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Backups.Postgres;

/// <summary>What the base library cannot do with files: named pipes, owners, and a whole file system made durable.</summary>
internal static class PosixFiles
{
    private const int ReadOnlyDirectory = 0x80000;      // O_RDONLY | O_CLOEXEC: the same number on every Linux
    private const int DoNotFollow = 0x100;              // AT_SYMLINK_NOFOLLOW
    private const int Here = -100;                      // AT_FDCWD
    private const int SetStatusFlags = 4;               // F_SETFL
    private const int DoNotBlock = 0x800;               // O_NONBLOCK
    private const int SetPipeSize = 1031;               // F_SETPIPE_SZ
    private const int PipeSize = 1 << 20;               // what everybody may have: /proc/sys/fs/pipe-max-size

    public static bool IsRoot => NativeUser() == 0;

    public static (uint Uid, uint Gid) Self => (NativeUser(), NativeGroup());

    public static void MakePipe(string path) => Check(NativePipe(path, 0b110_000_000), path);

    /// <summary>Lets more wait in a pipe, so that its two ends wait less for each other; an advice only: what the kernel refuses stays as it is.</summary>
    public static void WidenPipe(SafeFileHandle pipe) => _ = NativeControl(pipe, SetPipeSize, PipeSize);

    /// <summary>Whoever waits in a read of this pipe gets a byte, and can look whether it is still wanted. A full pipe gets none: there nobody waits.</summary>
    public static void Wake(SafeFileHandle pipe)
    {
        _ = NativeControl(pipe, SetStatusFlags, DoNotBlock);
        _ = NativeWrite(pipe, 0, 1);
    }

    /// <summary>A link is given away itself, not what it points to.</summary>
    public static void ChangeOwner(string path, uint uid, uint gid) => Check(NativeOwner(Here, path, uid, gid, DoNotFollow), path);

    /// <summary>All that was written to the file system of this directory is on its disk afterwards.</summary>
    public static void SyncFileSystem(string directory)
    {
        var handle = NativeOpen(directory, ReadOnlyDirectory);
        Check(handle, directory);
        try
        {
            Check(NativeSyncFileSystem(handle), directory);
        }
        finally
        {
            _ = NativeClose(handle);        // nothing was written through it
        }
    }

    /// <summary>The names in this directory are on its disk afterwards.</summary>
    public static void SyncDirectory(string directory)
    {
        var handle = NativeOpen(directory, ReadOnlyDirectory);
        Check(handle, directory);
        try
        {
            Check(NativeSync(handle), directory);
        }
        finally
        {
            _ = NativeClose(handle);
        }
    }

    private static void Check(int result, string path)
    {
        if (result >= 0) return;

        var failure = new Win32Exception(Marshal.GetLastPInvokeError());
        throw new IOException($"{path}: {failure.Message}", failure);
    }

    [DllImport("libc", EntryPoint = "geteuid"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint NativeUser();

    [DllImport("libc", EntryPoint = "getegid"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint NativeGroup();

    [DllImport("libc", EntryPoint = "mkfifo", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativePipe([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);

    [DllImport("libc", EntryPoint = "fchownat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeOwner(int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint uid, uint gid, int flags);

    [DllImport("libc", EntryPoint = "open", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeOpen([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeControl(SafeFileHandle handle, int command, int value);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeSync(int handle);

    [DllImport("libc", EntryPoint = "syncfs", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeSyncFileSystem(int handle);

    [DllImport("libc", EntryPoint = "close", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeClose(int handle);

    [DllImport("libc", EntryPoint = "write", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint NativeWrite(SafeFileHandle file, in byte bytes, nint count);
}
