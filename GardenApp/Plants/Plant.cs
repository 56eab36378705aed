namespace GardenApp.Plants;

/// <summary>A plant in a garden.</summary>
public sealed record Plant
{
    public required Guid Id { get; init; }

    public required Guid GardenId { get; init; }

    public required string Species { get; init; }

    public string? Nickname { get; init; }

    public DateOnly? PlantedOn { get; init; }

    /// <summary>Days between two waterings.</summary>
    public int? WaterEveryDays { get; init; }

    public string? Notes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}
