using System.Buffers.Binary;
using System.Globalization;

namespace Orchestrator.Backups.Redis.Rdb;

/// <summary>Small collections that Redis keeps in one piece of memory and writes as one string: listpacks, ziplists, sets of integers.</summary>
internal static class PackedValues
{
    public delegate void Entry(ReadOnlySpan<byte> entry);

    public static void OfIntegerSet(ReadOnlySpan<byte> packed, Entry each)
    {
        var size = BinaryPrimitives.ReadInt32LittleEndian(packed);
        var count = BinaryPrimitives.ReadInt32LittleEndian(packed[4..]);
        for (var index = 0; index < count; index++) Number(Integer(packed.Slice(8 + (index * size), size)), each);
    }

    public static void OfListpack(ReadOnlySpan<byte> packed, Entry each)
    {
        for (var at = 6; packed[at] != 0xFF;)
        {
            int first = packed[at], head, length;
            if (first < 0x80)
            {
                (head, length) = (1, 0);
                Number(first, each);
            }
            else if (first < 0xC0)
            {
                (head, length) = (1, first & 0x3F);
                each(packed.Slice(at + 1, length));
            }
            else if (first < 0xE0)
            {
                (head, length) = (2, 0);
                var value = ((first & 0x1F) << 8) | packed[at + 1];
                Number(value < 4096 ? value : value - 8192, each);
            }
            else if (first < 0xF0)
            {
                (head, length) = (2, ((first & 0x0F) << 8) | packed[at + 1]);
                each(packed.Slice(at + 2, length));
            }
            else if (first == 0xF0)
            {
                (head, length) = (5, BinaryPrimitives.ReadInt32LittleEndian(packed[(at + 1)..]));
                each(packed.Slice(at + 5, length));
            }
            else
            {
                var size = first switch { 0xF1 => 2, 0xF2 => 3, 0xF3 => 4, 0xF4 => 8, _ => throw new RdbFormatException($"a listpack has an entry of kind 0x{first:x2}") };
                (head, length) = (1, size);
                Number(Integer(packed.Slice(at + 1, size)), each);
            }

            at += head + length + BackLength(head + length);
        }
    }

    public static void OfZiplist(ReadOnlySpan<byte> packed, Entry each)
    {
        for (var at = 10; packed[at] != 0xFF;)
        {
            at += packed[at] == 0xFE ? 5 : 1;                 // length of the entry before
            int first = packed[at];
            switch (first >> 6)
            {
                case 0: at += Text(packed, at + 1, first & 0x3F, 1, each); break;
                case 1: at += Text(packed, at + 2, ((first & 0x3F) << 8) | packed[at + 1], 2, each); break;
                case 2: at += Text(packed, at + 5, BinaryPrimitives.ReadInt32BigEndian(packed[(at + 1)..]), 5, each); break;
                default:
                    var size = first switch { 0xC0 => 2, 0xD0 => 4, 0xE0 => 8, 0xF0 => 3, 0xFE => 1, >= 0xF1 and <= 0xFD => 0, _ => throw new RdbFormatException($"a ziplist has an entry of kind 0x{first:x2}") };
                    Number(size == 0 ? (first & 0x0F) - 1 : Integer(packed.Slice(at + 1, size)), each);
                    at += 1 + size;
                    break;
            }
        }
    }

    private static int Text(ReadOnlySpan<byte> packed, int at, int length, int head, Entry each)
    {
        each(packed.Slice(at, length));
        return head + length;
    }

    private static long Integer(ReadOnlySpan<byte> little)
    {
        long value = (sbyte)little[^1];
        for (var index = little.Length - 2; index >= 0; index--) value = (value << 8) | little[index];
        return value;
    }

    private static void Number(long value, Entry each)
    {
        Span<byte> text = stackalloc byte[24];
        value.TryFormat(text, out var length, default, CultureInfo.InvariantCulture);
        each(text[..length]);
    }

    /// <summary>How many bytes an entry's length takes behind it, seven bits in each.</summary>
    private static int BackLength(int length) => length switch { < 128 => 1, < 16383 => 2, < 2097151 => 3, < 268435455 => 4, _ => 5 };
}
