using System.Runtime.InteropServices;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// The C library's calls on files. Names are bytes ended by a zero: a file's name need not be text, and .NET's own calls lose what is not. All of them are
/// relative to an open directory, so that nobody who writes to a volume can lead the daemon out of it with a link.
/// </summary>
internal static class NativeFiles
{
    public const int Here = -100;
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int NoFollowStatus = 0x100;
    public const int EmptyPath = 0x1000;
    public const int SeekData = 3;
    public const int SeekHole = 4;
    public const int NoSuchFile = 2;
    public const int NoSuchData = 6;
    public const int NotSupported = 95;
    public const int TooManyLinks = 40;
    public const int NotADirectory = 20;
    public const int RangeTooSmall = 34;

    /// <summary>These two differ between processors.</summary>
    public static readonly int Directory = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;
    public static readonly int NoFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    [DllImport("libc", EntryPoint = "openat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Open(int directory, byte[] name, int flags, uint mode);

    [DllImport("libc", EntryPoint = "dup", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Duplicate(int file);

    [DllImport("libc", EntryPoint = "close", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Close(int file);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Status(int directory, byte[] name, int flags, uint mask, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "readlinkat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint ReadLink(int directory, byte[] name, [Out] byte[] target, nint size);

    [DllImport("libc", EntryPoint = "fdopendir", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint OpenDirectory(int file);

    [DllImport("libc", EntryPoint = "readdir", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint ReadDirectory(nint directory);

    [DllImport("libc", EntryPoint = "closedir", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int CloseDirectory(nint directory);

    [DllImport("libc", EntryPoint = "lseek", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern long Seek(int file, long offset, int from);

    [DllImport("libc", EntryPoint = "flistxattr", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint ListAttributes(int file, [Out] byte[]? names, nint size);

    [DllImport("libc", EntryPoint = "fgetxattr", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint GetAttribute(int file, byte[] name, [Out] byte[]? value, nint size);

    [DllImport("libc", EntryPoint = "fsetxattr", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int SetAttribute(int file, byte[] name, byte[] value, nint size, int flags);

    [DllImport("libc", EntryPoint = "mkdirat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int MakeDirectory(int directory, byte[] name, uint mode);

    [DllImport("libc", EntryPoint = "symlinkat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int MakeSymbolicLink(byte[] target, int directory, byte[] name);

    [DllImport("libc", EntryPoint = "linkat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int MakeHardLink(int oldDirectory, byte[] oldName, int newDirectory, byte[] newName, int flags);

    [DllImport("libc", EntryPoint = "fchownat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int SetOwner(int directory, byte[] name, uint uid, uint gid, int flags);

    [DllImport("libc", EntryPoint = "fchmod", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int SetMode(int file, uint mode);

    [DllImport("libc", EntryPoint = "ftruncate", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int SetLength(int file, long length);

    /// <param name="times">Seconds and nanoseconds of the last access, then of the last change.</param>
    [DllImport("libc", EntryPoint = "utimensat", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int SetTimes(int directory, byte[] name, long[] times, int flags);
}
