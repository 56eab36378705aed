using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Stacks;

namespace Orchestrator.Planning;

/// <summary>What differs between two specifications of a service, path by path. Values of environment variables never appear.</summary>
public static class SpecDiff
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static IEnumerable<Change> Between(ServiceSpec old, ServiceSpec wanted) =>
        Walk("", JsonSerializer.SerializeToNode(old, Options), JsonSerializer.SerializeToNode(wanted, Options));

    /// <summary>A change that moves no container: what the edge and the gate do with it, and for a coloured service the ports that the proxy publishes.</summary>
    public static bool IsSetting(Change change, bool coloured) =>
        (change.Path.StartsWith("bas_malin.", StringComparison.Ordinal) && change.Path != "bas_malin.migrate")
        || change.Path is "pull" or "bas_malin.migrate" || change.Path.StartsWith("depends_on", StringComparison.Ordinal)
        || (coloured && change.Path.StartsWith("ports", StringComparison.Ordinal));

    private static IEnumerable<Change> Walk(string path, JsonNode? old, JsonNode? wanted)
    {
        if (JsonNode.DeepEquals(old, wanted)) return [];
        if (old is JsonObject left && wanted is JsonObject right)
            return left.Select(pair => pair.Key).Union(right.Select(pair => pair.Key)).SelectMany(key => Walk(Join(path, key), left[key], right[key]));
        return [Show(path, old, wanted)];
    }

    private static Change Show(string path, JsonNode? old, JsonNode? wanted) =>
        path.StartsWith("container.environment.", StringComparison.Ordinal) || path.StartsWith("build.args.", StringComparison.Ordinal)
            ? new(path, old is null ? null : "***", wanted is null ? null : "***")
            : new(path, Text(old), Text(wanted));

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static string? Text(JsonNode? node) => node switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => node.ToJsonString(),
    };
}
