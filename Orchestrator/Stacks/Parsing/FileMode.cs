using System.Globalization;

namespace Orchestrator.Stacks.Parsing;

/// <summary>Unix permission bits, written in octal.</summary>
internal static class FileMode
{
    private const string Expected = "permission bits in octal, e.g. 0440";

    public static int? Read(Field field)
    {
        if (field.Text(Expected) is not { } text) return null;

        var digits = text.StartsWith("0o", StringComparison.Ordinal) ? text[2..] : text;
        if (digits.Length is > 0 and <= 5 && digits.All(digit => digit is >= '0' and <= '7'))
        {
            // 440 without the zero is decimal in YAML (0670 in octal): nobody means that.
            if (!text.StartsWith('0'))
            {
                field.Expected(Expected, $"write 0{text}: without the zero it is a decimal number");
                return null;
            }

            var bits = digits.Aggregate(0, (sum, digit) => sum * 8 + (digit - '0'));
            if (bits <= 0xFFF) return bits;
        }

        field.Expected(Expected);
        return null;
    }

    public static string Octal(int bits) => Convert.ToString(bits, 8).PadLeft(4, '0').ToString(CultureInfo.InvariantCulture);
}
