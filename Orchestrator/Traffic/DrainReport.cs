namespace Orchestrator.Traffic;

/// <summary>How a drain went. Of each kind, the two numbers add up to what was under way when the upstream was closed.</summary>
/// <param name="HttpCompleted">Ended by themselves.</param>
/// <param name="HttpAborted">Cut off at the deadline: each is a request that somebody lost.</param>
/// <param name="WebSocketsClosed">Ended by themselves or by the close frame.</param>
/// <param name="WebSocketsAborted">Still there at the deadline and cut off.</param>
public sealed record DrainReport(int HttpCompleted, int HttpAborted, int WebSocketsClosed, int WebSocketsAborted, TimeSpan Took)
{
    /// <summary>Event streams among <see cref="HttpCompleted"/> that were asked to end, after a whole event: their readers come back by themselves.</summary>
    public int EventStreamsEnded { get; init; }

    /// <summary>Of two drains at the same time.</summary>
    public DrainReport And(DrainReport other) => new(
        HttpCompleted + other.HttpCompleted, HttpAborted + other.HttpAborted, WebSocketsClosed + other.WebSocketsClosed, WebSocketsAborted + other.WebSocketsAborted,
        Took > other.Took ? Took : other.Took)
    {
        EventStreamsEnded = EventStreamsEnded + other.EventStreamsEnded,
    };
}
