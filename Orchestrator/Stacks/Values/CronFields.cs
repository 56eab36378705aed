using System.Globalization;

namespace Orchestrator.Stacks.Values;

/// <summary>Cron expressions of five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday).</summary>
internal static class CronFields
{
    public const string Expected = "five cron fields: minute hour day month weekday, e.g. \"0 1 * * *\"";

    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private static readonly Field[] Fields =
    [
        new("minute", 0, 59, [], 0),
        new("hour", 0, 23, [], 0),
        new("day", 1, 31, [], 0),
        new("month", 1, 12, Months, 1),
        new("weekday", 0, 7, Weekdays, 0),
    ];

    private sealed record Field(string Name, int Low, int High, string[] Words, int FirstWord);

    /// <returns>What is wrong, or null when nothing is.</returns>
    public static string? ProblemIn(string expression)
    {
        if (expression.Length > 200) return "it is longer than 200 characters";

        var parts = expression.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != Fields.Length)
            return $"it has {parts.Length} field{(parts.Length == 1 ? "" : "s")}, not five";

        for (var index = 0; index < parts.Length; index++)
        {
            var field = Fields[index];
            foreach (var item in parts[index].Split(','))
            {
                if (!IsItem(item, field)) return $"'{item}' is not a {field.Name} from {field.Low} to {field.High}";
            }
        }

        return null;
    }

    private static bool IsItem(string item, Field field)
    {
        var slash = item.IndexOf('/', StringComparison.Ordinal);
        var range = slash < 0 ? item : item[..slash];
        if (slash >= 0 && (!TryNumber(item[(slash + 1)..], out var step) || step < 1 || step > field.High)) return false;
        if (range == "*") return true;

        var dash = range.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0) return ValueOf(range, field) is not null;

        return ValueOf(range[..dash], field) is { } from && ValueOf(range[(dash + 1)..], field) is { } to && from <= to;
    }

    private static int? ValueOf(string text, Field field)
    {
        var word = Array.FindIndex(field.Words, known => known.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (word >= 0) return word + field.FirstWord;

        return TryNumber(text, out var number) && number >= field.Low && number <= field.High ? number : null;
    }

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
