namespace Orchestrator.Traffic.Requests;

/// <summary>Whether and where each request is written down.</summary>
public sealed record AccessLogOptions
{
    /// <summary>The word for standard output.</summary>
    public const string Stdout = "stdout";

    /// <summary>An absolute path, or <see cref="Stdout"/>; null: nothing is written.</summary>
    public string? File { get; init; }

    /// <summary>Share of the requests that are written, from 0 to 1; answers from 500 on always are.</summary>
    public double Sample { get; init; } = 1;
}
