using System.Text.RegularExpressions;

namespace Orchestrator.Docker;

/// <summary>The parts of an image reference, in the short form that the engine shows: <c>docker.io/library/</c> is left out.</summary>
/// <param name="Repository">Registry and path without tag and digest, e.g. <c>localhost:5000/garden</c> or <c>postgres</c>.</param>
/// <param name="Digest"><c>sha256:…</c>; with it the tag means nothing.</param>
public sealed partial record ImageReference(string Repository, string? Tag, string? Digest)
{
    private const string DockerHub = "docker.io";

    /// <summary>The host that is asked for it.</summary>
    public string Registry => RegistryOf(Repository) ?? DockerHub;

    /// <summary>The tag or digest to pull; <c>latest</c> when neither is given.</summary>
    public string Version => Digest ?? Tag ?? "latest";

    /// <returns>Null for what cannot name an image in a registry, such as a bare identifier.</returns>
    public static ImageReference? TryParse(string text)
    {
        var match = Form().Match(text);
        if (!match.Success || Identifier().IsMatch(text)) return null;
        return new ImageReference(
            Familiar(match.Groups["repository"].Value),
            match.Groups["tag"] is { Success: true, Value: var tag } ? tag : null,
            match.Groups["digest"] is { Success: true, Value: var digest } ? digest : null);
    }

    private static string Familiar(string repository)
    {
        foreach (var host in (ReadOnlySpan<string>)["docker.io/", "index.docker.io/"])
        {
            if (repository.StartsWith(host, StringComparison.Ordinal)) repository = repository[host.Length..];
        }

        return repository.StartsWith("library/", StringComparison.Ordinal) ? repository["library/".Length..] : repository;
    }

    /// <summary>The first part is a host when it looks like one: it has a dot or a port, or is <c>localhost</c>.</summary>
    private static string? RegistryOf(string repository) =>
        repository.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
        && repository[..slash] is var first
        && (first == "localhost" || first.Contains('.') || first.Contains(':'))
            ? first
            : null;

    [GeneratedRegex(@"^(?<repository>(?:(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d+)?/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>[a-z0-9+._-]+:[0-9a-f]{32,}))?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();

    [GeneratedRegex("^(sha256:)?[0-9a-f]{64}$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Identifier();
}
