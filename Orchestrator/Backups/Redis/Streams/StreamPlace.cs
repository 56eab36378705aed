namespace Orchestrator.Backups.Redis.Streams;

/// <summary>A place between two commands.</summary>
/// <param name="Sequence">Number of the file.</param>
/// <param name="Bytes">Within the file.</param>
/// <param name="Offset">In the history.</param>
internal readonly record struct StreamPlace(int Sequence, long Bytes, long Offset);
