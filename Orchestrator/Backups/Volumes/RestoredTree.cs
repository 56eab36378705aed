using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Backups.Volumes;

/// <summary>The directory into which a volume is restored, entry by entry.</summary>
internal sealed class RestoredTree(string directory) : IDisposable
{
    private const int Block = 64 * 1024;
    private const uint Private = 0x1C0;        // 0700, until all is in it

    private readonly HostDirectory _root = HostDirectory.Open(directory);

    public void MakeDirectory(IndexLine line)
    {
        if (line.Path.Length > 0) HostPath.Check(NativeFiles.MakeDirectory(_root.Number, Name(line.Path), Private), line.Path);
    }

    public void MakeEmpty(IndexLine line)
    {
        using var file = Create(line);
        Finish(file, line);
    }

    /// <returns>SHA-256 of what was written.</returns>
    public async Task<string> WriteAsync(IndexLine line, Stream content, bool sparse, CancellationToken cancellationToken)
    {
        using var file = Create(line);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var pieces = sparse ? await MapAsync(content, cancellationToken) : [(0, line.Size)];
        var buffer = new byte[Block];
        long hashed = 0;
        foreach (var (offset, length) in pieces)
        {
            Zeros(hash, offset - hashed);
            for (long done = 0; done < length;)
            {
                var count = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - done)), cancellationToken);
                if (count == 0) throw new FormatException($"{IndexLine.Escape(line.Path)} is shorter than the index says");
                RandomAccess.Write(file, buffer.AsSpan(0, count), offset + done);
                hash.AppendData(buffer, 0, count);
                done += count;
            }

            hashed = offset + length;
        }

        Zeros(hash, line.Size - hashed);
        HostPath.Check(NativeFiles.SetLength((int)file.DangerousGetHandle(), line.Size), line.Path);
        Finish(file, line);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The same content under another name, holes included.</summary>
    public void Copy(IndexLine from, IndexLine to)
    {
        using var source = OpenWithin(from.Path);
        using var file = Create(to);
        var buffer = new byte[Block];
        for (long at = 0; ;)
        {
            var count = RandomAccess.Read(source, buffer, at);
            if (count == 0) break;
            if (buffer.AsSpan(0, count).ContainsAnyExcept((byte)0)) RandomAccess.Write(file, buffer.AsSpan(0, count), at);
            at += count;
        }

        HostPath.Check(NativeFiles.SetLength((int)file.DangerousGetHandle(), to.Size), to.Path);
        Finish(file, to);
    }

    /// <summary>Other names of files, and symbolic links.</summary>
    public void Link(IndexLine line)
    {
        var name = line.Kind is 'h' or 'l' ? Name(line.Path) : [];
        if (line.Kind == 'h') HostPath.Check(NativeFiles.MakeHardLink(_root.Number, Name(line.Target), _root.Number, name, 0), line.Path);
        if (line.Kind != 'l') return;

        HostPath.Check(NativeFiles.MakeSymbolicLink(HostPath.Name(line.Target), _root.Number, name), line.Path);
        HostPath.Check(NativeFiles.SetOwner(_root.Number, name, line.Uid, line.Gid, NativeFiles.NoFollowStatus), line.Path);
        SetTimes(name, line);
    }

    /// <summary>Last, since what is put into a directory changes its time.</summary>
    public void FinishDirectory(IndexLine line)
    {
        if (line.Kind != 'd') return;

        var name = line.Path.Length == 0 ? HostPath.Name(".") : Name(line.Path);
        using var opened = new SafeFileHandle(
            (nint)HostPath.Check(NativeFiles.Open(_root.Number, name, NativeFiles.Directory | NativeFiles.NoFollow | NativeFiles.CloseOnExec, 0), line.Path), ownsHandle: true);
        Finish(opened, line);
    }

    public void Dispose() => _root.Dispose();

    private SafeFileHandle Create(IndexLine line) => new(
        (nint)HostPath.Check(
            NativeFiles.Open(_root.Number, Name(line.Path), NativeFiles.WriteOnly | NativeFiles.Create | NativeFiles.Exclusive | NativeFiles.NoFollow | NativeFiles.CloseOnExec, 0x180), line.Path),
        ownsHandle: true);

    private SafeFileHandle OpenWithin(byte[] path) => new(
        (nint)HostPath.Check(NativeFiles.Open(_root.Number, Name(path), NativeFiles.ReadOnly | NativeFiles.NoFollow | NativeFiles.CloseOnExec, 0), path), ownsHandle: true);

    // Owner before mode before attributes: a new owner takes away the bits of set-user, and a file's capabilities.
    private void Finish(SafeFileHandle file, IndexLine line)
    {
        var number = (int)file.DangerousGetHandle();
        var name = line.Path.Length == 0 ? HostPath.Name(".") : Name(line.Path);
        HostPath.Check(NativeFiles.SetOwner(number, [0], line.Uid, line.Gid, NativeFiles.EmptyPath), line.Path);
        HostPath.Check(NativeFiles.SetMode(number, line.Mode), line.Path);
        ExtendedAttributes.Write(number, line.Attributes);
        SetTimes(name, line);
    }

    private void SetTimes(byte[] name, IndexLine line)
    {
        long[] times = [line.Modified.Seconds, line.Modified.Nanoseconds, line.Modified.Seconds, line.Modified.Nanoseconds];
        HostPath.Check(NativeFiles.SetTimes(_root.Number, name, times, NativeFiles.NoFollowStatus), line.Path);
    }

    /// <summary>A path of an index is what somebody stored: it must stay below.</summary>
    private static byte[] Name(byte[] path)
    {
        var text = Encoding.Latin1.GetString(path);
        if (text.Length == 0 || text.Contains('\0', StringComparison.Ordinal) || text.Split('/').Any(piece => piece is "" or "." or ".."))
            throw new FormatException($"the index has the path '{IndexLine.Escape(path)}'");
        return HostPath.Name(path);
    }

    /// <summary>The map before the content of a file with holes: how many pieces, then where each begins and how long it is; in whole blocks.</summary>
    private static async Task<List<(long Offset, long Length)>> MapAsync(Stream content, CancellationToken cancellationToken)
    {
        var block = new byte[512];
        var numbers = new List<long>();
        var digits = new StringBuilder();
        while (numbers.Count == 0 || numbers.Count < 1 + (numbers[0] * 2))
        {
            await content.ReadExactlyAsync(block, cancellationToken);
            foreach (var item in block.TakeWhile(item => item != 0))
            {
                if (item != '\n')
                {
                    digits.Append((char)item);
                    continue;
                }

                numbers.Add(long.Parse(digits.ToString(), System.Globalization.CultureInfo.InvariantCulture));
                digits.Clear();
            }
        }

        return [.. numbers.Skip(1).Chunk(2).Take((int)numbers[0]).Select(pair => (pair[0], pair[1]))];
    }

    private static void Zeros(IncrementalHash hash, long count)
    {
        var zeros = count > 0 ? new byte[Math.Min(count, Block)] : [];
        for (; count > 0; count -= zeros.Length) hash.AppendData(zeros, 0, (int)Math.Min(count, zeros.Length));
    }
}
