using System.Text.Json;

namespace Orchestrator.Health;

/// <summary>Looks one value up in a JSON text.</summary>
internal static class JsonText
{
    /// <param name="field">Dotted; a number picks an element of an array, e.g. <c>checks.0.status</c>.</param>
    /// <param name="problem">Why nothing was found.</param>
    /// <returns>The value as text (strings without quotes); null when there is none.</returns>
    public static string? Find(string json, string field, out string problem)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var at = document.RootElement;
            foreach (var part in field.Split('.'))
            {
                if (Step(at, part) is not { } next)
                {
                    problem = $"the answer has no field {field}";
                    return null;
                }

                at = next;
            }

            problem = "";
            return at.ValueKind == JsonValueKind.String ? at.GetString() : at.GetRawText();
        }
        catch (JsonException failure)
        {
            problem = $"the answer is not JSON ({failure.Message})";
            return null;
        }
    }

    private static JsonElement? Step(JsonElement at, string part) => at.ValueKind switch
    {
        JsonValueKind.Object when at.TryGetProperty(part, out var member) => member,
        JsonValueKind.Array when int.TryParse(part, out var index) && index >= 0 && index < at.GetArrayLength() => at[index],
        _ => null,
    };
}
