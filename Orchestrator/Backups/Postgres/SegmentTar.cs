using System.Globalization;
using System.Text;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// Writes a piece of the log as a tar of whole segment files, as it arrives: what a segment lacks at its end is filled with zeros, which is how
/// PostgreSQL itself leaves them.
/// </summary>
internal sealed class SegmentTar(Stream output, uint timeline, long segmentSize)
{
    private const int Block = 512;

    private static readonly byte[] Zeros = new byte[64 * 1024];

    private long _inSegment;

    public async Task AppendAsync(Lsn at, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (!data.IsEmpty)
        {
            if (_inSegment == 0) await output.WriteAsync(Header(WalNames.Segment(timeline, at, segmentSize), segmentSize), cancellationToken);
            var taken = (int)Math.Min(data.Length, segmentSize - _inSegment);
            await output.WriteAsync(data[..taken], cancellationToken);
            data = data[taken..];
            at += taken;
            _inSegment = (_inSegment + taken) % segmentSize;
        }
    }

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (_inSegment > 0) await ZerosAsync(segmentSize - _inSegment, cancellationToken);
        await ZerosAsync(2 * Block, cancellationToken);
    }

    private async Task ZerosAsync(long count, CancellationToken cancellationToken)
    {
        for (; count > 0; count -= Zeros.Length) await output.WriteAsync(Zeros.AsMemory(0, (int)Math.Min(count, Zeros.Length)), cancellationToken);
    }

    /// <summary>A ustar header (POSIX.1-1988) of a file that its owner may read and write.</summary>
    private static byte[] Header(string name, long size)
    {
        var header = new byte[Block];
        void Put(int offset, string text) => Encoding.ASCII.GetBytes(text, header.AsSpan(offset));

        Put(0, name);
        Put(100, "0000600\0");
        Put(108, "0000000\0");
        Put(116, "0000000\0");
        Put(124, Convert.ToString(size, 8).PadLeft(11, '0') + "\0");
        Put(136, "00000000000\0");
        Put(148, "        ");
        Put(156, "0");
        Put(257, "ustar\000");
        var sum = 0;
        foreach (var value in header) sum += value;
        Put(148, string.Create(CultureInfo.InvariantCulture, $"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 "));
        return header;
    }
}
