using System.Globalization;

namespace Orchestrator.Journal.Sqlite;

/// <summary>Instants as they stand in the database: UTC, exact to 100 ns, in an order that is also the order of the text.</summary>
public static class Timestamp
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    public static string Write(DateTimeOffset at) => at.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    public static DateTimeOffset Read(string text) =>
        DateTimeOffset.ParseExact(text, Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    public static string? Write(DateTimeOffset? at) => at is { } value ? Write(value) : null;

    public static DateTimeOffset? ReadOptional(string? text) => text is null ? null : Read(text);
}
