namespace Orchestrator.Traffic;

/// <summary>Whose replicas these are.</summary>
/// <param name="Colour"><c>blue</c> or <c>green</c>, as it stands in labels and metrics.</param>
/// <param name="Release">The number of the release that the replicas run.</param>
public sealed record UpstreamIdentity(string Stack, string Service, string Colour, int Release)
{
    public override string ToString() => $"{Stack}/{Service} {Colour} of release {Release}";
}
