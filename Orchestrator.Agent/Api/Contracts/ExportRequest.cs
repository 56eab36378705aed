namespace Orchestrator.Agent.Api.Contracts;

/// <summary>Takes something out of a logical dump. One of <see cref="User"/> and <see cref="Anonymise"/>.</summary>
public sealed record ExportRequest
{
    /// <summary>The service whose dump it is.</summary>
    public required string Service { get; init; }

    /// <summary>The key of the person whose rows are wanted, as <c>backup.export</c> compares it; at most 200 characters.</summary>
    public string? User { get; init; }

    /// <summary>True: all rows, masked as <c>backup.anonymise</c> says.</summary>
    public bool Anonymise { get; init; }

    /// <summary>The dump, by its name within the stack; null: the newest.</summary>
    public string? Set { get; init; }
}
