namespace Orchestrator.Traffic;

/// <summary>How long what is under way may go on after an upstream is closed. Both run from the same moment.</summary>
/// <param name="Http">Requests and streams; what is left then is cut off.</param>
/// <param name="WebSocket">
/// Upgraded connections. The first half is theirs; over the next two fifths they get a close frame one after the other; what is left at the end is cut off.
/// </param>
public sealed record DrainBudget(TimeSpan Http, TimeSpan WebSocket);
