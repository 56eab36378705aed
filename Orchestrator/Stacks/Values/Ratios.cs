using System.Globalization;

namespace Orchestrator.Stacks.Values;

/// <summary>A share of the whole, written <c>1%</c> or <c>0.01</c>.</summary>
internal static class Ratios
{
    public const string Expected = "a share from 0 to 1, or from 0% to 100%";

    public static bool TryParse(string text, out decimal ratio)
    {
        var percent = text.EndsWith('%');
        var number = percent ? text.AsSpan(0, text.Length - 1).TrimEnd(' ') : text.AsSpan();
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out ratio)) return false;

        if (percent) ratio /= 100;
        return ratio is >= 0 and <= 1;
    }
}
