namespace Orchestrator.Traffic;

/// <summary>How long what is under way may go on after an upstream is closed. Both run from the same moment.</summary>
/// <param name="Http">Requests, which are cut off then. Event streams are asked to end one after the other in the last fifth of it.</param>
/// <param name="WebSocket">
/// Upgraded connections. The first half is theirs; over the next two fifths they get a close frame one after the other; what is left at the end is cut off.
/// </param>
public sealed record DrainBudget(TimeSpan Http, TimeSpan WebSocket);
