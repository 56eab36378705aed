namespace GardenApp.Playground;

/// <summary>What arrived at <c>POST /api/echo</c>.</summary>
/// <param name="Length">Bytes of the body.</param>
/// <param name="Sha256">Its hash, in lower-case hex.</param>
/// <param name="Version">Who answered.</param>
public sealed record EchoAnswer(long Length, string Sha256, string Version);
