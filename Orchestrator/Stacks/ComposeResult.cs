using System.Collections.Immutable;

namespace Orchestrator.Stacks;

public enum FindingSeverity
{
    /// <summary>Worth knowing; nothing is refused.</summary>
    Note,
    Error,
}

/// <summary>Something that was found in a Compose file.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="Key">Dotted path, e.g. <c>services.app.ports[0]</c>; empty: the file as a whole.</param>
/// <param name="Message">What was found and what was expected.</param>
/// <param name="Hint">What to do, e.g. the nearest known key; null when the message says it all.</param>
public sealed record Finding(FindingSeverity Severity, string File, int Line, int Column, string Key, string Message, string? Hint)
{
    public override string ToString() =>
        $"{File}:{Line}:{Column}: {(Severity == FindingSeverity.Error ? "error" : "note")}: {(Key.Length == 0 ? "" : $"{Key}: ")}{Message}{(Hint is null ? "" : $" ({Hint})")}";
}

/// <summary>The outcome of reading a Compose file: a stack, or every problem at once.</summary>
/// <param name="Stack">Null when there is an error.</param>
public sealed record ComposeResult(Stack? Stack, ImmutableArray<Finding> Findings)
{
    public IEnumerable<Finding> Errors => Findings.Where(finding => finding.Severity == FindingSeverity.Error);

    public IEnumerable<Finding> Notes => Findings.Where(finding => finding.Severity == FindingSeverity.Note);
}

/// <summary>What the reader is given.</summary>
public sealed record ComposeSource
{
    /// <summary>The name that errors carry, e.g. <c>compose.yml</c>.</summary>
    public required string FileName { get; init; }

    public required string Content { get; init; }

    /// <summary>Absolute directory that relative paths are resolved against.</summary>
    public required string Directory { get; init; }

    /// <summary>Overrides <c>name:</c> of the file and the directory's name.</summary>
    public string? StackName { get; init; }

    /// <summary>Variables for interpolation; they win over <c>.env</c>.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    public ImmutableHashSet<string> Profiles { get; init; } = [];
}
