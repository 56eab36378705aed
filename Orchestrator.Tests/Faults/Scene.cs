using System.Collections.Immutable;
using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Faults;

/// <summary>What there is of a stack, as its users and the engine's own client see it.</summary>
/// <param name="Version">Who answers; null: nobody.</param>
/// <param name="Containers">Identifier, service/kind, state.</param>
internal sealed record Scene(string? Version, ImmutableArray<string> Containers, ImmutableArray<string> Networks)
{
    /// <summary>The same, but for which containers it is.</summary>
    public string Shape => $"version {Version ?? "none"}; {string.Join(", ", Containers.Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]).Order(StringComparer.Ordinal))}; {string.Join(", ", Networks)}";

    /// <summary>The coloured containers that are there.</summary>
    public IEnumerable<string> App => Containers.Where(line => line.Contains(" app/", StringComparison.Ordinal));

    /// <summary>All that is there runs.</summary>
    public bool IsQuiet => Containers.All(line => line.EndsWith("running", StringComparison.Ordinal));

    /// <param name="engine">What the engine's client is told before its verb, when it is not the engine of this host.</param>
    public static async Task<Scene> LookAsync(string stack, Func<Task<string?>> version, string engine = "")
    {
        var containers = await TestDaemon.DockerAsync($"{engine}ps -a --no-trunc --filter label=basmalin.stack={stack} --format \"{{{{.ID}}}} {{{{.Label \\\"basmalin.service\\\"}}}}/{{{{.Label \\\"basmalin.kind\\\"}}}} {{{{.State}}}}\"");
        var networks = await TestDaemon.DockerAsync($"{engine}network ls --filter label=basmalin.stack={stack} --format {{{{.Name}}}}");
        return new(await version(), Lines(containers), Lines(networks));
    }

    /// <summary>Who answers for a host; null: nobody.</summary>
    public static async Task<string?> VersionAsync(Uri edge, string host)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(35) };
        using var message = new HttpRequestMessage(HttpMethod.Get, edge) { Headers = { Host = host } };
        using var answer = await client.SendAsync(message);
        return answer.Headers.TryGetValues("X-Version", out var versions) ? versions.First() : null;
    }

    private static ImmutableArray<string> Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
}
