using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// A file on its way into a pack: read once, hashed on the way. Exactly as many bytes as it had when it was opened: what is appended meanwhile belongs to
/// the next backup, what is cut off meanwhile comes as zeros, and is told. Holes are not read, but are hashed as the zeros that they stand for.
/// </summary>
internal sealed class CopiedFile : Stream
{
    private const int HolesWorthKeeping = 64 * 1024;
    private const int TarBlock = 512;

    private static readonly byte[] Zeros = new byte[64 * 1024];

    private readonly SafeFileHandle _file;
    private readonly List<(long Offset, long Length)> _pieces;
    private readonly byte[] _map;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly long _size;
    private long _position;
    private long _hashed;
    private long _within;
    private int _piece;

    private CopiedFile(SafeFileHandle file, long size, List<(long, long)> pieces, byte[] map)
    {
        _file = file;
        _size = size;
        _pieces = pieces;
        _map = map;
        Length = map.Length + pieces.Sum(piece => piece.Item2);
    }

    /// <summary>It has holes, and begins with the map of what is none: the form 1.0 of GNU tar.</summary>
    public bool Sparse => _map.Length > 0;

    /// <summary>It was cut off while it was read.</summary>
    public bool Shrank { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => true;       // it is not; but its length is known, which the writer of the archive asks only then

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public static CopiedFile Open(SafeFileHandle file, FileStatus status)
    {
        if (status.Size - status.Allocated < HolesWorthKeeping || Pieces(file, status.Size) is not { } pieces) return new(file, status.Size, [(0, status.Size)], []);

        var map = new StringBuilder();
        map.Append(CultureInfo.InvariantCulture, $"{pieces.Count}\n");
        foreach (var (offset, length) in pieces) map.Append(CultureInfo.InvariantCulture, $"{offset}\n{length}\n");
        var bytes = new byte[(map.Length + TarBlock - 1) / TarBlock * TarBlock];
        Encoding.ASCII.GetBytes(map.ToString(), bytes);
        return new(file, status.Size, pieces, bytes);
    }

    /// <summary>Of the whole content, once all of it was read.</summary>
    public string Finish()
    {
        HashZeros(_size - _hashed);
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public override int Read(Span<byte> buffer)
    {
        if (_position < _map.Length)
        {
            var head = Math.Min(buffer.Length, _map.Length - (int)_position);
            _map.AsSpan((int)_position, head).CopyTo(buffer);
            _position += head;
            return head;
        }

        while (_piece < _pieces.Count && _within == _pieces[_piece].Length) (_piece, _within) = (_piece + 1, 0);
        if (_piece == _pieces.Count || buffer.Length == 0) return 0;

        var (offset, length) = _pieces[_piece];
        var wanted = buffer[..(int)Math.Min(buffer.Length, length - _within)];
        var count = RandomAccess.Read(_file, wanted, offset + _within);
        if (count == 0)
        {
            Shrank = true;
            wanted.Clear();
            count = wanted.Length;
        }

        HashZeros(offset + _within - _hashed);
        _hash.AppendData(wanted[..count]);
        _hashed = offset + _within + count;
        _within += count;
        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    // Files are read from the page cache or the disk at hand; there is nothing to wait for asynchronously.
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : ValueTask.FromResult(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _hash.Dispose();
        base.Dispose(disposing);
    }

    private void HashZeros(long count)
    {
        for (; count > 0; count -= Zeros.Length) _hash.AppendData(Zeros.AsSpan(0, (int)Math.Min(count, Zeros.Length)));
    }

    /// <returns>Where there is data; null: the file system does not say.</returns>
    private static List<(long Offset, long Length)>? Pieces(SafeFileHandle file, long size)
    {
        var number = (int)file.DangerousGetHandle();
        var pieces = new List<(long, long)>();
        for (long end = 0; end < size;)
        {
            var start = NativeFiles.Seek(number, end, NativeFiles.SeekData);
            if (start < 0 && HostPath.Error() == NativeFiles.NoSuchData) break;        // a hole to the end
            if (start < 0) return null;
            if (start >= size) break;

            end = Math.Min(NativeFiles.Seek(number, start, NativeFiles.SeekHole), size);
            if (end <= start) return null;
            pieces.Add((start, end - start));
        }

        // A map whose last piece does not reach the end says by an empty one how long the file is.
        if (pieces.Count == 0 || pieces[^1].Item1 + pieces[^1].Item2 < size) pieces.Add((size, 0));
        return pieces;
    }
}
