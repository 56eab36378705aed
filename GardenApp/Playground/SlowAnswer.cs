namespace GardenApp.Playground;

/// <summary>The answer of <c>GET /api/slow</c>.</summary>
/// <param name="Milliseconds">How long it waited.</param>
/// <param name="Version">Who answered.</param>
public sealed record SlowAnswer(int Milliseconds, string Version);
