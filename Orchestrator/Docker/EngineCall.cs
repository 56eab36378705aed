namespace Orchestrator.Docker;

/// <summary>One call of the engine: what is asked, in words that complete "could not …", and how it is to be said.</summary>
internal sealed record EngineCall(string What)
{
    /// <summary>True for what must not be repeated blindly.</summary>
    public bool Once { get; init; }

    /// <summary>Null: the pipeline's own.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Values that went out with the request and must never come back in a message.</summary>
    public IReadOnlyCollection<string> Secrets { get; init; } = [];
}
