using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What the daemon writes down now. Levels: trace, debug, information, warning, error, critical, none.</summary>
/// <param name="Levels">Namespace → level; the longest match counts.</param>
public sealed record LogLevelsResponse(string Level, ImmutableSortedDictionary<string, string> Levels);

/// <summary>A change of the log levels, until the next start. What is left out stays; a null level takes a namespace's own level away.</summary>
public sealed record LogLevelsRequest
{
    public string? Level { get; init; }

    public ImmutableSortedDictionary<string, string?>? Levels { get; init; }
}
