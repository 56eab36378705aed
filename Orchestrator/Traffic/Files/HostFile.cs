using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Traffic.Files;

/// <summary>
/// An open regular file below a directory that somebody else writes to. The kernel resolves the name (openat2, Linux 5.6 and later): neither "..",
/// nor a link, nor one that is put there in the very moment leads out of the directory.
/// </summary>
internal sealed class HostFile : IDisposable
{
    private const long OpenAt2 = 437;
    private const int Here = -100;
    private const ulong PathOnly = 0x200000;

    // O_NONBLOCK: to open a pipe waits for its writer, and must not.
    private const ulong ForReading = 0x800 | CloseOnExec;
    private const ulong CloseOnExec = 0x80000;
    private const ulong Beneath = 0x08;
    private const ulong NoMagicLinks = 0x02;
    private const int EmptyPath = 0x1000;
    private const uint TypeAndMode = 0x3;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xF000;
    private const int Regular = 0x8000;

    private readonly SafeFileHandle _handle;

    private HostFile(SafeFileHandle handle)
    {
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
        Modified = File.GetLastWriteTimeUtc(handle);
    }

    public long Length { get; }

    public DateTimeOffset Modified { get; }

    /// <returns>Null: there is none, or it is not a regular file, or not one that may be read.</returns>
    public static HostFile? Open(string root, string directory, string name)
    {
        using var top = At(Here, root, PathOnly | CloseOnExec, NoMagicLinks);
        if (top.IsInvalid)
            return null;

        using var folder = directory.Length == 0 ? null : At(Number(top), directory, PathOnly | CloseOnExec, Beneath | NoMagicLinks);
        if (folder is { IsInvalid: true })
            return null;

        var file = At(Number(folder ?? top), name, ForReading, Beneath | NoMagicLinks);
        if (!file.IsInvalid && IsRegular(file))
            return new HostFile(file);

        file.Dispose();
        return null;
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellationToken) =>
        RandomAccess.ReadAsync(_handle, buffer, offset, cancellationToken);

    public void Dispose() => _handle.Dispose();

    private static SafeFileHandle At(int directory, string path, ulong flags, ulong resolve)
    {
        var how = new OpenHow { Flags = flags, Resolve = resolve };
        return new SafeFileHandle((nint)Call(OpenAt2, directory, path, ref how, Marshal.SizeOf<OpenHow>()), ownsHandle: true);
    }

    private static bool IsRegular(SafeFileHandle file)
    {
        var status = new byte[256];
        return Status(Number(file), "", EmptyPath, TypeAndMode, status) == 0 && (BitConverter.ToUInt16(status, ModeOffset) & TypeMask) == Regular;
    }

    // Its owner is a local variable of the caller until after the call.
    private static int Number(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern long Call(long number, int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, ref OpenHow how, nint size);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Status(int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] status);

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }
}
