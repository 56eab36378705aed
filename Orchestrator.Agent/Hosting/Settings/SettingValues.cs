using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Agent.Hosting.Settings;

/// <summary>How the words of <c>agent.yml</c> become values.</summary>
internal static class SettingValues
{
    public const string PathExpected = "an absolute path";
    public const string LevelExpected = "trace, debug, information, warning, error, critical or none";

    public static bool AnyText(string text, out string value)
    {
        value = text;
        return text.Length > 0;
    }

    public static bool AbsolutePath(string text, [NotNullWhen(true)] out string? path)
    {
        path = text.StartsWith('/') && !text.Contains('\0', StringComparison.Ordinal) ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(text)) : null;
        return path is not null;
    }

    public static bool Listen(string text, [NotNullWhen(true)] out ListenAddress? address) => ListenAddress.TryParse(text, out address);

    public static bool Endpoint(string text, [NotNullWhen(true)] out Uri? endpoint) =>
        Uri.TryCreate(text, UriKind.Absolute, out endpoint) && endpoint.Scheme is "unix" or "tcp" or "http" or "https";

    public static bool Web(string text, [NotNullWhen(true)] out Uri? address) =>
        Uri.TryCreate(text, UriKind.Absolute, out address) && address.Scheme is "http" or "https" && address.UserInfo.Length == 0;

    /// <summary>A member of an enumeration by its name; numbers are no names.</summary>
    public static bool Word<T>(string text, out T value)
        where T : struct, Enum
    {
        value = default;
        var name = Enum.GetNames<T>().FirstOrDefault(name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase));
        if (name is not null) value = Enum.Parse<T>(name);
        return name is not null;
    }

    public static bool Level(string text, out LogLevel level)
    {
        if (!text.Equals("info", StringComparison.OrdinalIgnoreCase)) return Word(text, out level);

        level = LogLevel.Information;
        return true;
    }

    public static bool Day(string text, out DayOfWeek day)
    {
        if (Word(text, out day)) return true;

        var days = Enum.GetValues<DayOfWeek>().Where(known => text.Length == 3 && known.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase)).ToArray();
        if (days.Length == 1) day = days[0];
        return days.Length == 1;
    }

    public static bool TimeOfDay(string text, out TimeOnly time) =>
        TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);

    public static bool EndOfDay(string text, out TimeOnly time)
    {
        time = TimeOnly.MaxValue;
        return text == "24:00" || TimeOfDay(text, out time);
    }

    public static bool Zone(string text, [NotNullWhen(true)] out TimeZoneInfo? zone) => TimeZoneInfo.TryFindSystemTimeZoneById(text, out zone);

    public static bool Floor(string text, out DiskFloor floor)
    {
        floor = default;
        var parts = text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is 0 or > 2) return false;

        foreach (var part in parts)
        {
            if (part.EndsWith('%')
                && double.TryParse(part.AsSpan(0, part.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
                && percent is >= 0 and <= 95)
                floor = floor with { Ratio = percent / 100 };
            else if (ByteSizes.TryParse(part, out var bytes)) floor = floor with { Bytes = bytes };
            else return false;
        }

        return true;
    }

    public static SettingParser<int> Number(int least, int most) => (string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most;

    public static SettingParser<long> Size(long least, long most) => (string text, out long value) =>
        ByteSizes.TryParse(text, out value) && value >= least && value <= most;

    public static SettingParser<TimeSpan> Duration(TimeSpan least, TimeSpan most) => (string text, out TimeSpan value) =>
        Durations.TryParse(text, out value) && value >= least && value <= most;
}
