using GardenApp.Validation;

namespace GardenApp.Gardens;

/// <summary>What a client says about a garden, to create or replace it.</summary>
/// <param name="Name">1 to 100 characters.</param>
/// <param name="Location">At most 200 characters.</param>
/// <param name="AreaSquareMetres">Above 0, at most 10,000,000.</param>
public sealed record GardenRequest(string? Name, string? Location, decimal? AreaSquareMetres)
{
    internal Dictionary<string, string[]>? Problems() => new ProblemList()
        .Text("name", Name, required: true, longest: 100)
        .Text("location", Location, required: false, longest: 200)
        .When(AreaSquareMetres is <= 0 or > 10_000_000, "areaSquareMetres", "must be above 0 and at most 10000000")
        .When(AreaSquareMetres is { } area && decimal.Round(area, 2) != area, "areaSquareMetres", "has at most two decimals")
        .Found;
}
