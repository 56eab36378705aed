namespace Orchestrator.Access;

/// <summary>What is known of a token. The token itself is not kept.</summary>
public sealed record Token
{
    public required string Name { get; init; }

    public required TokenScope Scope { get; init; }

    /// <summary>The only stack that it opens; null: all.</summary>
    public string? Stack { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From then on it is refused; null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Exact to the minute.</summary>
    public DateTimeOffset? LastUsed { get; init; }

    /// <param name="stack">Null: what is asked for does not belong to one stack, and a token of one stack does not open it.</param>
    public bool Allows(TokenScope needed, string? stack) => Scope >= needed && (Stack is null || Stack == stack);
}
