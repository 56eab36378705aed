using System.Collections.Immutable;

namespace GardenApp.Sensors;

/// <summary>What became of a batch.</summary>
/// <param name="Accepted">Stored now.</param>
/// <param name="Duplicates">Known already, from an earlier batch or from this one.</param>
/// <param name="Rejected">Not stored, and why. The others of the batch are.</param>
public sealed record IngestAnswer(int Accepted, int Duplicates, ImmutableArray<RejectedReading> Rejected);
