namespace GardenApp.Gardens;

/// <summary>A garden.</summary>
public sealed record Garden
{
    public required Guid Id { get; init; }

    /// <summary>Who created it: the user of the session, or <c>guest</c>.</summary>
    public required string Owner { get; init; }

    public required string Name { get; init; }

    public string? Location { get; init; }

    /// <summary>Area in square metres, to the hundredth.</summary>
    public decimal? AreaSquareMetres { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>How many plants grow in it.</summary>
    public long PlantCount { get; init; }
}
