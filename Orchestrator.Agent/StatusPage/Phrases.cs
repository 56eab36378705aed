using System.Globalization;

namespace Orchestrator.Agent.StatusPage;

/// <summary>
/// Times, durations and numbers. A time is written in UTC, so that what the server sends changes only when something has happened;
/// the browser says it in the reader's zone, and counts what is under way.
/// </summary>
internal static class Phrases
{
    /// <summary>Shown as "3 min ago", the full time in the tooltip.</summary>
    public static Html Ago(DateTimeOffset at) => Time("ago", at, Absolute(at));

    /// <summary>Shown as date, time and zone.</summary>
    public static Html Clock(DateTimeOffset at) => Time("clock", at, Absolute(at));

    /// <summary>A duration that is still growing.</summary>
    public static Html Since(DateTimeOffset at) => Time("since", at, "since " + Absolute(at));

    /// <summary>What is left until then.</summary>
    public static Html Until(DateTimeOffset at) => Time("until", at, "until " + Absolute(at));

    public static string Took(TimeSpan duration) => duration switch
    {
        { TotalMilliseconds: < 1000 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, duration.TotalMilliseconds):0} ms"),
        { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.0} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.Minutes} min {duration.Seconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)duration.TotalHours} h {duration.Minutes} min"),
    };

    public static string Count(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    public static string Counted(long number, string one, string many) => $"{Count(number)} {(number == 1 ? one : many)}";

    /// <summary>The name of an enum's value as it stands in the API: <c>rolledBack</c>.</summary>
    public static string Name<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private static Html Time(string kind, DateTimeOffset at, string text)
    {
        var exact = at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        return Html.Of($"""<time data-time="{kind}" datetime="{exact}" title="{Absolute(at)}">{text}</time>""");
    }

    private static string Absolute(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy, HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
