using System.Collections.Immutable;

namespace Orchestrator.Agent.Hosting;

/// <summary>What is written down, how, and where to.</summary>
public sealed record LogOptions
{
    public LogLevel Level { get; init; } = LogLevel.Information;

    public LogFormat Format { get; init; } = LogFormat.Auto;

    /// <summary>Also written to this file, as compact JSON, a new one each day, the last seven kept. Null: standard output only.</summary>
    public string? File { get; init; }

    /// <summary>Namespace → level, the longest match counts. Laid over what the frameworks are quietened to.</summary>
    public ImmutableSortedDictionary<string, LogLevel> Levels { get; init; } = ImmutableSortedDictionary<string, LogLevel>.Empty;
}

/// <summary>How standard output is written.</summary>
public enum LogFormat
{
    /// <summary>Text on a terminal, JSON otherwise.</summary>
    Auto,
    Text,
    Json,
}
