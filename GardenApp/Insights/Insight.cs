namespace GardenApp.Insights;

/// <summary>One piece of advice about a garden.</summary>
public sealed record Insight
{
    public required Guid Id { get; init; }

    public required Guid GardenId { get; init; }

    /// <summary>What it is about: <c>watering frost heat mould soil care</c> by rule, <c>advice</c> from a model.</summary>
    public required string InsightType { get; init; }

    /// <summary><c>info</c>, <c>warning</c> or <c>critical</c>.</summary>
    public required string Severity { get; init; }

    public required string Message { get; init; }

    /// <summary>Who said it: <c>rules</c>, <c>openai</c> or <c>anthropic</c>.</summary>
    public required string ModelProvider { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}
