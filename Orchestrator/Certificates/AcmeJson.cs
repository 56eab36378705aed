using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Certificates;

/// <summary>Takes what an authority says apart; what is not as it must be is said, and never trusted.</summary>
internal static class AcmeJson
{
    /// <exception cref="AcmeException">It is no JSON object.</exception>
    public static JsonNode Parse(string body)
    {
        try
        {
            if (JsonNode.Parse(body) is JsonObject json) return json;
        }
        catch (JsonException exception)
        {
            throw AcmeException.Nonsense($"the authority's answer is no JSON: {exception.Message}");
        }

        throw AcmeException.Nonsense("the authority's answer is no JSON object");
    }

    /// <summary>Null: it is no object, or has no such member.</summary>
    public static JsonNode? Member(this JsonNode? json, string name) => json is JsonObject members ? members[name] : null;

    public static string? TextOrNull(this JsonNode? json, string name) =>
        json.Member(name) is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <exception cref="AcmeException">There is no such text.</exception>
    public static string Text(this JsonNode json, string name) =>
        json.TextOrNull(name) ?? throw AcmeException.Nonsense($"the authority's answer has no '{name}'");

    /// <exception cref="AcmeException">There is no such address, or it is not by https.</exception>
    public static Uri Address(this JsonNode json, string name) => AddressOf(json.Text(name), name);

    /// <exception cref="AcmeException">It is no address by https.</exception>
    public static Uri AddressOf(string text, string name) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps
            ? address
            : throw AcmeException.Nonsense($"the authority's '{name}' is no address by https");

    public static IEnumerable<JsonNode> Items(this JsonNode json, string name) => (json.Member(name) as JsonArray)?.OfType<JsonNode>() ?? [];
}
