using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// An open directory. What is in it is opened by its one name and never through a link, so that the way down to a file is the way that was walked, whoever
/// writes there meanwhile.
/// </summary>
internal sealed class HostDirectory : IDisposable
{
    private const int NameOffset = 19;

    private readonly SafeFileHandle _handle;

    private HostDirectory(int file) => _handle = new SafeFileHandle(file, ownsHandle: true);

    /// <summary>For calls while this object is in use.</summary>
    public int Number => (int)_handle.DangerousGetHandle();

    public static HostDirectory Open(string path)
    {
        var name = HostPath.Name(path);
        return new((int)HostPath.Check(NativeFiles.Open(NativeFiles.Here, name, NativeFiles.Directory | NativeFiles.CloseOnExec, 0), name));
    }

    /// <returns>Null: it is gone, or a link or another thing by now.</returns>
    public HostDirectory? TryOpen(byte[] name)
    {
        var file = NativeFiles.Open(Number, name, NativeFiles.Directory | NativeFiles.NoFollow | NativeFiles.CloseOnExec, 0);
        if (file >= 0) return new(file);
        return HostPath.Error() is NativeFiles.NoSuchFile or NativeFiles.TooManyLinks or NativeFiles.NotADirectory ? null : throw HostPath.Failure(name);
    }

    /// <returns>Null: it is gone, or no regular file by now.</returns>
    public SafeFileHandle? TryOpenFile(byte[] name)
    {
        // Not blocking: a pipe that took the file's place would wait for its writer.
        var number = NativeFiles.Open(Number, name, NativeFiles.ReadOnly | NativeFiles.NoFollow | NativeFiles.NonBlocking | NativeFiles.CloseOnExec, 0);
        if (number < 0) return HostPath.Error() is NativeFiles.NoSuchFile or NativeFiles.TooManyLinks or NativeFiles.NoSuchData ? null : throw HostPath.Failure(name);

        var file = new SafeFileHandle(number, ownsHandle: true);
        if (HostPath.Status(number).Kind == FileKind.File) return file;

        file.Dispose();
        return null;
    }

    public byte[]? TryReadLink(byte[] name)
    {
        var target = new byte[4096];
        var length = NativeFiles.ReadLink(Number, name, target, target.Length);
        return length >= 0 ? target[..(int)length] : null;
    }

    /// <summary>The names in it, each ended by a zero, in the order of their bytes.</summary>
    public List<byte[]> Names()
    {
        // A descriptor of its own: reading moves its place, and closing the listing closes it.
        var again = NativeFiles.Open(Number, HostPath.Name("."), NativeFiles.Directory | NativeFiles.CloseOnExec, 0);
        HostPath.Check(again, HostPath.Name("."));
        var listing = NativeFiles.OpenDirectory(again);
        if (listing == 0)
        {
            _ = NativeFiles.Close(again);
            throw HostPath.Failure(HostPath.Name("."));
        }

        var names = new List<byte[]>();
        try
        {
            for (var entry = NativeFiles.ReadDirectory(listing); entry != 0; entry = NativeFiles.ReadDirectory(listing))
            {
                var length = 0;
                while (Marshal.ReadByte(entry, NameOffset + length) != 0) length++;
                var name = new byte[length + 1];
                Marshal.Copy(entry + NameOffset, name, 0, length);
                if (!name.AsSpan().SequenceEqual(".\0"u8) && !name.AsSpan().SequenceEqual("..\0"u8)) names.Add(name);
            }
        }
        finally
        {
            _ = NativeFiles.CloseDirectory(listing);
        }

        names.Sort(static (left, right) => left.AsSpan().SequenceCompareTo(right));
        return names;
    }

    public void Dispose() => _handle.Dispose();
}
