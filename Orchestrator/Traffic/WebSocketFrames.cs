using System.Buffers.Binary;

namespace Orchestrator.Traffic;

/// <summary>
/// Follows the frames (RFC 6455, section 5.2) in a stream of bytes that passes by in arbitrary pieces, to know where one ends and another may begin.
/// </summary>
internal sealed class WebSocketFrames
{
    private const byte CloseOpcode = 8;

    private readonly byte[] _header = new byte[10];
    private int _headerLength;
    private ulong _toSkip;

    /// <summary>Nothing of a frame has been seen that is not complete.</summary>
    public bool AtBoundary => _headerLength == 0 && _toSkip == 0;

    /// <summary>A close frame has begun: nothing may follow it.</summary>
    public bool SawClose { get; private set; }

    /// <summary>Reads on in <paramref name="bytes"/>, to their end or, if asked, only to the end of the frame.</summary>
    /// <returns>The number of bytes read.</returns>
    public int Advance(ReadOnlySpan<byte> bytes, bool toBoundary)
    {
        var read = 0;
        while (read < bytes.Length && !(toBoundary && read > 0 && AtBoundary))
        {
            if (_toSkip > 0)
            {
                var skipped = (int)Math.Min(_toSkip, (ulong)(bytes.Length - read));
                _toSkip -= (ulong)skipped;
                read += skipped;
                continue;
            }

            _header[_headerLength++] = bytes[read++];
            if (_headerLength >= 2 && _headerLength == 2 + LengthBytes)
                BeginPayload();
        }

        return read;
    }

    private int LengthBytes => (_header[1] & 0x7F) switch { 126 => 2, 127 => 8, _ => 0 };

    private void BeginPayload()
    {
        SawClose |= (_header[0] & 0x0F) == CloseOpcode;
        ulong length = (_header[1] & 0x7F) switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(2)),
            127 => BinaryPrimitives.ReadUInt64BigEndian(_header.AsSpan(2)),
            var small => (ulong)small,
        };

        const int maskKey = 4;
        var masked = (_header[1] & 0x80) != 0;
        _toSkip = masked ? length + maskKey : length;
        _headerLength = 0;
    }
}
