namespace Orchestrator.Benchmarks.Measuring;

/// <summary>Something that was promised, and what was measured of it.</summary>
internal sealed record Goal(string What, string Wanted, string Measured, bool Met);
