using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Orchestrator.Tests.Load;

/// <summary>What came of a load.</summary>
public sealed record LoadReport
{
    /// <summary>Requests started; those still under way are in neither of the next two.</summary>
    public required long Sent { get; init; }

    public required long Ok { get; init; }

    /// <summary>Answered other than 2xx, not at all, not whole or not with what was asked for; broken WebSockets are among them.</summary>
    public required long Failed { get; init; }

    /// <summary>The first failures: when, what, why.</summary>
    public required ImmutableArray<string> Failures { get; init; }

    /// <summary>How often each version has answered.</summary>
    public required ImmutableSortedDictionary<string, long> Versions { get; init; }

    /// <summary>From the intended start to the whole answer, in milliseconds: median, 95th and 99th percentile, longest.</summary>
    public required (double P50, double P95, double P99, double Max) Milliseconds { get; init; }

    /// <summary>Messages that came back over the WebSocket.</summary>
    public required long WebSocketMessages { get; init; }

    /// <summary>Status of each close frame that the WebSocket got, in order.</summary>
    public required ImmutableArray<int> WebSocketCloses { get; init; }

    public required long Events { get; init; }

    /// <summary>Event streams that ended in good order and were opened again.</summary>
    public required long EventStreamsEnded { get; init; }

    /// <summary>Event streams that broke off, as at a drain's deadline, and were opened again; event sources do that by themselves.</summary>
    public required long EventStreamsCut { get; init; }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Sent} sent, {Ok} ok, {Failed} failed; ");
        text.Append(CultureInfo.InvariantCulture, $"p50 {Milliseconds.P50:0.0} ms, p95 {Milliseconds.P95:0.0} ms, p99 {Milliseconds.P99:0.0} ms, max {Milliseconds.Max:0.0} ms; ");
        text.Append("versions ").AppendJoin(", ", Versions.Select(pair => $"{pair.Key} × {pair.Value}"));
        if (WebSocketMessages > 0)
            text.Append(CultureInfo.InvariantCulture, $"; WebSocket: {WebSocketMessages} messages, closes [{string.Join(' ', WebSocketCloses)}]");
        if (Events > 0)
            text.Append(CultureInfo.InvariantCulture, $"; events: {Events}, streams ended {EventStreamsEnded}, cut {EventStreamsCut}");
        foreach (var failure in Failures)
            text.AppendLine().Append("  ").Append(failure);
        return text.ToString();
    }
}
