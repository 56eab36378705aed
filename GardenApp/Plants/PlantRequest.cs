using GardenApp.Validation;

namespace GardenApp.Plants;

/// <summary>What a client says about a plant, to create or replace it.</summary>
/// <param name="Species">1 to 100 characters.</param>
/// <param name="Nickname">At most 100 characters.</param>
/// <param name="PlantedOn">Not before 1900.</param>
/// <param name="WaterEveryDays">1 to 365.</param>
/// <param name="Notes">At most 2,000 characters.</param>
public sealed record PlantRequest(string? Species, string? Nickname, DateOnly? PlantedOn, int? WaterEveryDays, string? Notes)
{
    internal Dictionary<string, string[]>? Problems() => new ProblemList()
        .Text("species", Species, required: true, longest: 100)
        .Text("nickname", Nickname, required: false, longest: 100)
        .Text("notes", Notes, required: false, longest: 2000)
        .When(PlantedOn < new DateOnly(1900, 1, 1), "plantedOn", "must not be before 1900")
        .When(WaterEveryDays is < 1 or > 365, "waterEveryDays", "must be from 1 to 365")
        .Found;
}
