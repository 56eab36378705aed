using System.Buffers;
using System.Globalization;

namespace Orchestrator.Stacks.Values;

/// <summary>Sizes as Compose writes them: <c>64m</c>, <c>1.5gb</c>, <c>1G</c>, <c>1GiB</c>, <c>1048576</c>; every unit is a power of 1024.</summary>
internal static class ByteSizes
{
    public const string Expected = "a size such as 64m, 1.5gb or 1G";

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        if (text.Length is 0 or > 40) return false;

        var digits = text.AsSpan().IndexOfAnyExcept(Digits);
        var number = digits < 0 ? text.AsSpan() : text.AsSpan(0, digits);
        var unit = digits < 0 ? "" : text[digits..].TrimStart(' ').ToLowerInvariant();
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)) return false;
        if (ScaleOf(unit) is not { } scale || amount > long.MaxValue / scale) return false;

        bytes = (long)(amount * scale);
        return true;
    }

    private static decimal? ScaleOf(string unit) => unit switch
    {
        "" or "b" => 1,
        "k" or "kb" or "kib" => 1L << 10,
        "m" or "mb" or "mib" => 1L << 20,
        "g" or "gb" or "gib" => 1L << 30,
        "t" or "tb" or "tib" => 1L << 40,
        "p" or "pb" or "pib" => 1L << 50,
        _ => null,
    };
}
