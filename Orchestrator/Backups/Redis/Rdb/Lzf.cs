namespace Orchestrator.Backups.Redis.Rdb;

/// <summary>The compression of long strings in RDB files (LibLZF): runs of literals, and references up to 8 KiB back.</summary>
internal static class Lzf
{
    public static void Decompress(ReadOnlySpan<byte> from, Span<byte> to)
    {
        int read = 0, written = 0;
        while (read < from.Length)
        {
            int control = from[read++];
            if (control < 32)
            {
                from.Slice(read, control + 1).CopyTo(to[written..]);
                read += control + 1;
                written += control + 1;
                continue;
            }

            var length = control >> 5;
            if (length == 7) length += from[read++];
            var start = written - ((control & 0x1F) << 8) - from[read++] - 1;
            if (start < 0) throw new RdbFormatException("a compressed string refers to before its beginning");
            // Byte by byte: what is referred to may be what is just being written.
            for (var left = length + 2; left > 0; left--) to[written++] = to[start++];
        }

        if (written != to.Length) throw new RdbFormatException("a compressed string has another length than it says");
    }
}
