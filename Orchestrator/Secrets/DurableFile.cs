using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Secrets;

/// <summary>A file that is either not there or whole, also after a power cut.</summary>
internal static class DurableFile
{
    private const uint WriteOnly = 2;                   // SYNC_FILE_RANGE_WRITE: begins, and waits for nothing
    private const int ReadOnlyDirectory = 0x80000;      // O_RDONLY | O_CLOEXEC: the same number on every Linux

    /// <param name="owner">Null: whoever runs the daemon.</param>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode, FileOwner? owner)
    {
        var pending = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(pending, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(pending, mode);      // apart from creating it: the umask would take bits away
            if (owner is not null) Check(NativeChown(pending, owner.Uid, owner.Gid), pending);
            File.Move(pending, path, overwrite: true);
            SyncDirectory(Path.GetDirectoryName(path) ?? "/");
        }
        catch
        {
            File.Delete(pending);
            throw;
        }
    }

    // The file's name is an entry of its directory, and durable when that is.
    internal static void SyncDirectory(string directory)
    {
        if (OperatingSystem.IsWindows()) return;

        var handle = NativeOpen(directory, ReadOnlyDirectory);
        Check(handle, directory);
        try
        {
            Check(NativeSync(handle), directory);
        }
        finally
        {
            _ = NativeClose(handle);        // nothing was written through it
        }
    }

    /// <summary>Has the kernel begin to write a part of a file to its disk; an advice only, which makes nothing durable.</summary>
    internal static void BeginWriting(SafeFileHandle file, long from, long count)
    {
        if (!OperatingSystem.IsWindows()) _ = NativeSyncRange(file, from, count, WriteOnly);
    }

    private static void Check(int result, string path)
    {
        if (result >= 0) return;

        var failure = new Win32Exception(Marshal.GetLastPInvokeError());
        throw new IOException($"{path}: {failure.Message}", failure);
    }

    [DllImport("libc", EntryPoint = "chown", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeChown([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint owner, uint group);

    [DllImport("libc", EntryPoint = "open", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeOpen([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "sync_file_range", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeSyncRange(SafeFileHandle file, long from, long count, uint flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeSync(int handle);

    [DllImport("libc", EntryPoint = "close", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeClose(int handle);
}
