using System.Globalization;
using System.Text.Json.Nodes;

namespace Orchestrator.Certificates;

/// <summary>When an authority would like a certificate to be renewed (RFC 9773).</summary>
/// <param name="AskAgain">After how long it may say something else.</param>
internal sealed record RenewalWindow(DateTimeOffset Start, DateTimeOffset End, TimeSpan AskAgain)
{
    private static readonly TimeSpan Soonest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Latest = TimeSpan.FromDays(1);
    private static readonly TimeSpan Usual = TimeSpan.FromHours(6);

    /// <exception cref="AcmeException">It is no such window.</exception>
    public static RenewalWindow Of(AcmeAnswer answer)
    {
        var window = answer.Json.Member("suggestedWindow") ?? new JsonObject();
        var (start, end) = (Time(window, "start"), Time(window, "end"));
        if (end <= start) throw AcmeException.Nonsense("the authority's window for renewal ends before it begins");

        var again = answer.RetryAfter ?? Usual;
        return new RenewalWindow(start, end, again < Soonest ? Soonest : again > Latest ? Latest : again);
    }

    /// <summary>A moment in the window, by chance, so that not everybody comes at once.</summary>
    public DateTimeOffset Pick() => Start + ((End - Start) * Random.Shared.NextDouble());

    private static DateTimeOffset Time(JsonNode window, string name) =>
        DateTimeOffset.TryParse(window.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw AcmeException.Nonsense($"the authority's window for renewal has no '{name}'");
}
