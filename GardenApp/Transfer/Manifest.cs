namespace GardenApp.Transfer;

/// <summary>The first entry of an export.</summary>
/// <param name="Format">Always <see cref="Name"/>.</param>
/// <param name="Version">1; a newer one is refused.</param>
/// <param name="User">Whose data it is.</param>
public sealed record Manifest(string Format, int Version, string User)
{
    internal const string Name = "basmalin-garden-export";
    internal const int Current = 1;
    internal const string EntryName = "manifest.json";
}
